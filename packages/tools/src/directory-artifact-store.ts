import { constants } from "node:fs";
import { mkdir, open, type FileHandle } from "node:fs/promises";
import { join, resolve } from "node:path";
import { InvalidInputError } from "@langchain-siliconflow/client";
import { AtomicFile } from "@langchain-siliconflow/client/adapter";
import {
  checkMaxBytes,
  newName,
  unknownName,
  type ArtifactStore,
  type ArtifactStoreOptions,
  type FileContent,
  type StoredArtifact,
} from "./artifact-store.js";
import { inspect } from "./incoming-file.js";
import { anyMediaTypeOf, type MediaKind } from "./media-type.js";

/** Options of {@link DirectoryArtifactStore}. */
export interface DirectoryArtifactStoreOptions extends ArtifactStoreOptions {
  /** Where the files lie. Made when it is missing. Pictures and recordings that you put there can be named, too. */
  directory: string;
}

/**
 * Keeps files in a directory, under names of its own; a file appears when it is complete.
 *
 * Only files that lie in the directory itself can be read: no path, no directory below, no link to elsewhere, and nothing but
 * pictures, sound and videos.
 *
 * @example
 * ```ts
 * import { DirectoryArtifactStore } from "@langchain-siliconflow/tools";
 *
 * const store = new DirectoryArtifactStore({ directory: "made" });
 * ```
 *
 * @throws {@link InvalidInputError} for a directory that is no path, or a `maxBytes` that is none.
 */
export class DirectoryArtifactStore implements ArtifactStore {
  /** Absolute. */
  readonly directory: string;
  readonly maxBytes: number;
  readonly allowPrivateNetwork: boolean;

  constructor(options: DirectoryArtifactStoreOptions) {
    const { directory, maxBytes, allowPrivateNetwork } = options;
    if (typeof directory !== "string" || directory === "" || directory.includes("\0"))
      throw new InvalidInputError("directory must be the path of a directory.");
    this.directory = resolve(directory);
    this.maxBytes = checkMaxBytes(maxBytes);
    this.allowPrivateNetwork = allowPrivateNetwork === true;
  }

  async save(content: FileContent, kind: MediaKind): Promise<StoredArtifact> {
    const { mimeType, extension, pieces, leave } = await inspect(content, kind, this.maxBytes);
    const name = newName(kind, extension);
    let file: AtomicFile | undefined;
    try {
      await mkdir(this.directory, { recursive: true });
      file = await AtomicFile.create(join(this.directory, name));
      let size = 0;
      for await (const piece of pieces) {
        await file.write(piece);
        size += piece.length;
      }
      return { name, path: await file.finish(), mimeType, size };
    } catch (error) {
      await leave();
      await file?.discard();
      throw error;
    }
  }

  async read(name: string): Promise<Blob> {
    // What is a name in one system is a path in another: a colon, a backslash.
    if (typeof name !== "string" || !/^[^./\\:\0][^/\\:\0]{0,254}$/.test(name)) throw unknownName(name);
    let file: FileHandle;
    try {
      // Asked of the file that was opened, not of its name: a link is not followed, and a pipe not waited for.
      const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
      file = await open(join(this.directory, name), flags);
    } catch {
      throw unknownName(name);
    }
    try {
      const stats = await file.stat();
      if (!stats.isFile() || stats.nlink > 1) throw unknownName(name);
      if (stats.size > this.maxBytes) {
        throw new InvalidInputError(`The file is longer than ${this.maxBytes} bytes (maxBytes).`, {
          reason: "tooLarge",
        });
      }
      const bytes = await file.readFile();
      const type = anyMediaTypeOf(bytes);
      // What lies there and is no medium (a key, a note) is not handed on.
      if (type === undefined) throw unknownName(name);
      return new Blob([bytes], { type: type.mimeType });
    } finally {
      await file.close();
    }
  }
}
