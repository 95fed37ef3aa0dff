import type { AIMessageChunk } from "@langchain/core/messages";
import type { RepairedStream, StreamEnd } from "./repaired-stream.js";
import { toMessageChunk } from "./wire-to-messages.js";

const finished: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** How a stream is asked for, and who may end it. */
export interface Asking {
  /** Sends the request. */
  open(): Promise<RepairedStream>;
  /** Filled when the stream has ended. */
  end: StreamEnd;
  signal: AbortSignal | undefined;
  /** Fires when the reader has left. */
  left: AbortSignal;
}

/**
 * The messages of a run that nobody but its reader hears of: what core's `_streamIterator` yields where no callback, no tracer and no
 * parent listens, without its generator and ours: with `ReadAheadStream` 13.5 → 10.7 µs of CPU a chunk. The request is sent at the
 * first `next()`.
 */
export class MessageStream implements AsyncGenerator<AIMessageChunk, unknown, unknown> {
  readonly #asking: Asking;
  #stream: RepairedStream | undefined;
  #over = false;
  /** Calls of `next()` that overlap are served one after the other. */
  #running: Promise<unknown> | undefined;
  #turns = 0;

  constructor(asking: Asking) {
    this.#asking = asking;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<AIMessageChunk>> {
    const before = this.#running;
    if (before === undefined && this.#stream !== undefined && !this.#over) {
      try {
        const chunk = this.#stream.take();
        if (chunk !== undefined) return Promise.resolve({ done: false, value: this.#toMessage(chunk) });
      } catch (error) {
        return this.#fail(error);
      }
    }
    this.#turns += 1;
    const result = before === undefined ? this.#advance() : before.then(this.#advance, this.#advance);
    this.#running = result;
    return result;
  }

  async return(value?: unknown): Promise<IteratorReturnResult<unknown>> {
    await this.#close();
    return { done: true, value };
  }

  async throw(error: unknown): Promise<never> {
    await this.#close();
    throw error;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close();
  }

  async #close(): Promise<void> {
    this.#over = true;
    await this.#stream?.return();
  }

  readonly #advance = async (): Promise<IteratorResult<AIMessageChunk>> => {
    try {
      if (this.#over) return finished;
      this.#stream ??= await this.#asking.open();
      const waiting = this.#stream.wait();
      if (waiting !== undefined) await waiting;
      const chunk = this.#stream.take() ?? (await this.#stream.next()).value;
      if (chunk !== undefined) return { done: false, value: this.#toMessage(chunk) };
      this.#over = true;
      this.#asking.signal?.throwIfAborted();
      return finished;
    } catch (error) {
      return await this.#fail(error);
    } finally {
      this.#turns -= 1;
      if (this.#turns === 0) this.#running = undefined;
    }
  };

  #toMessage(chunk: Parameters<typeof toMessageChunk>[0]): AIMessageChunk {
    this.#asking.signal?.throwIfAborted();
    return toMessageChunk(chunk, this.#asking.end);
  }

  /** Whoever broke off the loop has what they wanted. */
  async #fail(error: unknown): Promise<IteratorReturnResult<undefined>> {
    const { left } = this.#asking;
    await this.#close();
    if (left.aborted && error === left.reason) return finished;
    throw error;
  }
}
