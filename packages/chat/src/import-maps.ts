import { ChatSiliconFlow } from "./chat-siliconflow.js";

/**
 * For `load()` of `@langchain/core/load`, which revives what `JSON.stringify(model)` wrote.
 *
 * @example
 * ```ts
 * import { ChatSiliconFlow, siliconFlowImportMap } from "@langchain-siliconflow/chat";
 * import { load } from "@langchain/core/load";
 *
 * const text = JSON.stringify(new ChatSiliconFlow({ model: "Qwen/Qwen3-8B" }));
 * const model = await load<ChatSiliconFlow>(text, {
 *   secretsMap: { SILICONFLOW_API_KEY: process.env["SILICONFLOW_API_KEY"] ?? "" },
 *   importMap: siliconFlowImportMap,
 * });
 * console.log(model.model);
 * ```
 */
export const siliconFlowImportMap: { chat_models__siliconflow: { ChatSiliconFlow: typeof ChatSiliconFlow } } = {
  chat_models__siliconflow: { ChatSiliconFlow },
};

/** The same for `optionalImportsMap`, where a program passes one that covers several integrations. */
export const siliconFlowOptionalImportsMap: {
  "langchain/chat_models/siliconflow": { ChatSiliconFlow: typeof ChatSiliconFlow };
} = { "langchain/chat_models/siliconflow": { ChatSiliconFlow } };
