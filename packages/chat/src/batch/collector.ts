import type { ChatCompletion, ChatCompletionRequest } from "@langchain-siliconflow/client";
import { lineOf, type Line } from "./lines.js";
import { missing, type Outcome } from "./results.js";
import type { BatchSlot } from "./slot.js";

interface Ask {
  position: number;
  request: ChatCompletionRequest;
  resolve(completion: ChatCompletion): void;
  reject(error: unknown): void;
}

/**
 * Gathers the requests of many calls that run side by side, and answers them together: when every call waits for an answer or
 * has ended, those that wait make up the next batches.
 */
export class Collector {
  readonly #answer: (lines: Line[]) => Promise<Map<string, Outcome>>;
  readonly #mayBegin: (wrong: unknown) => void;
  #running: number;
  #waiting: Ask[] = [];

  /**
   * @param calls - How many calls there are.
   * @param mayBegin - Asked before anything is sent, and told of a request that cannot be a line; what it throws is what every call gets.
   */
  constructor(calls: number, answer: (lines: Line[]) => Promise<Map<string, Outcome>>, mayBegin: (wrong: unknown) => void) {
    this.#running = calls;
    this.#answer = answer;
    this.#mayBegin = mayBegin;
  }

  /** Where the call of an input puts its request. */
  slot(position: number): BatchSlot {
    return {
      ask: (request) =>
        new Promise((resolve, reject) => {
          this.#waiting.push({ position, request, resolve, reject });
          this.#leave();
        }),
    };
  }

  /** A call has ended. */
  ended(): void {
    this.#leave();
  }

  #leave(): void {
    this.#running -= 1;
    if (this.#running > 0 || this.#waiting.length === 0) return;
    const asks = this.#waiting.sort((a, b) => a.position - b.position);
    this.#waiting = [];
    this.#running = asks.length;
    void this.#settle(asks);
  }

  async #settle(asks: Ask[]): Promise<void> {
    try {
      const made = await Promise.allSettled(asks.map(({ position, request }) => lineOf(position, request)));
      const wrong = made.find((each) => each.status === "rejected");
      this.#mayBegin(wrong?.reason);
      const lines = made.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
      const outcomes = await this.#answer(lines);
      for (const [index, { position, resolve, reject }] of asks.entries()) {
        const each = made[index]!;
        if (each.status === "rejected") {
          reject(each.reason);
          continue;
        }
        const outcome = outcomes.get(each.value.customId) ?? missing(position);
        if ("completion" in outcome) resolve(outcome.completion);
        else reject(outcome.error);
      }
    } catch (error) {
      for (const { reject } of asks) reject(error);
    }
  }
}
