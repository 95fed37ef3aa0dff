import type { Clock } from "./clock.js";
import type { Deadline } from "./deadline.js";
import {
  ApiError,
  ConnectionError,
  ServiceUnavailableError,
  TimeoutError,
  type ErrorDetails,
  type SiliconFlowError,
} from "./errors.js";
import type { OnWait } from "./options.js";
import { maxRetryAfterMs } from "./retry.js";

/** Failures in a row after which a model counts as down. */
const failuresToOpen = 10;
/** Failures further apart are no row. */
const memoryMs = 60_000;
/** Between two probes: at first, and after several have failed. */
const firstIntervalMs = 500;
const longestIntervalMs = 3_000;
/** When the outage is over, the calls that waited come back in steps: one, then two, then three, … */
const stepMs = 20;

/** How an attempt got past the circuits: as the probe that all others wait for, or as any other. */
export interface Pass {
  /** Attempts are numbered as they set out: what an older one meets is no news. */
  readonly number: number;
  /** Undefined for an attempt that found everything in order, or was released after an outage. */
  readonly probeOf?: Circuit | undefined;
  /** Probes that failed while it waited. */
  readonly waited: number;
}

/** Counts attempts, over all models. */
export interface Numbers {
  last: number;
}

/** What a call has waited for: `probe` is the number under which it is to try for all others. */
interface Outcome {
  probe?: number;
  waited: number;
}

interface Waiter {
  waits: number;
  /** The last attempt that had set out when it came. */
  readonly since: number;
  waited: number;
  readonly announce: OnWait;
  go(outcome: Outcome): void;
  giveUp(error: SiliconFlowError): void;
}

/** One model, or one host. Closed in good times; open while it is down. */
export class Circuit {
  readonly #clock: Clock;
  readonly #numbers: Numbers;
  readonly #name: string;
  #failures = 0;
  /** The last attempts that had set out when the failures began, and when they were over. */
  #failingSince = 0;
  #soundSince = 0;
  #lastFailure: { error: SiliconFlowError; at: number } | undefined;
  #openedAt: number | undefined;
  #intervalMs = firstIntervalMs;
  #lastProbe = { number: 0, at: 0 };
  #probeAt = 0;
  /** In the order in which they came. */
  readonly #waiters = new Set<Waiter>();
  /** Of the next probe while open, of the next step afterwards. */
  #cancelTimer: (() => void) | undefined;
  #step = 0;

  constructor(clock: Clock, numbers: Numbers, name: string) {
    this.#clock = clock;
    this.#numbers = numbers;
    this.#name = name;
  }

  get open(): boolean {
    return this.#openedAt !== undefined;
  }

