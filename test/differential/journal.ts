import { AsyncLocalStorageProviderSingleton } from "@langchain/core/singletons";
import { AsyncLocalStorage } from "node:async_hooks";
import { Plain } from "./plain.js";

/** A value of the user's own, that follows what is awaited. */
export const ownContext = new AsyncLocalStorage<string>();

/** Lets everything run that can run without news from outside. */
export async function quiet(): Promise<void> {
  for (let turn = 0; turn < 8; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/**
 * What happened, as data: per witness (`reader`, a handler, the server) in order, and all witnesses in one line, by name, where
 * a scenario leaves that order to nothing but the path.
 */
export class Journal {
  readonly #plain = new Plain();
  readonly #order: string[] = [];
  readonly #witnesses: Record<string, unknown[]> = {};

  note(witness: string, what: string, ...details: unknown[]): void {
    this.#order.push(`${witness}: ${what}`);
    (this.#witnesses[witness] ??= []).push([what, ...details.map((detail) => this.#plain.of(detail))]);
  }

  /** As `note`, with what code that runs here sees of its surroundings. */
  noteWithin(witness: string, what: string, ...details: unknown[]): void {
    const config: unknown = AsyncLocalStorageProviderSingleton.getRunnableConfig();
    this.note(witness, what, ...details, { config, own: ownContext.getStore() });
  }

  /** How a promise ends. */
  async outcome(witness: string, what: string, promise: PromiseLike<unknown>): Promise<void> {
    try {
      this.note(witness, what, "resolves", await promise);
    } catch (error) {
      this.note(witness, what, "rejects", error);
    }
  }

  /** Everything so far. */
  record(ordered: boolean): object {
    return { ...(ordered && { order: this.#order }), witnesses: this.#witnesses, late: this.#plain.again() };
  }
}
