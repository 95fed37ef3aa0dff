/**
 * The items of a run, but leaving the loop is heard at once: `leaving` fires before anything waits.
 *
 * A generator queues its `return()` behind the `next()` that is waiting for the network, and LangChain always has one
 * waiting; so without this a socket would stay open until the model says its next word.
 */
export class LeavableItems<Item> implements AsyncGenerator<Item> {
  readonly #begin: () => AsyncGenerator<Item>;
  readonly #leaving: AbortController;
  #source: AsyncGenerator<Item> | undefined;

  /** @param begin - Called for the first item: in the context that core gives to the run, not where the stream was asked for. */
  constructor(begin: () => AsyncGenerator<Item>, leaving: AbortController) {
    this.#begin = begin;
    this.#leaving = leaving;
  }

  /** Where the items come from. */
  get source(): AsyncGenerator<Item> {
    return (this.#source ??= this.#begin());
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Item>> {
    return this.source.next();
  }

  return(value?: unknown): Promise<IteratorResult<Item>> {
    this.#leave();
    return this.source.return(value);
  }

  throw(error: unknown): Promise<IteratorResult<Item>> {
    this.#leave();
    return this.source.throw(error);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #leave(): void {
    this.#leaving.abort(new DOMException("The reader left the stream.", "AbortError"));
  }
}
