import { abortReason } from "@langchain-siliconflow/client/adapter";

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
