import type { Clock } from "../clock.js";
import { quietly } from "../quietly.js";
import type { AcquireRequest, Lease } from "../rate-limiter.js";
import type { Need } from "./limits.js";
import type { ModelLimits, Wait } from "./model-limits.js";

/** Shorter waits are nobody's news. */
const worthTellingMs = 1000;
/** Longer waits overflow the runtime's timers. */
const longestTimerMs = 2 ** 31 - 1;

/** A request in the line. */
export interface Waiter {
  /** As was known when the line was last looked at. */
  need: Need;
  /** What was asked for, before what experience adds to it. */
  readonly estimate: number;
}

/** A lease that was not used for a request can be given back. */
export interface Grant extends Lease {
  /** Nothing was sent. */
  cancel(): void;
}

/** What became of a look at the line. */
export interface Admission {
  /** Who may go: the first of the line, in its order. */
  readonly granted: readonly (readonly [Waiter, Grant])[];
  /** Why the next one must wait; undefined to be asked again at once. */
  readonly wait: Wait | undefined;
  /** There may be room earlier, because others give theirs back: look again after so long. */
  readonly lookAgainMs?: number;
}

/** Decides how many of a line's first requests may go. Never throws. */
export type Admit = (line: Iterable<Waiter>) => Admission | Promise<Admission>;

interface Place {
  resolve(lease: Lease): void;
  reject(error: unknown): void;
  /** Forgets the signal. */
  release(): void;
}

/** Requests for one model: first come, first served. One timer at most, and none when nobody waits. */
export class WaitingLine {
  readonly #limits: ModelLimits;
  readonly #admit: Admit;
  readonly #clock: Clock;
  readonly #places = new Map<Waiter, Place>();
  /** What all of them need together. */
  readonly #ahead = { requests: 0, tokens: 0, images: 0 };
  #cancelTimer: (() => void) | undefined;
  #deciding = false;

  constructor(limits: ModelLimits, admit: Admit, clock: Clock) {
    this.#limits = limits;
    this.#admit = admit;
    this.#clock = clock;
  }

  get length(): number {
    return this.#places.size;
  }

  /** Takes a place. Resolves to the lease. */
  async join({ tokens, images = 0, signal, onWait }: AcquireRequest): Promise<Lease> {
    signal?.throwIfAborted();
    const need = this.#limits.need(tokens, images);
    // Also behind others: what cannot go for hours is told at once.
    const own = this.#limits.wait(need);
    const refusal = own && this.#limits.refusal(own);
    if (refusal !== undefined) throw refusal;
    const wait = this.#places.size === 0 ? own : this.#limits.wait(need, this.#ahead);
    const lease = this.#enter(need, tokens, signal);
    if (wait !== undefined && wait.milliseconds >= worthTellingMs)
      quietly(() => onWait?.({ reason: reasonOf(wait, this.#limits.model), delayMs: Math.ceil(wait.milliseconds) }));
    return await lease;
  }

  /** Something has changed: perhaps there is room. */
  look(): void {
    if (this.#deciding) return;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    while (this.#places.size > 0) {
      const admission = this.#admit(this.#inOrder());
      if (admission instanceof Promise) {
        this.#deciding = true;
        void admission.then((admitted) => {
          this.#deciding = false;
          if (this.#serve(admitted)) this.look();
        });
        return;
      }
      if (!this.#serve(admission)) return;
    }
  }

  /** Each with what it needs by now: meanwhile others have heard how long answers are. */
  *#inOrder(): Generator<Waiter> {
    for (const waiter of this.#places.keys()) {
      this.#count(waiter.need, -1);
      waiter.need = this.#limits.need(waiter.estimate, waiter.need.images);
      this.#count(waiter.need, 1);
      yield waiter;
    }
  }

  #enter(need: Need, estimate: number, signal: AbortSignal | undefined): Promise<Lease> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { need, estimate };
      const onAbort = (): void => {
        this.#leave(waiter)?.reject(signal?.reason);
        this.look();
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      const release = (): void => signal?.removeEventListener("abort", onAbort);
      this.#places.set(waiter, { resolve, reject, release });
      this.#count(need, 1);
      if (this.#places.size === 1) this.look();
    });
  }

  /** Returns whether the line is to be looked at again at once. */
  #serve({ granted, wait, lookAgainMs = longestTimerMs }: Admission): boolean {
    for (const [waiter, grant] of granted) {
      const place = this.#leave(waiter);
      if (place === undefined) grant.cancel();
      else place.resolve(grant);
    }
    const [head] = this.#places.keys();
    if (head === undefined) return false;
    if (wait === undefined) return true;
    const refusal = this.#limits.refusal(wait);
    if (refusal !== undefined) {
      this.#leave(head)?.reject(refusal);
      return true;
    }
    this.#cancelTimer = this.#clock.after(Math.min(wait.milliseconds, lookAgainMs), () => {
      this.#cancelTimer = undefined;
      this.look();
    });
    return false;
  }

  #leave(waiter: Waiter): Place | undefined {
    const place = this.#places.get(waiter);
    if (place === undefined) return undefined;
    this.#places.delete(waiter);
    this.#count(waiter.need, -1);
    place.release();
    return place;
  }

  #count({ requests, tokens, images }: Need, sign: 1 | -1): void {
    this.#ahead.requests += sign * requests;
    this.#ahead.tokens += sign * tokens;
    this.#ahead.images += sign * images;
  }
}

function reasonOf({ limit }: Wait, model: string): string {
  return `${limit === undefined ? "rate limit" : `${limit} limit`} of ${model}`;
}
