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
import type { MediaKind } from "./media-type.js";

/**
 * Keeps files in memory, all of them, as long as it lives: make one for each conversation.
 *
 * @example
 * ```ts
 * import { MemoryArtifactStore } from "@langchain-siliconflow/tools";
 *
 * const store = new MemoryArtifactStore({ maxBytes: 10_000_000 });
 * ```
 *
 * @throws {@link InvalidInputError} for a `maxBytes` that is none.
 */
export class MemoryArtifactStore implements ArtifactStore {
  readonly maxBytes: number;
  readonly allowPrivateNetwork: boolean;
  readonly #files = new Map<string, Blob>();

  constructor(options: ArtifactStoreOptions = {}) {
    this.maxBytes = checkMaxBytes(options.maxBytes);
    this.allowPrivateNetwork = options.allowPrivateNetwork === true;
  }

  async save(content: FileContent, kind: MediaKind): Promise<StoredArtifact> {
    const { mimeType, extension, pieces } = await inspect(content, kind, this.maxBytes);
    const kept: Uint8Array<ArrayBuffer>[] = [];
    // A copy: a piece may be a view of a large buffer that is used again.
    for await (const piece of pieces) kept.push(new Uint8Array(piece));
    const blob = new Blob(kept, { type: mimeType });
    const name = newName(kind, extension);
    this.#files.set(name, blob);
    return { name, mimeType, size: blob.size };
  }

  async read(name: string): Promise<Blob> {
    const blob = this.#files.get(name);
    if (blob === undefined) throw unknownName(name);
    return blob;
  }
}
