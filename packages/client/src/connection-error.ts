import {
  ConnectionError,
  InvalidInputError,
  InvalidResponseError,
  type ErrorReason,
  type SiliconFlowError,
  TimeoutError,
} from "./errors.js";
import type { Mask } from "./mask.js";

/** Where a request was going, for messages. */
export interface Destination {
  /** Host and port, as in the base URL. */
  host: string;
  mask: Mask;
}

/** Thrown by a wire when the proxy, not the service, is at fault. */
export class ProxyFailure extends Error {
  readonly retryable: boolean;

  constructor(message: string, retryable: boolean, cause: unknown) {
    super(message, { cause });
    this.retryable = retryable;
  }
}

interface Explanation {
  reason: ErrorReason;
  retryable: boolean;
  message: string;
}

/** Turns what a wire threw into our error. The error of the wire itself is not kept: it may hold request headers. */
export function connectionErrorFrom(thrown: unknown, { host, mask }: Destination): SiliconFlowError {
  const root = rootCause(thrown);
  const code = codeOf(root);
  const cause = plainCause(thrown, mask);

  if (thrown instanceof ProxyFailure) {
    return new ConnectionError(mask.apply(thrown.message), { reason: "proxy", retryable: thrown.retryable, cause });
  }
  if (code === "UND_ERR_CONNECT_TIMEOUT" || code === "ETIMEDOUT") {
    return new TimeoutError(`No connection to ${host}: the attempt timed out.`, {
      phase: "connect",
      retryable: true,
      cause,
    });
  }
  if (code === "UND_ERR_HEADERS_TIMEOUT") {
    return new TimeoutError(`${host} did not answer in the time its dispatcher allows.`, {
      phase: "firstByte",
      retryable: true,
      cause,
    });
  }
  if (code === "UND_ERR_BODY_TIMEOUT") {
    return new TimeoutError(`The answer of ${host} fell silent.`, { phase: "idle", retryable: true, cause });
  }
  if (code === "UND_ERR_HEADERS_OVERFLOW") {
    return new InvalidResponseError(`The headers of ${host}'s answer are too long.`, { reason: "tooLarge", cause });
  }
  if (code === "Z_BUF_ERROR") {
    return new ConnectionError(`The compressed answer of ${host} ended early.`, {
      reason: "truncated",
      retryable: true,
      cause,
    });
  }
  if (code.startsWith("Z_") || code.startsWith("ERR_BROTLI") || code.startsWith("ERR__") || code.startsWith("ZSTD_")) {
    return new InvalidResponseError(`The compressed answer of ${host} is damaged.`, {
      reason: "malformed",
      retryable: true,
      cause,
    });
  }
  // The parser names its complaints only sometimes.
  if (code.startsWith("HPE_") || (root instanceof Error && root.name === "HTTPParserError")) {
    const shown = code && ` (${code})`;
    return new InvalidResponseError(`${host} did not answer in HTTP${shown}.`, { reason: "malformed", cause });
  }
  // 100 or 101, which undici takes for a broken socket.
  if (code === "ERR_ASSERTION" || (code === "UND_ERR_SOCKET" && /^bad (response|upgrade)$/.test(messageOf(root)))) {
    const message = `${host}, or something before it, answered with an interim status that nobody asked for.`;
    return new InvalidResponseError(message, { reason: "malformed", cause });
  }
  if (code === "UND_ERR_INVALID_ARG" || code === "UND_ERR_INVALID_RETURN_VALUE") {
    return new InvalidInputError("The request was refused before it was sent: see its cause.", { cause });
  }
  const { message, ...details } = explain(code, root, host);
  return new ConnectionError(message, { ...details, cause });
}

