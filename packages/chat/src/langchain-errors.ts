import { isSiliconFlowError, type PartialCompletion } from "@langchain-siliconflow/client";
import { toUsageMetadata } from "./usage.js";

const codes: Record<string, string> = {
  AuthenticationError: "MODEL_AUTHENTICATION",
  NotFoundError: "MODEL_NOT_FOUND",
  RateLimitError: "MODEL_RATE_LIMIT",
  ContextLengthError: "CONTEXT_OVERFLOW",
};

/** What core's `LangChainError.isInstance` and `ContextOverflowError.isInstance` look for. */
const langChainError = Symbol.for("langchain.error");
const contextOverflow = Symbol.for("langchain.error.context-overflow");
/** What core's retry policies ask before they look at a status. */
const retryable = Symbol.for("langchain.errors.retryable");

/**
 * Lets LangChain recognise an error of the client, which knows nothing of LangChain: `lc_error_code` where one fits, the mark
 * for retries, and the brand of `ContextOverflowError` on a prompt that is too long. Returns the same error.
 */
export function markForLangChain(error: unknown): unknown {
  if (!isSiliconFlowError(error)) return error;
  const { name } = error;
  mark(error, retryable, error.retryable);
  let code = codes[name];
  if (name === "BadRequestError" && error.message.includes("tool_call")) code = "INVALID_TOOL_RESULTS";
  if (code !== undefined) mark(error, "lc_error_code", code);
  const { partial } = error as { partial?: PartialCompletion };
  // What was spent before the answer broke off.
  if (partial?.usage !== undefined) mark(error, "usage_metadata", toUsageMetadata(partial.usage));
  if (name === "ContextLengthError") {
    mark(error, langChainError, true);
    mark(error, contextOverflow, true);
  }
  return error;
}

/** Sets one of LangChain's codes. Returns the same error. */
export function addLangChainCode(error: Error, code: string): Error {
  mark(error, "lc_error_code", code);
  return error;
}

function mark(error: Error, key: string | symbol, value: unknown): void {
  Object.defineProperty(error, key, { value, configurable: true, enumerable: false, writable: true });
}
