import type { Deadline } from "./deadline.js";
import { tooLarge } from "./read-body.js";
import { SseDecoder, type SseEvent } from "./sse.js";
import type { WireBody } from "./wire.js";

const maxEventBytes = 8 * 1024 * 1024;
/** After `[DONE]` the body is read to its end, so that the socket can be used again; within these bounds. */
const drainMs = 500;
const drainBytes = 64 * 1024;

/** The events of one body, in order, within the limits of time and size. */
export class EventReader {
  readonly #body: WireBody;
  readonly #deadline: Deadline;
  readonly #maxBytes: number;
  readonly #decoder = new SseDecoder(maxEventBytes);
  #queue: SseEvent[] = [];
  #position = 0;
  /** The last event of the whole body, once it has been taken. */
  #last: SseEvent | undefined;
  #bytes = 0;
  #ended = false;
  #exhausted = false;

  /** @param maxBytes - of the whole body */
  constructor(body: WireBody, deadline: Deadline, maxBytes: number) {
    this.#body = body;
    this.#deadline = deadline;
    this.#maxBytes = maxBytes;
  }

  /** Whether the body has been read to its end. */
  get ended(): boolean {
    return this.#ended;
  }

  /** The next event that is there already, left where it is. */
  get next(): SseEvent | undefined {
    return this.#queue[this.#position];
  }

  /**
   * Goes on to the event after {@link next}. What has been taken is let go: each event keeps the text of a whole read, and while a
   * stream waits for more that was 57 KiB.
   */
  skip(): void {
    this.#position += 1;
    if (this.#position < this.#queue.length) return;
    if (this.#ended) this.#last = this.#queue.at(-1);
    this.#queue = [];
    this.#position = 0;
  }

  /** Whether this is the last event of the whole body. */
  isLast(event: SseEvent): boolean {
    return this.#ended && (this.#queue.at(-1) ?? this.#last) === event;
  }

  /**
   * Reads until at least one event is there; false at the end of the body.
   *
   * @param mayBreak - A connection that breaks is an end like any other: there is nothing left to lose.
   */
  async fill(mayBreak: boolean): Promise<boolean> {
    const queue: SseEvent[] = [];
    this.#queue = queue;
    this.#position = 0;
    for (;;) {
      let bytes: Uint8Array | null | undefined;
      try {
        bytes = this.#body.read();
        for (; bytes === undefined; bytes = this.#body.read()) await this.#deadline.wait(this.#body);
      } catch (error) {
        if (!mayBreak || this.#deadline.stopped) throw error;
        this.#body.cancel();
        bytes = null;
      }
      if (bytes === null) {
        this.#end();
        this.#decoder.end(queue);
        return queue.length > 0;
      }
      if (this.accept(bytes)) return true;
    }
  }

  /** Decodes what has arrived, without waiting. Returns whether an event is there. */
  poll(): boolean {
    for (;;) {
      const bytes = this.#body.read();
      // The end is for `fill` to find again.
      if (bytes === null) this.#exhausted = true;
      if (bytes == null) return false;
      if (this.accept(bytes)) return true;
    }
  }

  /** Waits for something to arrive where {@link poll} found nothing; `undefined` where it has met the end. */
  arrival(): Promise<void> | undefined {
    return this.#exhausted ? undefined : this.#deadline.wait(this.#body);
  }

  /** Decodes these bytes. Returns whether an event is there. */
  accept(bytes: Uint8Array): boolean {
    this.#bytes += bytes.length;
    if (this.#bytes > this.#maxBytes) throw tooLarge(this.#maxBytes);
    this.#decoder.feed(bytes, this.#queue);
    if (this.#queue.length > 0) {
      this.#deadline.answered();
      return true;
    }
    if (!this.#decoder.expecting) this.#deadline.commented();
    return false;
  }

  /** Reads what comes after the answer, for a while. It cannot spoil the answer; only the caller's own stop is thrown. */
  async drain(): Promise<void> {
    const until = performance.now() + drainMs;
    let left = drainBytes;
    try {
      while (!this.#ended && left > 0) {
        const leftMs = until - performance.now();
        if (leftMs <= 0) return;
        const bytes = this.#body.read();
        if (bytes === null) return this.#end();
        if (bytes === undefined) await this.#deadline.wait(this.#body, leftMs);
        else left -= bytes.length;
      }
    } catch {
      this.#deadline.throwIfStopped();
    }
  }

  #end(): void {
    this.#ended = true;
    this.#deadline.finished();
  }
}
