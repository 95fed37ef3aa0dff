import { raceWithSignal } from "@langchain/core/runnables";
import { IterableReadableStream } from "@langchain/core/utils/stream";
import { firstOf, type Begun, type RunContext } from "./run-context.js";

/**
 * A stream whose `next()` reads the items themselves. Whoever reads it as what it is, a `ReadableStream`, gets the same items by way of
 * its queue.
 */
export class ReadAheadStream<Item> extends IterableReadableStream<Item> {
  readonly #source: ReadAhead<Item>;

  constructor(begun: Begun<Item>) {
    const source = new ReadAhead(begun);
    super(source, { highWaterMark: 0 });
    this.#source = source;
    source.onEnd = () => this.reader.releaseLock();
  }

  override next(): Promise<IteratorResult<Item>> {
    // The end, and what the stream failed of, are in the stream as well.
    if (this.#source.over || this.#source.queued) return super.next();
    try {
      this.ensureReader();
    } catch (error) {
      // Somebody else has a reader of it.
      return Promise.reject(error);
    }
    return this.#source.take();
  }
}

/** Asks for one item ahead, and gives each to whoever comes first: the stream's reader, or the stream for its queue. */
class ReadAhead<Item> {
  /** The items have ended or failed, and the stream knows. */
  over = false;
  /** The stream is read as a stream, whose queue may hold items, or has been cancelled as one. */
  queued = false;
  /** Told when the one who has been given the last result may let the stream go. */
  onEnd: (() => void) | undefined;
  readonly #items: AsyncGenerator<Item>;
  readonly #context: RunContext;
  readonly #signal: AbortSignal | undefined;
  #controller: ReadableStreamDefaultController<Item> | undefined;
  #ahead: Promise<IteratorResult<Item>>;
  /** Results that have been given away, and those that have come. */
  #taken = 0;
  #come = 0;

  constructor(begun: Begun<Item>) {
    this.#items = begun.items;
    this.#context = begun.context;
    this.#signal = begun.signal;
    this.#ahead = this.#watch(firstOf(begun));
  }

  start(controller: ReadableStreamDefaultController<Item>): void {
    this.#controller = controller;
  }

  async pull(controller: ReadableStreamDefaultController<Item>): Promise<void> {
    this.queued = true;
    const { done, value } = await this.#ahead;
    if (done) return;
    controller.enqueue(value);
    this.#ahead = this.#watch(this.#next());
  }

  async cancel(reason: unknown): Promise<void> {
    this.queued = true;
    await this.#items.return(reason);
  }

  take(): Promise<IteratorResult<Item>> {
    const result = this.#ahead;
    this.#taken += 1;
    // One that fails fails all that were asked for after it.
    this.#ahead =
      this.#come < this.#taken
        ? this.#watch(result.then((last) => (last.done ? last : this.#next())))
        : this.#watch(this.#next());
    return result;
  }

  #next(): Promise<IteratorResult<Item>> {
    const signal = this.#signal;
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    const next = this.#context.enter(this.#nextItem);
    return signal === undefined ? next : raceWithSignal(next, signal);
  }

  readonly #nextItem = (): Promise<IteratorResult<Item>> => this.#items.next();

  #watch(result: Promise<IteratorResult<Item>>): Promise<IteratorResult<Item>> {
    result.then(this.#look, this.#fail);
    return result;
  }

  readonly #look = ({ done }: IteratorResult<Item>): void => {
    this.#come += 1;
    if (done) this.#finish(() => this.#controller!.close());
  };

  readonly #fail = (error: unknown): void => {
    this.#come += 1;
    this.#finish(() => this.#controller!.error(error));
  };

  #finish(end: () => void): void {
    if (this.over) return;
    this.over = true;
    try {
      end();
    } catch {
      // It was cancelled before.
    }
    if (this.#taken >= this.#come) this.onEnd?.();
  }
}
