import type { LimitClass } from "./limits.js";
import { SlidingWindow } from "./sliding-window.js";

/** A second may take this part of a minute's limit, so that what goes out in a burst also arrives as one. */
const burstShare = 1 / 10;
/** After a 429, what is left of a limit that was configured. Others use the account as well. */
const loweredTo = 0.9;
const lowestShare = 0.05;
/** Left free of a limit on tokens, whose estimates lag behind answers that grow: a service refuses what is over by one. */
const keptFreeOfTokens = 0.005;
/** By this part of itself a lowered or learnt limit grows back in each of its windows. */
const growth = 0.03;
/** A limit is learnt from what was used, if that was at least so many requests like the refused one. */
const telling = 10;

/** How a limiter's windows are cut. */
export interface Cut {
  /** Buckets in a window. More lose less of the rate, and take more to keep. */
  buckets: number;
  /** How long after its window a bucket still counts: for clocks that differ. */
  marginMs: number;
  /**
   * The service counts a request at some time between its sending and the end of its answer, however busy the network
   * and this process are. It counts here from its end, or from so long after its sending, whichever comes first: the one
   * for models that answer quickly, whose late answers tell of a delay, the other for those that take their time.
   */
  holdMs: { quick: number; slow: number };
}

/** One limit of one model: what it allows, what is used of it, and what was learnt about it. */
export class Budget {
  readonly class: LimitClass;
  /** As configured; `Infinity` when not. */
  readonly configured: number;
  readonly used: SlidingWindow;
  /** What is used of it at most. */
  readonly #usable: number;
  /** For requests whose real use is not known yet. */
  reserved = 0;
  readonly #reachMs: number;
  readonly #lastSecond = new SlidingWindow(100, 1000);
  /** A lower limit since a 429, until it has grown back. */
  #lowered: { limit: number; at: number } | undefined;

  constructor(limitClass: LimitClass, configured: number, { buckets, marginMs }: Cut) {
    this.class = limitClass;
    this.configured = configured;
    this.#usable = limitClass.unit === "tokens" ? configured * (1 - keptFreeOfTokens) : configured;
    this.#reachMs = limitClass.windowMs + marginMs;
    this.used = new SlidingWindow(limitClass.windowMs / buckets, this.#reachMs);
  }

  limit(now: number): number {
    if (this.#lowered === undefined) return this.#usable;
    const grown = this.#lowered.limit * (1 + (growth * (now - this.#lowered.at)) / this.class.windowMs);
    if (grown < this.#usable) return grown;
    this.#lowered = undefined;
    return this.#usable;
  }

  /** Everything that counts against the limit now. */
  total(now: number): number {
    return this.used.total(now) + this.reserved;
  }

  /**
   * Milliseconds until there is room for so much, and for what comes before it. What is larger than a learnt limit has
   * room when nothing else is there.
   */
  wait(amount: number, before: number, now: number): number {
    if (amount === 0) return 0;
    const limit = this.limit(now);
    if (limit === Infinity) return 0;
    const used = this.used.total(now);
    const excess = used + this.reserved + before + Math.min(amount, limit) - limit;
    if (excess <= 0) return 0;
    // A guess: what is reserved leaves when its requests end, and one that ends asks again.
    if (excess > used) return this.#reachMs * Math.max(used > 0 ? 1 : 0.1, (excess - this.reserved) / limit);
    return this.used.untilLeft(excess, now);
  }

  /** Milliseconds until so much more may go out, when the last second has been busy. */
  burstWait(amount: number, now: number): number {
    const limit = this.limit(now);
    if (limit === Infinity || this.class.windowMs > 60_000) return 0;
    const recent = this.#lastSecond.total(now);
    return this.#lastSecond.untilLeft(Math.min(recent, recent + amount - limit * burstShare), now);
  }

  /** Notes what goes out, for {@link burstWait}. */
  sent(amount: number, now: number): void {
    if (this.class.windowMs <= 60_000) this.#lastSecond.add(this.#lastSecond.indexAt(now), amount);
  }

  /** Requests and the like that went out in the last second. */
  inLastSecond(now: number): number {
    return this.#lastSecond.total(now);
  }

  /** The service said that this limit is reached, to a request of this size. */
  reached(amount: number, now: number): void {
    if (this.configured !== Infinity) {
      const limit = Math.max(this.configured * lowestShare, this.limit(now) * loweredTo, 1);
      this.#lowered = { limit, at: now };
      return;
    }
    // Of an hour or a day this process has rarely seen enough to learn a limit from.
    const used = this.total(now) - amount;
    if (this.class.windowMs > 60_000 || used < telling * Math.max(1, amount)) return;
    this.#lowered = { limit: Math.min(used, this.limit(now)), at: now };
  }
}
