import { isSiliconFlowError } from "@langchain-siliconflow/client";

/** What a failed request says about the requests after it. */
export interface Verdict {
  /** Every other request would fail in the same way: no point in sending them. */
  concernsAll: boolean;
  /** Fewer inputs in one request may pass. */
  splits: boolean;
  /** The request was refused for its size (413). */
  tooLarge: boolean;
  /** The service's limit of inputs per request, where it names it. */
  maxBatchSize: number | undefined;
  /** The request was refused as wrong (400), without a word about which input or option. */
  badRequest: boolean;
  /** One request too many (429). */
  rateLimited: boolean;
}

/** The key, the account, the address or the model are wrong, and so they are in every request. */
const wrongEverywhere = new Set(["auth", "permission", "balance", "notFound", "dns", "refused", "tls", "proxy"]);
const modelDoesNotExist = 20012;
/** The client waits this long at most for the end of a limit; after that the next request of the call would wait in vain too. */
const longestWaitMs = 60_000;

// By brand and by field, not by class: the client may come from the other build (ESM or CJS) of its package.
export function judge(error: unknown): Verdict {
  const verdict: Verdict = {
    concernsAll: false,
    splits: false,
    tooLarge: false,
    maxBatchSize: undefined,
    badRequest: false,
    rateLimited: false,
  };
  if (!isSiliconFlowError(error)) return verdict;
  // Fields of the subclasses; absent on the others.
  const { status, code, retryAfterMs, maxBatchSize } = error as {
    status?: unknown;
    code?: unknown;
    retryAfterMs?: unknown;
    maxBatchSize?: unknown;
  };
  verdict.tooLarge = status === 413;
  verdict.splits = verdict.tooLarge || error.reason === "contextLength";
  if (typeof maxBatchSize === "number" && Number.isInteger(maxBatchSize)) verdict.maxBatchSize = maxBatchSize;
  verdict.badRequest = status === 400 && error.reason !== "contextLength";
  verdict.rateLimited = error.reason === "rateLimit";
  verdict.concernsAll =
    wrongEverywhere.has(error.reason) ||
    (verdict.badRequest && Number(code) === modelDoesNotExist) ||
    (verdict.rateLimited && (!error.retryable || Number(retryAfterMs) > longestWaitMs));
  return verdict;
}

/** The parameter is invalid (20015): which one, the service does not say. */
export function isInvalidParameter(error: unknown): boolean {
  if (!isSiliconFlowError(error) || error.reason === "contextLength") return false;
  return Number((error as { code?: unknown }).code) === 20015;
}
