import { Client } from "./client.js";
import { ownOptions, resolveOptions, type ClientOptions } from "./options.js";
import { clientOptionNames, refuseUnknownOptions } from "./unknown-options.js";
import { UndiciWire } from "./wires/undici.js";

/**
 * A typed client of SiliconFlow's API, with retries, deadlines and typed errors. Objects are the wire's own (snake_case).
 *
 * Make one and share it: it holds the connections, the retry budget and what is known of limits.
 *
 * @example
 * ```ts
 * import { SiliconFlowClient } from "@langchain-siliconflow/client";
 *
 * const client = new SiliconFlowClient(); // the key from SILICONFLOW_API_KEY
 * const answer = await client.chat.create({
 *   model: "Qwen/Qwen3-8B",
 *   messages: [{ role: "user", content: "Capital of Peru?" }],
 * });
 * ```
 *
 * @throws {@link SiliconFlowError} with reason `"auth"` when there is no key, {@link InvalidInputError} for an option that cannot work.
 * @see https://docs.siliconflow.cn/cn/api-reference/chat-completions/chat-completions
 */
export class SiliconFlowClient extends Client {
  constructor(options: ClientOptions = {}) {
    const given = ownOptions(options);
    refuseUnknownOptions("SiliconFlowClient", given, clientOptionNames);
    const resolved = resolveOptions(given);
    super(resolved, new UndiciWire(resolved.baseURL, resolved.timeouts.connectMs, given.dispatcher));
  }
}
