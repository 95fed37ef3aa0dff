import type { Readable } from "node:stream";
import type { WireBody } from "../wire.js";

/** A Node stream in paused mode: everything a socket read brought comes out of one `read()`. */
export class NodeBody implements WireBody {
  wake: (() => void) | undefined;
  readonly #stream: Readable;
  #ended = false;
  #failure: { error: unknown } | undefined;

  constructor(stream: Readable, onEnd: () => void = () => {}) {
    this.#stream = stream;
    stream
      .on("readable", () => this.wake?.())
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
    const bytes = this.#stream.read() as Buffer | null;
    if (bytes !== null) return bytes;
    if (this.#failure !== undefined) throw this.#failure.error;
    return this.#ended ? null : undefined;
  }

  cancel(): void {
    if (!this.#ended) this.#stream.destroy();
  }
}

/** One text of a header that may have come several times. */
export function readHeader(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(", ") : value;
}
