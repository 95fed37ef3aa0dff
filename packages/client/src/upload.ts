import type { Stats } from "node:fs";
import { InvalidInputError } from "./errors.js";
import { builtin, pathOfURL } from "./file-path.js";
import { piecesOfFile } from "./local-file.js";

/**
 * A file to send: a path (a text, or a `file:` URL), a `Blob` or `File`, or a stream of bytes (of Node.js or of the web, or any other
 * async iterable of `Uint8Array`). None is held in memory. Paths and Blobs can be sent again when an attempt fails, a stream cannot.
 */
export type FileSource = string | URL | Blob | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;

/** Looks at each piece of a file before it goes out. What it throws ends the upload. */
export interface Inspector {
  look(bytes: Uint8Array): void;
}

/** What an endpoint asks of a file. */
export interface FileRules {
  /** The field it is in, for messages. */
  field: string;
  filename: string | undefined;
  maxBytes: number;
  /** What to do with a file that is larger. */
  ifLarger: string;
}

/** A file that can be sent. */
export interface Upload {
  readonly filename: string;
  readonly type: string;
  /** Where it can be read more than once. */
  readonly blob: Blob | undefined;
  /** Whether a part of it was read that cannot be read again. */
  readonly spent: boolean;
  /** @param lent - whether a piece may change as soon as the next one is asked for, which spares memory */
  open(lent: boolean, inspector?: Inspector): ReadableStream<Uint8Array>;
}

/**
 * Looks at what was given as a file, and at its size where that is known.
 *
 * @throws {@link InvalidInputError} for what is no file, or none that can be sent.
 */
export async function openUpload(source: FileSource, rules: FileRules): Promise<Upload> {
  const { field } = rules;
  if (rules.filename !== undefined && (typeof rules.filename !== "string" || rules.filename === ""))
    throw new InvalidInputError("filename must be a text that is not empty.");
  if (typeof source === "string" || source instanceof URL) {
    const path = pathOf(source, field);
    const [blob, seen] = await openPath(path, rules);
    return {
      ...ofBlob(blob, rules.filename ?? nameOf(path), rules),
      open: (lent) => streamOf(piecesOfFile(path, seen, lent)),
    };
  }
  if (source instanceof Blob) {
    const name = rules.filename ?? (source as { name?: unknown }).name;
    if (typeof name !== "string" || name === "")
      throw new InvalidInputError(`The Blob in ${field} has no name: give a filename beside it, or a File.`);
    return ofBlob(source, name, rules);
  }
  return new StreamUpload(source, rules);
}

const withoutFiles = "give a Blob or a stream";

/** For a file that was there, and cannot be read to its end: it was changed or removed, or its disk fails. */
export function unreadable(cause: unknown): InvalidInputError {
  return new InvalidInputError("The file of the upload could not be read to its end.", { cause });
}

function ofBlob(blob: Blob, filename: string, { field, maxBytes, ifLarger }: FileRules): Upload {
  if (blob.size === 0) throw new InvalidInputError(`The file in ${field} is empty.`);
  if (blob.size > maxBytes) throw tooLarge(field, blob.size, maxBytes, ifLarger);
  return { filename, type: blob.type, blob, spent: false, open: () => blob.stream() };
}

function tooLarge(field: string, bytes: number, maxBytes: number, ifLarger: string): InvalidInputError {
  const mebibytes = (count: number) => Math.ceil(count / 2 ** 20);
  return new InvalidInputError(
    `The file in ${field} has ${mebibytes(bytes)} MiB or more; the service takes ${mebibytes(maxBytes)}. ${ifLarger}`,
    { reason: "tooLarge" },
  );
}

function pathOf(source: string | URL, field: string): string {
  if (typeof source === "string") {
    if (source === "") throw new InvalidInputError(`${field} must be a path, a Blob or a stream.`);
    // What another endpoint takes, and no file's name.
    if (/^(data|https?):/i.test(source)) {
      throw new InvalidInputError(
        `${field} takes a path, not an address: fetch it first, and give the Blob or the stream.`,
      );
    }
    if (!/^file:/i.test(source)) return source;
  }
  return pathOfURL(source, field, withoutFiles);
}

function nameOf(path: string): string {
  return builtin("node:path", withoutFiles).basename(path);
}

