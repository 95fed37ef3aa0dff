import { InvalidInputError } from "@langchain-siliconflow/client";
import { AtomicFile } from "@langchain-siliconflow/client/adapter";

/**
 * Where a batch run writes down what it has done, so that a killed run goes on where it was. Any store of texts will do.
 *
 * One run at a time may use a key: two processes that begin the same run at the same moment would both pay.
 */
export interface BatchState {
  /** The text last set; `undefined` for none. */
  get(key: string): Promise<string | undefined>;
  /** Has the text on the disk, or wherever it is kept, when it resolves; after a crash the old text or the new, never a part. */
  set(key: string, value: string): Promise<void>;
}

/** A folder, made when it is needed: one file for each key. */
function folderState(folder: string): BatchState {
  // Loaded when used: the package must load where there are no files.
  const open = async () => ({ fs: await import("node:fs/promises"), path: await import("node:path") });
  return {
    async get(key) {
      const { fs, path } = await open();
      try {
        return await fs.readFile(path.join(folder, key), "utf8");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw error;
      }
    },
    async set(key, value) {
      const { fs, path } = await open();
      await fs.mkdir(folder, { recursive: true });
      const file = await AtomicFile.create(path.join(folder, key));
      try {
        await file.write(new TextEncoder().encode(value));
        await file.finish();
      } catch (error) {
        await file.discard();
        throw error;
      }
    },
  };
}

/** A given store: many say `null` for what they do not have, and what is no text is none of ours. */
function checkedState(given: BatchState): BatchState {
  return {
    async get(key) {
      const text: unknown = await given.get(key);
      if (typeof text === "string") return text;
      if (text === undefined || text === null) return undefined;
      throw new InvalidInputError(
        "get of the state returned something that is no text. It returns what set was given.",
      );
    },
    set: (key, value) => given.set(key, value),
  };
}

/** The state that the option names. @throws {@link InvalidInputError} for one that is none */
export function stateOf(given: unknown): BatchState {
  if (typeof given === "string" && given !== "") return folderState(given);
  const { get, set } = (given ?? {}) as Partial<Record<"get" | "set", unknown>>;
  if (typeof get === "function" && typeof set === "function") return checkedState(given as BatchState);
  throw new InvalidInputError(
    "viaBatch needs state: the path of a folder, or an object with get and set. A run that was killed goes on from it, and pays nothing twice.",
  );
}
