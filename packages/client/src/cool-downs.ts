import type { Clock } from "./clock.js";
import type { Deadline } from "./deadline.js";
import type { RateLimitError } from "./errors.js";
import type { OnWait } from "./options.js";

/** Calls held back by the same 429 come back spread over this time, not all in one moment. */
const spreadMs = 500;

/** Until when a model must be left alone, because one of its calls met a limit: the others wait as well. */
export class CoolDowns {
  readonly #clock: Clock;
  /** A Map: model ids are the caller's words. */
  readonly #ends = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether any model is left alone; nearly always none is. */
  get any(): boolean {
    return this.#ends.size > 0;
  }

  /** Lets other calls for the model wait as long as the one that met the limit does. */
  start(model: string | undefined, error: RateLimitError, delayMs: number | undefined): void {
    if (model === undefined || delayMs === undefined || delayMs === 0 || !error.retryable) return;
    const end = this.#clock.now() + delayMs;
    if (end > (this.#ends.get(model) ?? 0)) this.#ends.set(model, end);
  }

  /** Waits while another call's limit holds this model back. `announce` is told of each wait before it begins. */
  async wait(model: string | undefined, deadline: Deadline, announce: OnWait): Promise<void> {
    if (model === undefined) return;
    for (;;) {
      const left = (this.#ends.get(model) ?? 0) - this.#clock.now();
      if (!(left > 0)) {
        this.#ends.delete(model);
        return;
      }
      const delayMs = left + this.#clock.random() * spreadMs;
      announce({ reason: `rate limit of ${model}`, delayMs });
      await deadline.sleep(delayMs);
    }
  }
}