async function openPath(path: string, { field }: FileRules): Promise<[Blob, Stats]> {
  const { openAsBlob, promises } = builtin("node:fs", withoutFiles);
  try {
    const stats = await promises.stat(path);
    if (stats.isDirectory()) throw new InvalidInputError(`${path} (${field}) is a directory: name a file.`);
    // Reading a pipe or a device may never end, and it has no size.
    if (!stats.isFile()) throw new InvalidInputError(`${path} (${field}) is no regular file: give a stream of it.`);
    return [await openAsBlob(path), stats];
  } catch (cause) {
    if (cause instanceof InvalidInputError) throw cause;
    const code = (cause as { code?: unknown }).code;
    const what = code === "ENOENT" ? "does not exist" : "cannot be read";
    throw new InvalidInputError(`${path} (${field}) ${what}${code === "ENOENT" ? "" : ` (${String(code)})`}.`, {
      cause,
    });
  }
}

/** Reads nothing ahead. */
function streamOf(pieces: AsyncGenerator<Uint8Array, undefined>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await pieces.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await pieces.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}

/** A stream, which can be read once. */
class StreamUpload implements Upload {
  readonly filename: string;
  readonly type = "";
  readonly blob = undefined;
  readonly #source: ReadableStream<Uint8Array> | AsyncIterable<unknown>;
  readonly #rules: FileRules;
  #spent = false;

  constructor(source: ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>, rules: FileRules) {
    const { field } = rules;
    const { readable, path } = (source ?? {}) as { readable?: unknown; path?: unknown };
    if (!isStream(source)) {
      throw new InvalidInputError(
        `${field} must be a path, a Blob, or a stream of bytes; bytes go into a File: new File([bytes], name).`,
      );
    }
    if (readable === false || (source instanceof ReadableStream && source.locked))
      throw new InvalidInputError(`The stream in ${field} has been read already, or somebody else reads it.`);
    // A stream of `fs` says which file it is.
    const filename = rules.filename ?? (typeof path === "string" && path !== "" ? nameOf(path) : undefined);
    if (filename === undefined)
      throw new InvalidInputError(`The stream in ${field} has no name: give a filename beside it.`);
    this.filename = filename;
    // It may fail before it is read, while the call waits for its turn, and an error that nobody hears ends the process.
    const { on } = source as { on?: (event: "error", listener: () => void) => unknown };
    if (typeof on === "function") on.call(source, "error", () => {});
    this.#source = source;
    this.#rules = rules;
  }

  get spent(): boolean {
    return this.#spent;
  }

  open(_lent: boolean, inspector?: Inspector): ReadableStream<Uint8Array> {
    const { field, maxBytes, ifLarger } = this.#rules;
    let pieces: Pieces | undefined;
    let bytes = 0;
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          this.#spent = true;
          pieces ??= piecesOf(this.#source, field);
          let piece: Uint8Array | undefined;
          do piece = await pieces.next();
          while (piece?.length === 0);
          if (piece === undefined) {
            if (bytes === 0) throw new InvalidInputError(`The stream in ${field} is empty.`);
            return controller.close();
          }
          bytes += piece.length;
          if (bytes > maxBytes) throw tooLarge(field, bytes, maxBytes, ifLarger);
          inspector?.look(piece);
          controller.enqueue(piece);
        },
        cancel: (reason) => pieces?.stop(reason),
      },
      { highWaterMark: 0 },
    );
  }
}

function isStream(source: unknown): source is ReadableStream<Uint8Array> | AsyncIterable<Uint8Array> {
  return typeof source === "object" && source !== null && Symbol.asyncIterator in source;
}

interface Pieces {
  next(): Promise<Uint8Array | undefined>;
  stop(reason: unknown): void | PromiseLike<void>;
}

const encoder = new TextEncoder();

function piecesOf(source: ReadableStream<Uint8Array> | AsyncIterable<unknown>, field: string): Pieces {
  // A reader, because the iterator of a web stream cannot be ended while it waits.
  const reader = source instanceof ReadableStream ? source.getReader() : undefined;
  const iterator = reader === undefined ? (source as AsyncIterable<unknown>)[Symbol.asyncIterator]() : undefined;
  return {
    async next() {
      const { done, value } = (await (reader?.read() ?? iterator!.next())) as IteratorResult<unknown>;
      if (done) return undefined;
      if (typeof value === "string") return encoder.encode(value);
      if (value instanceof Uint8Array) return value;
      throw new InvalidInputError(`The stream in ${field} must be made of bytes (Uint8Array).`);
    },
    stop(reason) {
      if (reader !== undefined) return reader.cancel(reason);
      // The same for Node's: destroyed, as leaving a `for await` does.
      const { destroy } = source as { destroy?: () => void };
      if (typeof destroy === "function") return destroy.call(source);
      void iterator!.return?.();
    },
  };
}
