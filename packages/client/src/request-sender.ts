import { connectionErrorFrom } from "./connection-error.js";
import type { Clock } from "./clock.js";
import { Deadline } from "./deadline.js";
import { errorFromResponse, plainText } from "./error-from-response.js";
import { ApiError, InvalidInputError, isSiliconFlowError } from "./errors.js";
import { LimiterFailure } from "./leases.js";
import { estimateTokens } from "./limits/estimate-tokens.js";
import type { Form } from "./multipart.js";
import { Mask, secretsOf, withoutInput } from "./mask.js";
import {
  checkHeaders,
  checkHeaderValue,
  checkMaxRetries,
  checkSignal,
  mergeTimeouts,
  ownOptions,
  type RequestOptions,
  type ResolvedOptions,
} from "./options.js";
import { decodeText, readBody } from "./read-body.js";
import { UploadInFlight } from "./upload-in-flight.js";
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
  /** What is sent in place of `body`, which then holds the fields without the file. */
  form?: Form;
  /** An answer that comes piece by piece. */
  stream: boolean;
  /** An answer in bytes, whatever `stream` says of how they come. */
  binary?: boolean;
  /** Begins something that must not be begun twice: sent again only where it is certain that it was not. */
  once?: boolean;
  /** Images that the request makes, for the limiter. */
  images?: number | undefined;
  options: RequestOptions | undefined;
}

/** A call whose options have been checked. */
export interface PreparedCall {
  deadline: Deadline;
  maxRetries: number;
  headers: Record<string, string>;
  body: string | Form | undefined;
  /** As given, for what an error must not repeat of it. */
  request: Record<string, unknown> | undefined;
  /** Takes the key out of text, and the secrets that this call alone carries. */
  mask: Mask;
  model: string | undefined;
  url: string;
  method: "GET" | "POST";
  estimate: number;
  images: number | undefined;
  once: boolean;
}

/** What became of a request on its way. */
export interface Sent {
  /** Whether there was a connection. */
  connected: boolean;
  /** Whether that connection had been open before. */
  reused: boolean;
  /** Whether an answer came on it. */
  answered: boolean;
}

/** One request: its URL and headers, its status, and what its failure really is. Tries nothing twice. */
export class RequestSender {
  readonly #options: Omit<ResolvedOptions, "apiKey">;
  readonly #wire: Wire;
  readonly #clock: Clock;
  readonly #mask: Mask;
  readonly #host: string;
  readonly #headers: Record<"GET" | "POST" | "stream" | "binary", Record<string, string>>;

