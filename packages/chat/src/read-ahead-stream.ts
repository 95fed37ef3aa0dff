import { ensureConfig, raceWithSignal, type RunnableConfig } from "@langchain/core/runnables";
import { AsyncGeneratorWithSetup, IterableReadableStream } from "@langchain/core/utils/stream";

/**
 * What `stream()` of a model returns, as core makes it: the first item is there, or the call has failed; one item is always asked
 * for ahead of its reader.
 *
 * Core enters the context of the run anew for each item, which costs more than the item. Only the first one needs it: the request is sent
 * then, and what follows runs in the context that it began in.
 */
export async function openStream<Options extends RunnableConfig, Item>(
  options: Options | undefined,
  iterate: (config: Options) => AsyncGenerator<Item>,
): Promise<IterableReadableStream<Item>> {
  const config = ensureConfig(options) as Options;
  const items = iterate(config);
  const begun = new AsyncGeneratorWithSetup<unknown, Item>({ generator: items, config });
  await begun.setup;
  return new ReadAheadStream(begun, items, config.signal);
}

/**
 * A stream whose `next()` reads the items themselves. Whoever reads it as what it is, a `ReadableStream`, gets the same items by way of
 * its queue.
 */
class ReadAheadStream<Item> extends IterableReadableStream<Item> {
  readonly #source: ReadAhead<Item>;

  constructor(begun: AsyncGenerator<Item>, items: AsyncGenerator<Item>, signal: AbortSignal | undefined) {
    const source = new ReadAhead(begun, items, signal);
    super(source, { highWaterMark: 0 });
    this.#source = source;
    source.onEnd = () => this.reader.releaseLock();
  }

  override next(): Promise<IteratorResult<Item>> {
    // The end, and what the stream failed of, are in the stream as well.
    if (this.#source.over || this.#source.queued) return super.next();
    this.ensureReader();
    return this.#source.take();
  }
}

/** Asks for one item ahead, and gives each to whoever comes first: the stream's reader, or the stream for its queue. */
class ReadAhead<Item> {
  /** The items have ended or failed, and the stream knows. */
  over = false;
  /** The stream is read as a stream: items may lie in its queue. */
  queued = false;
  /** Told when the one who has been given the last result may let the stream go. */
  onEnd: (() => void) | undefined;
  readonly #items: AsyncGenerator<Item>;
  readonly #signal: AbortSignal | undefined;
  #controller: ReadableStreamDefaultController<Item> | undefined;
  #ahead: Promise<IteratorResult<Item>>;
  /** Results that have been given away, and those that have come. */
  #taken = 0;
  #come = 0;

  constructor(begun: AsyncGenerator<Item>, items: AsyncGenerator<Item>, signal: AbortSignal | undefined) {
    this.#items = items;
    this.#signal = signal;
    this.#ahead = this.#watch(begun.next());
  }

  start(controller: ReadableStreamDefaultController<Item>): void {
    this.#controller = controller;
  }

  async pull(controller: ReadableStreamDefaultController<Item>): Promise<void> {
    this.queued = true;
    const { done, value } = await this.#ahead;
    if (done) return;
    controller.enqueue(value);
    this.#ahead = this.#ask();
  }

  async cancel(reason: unknown): Promise<void> {
    await this.#items.return(reason);
  }

  take(): Promise<IteratorResult<Item>> {
    const result = this.#ahead;
    this.#taken += 1;
    this.#ahead = this.#ask();
    return result;
  }

  #ask(): Promise<IteratorResult<Item>> {
    const signal = this.#signal;
    if (signal === undefined) return this.#watch(this.#items.next());
    if (signal.aborted) return this.#watch(Promise.reject(signal.reason as Error));
    return this.#watch(raceWithSignal(this.#items.next(), signal));
  }

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
