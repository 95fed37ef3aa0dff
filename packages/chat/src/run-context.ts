import { pickRunnableConfigKeys, type RunnableConfig } from "@langchain/core/runnables";
import { AsyncLocalStorageProviderSingleton } from "@langchain/core/singletons";

/** The context that core gives whatever happens inside a run. Context variables count as they are when the stream begins. */
export class RunContext {
  readonly #storage = AsyncLocalStorageProviderSingleton.getInstance();
  readonly #store: unknown;

  constructor(config: RunnableConfig) {
    const store = (): unknown => this.#storage.getStore();
    this.#store = AsyncLocalStorageProviderSingleton.runWithConfig(pickRunnableConfigKeys(config), store, true);
  }

  enter<Result>(work: () => Result): Result {
    return this.#storage.run(this.#store, work);
  }
}

/** The items of a run that has begun. */
export interface Begun<Item> {
  /** The first has been asked for. */
  first: Promise<IteratorResult<Item>>;
  /** All others. */
  items: AsyncGenerator<Item>;
  context: RunContext;
  signal: AbortSignal | undefined;
}

/** The first item, unless the run was aborted since it came. */
export async function firstOf<Item>({ first, signal }: Begun<Item>): Promise<IteratorResult<Item>> {
  signal?.throwIfAborted();
  return first;
}
