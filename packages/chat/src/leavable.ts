/**
 * The same items, but leaving the loop is heard at once: `leaving` fires before anything waits.
 *
 * A generator queues its `return()` behind the `next()` that is waiting for the network, and LangChain always has one
 * waiting; so without this a socket would stay open until the model says its next word.
 *
 * @param iterate - Called for the first item: in the context that core gives to the run, not where the stream was asked for.
 */
export function leavable<T>(iterate: () => AsyncGenerator<T>, leaving: AbortController): AsyncGenerator<T> {
  let items: AsyncGenerator<T> | undefined;
  const leave = (): void => leaving.abort(new DOMException("The reader left the stream.", "AbortError"));
  const left: AsyncGenerator<T> = {
    next: () => (items ??= iterate()).next(),
    return(value) {
      leave();
      return (items ??= iterate()).return(value);
    },
    throw(error) {
      leave();
      return (items ??= iterate()).throw(error);
    },
    [Symbol.asyncIterator]: () => left,
    async [Symbol.asyncDispose]() {
      await left.return(undefined);
    },
  };
  return left;
}
