import type { Pass } from "./circuit.js";
import { Circuits } from "./circuits.js";
import { CoolDowns } from "./cool-downs.js";
import type { Clock } from "./clock.js";
import { Deadline } from "./deadline.js";
import {
  ApiError,
  ConnectionError,
  isSiliconFlowError,
  NotFoundError,
  RateLimitError,
  TimeoutError,
  type SiliconFlowError,
} from "./errors.js";
import { NearestModels } from "./nearest-models.js";
import { acquire, penalize, settle, usedTokens } from "./leases.js";
import { withoutInput } from "./mask.js";
import { checkSignal, mergeTimeouts, type OnWait, type ResolvedOptions, type Timeouts } from "./options.js";
import { quietly } from "./quietly.js";
import type { Lease } from "./rate-limiter.js";
import { decodeText, readBody, tooLarge } from "./read-body.js";
import { RequestSender, type Call, type PreparedCall, type Sent } from "./request-sender.js";
import { isPaced, isUnbegun, RetryBudget, retryDelay } from "./retry.js";
import type { Wire, WireResponse } from "./wire.js";

export type { Call } from "./request-sender.js";

/** A call that is under way, over all its attempts. Whoever holds it must `end()` its deadline. */
export interface Exchange {
  readonly deadline: Deadline;
  /** Requests sent so far. */
  readonly attempts: number;
  /** Turns what broke a body into our error, or into the reason of whatever ended the call. */
  explain(error: unknown): unknown;
  /** Takes the key and the prompt out of text that came from the network. */
  mask(text: string): string;
  /** The error for a refusal that came inside a successful answer. */
  refusal(text: string, response: WireResponse): ApiError;
  /** Tells the limiter what was used. Once; later calls do nothing. */
  settle(tokens: number | undefined): void;
}

/** Answers calls: attempts, waits and limits, over requests that are sent one at a time. Knows no endpoint. */
export class Transport {
  /** The client's options but for the key, which is in the headers alone. */
  readonly options: Omit<ResolvedOptions, "apiKey">;
  readonly #wire: Wire;
  readonly #clock: Clock;
  readonly #sender: RequestSender;
  readonly #budget = new RetryBudget();
  readonly #circuits: Circuits;
  readonly #coolDowns: CoolDowns;
  readonly #nearestModels: NearestModels;
  /** Calls that are not over, each for its own. */
  readonly #calls = new Set<Deadline>();
  /** Waits over several calls that are not over. */
  readonly #waits = new Set<Deadline>();
  #closed = false;

  constructor(options: ResolvedOptions, wire: Wire, clock: Clock) {
    const { apiKey: _, ...rest } = options;
    this.options = rest;
    this.#wire = wire;
    this.#clock = clock;
    this.#sender = new RequestSender(options, wire, clock);
    this.#circuits = new Circuits(clock, new URL(options.baseURL).host);
    this.#coolDowns = new CoolDowns(clock);
    this.#nearestModels = new NearestModels(clock, (deadline, maxBytes) =>
      this.#sender.look("/models", deadline, maxBytes),
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
    // Also streams that are being read: a `fetch` and a given dispatcher know nothing of this client's end.
    for (const deadline of this.#calls) deadline.fail(closedError());
    for (const deadline of this.#waits) deadline.stop(closedError());
    await this.#wire.close();
  }

  /** Sends a call and decodes its whole answer. `decode` throws what is to be judged for another attempt. */
  send<T extends object>(
    call: Call,
    decode: (text: string, response: WireResponse, exchange: Exchange) => T,
  ): Promise<T> {
    return this.receive(call, async (response, exchange) => {
      const text = await this.readText(response, exchange.deadline);
      return decode(text, response, exchange);
    });
  }

  /** Sends a call and reads its whole answer. What `read` throws may be retried. */
  async receive<T extends object>(
    call: Call,
    read: (response: WireResponse, exchange: Exchange) => Promise<T>,
  ): Promise<T> {
    const prepared = this.#prepare(call);
    try {
      return await this.#attempts(prepared, async (response, exchange) => {
        const answer = await read(response, exchange);
        exchange.settle(usedTokens(answer));
        return trace(answer, response, exchange.attempts);
      });
    } finally {
      prepared.deadline.end();
    }
  }

