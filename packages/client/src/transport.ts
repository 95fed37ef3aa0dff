import { connectionErrorFrom, type Destination } from "./connection-error.js";
import { CoolDowns } from "./cool-downs.js";
import { Deadline, type Clock } from "./deadline.js";
import { errorFromResponse } from "./error-from-response.js";
import {
  ApiError,
  ConnectionError,
  InvalidInputError,
  isSiliconFlowError,
  RateLimitError,
  TimeoutError,
  type SiliconFlowError,
} from "./errors.js";
import { acquire, LimiterFailure, penalize, quietly, settle, usedTokens } from "./leases.js";
import { estimateTokens } from "./limits/estimate-tokens.js";
import { Mask, withoutInput } from "./mask.js";
import {
  checkHeaders,
  checkHeaderValue,
  checkMaxRetries,
  mergeTimeouts,
  type RequestOptions,
  type ResolvedOptions,
} from "./options.js";
import type { Lease } from "./rate-limiter.js";
import { decodeText, readBody, tooLarge } from "./read-body.js";
import { RetryBudget, retryDelay } from "./retry.js";
import type { Wire, WireResponse } from "./wire.js";

const maxErrorBytes = 64 * 1024;
/** Room for a key that begins right before the limit: it must be seen whole to be masked. */
const maskMargin = 4 * 1024;

/** One call of an endpoint. */
export interface Call {
  method: "GET" | "POST";
  /** Below the base URL, with its query. */
  path: string;
  body?: Record<string, unknown>;
  stream: boolean;
  options: RequestOptions | undefined;
}

/** Options of a call, checked. */
interface PreparedCall {
  deadline: Deadline;
  maxRetries: number;
  headers: Record<string, string>;
  body: string | undefined;
  /** As given, for what an error must not repeat of it. */
  request: Record<string, unknown> | undefined;
  model: string | undefined;
  url: string;
  method: "GET" | "POST";
  estimate: number;
}

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

/** Sends requests: URL, headers, retries, limits, status check. Knows no endpoint. */
export class Transport {
  /** The client's options but for the key, which is in the headers alone. */
  readonly options: Omit<ResolvedOptions, "apiKey">;
  readonly #wire: Wire;
  readonly #clock: Clock;
  readonly #mask: Mask;
  readonly #destination: Destination;
  readonly #headers: Record<"GET" | "POST" | "stream", Record<string, string>>;
  readonly #budget = new RetryBudget();
  readonly #coolDowns: CoolDowns;
  /** Calls that wait for something, each for its own. */
  readonly #waiting = new Set<Deadline>();
  #closed = false;

