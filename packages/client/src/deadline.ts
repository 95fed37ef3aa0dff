import type { Clock } from "./clock.js";
import { TimeoutError, type TimeoutPhase } from "./errors.js";
import type { ResolvedTimeouts } from "./options.js";
import type { WireBody } from "./wire.js";

/** Longer waits overflow the runtime's timers and would fire at once. */
const longestTimer = 2_147_483_647;

/** Comments of a stream that may re-arm the idle limit between two events. */
const maxIdleComments = 10;

/** Why everything stops. In an object, because a caller may abort with `undefined`. */
interface Stop {
  error: unknown;
}

/**
 * The end of one attempt, told to whoever sends it. In its place an AbortSignal, with the two listeners it had, took 20 µs of a call of
 * 400: a real one is made where it is asked for.
 */
export class Attempt {
  /** Told when the attempt is ended before its answer was whole. */
  onEnd: (() => void) | undefined;
  #ended = false;
  #controller: AbortController | undefined;

  get ended(): boolean {
    return this.#ended;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#ended) this.#controller.abort();
    }
    return this.#controller.signal;
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#controller?.abort();
    this.onEnd?.();
  }
}

/**
 * The caller's signal and all time limits of one call, in one place: whatever fires first ends what is being waited for,
 * at once and with its own reason, and closes the socket.
 *
 * Lives as long as the call, over all its attempts. `end()` leaves no timer and no listener behind.
 */
export class Deadline {
  /** Told once the call is over. */
  onEnd: (() => void) | undefined;
  /** Told once the running attempt is over, however it ended. */
  onAttemptEnd: (() => void) | undefined;
  readonly #timeouts: ResolvedTimeouts;
  readonly #firstByteMs: number;
  readonly #clock: Clock;
  readonly #signal: AbortSignal | undefined;
  #cancelTotal: (() => void) | undefined;
  /** Set when the whole call is over: the caller aborted, or the total limit passed. */
  #stopped: Stop | undefined;
  /** Set when a limit of the running attempt passed. */
  #expired: Stop | undefined;
  #attempt: Attempt | undefined;
  /** Rejects what is being waited for. */
  #interrupt: ((reason: unknown) => void) | undefined;

  // One timer an attempt: it is left running between reads and phases, and looks at the clock when it fires. One for each of three phases
  // took 8 µs of a call of 400.
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When it fires. */
  #due = 0;
  #phase: TimeoutPhase | "upload" = "connect";
  #limitMs = Infinity;
  #since = 0;
  #waiting = false;
  #comments = 0;

  constructor(signal: AbortSignal | undefined, timeouts: ResolvedTimeouts, stream: boolean, clock: Clock) {
    this.#timeouts = timeouts;
    this.#firstByteMs = timeouts.firstByteMs ?? (stream ? 120_000 : 600_000);
    this.#clock = clock;
    this.#signal = signal;
    if (signal?.aborted) {
      this.#stopped = { error: abortReason(signal) };
      return;
    }
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    if (timeouts.totalMs <= longestTimer) {
      const timer = setTimeout(() => {
        const error = new TimeoutError(`The call took longer than ${timeouts.totalMs} ms in all (timeouts.totalMs).`, {
          phase: "total",
        });
        this.stop(error);
      }, timeouts.totalMs);
      this.#cancelTotal = () => clearTimeout(timer);
    }
  }

  /** Whether the whole call is over: its own limit passed, or the caller stopped it. */
  get stopped(): boolean {
    return this.#stopped !== undefined;
  }

  /** What the failure of an attempt really is: the reason of whatever ended it, else the failure itself. */
  explain(error: unknown): unknown {
    const stop = this.#stopped ?? this.#expired;
    return stop === undefined ? error : stop.error;
  }