  /**
   * Sends a call whose answer is read as it comes. `begin` is a part of the attempt: what it throws may be retried.
   * What comes after it is the caller's, deadline included.
   */
  open<T>(call: Call): {
    deadline: Deadline;
    run(begin: (response: WireResponse, exchange: Exchange) => Promise<T>): Promise<T>;
  } {
    const prepared = this.#prepare(call);
    return { deadline: prepared.deadline, run: (begin) => this.#attempts(prepared, begin) };
  }

  /**
   * The time for a wait over several calls, which the client's end also ends. Whoever holds it must `end()` its deadline; `ended` is what
   * stops the calls then.
   */
  patience(
    signal: AbortSignal | undefined,
    timeouts: Timeouts | undefined,
  ): { deadline: Deadline; ended: AbortSignal } {
    checkSignal(signal);
    const deadline = new Deadline(
      signal ?? undefined,
      mergeTimeouts(this.options.timeouts, timeouts),
      false,
      this.#clock,
    );
    const controller = new AbortController();
    this.#waits.add(deadline);
    deadline.onEnd = () => {
      this.#waits.delete(deadline);
      controller.abort();
    };
    return { deadline, ended: controller.signal };
  }

  /** What a text of the service may be quoted as in a message. */
  quote(text: string): string {
    return this.#sender.quote(text);
  }

  /** A text of the service without secrets: the client's own, and those among the headers of a call. */
  redact(text: string, headers?: Record<string, string>): string {
    return this.#sender.redact(text, headers);
  }

  /** The whole body as text, within the limits of time and size. */
  async readText(response: WireResponse, deadline: Deadline): Promise<string> {
    const { maxResponseBytes } = this.options;
    const { pieces, length, ended } = await readBody(response.body, deadline, maxResponseBytes);
    if (!ended) throw tooLarge(maxResponseBytes);
    return decodeText(pieces, length);
  }

  /** A call of any kind has begun: it ends with the client. */
  track(deadline: Deadline): void {
    this.#calls.add(deadline);
    deadline.onEnd = () => this.#calls.delete(deadline);
    if (this.#closed) deadline.stop(closedError());
  }

  #prepare(call: Call): PreparedCall {
    const prepared = this.#sender.prepare(call);
    this.track(prepared.deadline);
    return prepared;
  }

  /** The one retry loop. */
  async #attempts<T>(
    call: PreparedCall,
    begin: (response: WireResponse, exchange: Exchange) => Promise<T>,
  ): Promise<T> {
    const { deadline, model, maxRetries } = call;
    let attempts = 0;
    let retries = 0;
    /** Probes of others to wait for, beside the attempts of its own. */
    let waits = Math.max(1, maxRetries);
    let replayed = false;
    let delayMs: number | undefined;
    let pass: Pass | undefined;
    for (;;) {
      const sent: Sent = { connected: false, reused: false, answered: false };
      const before = attempts;
      let lease: Lease | undefined;
      try {
        deadline.throwIfStopped();
        if (delayMs) await deadline.sleep(delayMs);
        if (this.#coolDowns.any) await this.#coolDowns.wait(model, deadline, this.#announceWait);
        if (this.#closed) throw closedError();
        if (pass === undefined) {
          pass = this.#circuits.holds(model)
            ? await this.#circuits.pass(model, waits, deadline, this.#announceWait)
            : this.#circuits.passAtOnce();
          waits -= pass.waited;
        }
        const { limiter } = this.options;
        if (limiter !== undefined && model !== undefined)
          lease = await acquire(limiter, model, call.estimate, call.images, deadline, this.#announceWait);
        if (this.#closed) throw closedError();
        attempts += 1;
        const response = await this.#sender.send(call, sent);
        const result = await begin(response, this.#exchangeFor(call, lease, attempts));
        this.#circuits.succeeded(model, pass);
        this.#budget.deposit();
        return result;
      } catch (thrown) {
        const failure = this.#sender.explain(call, thrown);
        deadline.abandon();
        if (failure instanceof RateLimitError) penalize(lease, failure);
        settle(lease, 0);
        if (!isSiliconFlowError(failure) || (deadline.stopped && !(failure instanceof TimeoutError))) throw failure;
        failure.attempts = attempts;
        // Nothing was sent this time: the circuit has the last word.
        if (deadline.stopped || pass === undefined) throw failure;

        const repeatable = isRepeatable(call, failure, sent);
        // A socket that had been kept open for too long says nothing about the service: replayed at once, and once, on the same pass.
        const stale = failure.reason === "reset" || failure.reason === "truncated";
        if (stale && repeatable && failure instanceof ConnectionError && sent.reused && !sent.answered && !replayed) {
          replayed = true;
          delayMs = 0;
          this.#announceRetry(attempts, 0, failure);
          continue;
        }
        if (attempts > before) this.#circuits.failed(model, failure, sent.connected, pass);
        pass = undefined;
        delayMs = repeatable ? retryDelay(failure, retries, maxRetries, this.#clock) : undefined;
        if (failure instanceof RateLimitError) this.#coolDowns.start(model, failure, delayMs);
        if (delayMs === undefined) throw await this.#final(failure, deadline);
        // While the service is down its next probe is waited for, in place of the delay and of the budget.
        const held = this.#circuits.holds(model);
        if (held && !(failure instanceof ApiError && failure.retryAfterMs !== undefined)) delayMs = 0;
        if (!held && !isPaced(failure, delayMs) && !this.#budget.withdraw()) throw failure;
        retries += 1;
        this.#announceRetry(attempts, delayMs, failure);
      }
    }
  }

  /** The error that a call ends with. A model that does not exist is looked for among those that do. */
  async #final(failure: SiliconFlowError, deadline: Deadline): Promise<unknown> {
    if (!(failure instanceof NotFoundError) || failure.status < 400 || failure.model === undefined) return failure;
    deadline.begin(false);
    try {
      return await deadline.race(this.#nearestModels.addTo(failure, failure.model));
    } catch (stopped) {
      // The caller has had enough of it; a limit of time takes nothing from what is known.
      return isSiliconFlowError(stopped) ? failure : stopped;
    }
  }

  #exchangeFor(call: PreparedCall, lease: Lease | undefined, attempts: number): Exchange {
    const { deadline, mask, request, estimate } = call;
    let open = lease;
    return {
      deadline,
      attempts,
      explain: (error) => this.#sender.explain(call, error),
      mask: (text) => withoutInput(mask.apply(text), request),
      refusal: (text, response) => this.#sender.refusal(text, response, call),
      settle: (tokens) => {
        // An answer that does not say what it used, or was left before it did, has used something.
        settle(open, tokens ?? estimate);
        open = undefined;
      },
    };
  }

  readonly #announceWait: OnWait = (event) => {
    quietly(() => this.options.onWait?.(event));
  };

  #announceRetry(attempt: number, delayMs: number, error: SiliconFlowError): void {
    quietly(() => this.options.onRetry?.({ attempt, delayMs, error }));
  }
}

/**
 * Whether this call may be sent once more, whatever its failure is worth otherwise. Where it may not, the error says why, and no longer
 * that the same request could be sent again.
 */
function isRepeatable({ body, once }: PreparedCall, failure: SiliconFlowError, sent: Sent): boolean {
  if (!failure.retryable) return true;
  const spent = typeof body === "object" && body.spent;
  const begun = once && !isUnbegun(failure, sent.connected);
  if (!spent && !begun) return true;
  if (begun) failure.message += " It may have been begun all the same: look before you send it again.";
  else
    failure.message +=
      " The stream of the upload has been read: it was not sent again. A path or a Blob would have been.";
  // Told to whoever repeats what is retryable.
  (failure as { retryable: boolean }).retryable = false;
  return false;
}

function closedError(): ConnectionError {
  return new ConnectionError("The client was closed.", { reason: "reset" });
}

/** Adds where an answer came from, for whoever looks: printing and copying do not. */
function trace<T extends object>(answer: T, response: WireResponse, attempts: number): T {
  Object.defineProperty(answer, "attempts", { value: attempts, enumerable: false, configurable: true });
  const value = response.header("x-siliconcloud-trace-id");
  if (value !== undefined) Object.defineProperty(answer, "traceId", { value, enumerable: false, configurable: true });
  return answer;
}
