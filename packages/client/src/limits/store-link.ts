import type { Clock } from "../clock.js";

/**
 * What {@link SharedRateLimiter} needs of a store: any limiter of the package `rate-limiter-flexible` has it
 * (`RateLimiterRedis`, `RateLimiterValkey`, `RateLimiterPostgres`, `RateLimiterMySQL`, `RateLimiterMongo`, …), whose own `points` and
 * `duration` are not used. So does anything else that counts atomically.
 */
export interface RateLimitStore {
  /** Adds to a counter, and resolves to what it is then. A new one ends after `customDuration` seconds. */
  penalty(
    key: string,
    points: number,
    options: { customDuration: number },
  ): Promise<{ readonly consumedPoints: number }>;
  /** Takes from a counter. */
  reward(
    key: string,
    points: number,
    options: { customDuration: number },
  ): Promise<{ readonly consumedPoints: number }>;
  /** Reads a counter, and how long it lasts; `null` when there is none. */
  get(key: string): Promise<{ readonly consumedPoints: number; readonly msBeforeNext: number } | null>;
}

/** A process that is busy itself takes this long to hear of an answer. What is refused is known at once. */
const timeoutMs = 3000;
const probeMs = 2000;
/** Other processes notice later that the store is back, and have told it by then what they used without it. */
const returnMs = 7000;
/** Without anyone asking, a store that is down is forgotten after so long. */
const forgottenMs = 120_000;

/** Talks to the store, and knows whether it answers. */
export class StoreLink {
  readonly #store: RateLimitStore;
  readonly #clock: Clock;
  readonly #onBack: () => Promise<void>;
  #up = true;
  #returnedAt = -Infinity;
  #probing = false;
  #neededAt = 0;

  /** @param onBack called when the store answers again, before it is used */
  constructor(store: RateLimitStore, clock: Clock, onBack: () => Promise<void>) {
    this.#store = store;
    this.#clock = clock;
    this.#onBack = onBack;
  }

  get up(): boolean {
    return this.#up;
  }

  /** Whether the store has been back only for a moment: others may have used what it does not know of yet. */
  get returning(): boolean {
    return this.#clock.now() < this.#returnedAt + returnMs;
  }

  /** Adds to a counter, or takes from it. Rejects when the store fails or is slow, and takes it for down from then on. */
  async add(key: string, amount: number, seconds: number): Promise<number> {
    const options = { customDuration: seconds };
    const { consumedPoints } = await this.#within(() =>
      amount < 0 ? this.#store.reward(key, -amount, options) : this.#store.penalty(key, amount, options),
    );
    return consumedPoints;
  }

  /** Reads a counter. As {@link add}. */
  get(key: string): Promise<{ readonly consumedPoints: number; readonly msBeforeNext: number } | null> {
    return this.#within(() => this.#store.get(key));
  }

  /** The store is of no use now. */
  fail(): void {
    this.#up = false;
    this.need();
  }

  /** Somebody would like to have the store back. */
  need(): void {
    this.#neededAt = this.#clock.now();
    if (!this.#up && !this.#probing) this.#probeLater();
  }

  async #within<T>(call: () => Promise<T>): Promise<T> {
    let cancel: (() => void) | undefined;
    try {
      return await new Promise<T>((resolve, reject) => {
        // In two steps: a process that was busy itself reads what has arrived before it judges.
        cancel = this.#clock.after(
          timeoutMs / 2,
          () => {
            cancel = this.#clock.after(timeoutMs / 2, () => reject(new Error("The store is too slow.")), true);
          },
          true,
        );
        Promise.resolve(call()).then(resolve, reject);
      });
    } catch (error) {
      this.fail();
      throw error;
    } finally {
      cancel?.();
    }
  }

  #probeLater(): void {
    this.#probing = true;
    this.#clock.after(probeMs, () => void this.#probe(), true);
  }

  async #probe(): Promise<void> {
    try {
      await this.get("probe");
      await this.#onBack();
      this.#up = true;
      this.#returnedAt = this.#clock.now();
      this.#probing = false;
      // What was used while that was written.
      await this.#onBack();
    } catch {
      if (this.#clock.now() - this.#neededAt < forgottenMs) this.#probeLater();
      else this.#probing = false;
    }
  }
}