  throwIfStopped(): void {
    if (this.#stopped !== undefined) throw this.#stopped.error;
  }

  /** Starts an attempt: the connect limit runs, unless nothing is sent yet. */
  begin(sending = true): Attempt {
    this.throwIfStopped();
    this.#expired = undefined;
    this.#attempt = new Attempt();
    this.#enter("connect", sending ? this.#timeouts.connectMs : Infinity, true);
    return this.#attempt;
  }

  /** The request is on its way: the first-byte limit runs. */
  connected(): void {
    if (this.#phase === "connect") this.#enter("firstByte", this.#firstByteMs, true);
  }

  /** A piece of the request's body goes out: until the last one, only the silence between them counts. */
  uploading(): void {
    if (this.#phase === "upload") this.#since = performance.now();
    else if (this.#phase === "firstByte") this.#enter("upload", this.#timeouts.idleMs, true);
  }

  /** The whole body is out: the first-byte limit begins anew. */
  uploaded(): void {
    if (this.#phase === "upload") this.#enter("firstByte", this.#firstByteMs, true);
  }

  /** The answer has begun: from here only the silence between reads counts. */
  answered(): void {
    if (this.#phase !== "idle") this.#enter("idle", this.#timeouts.idleMs, false);
    this.#comments = 0;
  }

  /** A read brought only comments. They re-arm the idle limit a bounded number of times. */
  commented(): void {
    this.#comments += 1;
  }

  /** The body has ended: there is nothing left to abort. */
  finished(): void {
    this.#attempt = undefined;
    this.abandon();
  }

  /** The attempt failed: its socket is closed, its limits are off. */
  abandon(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting = false;
    this.#limitMs = Infinity;
    this.#attempt?.end();
    this.#attempt = undefined;
    const told = this.onAttemptEnd;
    this.onAttemptEnd = undefined;
    told?.();
  }

  /** The call is over. Also right after `stop` and `abandon`. */
  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#limitMs = Infinity;
    this.#waiting = false;
    this.#attempt = undefined;
    this.#cancelTotal?.();
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.onEnd?.();
  }

  /** Ends the running attempt, or the wait before it, with this error. */
  fail(error: unknown): void {
    this.#expired = { error };
    this.#interrupt?.(error);
    this.abandon();
  }

  /** Ends the whole call with this reason. */
  stop(error: unknown): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = { error };
    this.#interrupt?.(error);
    this.abandon();
    this.end();
  }

  /** Settles as the work does, or rejects at once when something stops it. */
  race<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#interrupt = reject;
      const stop = this.#stopped ?? this.#expired;
      if (stop !== undefined) reject(stop.error);
      work.then(resolve, reject);
    });
  }

  /** Waits between two attempts. */
  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#stopped !== undefined) return reject(this.#stopped.error);
      const cancel = this.#clock.after(milliseconds, resolve);
      this.#interrupt = (reason) => {
        cancel();
        reject(reason);
      };
    });
  }

  /** Waits for news of a body; call it when `read()` had none. Gives up after `longestMs` with an error of no meaning. */
  wait(body: WireBody, longestMs = Infinity): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = this.#stopped ?? this.#expired;
      if (stop !== undefined) return reject(stop.error);

      // After too many comments the clock is not set back: what is left of the limit goes on running.
      if (this.#phase === "idle" && this.#comments <= maxIdleComments) this.#since = performance.now();
      this.#waiting = true;
      this.#arm();

      const brief =
        longestMs === Infinity
          ? undefined
          : setTimeout(() => this.#interrupt?.(new Error("Not waited for any longer.")), longestMs);
      body.wake = () => {
        body.wake = undefined;
        if (brief !== undefined) clearTimeout(brief);
        this.#waiting = this.#phase !== "idle";
        resolve();
      };
      this.#interrupt = (reason) => {
        body.wake = undefined;
        clearTimeout(brief);
        reject(reason);
      };
    });
  }

  readonly #onAbort = (): void => {
    this.stop(abortReason(this.#signal!));
  };

  #enter(phase: TimeoutPhase | "upload", limitMs: number, waiting: boolean): void {
    this.#phase = phase;
    this.#limitMs = limitMs;
    this.#since = performance.now();
    this.#waiting = waiting;
    if (this.#due > this.#since + limitMs) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
    if (waiting) this.#arm();
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#limitMs > longestTimer) return;
    const now = performance.now();
    const left = Math.max(1, Math.ceil(this.#since + this.#limitMs - now));
    this.#due = now + left;
    this.#timer = setTimeout(this.#onTimer, left);
  }

  readonly #onTimer = (): void => {
    this.#timer = undefined;
    // Nobody waits for the network: the next wait arms it again.
    if (!this.#waiting) return;
    if (performance.now() < this.#since + this.#limitMs) return this.#arm();
    const error = new TimeoutError(timeoutMessage(this.#phase, this.#limitMs), {
      phase: this.#phase === "upload" ? "idle" : this.#phase,
      // Before the answer began nothing was shown, and a body that stalled can be asked for again.
      retryable: true,
    });
    this.fail(error);
  };
}

/** What to reject with when a signal has fired: our error when it timed out; every other reason is the caller's own, and stays it. */
export function abortReason(signal: AbortSignal): unknown {
  const reason: unknown = signal.reason;
  if (reason instanceof DOMException && reason.name === "TimeoutError") {
    return new TimeoutError("The call took longer than its signal allowed.", { phase: "total", cause: reason });
  }
  return reason;
}

function timeoutMessage(phase: TimeoutPhase | "upload", limitMs: number): string {
  if (phase === "upload") return `The upload stood still for ${limitMs} ms (timeouts.idleMs).`;
  if (phase === "connect") return `No connection within ${limitMs} ms (timeouts.connectMs).`;
  if (phase === "firstByte") {
    return `No answer began within ${limitMs} ms (timeouts.firstByteMs). A reasoning model may think for minutes: stream, or raise the limit.`;
  }
  return `The answer fell silent for ${limitMs} ms (timeouts.idleMs).`;
}
