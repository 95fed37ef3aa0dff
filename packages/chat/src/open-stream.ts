import { ensureConfig, raceWithSignal, type RunnableConfig } from "@langchain/core/runnables";
import { IterableReadableStream } from "@langchain/core/utils/stream";
import { LeavableItems } from "./leavable-items.js";
import { MessageStream } from "./message-stream.js";
import { ReadAheadStream } from "./read-ahead-stream.js";
import { firstOf, RunContext, type Begun } from "./run-context.js";

/**
 * What `stream()` of a model returns, as core makes it: the first item is there, or the call has failed; one item is always asked
 * for ahead of its reader.
 *
 * Core works out the context of the run anew for each item, and with it all callbacks: more work than the item itself. Here that is done
 * once, and entered for each item: with a token handler 43.1 → 11.6 µs of CPU a chunk.
 */
export async function openStream<Options extends RunnableConfig, Item>(
  options: Options | undefined,
  iterate: (config: Options) => AsyncGenerator<Item>,
): Promise<IterableReadableStream<Item>> {
  const config = ensureConfig(options) as Options;
  const { signal } = config;
  const items = iterate(config);
  const context = new RunContext(config);
  const begin = (): Promise<IteratorResult<Item>> =>
    signal === undefined ? items.next() : raceWithSignal(items.next(), signal);
  const begun = { items, first: context.enter(begin), context, signal };
  await begun.first.then(() => {});
  const isUnheard = items instanceof LeavableItems && items.source instanceof MessageStream;
  return isUnheard ? new ReadAheadStream(begun) : IterableReadableStream.fromAsyncGenerator(new HeardItems(begun));
}

/**
 * The items of a run that somebody is told of. Each takes as many turns as in core's `AsyncGeneratorWithSetup`, so that what handlers and
 * readers are told comes in the order that they know.
 */
class HeardItems<Item> implements AsyncGenerator<Item> {
  readonly #begun: Begun<Item>;
  #isFirst = true;

  constructor(begun: Begun<Item>) {
    this.#begun = begun;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Item>> {
    const { items, context, signal } = this.#begun;
    if (this.#isFirst) {
      this.#isFirst = false;
      return firstOf(this.#begun);
    }
    signal?.throwIfAborted();
    return context.enter(
      signal === undefined ? async () => items.next() : async () => raceWithSignal(items.next(), signal),
    );
  }

  async return(value: unknown): Promise<IteratorResult<Item>> {
    return this.#begun.items.return(value);
  }

  async throw(error: unknown): Promise<IteratorResult<Item>> {
    return this.#begun.items.throw(error);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return(undefined);
  }
}