function explain(code: string, root: unknown, host: string): Explanation {
  const broken: Explanation = {
    reason: "reset",
    retryable: true,
    message: `The connection to ${host} broke${code && ` (${code})`}.`,
  };
  switch (code) {
    case "ENOTFOUND":
      return {
        reason: "dns",
        retryable: true,
        message: `The host name of ${host} was not found. Is there a network? The service is at api.siliconflow.cn (region "cn") and api.siliconflow.com (region "global").`,
      };
    case "EAI_AGAIN":
      return {
        reason: "dns",
        retryable: true,
        message: `The host name of ${host} could not be looked up: is there a network?`,
      };
    case "ECONNREFUSED":
      return {
        reason: "refused",
        retryable: true,
        message: `${host} refused the connection: is the base URL right, and does something listen there?`,
      };
    case "ENETUNREACH":
    case "EHOSTUNREACH":
    case "EADDRNOTAVAIL":
      return { reason: "refused", retryable: true, message: `${host} cannot be reached from this network (${code}).` };
    case "UND_ERR_RES_CONTENT_LENGTH_MISMATCH":
      return { reason: "truncated", retryable: true, message: `The answer of ${host} ended early.` };
    case "UND_ERR_DESTROYED":
    case "UND_ERR_CLOSED":
      return { reason: "reset", retryable: false, message: "The client was closed." };
    case "ERR_NOCK_NO_MATCH":
      return { reason: "refused", retryable: false, message: `${host} was not reached: the test's nock has no match.` };
  }
  if (isCertificateProblem(code)) {
    return {
      reason: "tls",
      retryable: false,
      message: `The certificate of ${host} was not accepted (${code}). Behind a company proxy, add its authority with NODE_EXTRA_CA_CERTS.`,
    };
  }
  // Cut off or garbled in the handshake, which a mismatch of protocols is not: that would come again.
  if (code.startsWith("ERR_SSL_") && /UNEXPECTED_EOF|BAD_RECORD_MAC|DECRYPTION_FAILED|ALERT_INTERNAL_ERROR/.test(code))
    return broken;
  if (
    code === "EPROTO" &&
    /unexpected eof|bad record mac|decryption failed|alert internal error/i.test(messageOf(root))
  )
    return broken;
  if (code === "EPROTO" || code.startsWith("ERR_SSL") || code.startsWith("ERR_TLS")) {
    return {
      reason: "tls",
      retryable: false,
      message: `No TLS connection to ${host} (${code}): does the base URL's https fit the port?`,
    };
  }
  // "other side closed": an orderly end in the middle of an answer, which a reset is not.
  if (code === "UND_ERR_SOCKET" && /other side closed/i.test(messageOf(root))) {
    return {
      reason: "truncated",
      retryable: true,
      message: `${host} closed the connection before the answer was complete.`,
    };
  }
  return broken;
}

function isCertificateProblem(code: string): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET)|ALTNAME/.test(code);
}

/** `fetch failed` and undici's wrappers hide the error that matters; of several addresses tried, the last one speaks. */
export function rootCause(error: unknown): unknown {
  let root = error;
  for (let depth = 0; depth < 5; depth += 1) {
    const { cause, errors, code } = (root ?? {}) as { cause?: unknown; errors?: unknown[]; code?: unknown };
    if (Array.isArray(errors) && errors.length > 0 && code === undefined) root = errors.at(-1);
    else if (cause instanceof Error && (code === undefined || !codeOf(root))) root = cause;
    else break;
  }
  return root;
}

export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === "string" ? code : "";
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A copy that holds words only. */
function plainCause(error: unknown, mask: Mask, depth = 0): Error | undefined {
  if (!(error instanceof Error)) return error === undefined ? undefined : new Error(mask.apply(String(error)));
  const inner = depth < 4 && error.cause !== undefined ? plainCause(error.cause, mask, depth + 1) : undefined;
  const copy = new Error(mask.apply(error.message), inner && { cause: inner });
  Object.defineProperty(copy, "name", { value: error.name, configurable: true, writable: true });
  if (error.stack !== undefined) copy.stack = mask.apply(error.stack);
  for (const field of ["code", "errno", "syscall", "hostname", "address", "port"] as const) {
    const value = (error as unknown as Record<string, unknown>)[field];
    if (typeof value === "string" || typeof value === "number") Object.assign(copy, { [field]: value });
  }
  return copy;
}