  /** Whether it can be forgotten. */
  get idle(): boolean {
    if (this.open || this.#waiters.size > 0) return false;
    return this.#failures === 0 || this.#clock.now() - this.#lastFailure!.at > memoryMs;
  }

  async wait(waits: number, deadline: Deadline, announce: OnWait): Promise<Outcome> {
    if (this.#waiters.size === 0 && this.#probeAt <= this.#clock.now()) return this.#probe(0);
    let waiter: Waiter | undefined;
    deadline.begin(false);
    try {
      return await deadline.race(
        new Promise<Outcome>((go, giveUp) => {
          waiter = { waits, since: this.#numbers.last, waited: 0, announce, go, giveUp };
          this.#waiters.add(waiter);
          this.#announceTo(waiter);
          this.#arm();
        }),
      );
    } finally {
      if (waiter !== undefined) this.#waiters.delete(waiter);
      if (this.#waiters.size === 0) this.#disarm();
    }
  }

  succeeded({ number }: Pass): void {
    // Of before the failures: a host that drains answers old requests and refuses new ones.
    if (this.#failures === 0 || number <= this.#failingSince) return;
    this.#failures = 0;
    if (!this.open) return;
    this.#openedAt = undefined;
    this.#soundSince = this.#numbers.last;
    this.#step = 0;
    this.#disarm();
    this.#release();
  }

  failed(error: SiliconFlowError, pass: Pass): void {
    const now = this.#clock.now();
    if (this.#openedAt === undefined) {
      // Of before the recovery: attempts that hung all the while end only now.
      if (pass.number <= this.#soundSince) return;
      if (this.#lastFailure !== undefined && now - this.#lastFailure.at > memoryMs) this.#failures = 0;
      this.#lastFailure = { error, at: now };
      if (this.#failures === 0) this.#failingSince = this.#numbers.last;
      this.#failures += 1;
      if (this.#failures < failuresToOpen) return;
      this.#openedAt = now;
      this.#intervalMs = firstIntervalMs;
      this.#lastProbe = { number: 0, at: now };
      this.#schedule(error);
      return;
    }
    this.#lastFailure = { error, at: now };
    // Sent before it opened: nobody waits for this one.
    if (pass.probeOf !== this) return;
    this.#intervalMs = Math.min(longestIntervalMs, this.#intervalMs * 2);
    if (pass.number === this.#lastProbe.number) this.#schedule(error);
    for (const waiter of this.#waiters) {
      if (waiter.since >= pass.number) continue;
      waiter.waits -= 1;
      waiter.waited += 1;
      if (waiter.waits > 0) this.#announceTo(waiter);
      else {
        this.#waiters.delete(waiter);
        waiter.giveUp(this.#stillDown(error, now - this.#openedAt));
      }
    }
  }

  /** The next probe is due an interval after the last, never quite the same one: the processes of an account must not march in step. */
  #schedule(failure?: SiliconFlowError): void {
    this.#probeAt = this.#lastProbe.at + this.#intervalMs * (0.75 + 0.25 * this.#clock.random());
    const asked = failure instanceof ApiError ? (failure.retryAfterMs ?? 0) : 0;
    if (asked <= maxRetryAfterMs) this.#probeAt = Math.max(this.#probeAt, this.#clock.now() + asked);
    this.#disarm();
    this.#arm();
  }

  #arm(): void {
    if (!this.open || this.#cancelTimer !== undefined || this.#waiters.size === 0) return;
    this.#cancelTimer = this.#clock.after(Math.max(0, this.#probeAt - this.#clock.now()), () => {
      this.#cancelTimer = undefined;
      const [first] = this.#waiters;
      if (first === undefined) return;
      this.#waiters.delete(first);
      first.go(this.#probe(first.waited));
    });
  }

  #disarm(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  #probe(waited: number): Outcome {
    const number = (this.#numbers.last += 1);
    this.#lastProbe = { number, at: this.#clock.now() };
    // A probe that hangs must not hold up those after it.
    this.#schedule();
    return { probe: number, waited };
  }

  /** Lets those who waited go, few at first: what has just come back must not be knocked over. */
  #release(): void {
    this.#step += 1;
    let left = this.#step;
    for (const waiter of this.#waiters) {
      if (left === 0) break;
      left -= 1;
      this.#waiters.delete(waiter);
      waiter.go({ waited: waiter.waited });
    }
    if (this.#waiters.size === 0) return;
    this.#cancelTimer = this.#clock.after(stepMs, () => {
      this.#cancelTimer = undefined;
      this.#release();
    });
  }

  #announceTo(waiter: Waiter): void {
    const delayMs = Math.max(0, this.#probeAt - this.#clock.now());
    waiter.announce({ reason: `outage of ${this.#name}`, delayMs });
  }

  /** An error of the waiting call's own: `attempts` and stack differ from those of the probe. */
  #stillDown(error: SiliconFlowError, forMs: number): SiliconFlowError {
    const message = `${error.message} Nothing more was sent: ${this.#name} has been failing for ${Math.ceil(forMs / 1000)} s.`;
    const { reason, traceId } = error;
    const details: ErrorDetails = { reason, retryable: true, traceId };
    if (error instanceof TimeoutError) return new TimeoutError(message, { ...details, phase: error.phase });
    if (!(error instanceof ApiError)) return new ConnectionError(message, details);
    const { status, code, retryAfterMs } = error;
    return new ServiceUnavailableError(message, { ...details, status, code, retryAfterMs });
  }
}
