import { InvalidResponseError } from "@langchain-siliconflow/client";
import type { FileContent } from "./artifact-store.js";
import { headBytes, mediaTypeOf, type MediaKind, type MediaType } from "./media-type.js";

/** A file whose type is known, and which has still to be read. */
interface IncomingFile extends MediaType {
  /** All of it, from the first byte on. Throws what breaks it, or that it is too long. */
  pieces: AsyncGenerator<Uint8Array, void, undefined>;
  /** Closes where they come from: for whoever never began to read them. */
  leave(): Promise<void>;
}

/**
 * Reads as much of a file as its type needs.
 *
 * @throws {@link InvalidResponseError} when it is nothing of this kind
 */
export async function inspect(content: FileContent, kind: MediaKind, maxBytes: number): Promise<IncomingFile> {
  const iterator = content[Symbol.asyncIterator]();
  const first: Uint8Array[] = [];
  let length = 0;
  try {
    while (length < headBytes) {
      const { done, value } = await iterator.next();
      if (done) break;
      first.push(value);
      length += value.length;
    }
    const pieces = within(first, iterator, maxBytes);
    return { ...mediaTypeOf(Buffer.concat(first), kind), pieces, leave: () => leave(iterator) };
  } catch (error) {
    await leave(iterator);
    throw error;
  }
}

async function* within(
  first: readonly Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let size = 0;
  const counted = (piece: Uint8Array): Uint8Array => {
    size += piece.length;
    if (size > maxBytes) {
      throw new InvalidResponseError(`The file is longer than ${maxBytes} bytes (maxBytes). Nothing was stored.`, {
        reason: "tooLarge",
      });
    }
    return piece;
  };
  try {
    for (const piece of first) yield counted(piece);
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield counted(next.value);
  } finally {
    await leave(rest);
  }
}

/** Closes the socket behind it, whatever it says to that. */
async function leave(iterator: AsyncIterator<Uint8Array>): Promise<void> {
  try {
    await iterator.return?.();
  } catch {
    // It had failed before.
  }
}
