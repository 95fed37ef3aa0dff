import type { Clock, Deadline } from "./deadline.js";
import {
  ApiError,
  ConnectionError,
  ServiceUnavailableError,
  TimeoutError,
  type ErrorDetails,
  type SiliconFlowError,
} from "./errors.js";
import { isUnknownHost, maxRetryAfterMs } from "./retry.js";

/** Failures in a row after which a model counts as down. */
const failuresToOpen = 10;
/** Failures further apart are no row. */
const memoryMs = 60_000;
/** Between two probes: at first, and after several have failed. */
const firstIntervalMs = 500;
const longestIntervalMs = 3_000;
/** When the outage is over, the calls that waited come back in steps: one, then two, then three, … */
const stepMs = 20;
/** Models that have failed; of more those that are in order again are forgotten. */
const maxRemembered = 256;

type Announce = (event: { reason: string; delayMs: number }) => void;

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
interface Numbers {
  last: number;
}

/**
 * Keeps calls from a model, or from the whole host, while it fails whatever is sent: one call at a time is let through to try,
 * the others wait for what it meets. So an outage costs the service a request every few seconds, however many calls there
 * are, and a short one costs none of the calls its answer.
 */
export class Circuits {
  readonly #clock: Clock;
  readonly #host: Circuit;
  /** Only those that have failed. A Map: model ids are the caller's words. */
  readonly #models = new Map<string, Circuit>();
  readonly #numbers: Numbers = { last: 0 };

  constructor(clock: Clock, host: string) {
    this.#clock = clock;
    this.#host = new Circuit(clock, this.#numbers, host);
  }

  /** Whether a call for this model would have to wait. */
  hold(model: string | undefined): boolean {
    return this.#heldBy(model) !== undefined;
  }

  /**
   * Waits until a call for this model may be sent.
   *
   * @param waits probes that may fail meanwhile, 1 or more
   * @throws the failure of the last of them
   */
  async pass(model: string | undefined, waits: number, deadline: Deadline, announce: Announce): Promise<Pass> {
    let waited = 0;
    for (;;) {
      const circuit = this.#heldBy(model);
      if (circuit === undefined) return { number: (this.#numbers.last += 1), waited };
      const outcome = await circuit.wait(waits - waited, deadline, announce);
      waited += outcome.waited;
      if (outcome.probe !== undefined) return { number: outcome.probe, probeOf: circuit, waited };
    }
  }

  /** An attempt was answered. */
  succeeded(model: string | undefined, pass: Pass): void {
    this.#host.succeeded(pass);
    if (model !== undefined && this.#models.size > 0) this.#models.get(model)?.succeeded(pass);
  }

  /**
   * An attempt failed. A refusal of the request is no failure of the service; to a probe it shows that there is somebody again.
   *
   * @param connected whether it got as far as a connection
   */
  failed(model: string | undefined, error: SiliconFlowError, connected: boolean, pass: Pass): void {
    if (!isOutage(error)) {
      if (error instanceof ApiError) this.#host.succeeded(pass);
      pass.probeOf?.succeeded(pass);
      return;
    }
    if (connected && !isUnconnected(error)) {
      this.#host.succeeded(pass);
      if (model !== undefined) this.#circuitOf(model).failed(error, pass);
      return;
    }
    this.#host.failed(error, pass);
    if (pass.probeOf !== this.#host) pass.probeOf?.failed(error, pass);
  }

  #heldBy(model: string | undefined): Circuit | undefined {
    if (this.#host.open) return this.#host;
    if (model === undefined || this.#models.size === 0) return undefined;
    const circuit = this.#models.get(model);
    return circuit?.open ? circuit : undefined;
  }

  #circuitOf(model: string): Circuit {
    let circuit = this.#models.get(model);
    if (circuit === undefined) {
      if (this.#models.size >= maxRemembered) {
        for (const [name, other] of this.#models) if (other.idle) this.#models.delete(name);
      }
      circuit = new Circuit(this.#clock, this.#numbers, model);
      this.#models.set(model, circuit);
    }
    return circuit;
  }
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
  readonly announce: Announce;
  go(outcome: Outcome): void;
  giveUp(error: SiliconFlowError): void;
}

/** One model, or one host. Closed in good times; open while it is down. */
class Circuit {
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

  async wait(waits: number, deadline: Deadline, announce: Announce): Promise<Outcome> {
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

/** Whether the service is at fault, and may be for others too. A host name that does not exist fails at once, here as ever. */
function isOutage(error: SiliconFlowError): boolean {
  if (!error.retryable || isUnknownHost(error)) return false;
  if (error instanceof TimeoutError) return error.phase === "connect" || error.phase === "firstByte";
  return error instanceof ServiceUnavailableError || error instanceof ConnectionError;
}

/** What `fetch` does not tell before: that there was no connection. */
function isUnconnected(error: SiliconFlowError): boolean {
  if (error instanceof TimeoutError) return error.phase === "connect";
  return error.reason === "refused" || error.reason === "dns" || error.reason === "proxy";
}
