import type { AsyncCaller } from "@langchain/core/utils/async_caller";
import type { ChunkSource } from "./repaired-stream.js";

/**
 * Waits for one of the `maxConcurrency` slots of LangChain's caller and resolves to the function that frees it.
 *
 * The caller's own way frees the slot when a stream has begun, and runs a queued call although its signal has fired; here the
 * slot is held until it is given back, and an aborted wait rejects at once with the caller's own reason and sends nothing.
 */
export function acquireSlot(caller: AsyncCaller, signal: AbortSignal | undefined): Promise<() => void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const giveUp = (): void => reject(signal?.reason);
    signal?.addEventListener("abort", giveUp, { once: true });
    const hold = (): Promise<void> => {
      signal?.removeEventListener("abort", giveUp);
      if (signal?.aborted) return Promise.resolve();
      return new Promise<void>((free) => {
        resolve(free);
      });
    };
    caller.call(hold).catch(reject);
  });
}

/** The same stream, begun when a slot is free and holding it until it ends, fails or is left. */
export function holdSlot<Chunk>(
  caller: AsyncCaller,
  signal: AbortSignal | undefined,
  open: () => ChunkSource<Chunk>,
): ChunkSource<Chunk> {
  let stream: ChunkSource<Chunk> | undefined;
  return {
    get traceId() {
      return stream?.traceId;
    },
    take: () => stream?.take?.(),
    wait: () => stream?.wait?.(),
    async *[Symbol.asyncIterator]() {
      const free = await acquireSlot(caller, signal);
      try {
        stream = open();
        yield* stream;
      } finally {
        free();
      }
    },
  };
}
