import { TimeoutError } from "@langchain-siliconflow/client";

/** What to reject with when the caller's signal has fired: the caller's own reason, or our error when it was a deadline. */
export function abortReason(signal: AbortSignal): unknown {
  const reason: unknown = signal.reason;
  if (!(reason instanceof DOMException) || reason.name !== "TimeoutError") return reason;
  return new TimeoutError("The call took longer than its signal allowed.", { phase: "total", cause: reason });
}
