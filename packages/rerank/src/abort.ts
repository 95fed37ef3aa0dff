import { TimeoutError } from "@langchain-siliconflow/client";

/** What to reject with when the caller's signal has fired: the caller's own reason, or our error when it was a deadline. */
export function abortReason(signal: AbortSignal): unknown {
  const reason: unknown = signal.reason;
  if (!(reason instanceof DOMException) || reason.name !== "TimeoutError") return reason;
  return new TimeoutError("The call took longer than its signal allowed.", { phase: "total", cause: reason });
}

/** What the promise comes to, unless the signal fires first. */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  let leave!: () => void;
  const aborted = new Promise<never>((_, reject) => {
    leave = () => reject(abortReason(signal));
    if (signal.aborted) leave();
    else signal.addEventListener("abort", leave, { once: true });
  });
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener("abort", leave));
}