  constructor(options: ResolvedOptions, wire: Wire, clock: Clock) {
    const { apiKey, ...rest } = options;
    this.#options = rest;
    this.#wire = wire;
    this.#clock = clock;
    const headers = { "user-agent": "langchain-siliconflow", ...options.headers, authorization: `Bearer ${apiKey}` };
    const json = { accept: "application/json", "accept-encoding": "gzip, deflate, br", ...headers };
    // Made once: most calls add nothing to them.
    this.#headers = {
      GET: json,
      POST: { "content-type": "application/json", ...json },
      stream: { "content-type": "application/json", accept: "text/event-stream", ...headers },
      // Sound does not get smaller, and a runtime's fetch does not notice when something compressed ends early.
      binary: { "content-type": "application/json", accept: "*/*", "accept-encoding": "identity", ...headers },
    };
    this.#mask = new Mask([apiKey, ...secretsOf(options.headers), ...(wire.secrets ?? [])]);
    this.#host = new URL(options.baseURL).host;
  }

  /** @throws {@link InvalidInputError} for an option or a request that cannot work. */
  prepare({ method, path, body, form, stream, binary, once, images, options }: Call): PreparedCall {
    const { timeouts, maxRetries, headers, signal, traceId } = ownOptions(options ?? {});
    const merged = mergeTimeouts(this.#options.timeouts, timeouts);
    const retries = checkMaxRetries(maxRetries) ?? this.#options.maxRetries;
    let mask = this.#mask;
    let sent = this.#headers[binary ? "binary" : stream ? "stream" : method];
    if (headers !== undefined || traceId !== undefined) {
      const { authorization } = sent;
      const added = checkHeaders(headers);
      mask = mask.and(secretsOf(added));
      sent = { ...sent, ...added, authorization: authorization! };
      if (traceId !== undefined) sent["x-trace-id"] = checkHeaderValue(traceId, "traceId");
    }
    if (form !== undefined) {
      sent = { ...sent, "content-type": form.contentType };
      if (form.length !== undefined) sent["content-length"] = `${form.length}`;
    }
    checkSignal(signal);
    const model = typeof body?.["model"] === "string" ? body["model"] : undefined;
    return {
      method,
      url: this.#options.baseURL + path,
      headers: sent,
      body: form ?? (body === undefined ? undefined : serialize(body)),
      request: body,
      mask,
      model,
      // Images are counted, not their prompts.
      estimate:
        this.#options.limiter === undefined || body === undefined || images !== undefined ? 0 : estimateTokens(body),
      images,
      once: once ?? false,
      maxRetries: retries,
      deadline: new Deadline(signal ?? undefined, merged, stream, this.#clock),
    };
  }

  /** The text of something that is looked up beside a call: nothing of the call is added, and a failure is of no interest. */
  async look(path: string, deadline: Deadline, maxBytes: number): Promise<string> {
    const url = this.#options.baseURL + path;
    const attempt = deadline.begin();
    const onConnect = () => deadline.connected();
    const request = { method: "GET", url, headers: this.#headers.GET, body: undefined, attempt, onConnect } as const;
    const { status, body } = await deadline.race(this.#wire.send(request));
    const { pieces, length, ended } = await readBody(body, deadline, maxBytes);
    if (status !== 200 || !ended) throw new Error(`${status}`);
    return this.#mask.apply(decodeText(pieces, length));
  }

  /** One request and its status, with at most one redirect inside the same origin. */
  async send(call: PreparedCall, sent: Sent): Promise<WireResponse> {
    const { deadline, method, headers, body } = call;
    let url = call.url;
    for (let redirects = 0; ; redirects += 1) {
      const attempt = deadline.begin();
      const upload = typeof body === "object" ? new UploadInFlight(body, deadline, this.#wire) : undefined;
      const sending = this.#wire.send({
        method,
        url,
        headers,
        body: upload?.stream ?? (body as string | undefined),
        attempt,
        onConnect: (isReused) => {
          sent.connected = true;
          sent.reused = isReused;
          deadline.connected();
        },
      });
      const response = await deadline.race(upload?.untilFailed(sending) ?? sending);
      sent.answered = true;
      const { status } = response;
      if (status >= 200 && status < 300) return masked(response, call.mask);
      if (status === 307 || status === 308) {
        const target = sameOrigin(response.header("location"), url);
        if (target !== undefined && redirects === 0) {
          url = target;
          // To its end, so that the socket can be used again.
          await readBody(response.body, deadline, maxErrorBytes);
          if (typeof body === "object" && body.spent) throw spentOnRedirect(status, this.#host);
          continue;
        }
      }
      throw await this.#refused(response, call);
    }
  }

  async #refused(response: WireResponse, call: PreparedCall): Promise<ApiError> {
    const { status } = response;
    // 0: what fetch makes of a redirect in a browser.
    if (status === 0 || (status >= 300 && status < 400)) {
      response.body.cancel();
      const location = response.header("location");
      const host =
        location === undefined
          ? "another address"
          : (hostOf(location, this.#options.baseURL) ?? "an address that is none");
      const traceId = masked(response, call.mask).header(traceHeader);
      return new ApiError(
        `${status} ${this.#host} redirects to ${call.mask.apply(host)}. It was not followed, so that the key stays here: set baseURL to the final address.`,
        { status, reason: "blockedAddress", traceId },
      );
    }
    let text = "";
    try {
      const { pieces, length } = await readBody(response.body, call.deadline, maxErrorBytes + maskMargin);
      text = decodeText(pieces, length);
    } catch (error) {
      // The status has been said; a body that breaks off takes nothing from it. Unless the caller ended the call.
      if (call.deadline.stopped) throw error;
    }
    return this.refusal(text, response, call);
  }

  /** The error for a refusal, under an error status or inside a successful answer. */
  refusal(text: string, response: WireResponse, { mask, model, request }: PreparedCall): ApiError {
    const { baseURL, region } = this.#options;
    return errorFromResponse({
      status: response.status,
      text: mask.apply(text).slice(0, maxErrorBytes),
      // Once more after parsing: JSON may spell the key or the prompt in escapes.
      redact: (parsed) => withoutInput(mask.apply(parsed), request),
      header: masked(response, mask).header,
      model,
      baseURL,
      region,
      now: this.#clock.date(),
    });
  }

  /** What a text of the service may be quoted as: one short line, without the key. */
  quote(text: string): string {
    return plainText(this.#mask.apply(text));
  }

  /** The text without the client's secrets, and without those of a call's headers. */
  redact(text: string, headers: Record<string, string> = {}): string {
    return this.#mask.and(secretsOf(headers)).apply(text);
  }

  /** Turns what broke an attempt into our error, or into the reason of whatever ended the call. */
  explain({ deadline, mask }: PreparedCall, thrown: unknown): unknown {
    const error = deadline.explain(thrown);
    // Whatever ended the call has the last word: the caller's own reason must not be rewritten.
    if (error !== thrown || deadline.stopped || isSiliconFlowError(error)) return error;
    if (error instanceof LimiterFailure) return error.cause;
    return connectionErrorFrom(error, { host: this.#host, mask });
  }
}

/** Trace ids end up in errors and answers: no header may bring the key along, nor a text that is no id. */
function masked({ status, header, body }: WireResponse, mask: Mask): WireResponse {
  return {
    status,
    body,
    header: (name) => {
      const value = header(name);
      if (value === undefined) return undefined;
      const shown = mask.apply(value);
      return name === traceHeader && !/^[\x21-\x7e]{1,128}$/.test(shown) ? undefined : shown;
    },
  };
}

const traceHeader = "x-siliconcloud-trace-id";

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

function spentOnRedirect(status: number, host: string): ApiError {
  return new ApiError(
    `${status} ${host} redirects, and the stream of the upload has been read by then. Set baseURL to the final address, or give a path or a Blob, which can be sent again.`,
    { status, reason: "badRequest" },
  );
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