  constructor(options: ResolvedOptions, wire: Wire, clock: Clock) {
    const { apiKey, ...rest } = options;
    this.options = rest;
    this.#wire = wire;
    this.#clock = clock;
    this.#coolDowns = new CoolDowns(clock);
    const headers = { "user-agent": "langchain-siliconflow", ...options.headers, authorization: `Bearer ${apiKey}` };
    const json = { accept: "application/json", "accept-encoding": "gzip, deflate, br", ...headers };
    // Made once: most calls add nothing to them.
    this.#headers = {
      GET: json,
      POST: { "content-type": "application/json", ...json },
      stream: { "content-type": "application/json", accept: "text/event-stream", ...headers },
    };
    const secretHeaders = Object.entries(options.headers).filter(([name]) => /auth|key|token|secret|cookie/.test(name));
    this.#mask = new Mask([apiKey, ...secretHeaders.map(([, value]) => value)]);
    this.#destination = { host: new URL(options.baseURL).host, mask: this.#mask };
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const deadline of this.#waiting) deadline.fail(closedError());
    await this.#wire.close();
  }

  /** Sends a call and decodes its whole answer. `decode` throws what is to be judged for another attempt. */
  async send<T extends object>(
    call: Call,
    decode: (text: string, response: WireResponse, exchange: Exchange) => T,
  ): Promise<T> {
    const prepared = this.#prepare(call);
    const { deadline } = prepared;
    try {
      return await this.#run(prepared, async (response, exchange) => {
        const text = await this.readText(response, deadline);
        const answer = decode(text, response, exchange);
        exchange.settle(usedTokens(answer));
        return trace(answer, response);
      });
    } finally {
      deadline.end();
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
    return { deadline: prepared.deadline, run: (begin) => this.#run(prepared, begin) };
  }

  /** The whole body as text, within the limits of time and size. */
  async readText(response: WireResponse, deadline: Deadline): Promise<string> {
    const { maxResponseBytes } = this.options;
    const { pieces, length, ended } = await readBody(response.body, deadline, maxResponseBytes);
    if (!ended) throw tooLarge(maxResponseBytes);
    return decodeText(pieces, length);
  }

  #prepare({ method, path, body, stream, options }: Call): PreparedCall {
    const { timeouts, maxRetries, headers, signal, traceId } = options ?? {};
    const merged = mergeTimeouts(this.options.timeouts, timeouts);
    const retries = checkMaxRetries(maxRetries) ?? this.options.maxRetries;
    let sent = this.#headers[stream ? "stream" : method];
    if (headers !== undefined || traceId !== undefined) {
      const { authorization } = sent;
      sent = { ...sent, ...checkHeaders(headers), authorization: authorization! };
      if (traceId !== undefined) sent["x-trace-id"] = checkHeaderValue(traceId, "traceId");
    }
    const text = body === undefined ? undefined : serialize(body);
    if (signal != null && typeof signal.addEventListener !== "function")
      throw new InvalidInputError("signal must be an AbortSignal.");
    const model = typeof body?.["model"] === "string" ? body["model"] : undefined;
    return {
      method,
      url: this.options.baseURL + path,
      headers: sent,
      body: text,
      request: body,
      model,
      estimate: this.options.limiter === undefined || body === undefined ? 0 : estimateTokens(body),
      maxRetries: retries,
      deadline: new Deadline(signal ?? undefined, merged, stream, this.#clock),
    };
  }

  async #run<T>(call: PreparedCall, begin: (response: WireResponse, exchange: Exchange) => Promise<T>): Promise<T> {
    this.#waiting.add(call.deadline);
    try {
      return await this.#attempts(call, begin);
    } finally {
      this.#waiting.delete(call.deadline);
    }
  }

  /** The one retry loop. */
  async #attempts<T>(
    call: PreparedCall,
    begin: (response: WireResponse, exchange: Exchange) => Promise<T>,
  ): Promise<T> {
    const { deadline } = call;
    let attempts = 0;
    let retries = 0;
    let replayed = false;
    let delayMs: number | undefined;
    for (;;) {
      // Whether the request went out on a socket that was open before, and whether an answer came on it.
      const reused = { value: false, answered: false };
      let lease: Lease | undefined;
      try {
        deadline.throwIfStopped();
        if (delayMs) await deadline.sleep(delayMs);
        await this.#coolDowns.wait(call.model, deadline, this.#announceWait);
        lease = await acquire(this.options.limiter, call.model, call.estimate, deadline, this.#announceWait);
        if (this.#closed) throw closedError();
        attempts += 1;
        const response = await this.#exchange(call, reused);
        reused.answered = true;
        const result = await begin(response, this.#exchangeFor(call, lease, attempts));
        this.#budget.deposit();
        return result;
      } catch (thrown) {
        const failure = this.#explain(deadline, thrown);
        deadline.abandon();
        if (failure instanceof RateLimitError) penalize(lease, failure);
        settle(lease, 0);
        if (!isSiliconFlowError(failure) || (deadline.stopped && !(failure instanceof TimeoutError))) throw failure;
        failure.attempts = attempts;
        if (deadline.stopped) throw failure;

        // A socket that had been kept open for too long says nothing about the service: replayed at once, and once.
        const stale = failure.reason === "reset" || failure.reason === "truncated";
        if (stale && failure instanceof ConnectionError && reused.value && !reused.answered && !replayed) {
          replayed = true;
          delayMs = 0;
          this.#announceRetry(attempts, 0, failure);
          continue;
        }
        delayMs = retries < call.maxRetries ? retryDelay(failure, retries, this.#clock) : undefined;
        if (failure instanceof RateLimitError) this.#coolDowns.start(call.model, failure, delayMs);
        if (delayMs === undefined || !this.#budget.withdraw()) throw failure;
        retries += 1;
        this.#announceRetry(attempts, delayMs, failure);
      }
    }
  }

  /** One request and its status, with at most one redirect inside the same origin. */
  async #exchange(call: PreparedCall, reused: { value: boolean }): Promise<WireResponse> {
    const { deadline, method, headers, body } = call;
    let url = call.url;
    for (let redirects = 0; ; redirects += 1) {
      const signal = deadline.begin();
      const response = await deadline.race(
        this.#wire.send({
          method,
          url,
          headers,
          body,
          signal,
          onConnect: (isReused) => {
            reused.value = isReused;
            deadline.connected();
          },
        }),
      );
      const { status } = response;
      if (status >= 200 && status < 300) return this.#masked(response);
      if (status === 307 || status === 308) {
        const target = sameOrigin(response.header("location"), url);
        if (target !== undefined && redirects === 0) {
          url = target;
          // To its end, so that the socket can be used again.
          await readBody(response.body, deadline, maxErrorBytes);
          continue;
        }
      }
      throw await this.#refused(response, call);
    }
  }

  /** Trace ids end up in errors and answers: no header may bring the key along. */
  #masked({ status, header, body }: WireResponse): WireResponse {
    return {
      status,
      body,
      header: (name) => {
        const value = header(name);
        return value === undefined ? undefined : this.#mask.apply(value);
      },
    };
  }

  async #refused(response: WireResponse, { deadline, request }: PreparedCall): Promise<ApiError> {
    const { status } = response;
    // 0: what fetch makes of a redirect in a browser.
    if (status === 0 || (status >= 300 && status < 400)) {
      response.body.cancel();
      const location = response.header("location");
      const host =
        location === undefined
          ? "another address"
          : (hostOf(location, this.options.baseURL) ?? "an address that is none");
      const traceId = response.header("x-siliconcloud-trace-id");
      return new ApiError(
        `${status} ${this.#destination.host} redirects to ${this.#mask.apply(host)}. It was not followed, so that the key stays here: set baseURL to the final address.`,
        { status, reason: "blockedAddress", traceId },
      );
    }
    let text = "";
    try {
      const { pieces, length } = await readBody(response.body, deadline, maxErrorBytes + maskMargin);
      text = decodeText(pieces, length);
    } catch (error) {
      // The status has been said; a body that breaks off takes nothing from it. Unless the caller ended the call.
      if (deadline.stopped) throw error;
    }
    return this.#refusal(text, response, request);
  }

  #refusal(text: string, response: WireResponse, request: Record<string, unknown> | undefined): ApiError {
    const { baseURL, region } = this.options;
    return errorFromResponse({
      status: response.status,
      text: this.#mask.apply(text).slice(0, maxErrorBytes),
      // Once more after parsing: JSON may spell the key or the prompt in escapes.
      redact: (parsed) => withoutInput(this.#mask.apply(parsed), request),
      header: this.#masked(response).header,
      baseURL,
      region,
      now: this.#clock.now(),
    });
  }

  #exchangeFor({ deadline, request, estimate }: PreparedCall, lease: Lease | undefined, attempts: number): Exchange {
    let open = lease;
    return {
      deadline,
      attempts,
      explain: (error) => this.#explain(deadline, error),
      mask: (text) => withoutInput(this.#mask.apply(text), request),
      refusal: (text, response) => this.#refusal(text, response, request),
      settle: (tokens) => {
        // An answer that does not say what it used, or was left before it did, has used something.
        settle(open, tokens ?? estimate);
        open = undefined;
      },
    };
  }

  #explain(deadline: Deadline, thrown: unknown): unknown {
    const error = deadline.explain(thrown);
    // Whatever ended the call has the last word: the caller's own reason must not be rewritten.
    if (error !== thrown || deadline.stopped || isSiliconFlowError(error)) return error;
    if (error instanceof LimiterFailure) return error.cause;
    return connectionErrorFrom(error, this.#destination);
  }

  readonly #announceWait = (event: { reason: string; delayMs: number }): void => {
    quietly(() => this.options.onWait?.(event));
  };

  #announceRetry(attempt: number, delayMs: number, error: SiliconFlowError): void {
    quietly(() => this.options.onRetry?.({ attempt, delayMs, error }));
  }
}

function closedError(): ConnectionError {
  return new ConnectionError("The client was closed.", { reason: "reset" });
}

/** Adds the trace id where printing and copying do not see it. */
function trace<T extends object>(answer: T, response: WireResponse): T {
  const value = response.header("x-siliconcloud-trace-id");
  if (value !== undefined) Object.defineProperty(answer, "traceId", { value, enumerable: false, configurable: true });
  return answer;
}

function serialize(body: object): string {
  try {
    return JSON.stringify(body);
  } catch (cause) {
    // What JSON.stringify says names fields, not their content.
    throw new InvalidInputError("The request cannot be written as JSON: it refers to itself, or holds a BigInt.", {
      cause,
    });
  }
}

function sameOrigin(location: string | undefined, from: string): string | undefined {
  if (location === undefined) return undefined;
  try {
    const target = new URL(location, from);
    target.hash = "";
    return target.origin === new URL(from).origin && !target.username && !target.password ? target.href : undefined;
  } catch {
    return undefined;
  }
}

function hostOf(location: string, base: string): string | undefined {
  try {
    return new URL(location, base).host;
  } catch {
    return undefined;
  }
}
