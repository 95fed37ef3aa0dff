import type { Readable } from "node:stream";
import type { WireBody } from "../wire.js";

/** What is read ahead of whoever takes lent pieces. */
const mostAhead = 256 * 1024;

/** A Node stream in paused mode: everything a socket read brought comes out of one `read()`. */
export class NodeBody implements WireBody {
  wake: (() => void) | undefined;
  readonly #stream: Readable;
  readonly #ownSocket: boolean;
  #ended = false;
  #failure: { error: unknown } | undefined;
  /** Where pieces are lent: those that wait, and the memory of the one that was read last. */
  #waiting: Uint8Array<ArrayBuffer>[] | undefined;
  #bytesWaiting = 0;
  #lent: ArrayBuffer | undefined;

  /** @param ownSocket - whether the bytes are those of an HTTP/1 socket that nobody else reads */
  constructor(stream: Readable, ownSocket: boolean, onEnd: () => void = () => {}) {
    this.#stream = stream;
    this.#ownSocket = ownSocket;
    stream
      .on("readable", this.#onNews)
      .on("end", () => {
        this.#ended = true;
        onEnd();
        this.wake?.();
      })
      .on("error", (error) => {
        this.#failure = { error };
        this.wake?.();
      });
  }

  read(): Uint8Array | null | undefined {
    const bytes = this.#waiting === undefined ? (this.#stream.read() as Buffer | null) : this.#nextLent(this.#waiting);
    if (bytes !== null) return bytes;
    if (this.#failure !== undefined) throw this.#failure.error;
    return this.#ended ? null : undefined;
  }

  /**
   * Frees the memory of each piece that was read, which V8 does only when it has 64 MiB of them: a download of a gibibyte to a file
   * then costs 25 MiB and not 67. The pieces come as the socket brought them, because putting them together makes garbage too.
   */
  lend(): void {
    if (!this.#ownSocket || isShared === undefined) return;
    const waiting: Uint8Array<ArrayBuffer>[] = (this.#waiting = []);
    this.#stream.off("readable", this.#onNews).on("data", (piece: Buffer<ArrayBuffer>) => {
      waiting.push(piece);
      this.#bytesWaiting += piece.length;
      if (this.#bytesWaiting >= mostAhead) this.#stream.pause();
      this.wake?.();
    });
  }

  cancel(): void {
    if (!this.#ended) this.#stream.destroy();
  }

  readonly #onNews = (): void => this.wake?.();

  #nextLent(waiting: Uint8Array<ArrayBuffer>[]): Uint8Array | null {
    const piece = waiting.shift();
    if (piece === undefined) return null;
    this.#bytesWaiting -= piece.length;
    if (waiting.length === 0 && this.#stream.isPaused()) this.#stream.resume();
    // Of one read of the socket several pieces may come. All of it has been parsed when a piece of the next read is here.
    const memory = piece.buffer;
    if (this.#lent !== memory) free(this.#lent);
    this.#lent = memory;
    return piece;
  }
}

/** Tells the memory that all small buffers of the process share. Not every runtime can. */
const isShared = globalThis.process?.getBuiltinModule?.("node:worker_threads")?.isMarkedAsUntransferable as
  | ((memory: ArrayBuffer) => boolean)
  | undefined;

function free(memory: (ArrayBuffer & { transfer?(length: number): ArrayBuffer }) | undefined): void {
  if (memory !== undefined && !isShared!(memory)) memory.transfer?.(0);
}

/** One text of a header that may have come several times. */
export function readHeader(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(", ") : value;
}
