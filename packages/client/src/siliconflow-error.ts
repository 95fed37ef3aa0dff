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
export function setName(errorClass: { prototype: Error }, name: string): void {
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

/** At hand for whoever asks for it, and in no print or copy. */
export function hide(error: Error, property: string, value: unknown): void {
  Object.defineProperty(error, property, { value, enumerable: false, configurable: true, writable: true });
}
