import type { ChatCompletion, ChatCompletionRequest } from "@langchain-siliconflow/client";
import type { Line } from "./lines.js";
import { missing, type Outcome } from "./results.js";
import type { BatchSlot } from "./slot.js";

interface Ask {
  position: number;
  request: ChatCompletionRequest;
  resolve(completion: ChatCompletion): void;
  reject(error: unknown): void;
}

/** What a {@link Collector} does with requests. */
export interface Collecting {
  /** Rejects for a request that cannot be a line. */
  lineOf(position: number, request: ChatCompletionRequest): Promise<Line>;
  /** Asked before anything is sent, and told of the first such request; what it throws is what every call gets. */
  mayBegin(wrong: unknown): void;
  answer(lines: Line[]): Promise<Map<string, Outcome>>;
}

/**
 * Gathers the requests of many calls that run side by side, and answers them together: when every call waits for an answer or
 * has ended, those that wait make up the next batches.
 */
export class Collector {
  readonly #collecting: Collecting;
  #running: number;
  #waiting: Ask[] = [];

  constructor(calls: number, collecting: Collecting) {
    this.#running = calls;
    this.#collecting = collecting;
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
      const made = await Promise.allSettled(
        asks.map(({ position, request }) => this.#collecting.lineOf(position, request)),
      );
      const wrong = made.find((each) => each.status === "rejected");
      this.#collecting.mayBegin(wrong?.reason);
      const lines = made.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
      const outcomes = await this.#collecting.answer(lines);
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
