import { InvalidInputError } from "@langchain-siliconflow/client";
import type { MediaKind } from "./media-type.js";

/** A file that a store keeps. */
export interface StoredArtifact {
  /** What it is called here: a model says this name to use the file again. */
  name: string;
  /** Where it lies, for a store on disk. */
  path?: string;
  /** By the file's own first bytes. */
  mimeType: string;
  /** Bytes. */
  size: number;
}

/** Bytes on their way into a store. */
export type FileContent = AsyncIterable<Uint8Array>;

/**
 * Where tools keep what they make, and find it again. The names are the store's own: no file outside of it can be named.
 *
 * Write your own for object storage; {@link DirectoryArtifactStore} and {@link MemoryArtifactStore} are there.
 */
export interface ArtifactStore {
  /** Bytes of one file, above which it is refused. */
  readonly maxBytes: number;
  /** Whether files may come from addresses that are not on the public internet. */
  readonly allowPrivateNetwork: boolean;
  /**
   * Keeps a file, whole or not at all.
   *
   * @param kind - What it must be; its own first bytes decide.
   * @throws {@link InvalidResponseError} when it is something else (a page in place of a picture), or larger than `maxBytes`.
   */
  save(content: FileContent, kind: MediaKind): Promise<StoredArtifact>;
  /**
   * A file by its name, with its type.
   *
   * @throws {@link InvalidInputError} when there is none of that name.
   */
  read(name: string): Promise<Blob>;
}

/** What both stores take. */
export interface ArtifactStoreOptions {
  /** Bytes of one file, above which it is refused. Above 0, `Infinity` for no limit. @defaultValue 256 MiB */
  maxBytes?: number | undefined;
  /** Whether files may be fetched from private, loopback and link-local addresses. The client's own origin always may. @defaultValue false */
  allowPrivateNetwork?: boolean | undefined;
}

const defaultMaxBytes = 256 * 1024 * 1024;

/** @throws {@link InvalidInputError} for a limit that is none */
export function checkMaxBytes(value: number | undefined): number {
  if (value === undefined) return defaultMaxBytes;
  if (!(typeof value === "number" && value > 0)) throw new InvalidInputError("maxBytes must be a number above 0.");
  return value;
}

/** A name that nobody has. */
export function newName(kind: MediaKind, extension: string): string {
  return `${kind}-${globalThis.crypto.randomUUID().slice(0, 13)}.${extension}`;
}

/** For a name that is not in the store: a model made it up, altered it, or meant to reach elsewhere. */
export function unknownName(name: string): InvalidInputError {
  return new InvalidInputError(
    `There is no file ${JSON.stringify(String(name).slice(0, 80))} here. Use the name that a tool returned, as it was.`,
  );
}
