import { abortReason } from "@langchain-siliconflow/client/adapter";

/**
 * At most so many tasks at once, fewer after the service has said that they are too many.
 *
 * The limit is halved by a refusal and grows back by one after as many answers as it allows at once.
 */
export class ConcurrencyLimit {
  readonly max: number;
  #limit: number;
  #active = 0;
  #answers = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(max: number) {
    this.max = max;
    this.#limit = max;
  }

  /** How many tasks may run at once now, 1 to `max`. */
  get limit(): number {
    return this.#limit;
  }

  /** Runs the task when there is room. Rejects without running it when the signal fires while it waits. */
  async run<T>(task: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    if (this.#active >= this.#limit) await this.#turn(signal);
    else this.#active++;
    try {
      return await task();
    } finally {
      this.#active--;
      this.#admit();
    }
  }

  /** The service refused a task as one too many. */
  refused(): void {
    this.#answers = 0;
    // Sixteen refusals of one burst are one message. The next one counts once the lowered limit is in force.
    if (this.#active <= this.#limit) this.#limit = Math.max(1, Math.floor(this.#limit / 2));
  }

  /** The service answered a task. */
  answered(): void {
    if (this.#limit >= this.max || ++this.#answers < this.#limit) return;
    this.#answers = 0;
    this.#limit++;
    this.#admit();
  }

  #turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const admit = () => {
        signal?.removeEventListener("abort", leave);
        resolve();
      };
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(admit), 1);
        reject(abortReason(signal!)); // Only a signal calls it.
      };
      if (signal?.aborted) return reject(abortReason(signal));
      signal?.addEventListener("abort", leave, { once: true });
      this.#waiting.push(admit);
    });
  }

  #admit(): void {
    while (this.#active < this.#limit && this.#waiting.length > 0) {
      // The place is taken here, not when the waiter wakes: another task could take it in between.
      this.#active++;
      this.#waiting.shift()!();
    }
  }
}
