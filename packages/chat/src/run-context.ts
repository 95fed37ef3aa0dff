import { pickRunnableConfigKeys, type RunnableConfig } from "@langchain/core/runnables";
import { AsyncLocalStorageProviderSingleton } from "@langchain/core/singletons";

/** The context that core gives whatever happens inside a run. */
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
  /** Gives the first item, and what failed before it. */
  first: AsyncGenerator<Item>;
  /** All others. */
  items: AsyncGenerator<Item>;
  context: RunContext;
  signal: AbortSignal | undefined;
}
