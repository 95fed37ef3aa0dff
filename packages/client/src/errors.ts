/**
 * Why something failed, as one word to branch on. `ApiError`s carry the HTTP status as well.
 *
 * - On the way: `dns`, `refused` (or unreachable), `tls`, `proxy`, `reset` (the connection broke), `timeout`.
 * - In the answer: `truncated` (it ended early), `empty`, `notJson`, `malformed`, `tooLarge` (for `maxResponseBytes`; of a
 *   request, for the service), `badVector`, `badScore`.
 * - By the service: `auth`, `permission`, `balance`, `notFound`, `badRequest`, `contextLength`, `rateLimit`, `overloaded`,
 *   `server` (any other 5xx).
 * - By this side: `invalidOption`, `partial` (some inputs of a list failed), `neverFits` (for limiters: larger than the limit
 *   itself), `assetExpired` (a download whose address has run out), `blockedAddress` (an address that must not be asked; also
 *   a redirect that was not followed, because the key would have gone elsewhere).
 * - Of a job that was waited for: `jobFailed`.
 */
export type ErrorReason =
  | "dns"
  | "refused"
  | "tls"
  | "proxy"
  | "reset"
  | "timeout"
  | "truncated"
  | "empty"
  | "notJson"
  | "malformed"
  | "tooLarge"
  | "auth"
  | "permission"
  | "balance"
  | "notFound"
  | "badRequest"
  | "contextLength"
  | "rateLimit"
  | "neverFits"
  | "overloaded"
  | "server"
  | "badVector"
  | "badScore"
  | "assetExpired"
  | "blockedAddress"
  | "invalidOption"
  | "jobFailed"
  | "partial";

/** What every error of this package can be given. */
export interface ErrorDetails {
  /** What led to it. */
  cause?: unknown;
  /** @defaultValue that of the class: `"invalidOption"`, `"timeout"`, `"truncated"`, `"malformed"`, `"partial"`, else `"server"` */
  reason?: ErrorReason;
  /** @defaultValue false; true for a `PartialFailureError` */
  retryable?: boolean;
  /** Requests sent for the call, the first one included. 0 when nothing was sent. */
  attempts?: number;
  /** `x-siliconcloud-trace-id`: quote it to support. */
  traceId?: string | undefined;
}

/** Survives two copies of this package (ESM and CJS) in one process, where `instanceof` does not. */
const brand = Symbol.for("siliconflow.error");

/** On the prototype, so that the first line of `stack` has the right name and `inspect` does not repeat it. */
function setName(errorClass: { prototype: Error }, name: string): void {
  Object.defineProperty(errorClass.prototype, "name", { value: name, writable: true, configurable: true });
}

/** Everything this package throws on purpose. The reason of a caller's own abort is rethrown untouched. */
export class SiliconFlowError extends Error {
  static {
    setName(this, "SiliconFlowError");
    Object.defineProperty(this.prototype, brand, { value: true });
  }

  /** Why, in one word: what to branch on. */
  readonly reason: ErrorReason;
  /** Whether sending the same request again could succeed. The client has already retried when you see it. */
  readonly retryable: boolean;
  /** Requests sent for the call, the first one included. 0 when nothing was sent. */
  attempts: number;
  /** `x-siliconcloud-trace-id` of the answer, when there was one: quote it to support. */
  traceId: string | undefined;

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, "cause" in details ? { cause: details.cause } : undefined);
    this.reason = details.reason ?? "server";
    this.retryable = details.retryable ?? false;
    this.attempts = details.attempts ?? 0;
    this.traceId = details.traceId;
  }

  /** Plain facts for a log line: no request, no header, no part of a prompt or an answer. */
  toJSON(): object {
    const { name, message, cause } = this;
    const facts: Record<string, unknown> = Object.assign({ name, message }, this as object);
    if (cause instanceof Error) facts["cause"] = { name: cause.name, message: cause.message };
    return facts;
  }
}

/** True for errors from any copy of this package. Narrow further by `name`, `reason` or `status`. */
export function isSiliconFlowError(value: unknown): value is SiliconFlowError {
  return typeof value === "object" && value !== null && brand in value;
}

/** An option or an input that cannot work, found before anything was sent. */
export class InvalidInputError extends SiliconFlowError {
  static {
    setName(this, "InvalidInputError");
  }

  /** Index of the bad element, when the input is a list. */
  readonly position: number | undefined;

