import type { Readable } from "node:stream";
import type { WireBody } from "../wire.js";

/** What is read ahead of whoever takes the pieces; lent ones are not put together, and more of them spare pauses. */
const mostAhead = 64 * 1024;
const mostLentAhead = 256 * 1024;

/** A Node stream that flows, and is paused where nobody reads. */
export class NodeBody implements WireBody {
  wake: (() => void) | undefined;
  readonly #stream: Readable;
  readonly #ownSocket: boolean;
  #waiting: Buffer<ArrayBuffer>[] = [];
  #bytesWaiting = 0;
  #ended = false;
  #failure: { error: unknown } | undefined;
  #lends = false;
  /** The memory of the lent piece that was read last. */
  #lent: ArrayBuffer | undefined;

  /** @param ownSocket - whether the bytes are those of an HTTP/1 socket that nobody else reads */
  constructor(stream: Readable, ownSocket: boolean, onEnd: () => void = () => {}) {
    this.#stream = stream;
    this.#ownSocket = ownSocket;
    stream
      .on("data", (piece: Buffer<ArrayBuffer>) => {
        this.#waiting.push(piece);
        this.#bytesWaiting += piece.length;
        if (this.#bytesWaiting >= (this.#lends ? mostLentAhead : mostAhead)) stream.pause();
        this.wake?.();
      })
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
    const waiting = this.#waiting;
    if (waiting.length > 0) {
      const bytes = this.#lends || waiting.length === 1 ? waiting.shift()! : this.#takeAll();
      this.#bytesWaiting -= bytes.length;
      if (this.#waiting.length === 0 && this.#stream.isPaused()) this.#stream.resume();
      if (this.#lends) this.#lend(bytes.buffer);
      return bytes;
    }
    if (this.#failure !== undefined) throw this.#failure.error;
    return this.#ended ? null : undefined;
  }

  /**
   * Frees the memory of each piece that was read, which V8 does only when it has 64 MiB of them: a download of a gibibyte to a file
   * then costs 25 MiB and not 67. The pieces come as the socket brought them, because putting them together makes garbage too.
   */
  lend(): void {
    this.#lends = this.#ownSocket && isShared !== undefined;
  }

  cancel(): void {
    if (!this.#ended) this.#stream.destroy();
  }

  #takeAll(): Buffer<ArrayBuffer> {
    const all = Buffer.concat(this.#waiting, this.#bytesWaiting);
    this.#waiting = [];
    return all;
  }

  /** Of one read of the socket several pieces may come. All of it has been parsed when a piece of the next read is here. */
  #lend(memory: ArrayBuffer): void {
    if (this.#lent !== memory) free(this.#lent);
    this.#lent = memory;
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
