import { Client } from "./client.js";
import { InvalidInputError } from "./errors.js";
import { ownOptions, resolveOptions, type SharedClientOptions } from "./options.js";
import { refuseUnknownOptions, sharedOptionNames } from "./unknown-options.js";
import { FetchWire } from "./wires/fetch.js";

/** Options of the client that sends with `fetch`. Nothing is required: the key may come from the environment. */
export interface ClientOptions extends SharedClientOptions {
  /** Carries all requests. @defaultValue the runtime's own `fetch` */
  fetch?: typeof globalThis.fetch | undefined;
}

/**
 * The same client over `fetch`, for runtimes other than Node.js and for a `fetch` of one's own.
 *
 * @example
 * ```ts
 * import { SiliconFlowClient } from "@langchain-siliconflow/client/fetch";
 *
 * const client = new SiliconFlowClient({ fetch: globalThis.fetch });
 * ```
 *
 * @throws {@link SiliconFlowError} with reason `"auth"` when there is no key, {@link InvalidInputError} for an option that cannot work.
 * @see https://docs.siliconflow.cn/cn/api-reference/chat-completions/chat-completions
 */
export class SiliconFlowClient extends Client {
  constructor(options: ClientOptions = {}) {
    const given = ownOptions(options);
    refuseUnknownOptions("SiliconFlowClient over fetch", given, { ...sharedOptionNames, fetch: true });
    const resolved = resolveOptions(given);
    const { fetch = globalThis.fetch } = given;
    if (typeof fetch !== "function")
      throw new InvalidInputError("This runtime has no fetch: pass one as the option fetch.");
    super(resolved, new FetchWire(fetch));
  }
}