  constructor(message: string, details: ErrorDetails & { position?: number } = {}) {
    super(message, { reason: "invalidOption", ...details });
    this.position = details.position;
  }
}

/** What an {@link ApiError} is made of; the fields are those of the error. */
export interface ApiErrorDetails extends ErrorDetails {
  status: number;
  code?: number | string | undefined;
  retryAfterMs?: number | undefined;
}

/** The service answered with an error. Branch on `status`, `reason` or the subclass. */
export class ApiError extends SiliconFlowError {
  static {
    setName(this, "ApiError");
  }

  /** HTTP status. 200 when the service wrapped an error into a successful answer. */
  readonly status: number;
  /** SiliconFlow's own number, e.g. `20012`; absent when the answer carried none. */
  readonly code: number | string | undefined;
  /** How long the service asked us to wait, in milliseconds (`Retry-After`). */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, details: ApiErrorDetails) {
    super(message, details);
    this.status = details.status;
    this.code = details.code;
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** 400 or 422: the request cannot be served as it is. Never retried. */
export class BadRequestError extends ApiError {
  static {
    setName(this, "BadRequestError");
  }
}

/** The prompt is longer than the model's context. Shorten it, or ask a model with a longer one. */
export class ContextLengthError extends BadRequestError {
  static {
    setName(this, "ContextLengthError");
  }

  /** Tokens of the prompt, when the service named them. */
  readonly promptTokens: number | undefined;
  /** Tokens the model takes, when the service named them. */
  readonly maxTokens: number | undefined;

  constructor(message: string, details: ApiErrorDetails & { promptTokens?: number; maxTokens?: number }) {
    super(message, details);
    this.promptTokens = details.promptTokens;
    this.maxTokens = details.maxTokens;
  }
}

/** 401: the key is wrong, or belongs to the other site. */
export class AuthenticationError extends ApiError {
  static {
    setName(this, "AuthenticationError");
  }
}

/** 403: the account may not use this model. */
export class PermissionDeniedError extends ApiError {
  static {
    setName(this, "PermissionDeniedError");
  }
}

/** The account has no balance or quota left. Never retried. */
export class InsufficientBalanceError extends ApiError {
  static {
    setName(this, "InsufficientBalanceError");
  }
}

/** The model (code 20012) or the path (404) does not exist. */
export class NotFoundError extends ApiError {
  static {
    setName(this, "NotFoundError");
  }

  /** The id that was asked for, when the service says that it is the model that does not exist. */
  readonly model: string | undefined;
  /** Ids of models of this site that resemble it, the nearest first; empty when none does, or none could be asked for. */
  readonly suggestions: string[];

  constructor(message: string, details: ApiErrorDetails & { model?: string | undefined; suggestions?: string[] }) {
    super(message, details);
    this.model = details.model;
    this.suggestions = details.suggestions ?? [];
  }
}

/** 413: too many inputs in one request. */
export class PayloadTooLargeError extends ApiError {
  static {
    setName(this, "PayloadTooLargeError");
  }

  /** Inputs the service takes in one request, when its answer named the number. */
  readonly maxBatchSize: number | undefined;

  constructor(message: string, details: ApiErrorDetails & { maxBatchSize?: number }) {
    super(message, details);
    this.maxBatchSize = details.maxBatchSize;
  }
}

/** Requests, tokens or images, per minute, hour or day. */
export type RateLimitClass = "RPM" | "RPH" | "RPD" | "TPM" | "TPD" | "IPM" | "IPD";

/**
 * A rate limit of the account still holds after the client's retries. With `attempts` 0 it comes from the client's limiter:
 * a limit per hour or day is used up, nothing was sent, and `status` 429 stands for what the service would have said.
 */
export class RateLimitError extends ApiError {
  static {
    setName(this, "RateLimitError");
  }

  /** Which limit, when the service named it. */
  readonly limit: RateLimitClass | undefined;
  /** When it is worth trying again, as far as known. For hours and days: the end of the hour, or of the day in China. */
  readonly retryAt: Date | undefined;

  constructor(
    message: string,
    details: ApiErrorDetails & { limit?: RateLimitClass | undefined; retryAt?: Date | undefined },
  ) {
    super(message, details);
    this.limit = details.limit;
    this.retryAt = details.retryAt;
  }
}

/** Any 5xx: the model or the gateway is down or overloaded. */
export class ServiceUnavailableError extends ApiError {
  static {
    setName(this, "ServiceUnavailableError");
  }
}

/** No answer arrived: name resolution, connection, TLS, proxy, or the socket closed early. */
export class ConnectionError extends SiliconFlowError {
  static {
    setName(this, "ConnectionError");
  }
}

/** The limits of `timeouts`, each by its name. */
export type TimeoutPhase = "connect" | "firstByte" | "idle" | "total";

/** A limit of `timeouts` passed, or the caller's signal timed out (`phase` is then `"total"`). */
export class TimeoutError extends SiliconFlowError {
  static {
    setName(this, "TimeoutError");
  }

  /** Which limit. */
  readonly phase: TimeoutPhase;
  /** What had arrived of a stream. Absent when nothing had. Not enumerable: logs must not hold answers. */
  declare readonly partial: PartialCompletion | undefined;

  constructor(message: string, details: ErrorDetails & { phase: TimeoutPhase; partial?: PartialCompletion }) {
    super(message, { reason: "timeout", ...details });
    this.phase = details.phase;
    hide(this, "partial", details.partial);
  }
}

/** What had arrived of a stream when it broke, in the fields of a whole answer. Of several choices, the first. */
export interface PartialCompletion {
  content: string;
  reasoning_content: string;
  tool_calls: { id: string; type: "function"; function: { name: string; arguments: string } }[];
  finish_reason: string | null;
  // The details of usage belong to the chat resource; errors import nothing.
  usage?: { prompt_tokens: number; completion_tokens: number; total_tokens: number; [field: string]: unknown };
}

/** The stream broke after it began. Never retried: a part of the answer has been shown. */
export class StreamError extends SiliconFlowError {
  static {
    setName(this, "StreamError");
  }

  /** SiliconFlow's own number, when the service reported an error inside the stream. */
  readonly code: number | string | undefined;
  /** What had arrived. Not enumerable: logs must not hold answers. */
  declare readonly partial: PartialCompletion;

  constructor(
    message: string,
    details: ErrorDetails & { partial: PartialCompletion; code?: number | string | undefined },
  ) {
    super(message, { reason: "truncated", ...details });
    this.code = details.code;
    hide(this, "partial", details.partial);
  }
}

/** The service answered with success, and the answer cannot be used. */
export class InvalidResponseError extends SiliconFlowError {
  static {
    setName(this, "InvalidResponseError");
  }

  /** Index of the input whose result cannot be trusted, where the answer is a list. */
  readonly position: number | undefined;

  constructor(message: string, details: ErrorDetails & { position?: number } = {}) {
    super(message, { reason: "malformed", ...details });
    this.position = details.position;
  }
}

/** A video or a batch came to another end than was hoped for. */
export class JobFailedError extends SiliconFlowError {
  static {
    setName(this, "JobFailedError");
  }

  /** Of the video (`requestId`) or the batch. */
  readonly id: string;
  /** How it ended, in the service's word. */
  readonly status: string;
  /** The job as it was last seen. Not enumerable. Of a batch that expired or was cancelled, its files hold what was answered. */
  declare readonly job: object;

  constructor(message: string, details: ErrorDetails & { id: string; status: string; job: object }) {
    super(message, { reason: "jobFailed", ...details });
    this.id = details.id;
    this.status = details.status;
    hide(this, "job", details.job);
  }
}

/** Part of a list succeeded. What was paid for is kept in `results`. */
export class PartialFailureError<T = unknown> extends SiliconFlowError {
  static {
    setName(this, "PartialFailureError");
  }

  /** Sparse, in the order of the input. Not enumerable: a log line must not print thousands of vectors. */
  declare readonly results: (T | undefined)[];
  /** One entry for each gap in `results`, by position. */
  readonly failures: { position: number; error: Error }[];
  /** Asks only for what is missing, and resolves to the complete list. */
  declare readonly resume: (options?: { signal?: AbortSignal }) => Promise<T[]>;

  constructor(
    message: string,
    details: {
      results: (T | undefined)[];
      failures: { position: number; error: Error }[];
      resume: (options?: { signal?: AbortSignal }) => Promise<T[]>;
      cause?: unknown;
      attempts?: number;
    },
  ) {
    const { attempts = 0 } = details;
    super(message, {
      reason: "partial",
      retryable: true,
      attempts,
      ...("cause" in details && { cause: details.cause }),
    });
    this.failures = details.failures;
    hide(this, "results", details.results);
    hide(this, "resume", details.resume);
  }
}

function hide(error: Error, property: string, value: unknown): void {
  Object.defineProperty(error, property, { value, enumerable: false, configurable: true, writable: true });
}
