/**
 * The same items, but leaving the loop is heard at once: `leaving` fires before anything waits.
 *
 * A generator queues its `return()` behind the `next()` that is waiting for the network, and LangChain always has one
 * waiting; so without this a socket would stay open until the model says its next word.
 */
export function leavable<T>(items: AsyncGenerator<T>, leaving: AbortController): AsyncGenerator<T> {
  const leave = (): void => leaving.abort(new DOMException("The reader left the stream.", "AbortError"));
  const left: AsyncGenerator<T> = {
    next: () => items.next(),
    return(value) {
      leave();
      return items.return(value);
    },
    throw(error) {
      leave();
      return items.throw(error);
    },
    [Symbol.asyncIterator]: () => left,
    async [Symbol.asyncDispose]() {
      await left.return(undefined);
    },
  };
  return left;
}
