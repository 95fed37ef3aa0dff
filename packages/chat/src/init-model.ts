import { InvalidInputError } from "@langchain-siliconflow/client";
import type { ChatSiliconFlowFields } from "./chat-fields.js";
import { ChatSiliconFlow } from "./chat-siliconflow.js";

const provider = "siliconflow";

/**
 * A model from the one string that configuration files have, `"siliconflow:<model>"`. LangChain's own `initChatModel` takes no
 * providers but those it knows.
 *
 * @param model - `"siliconflow:Qwen/Qwen3-8B"`, or the bare id `"Qwen/Qwen3-8B"`.
 * @param fields - Options of {@link ChatSiliconFlow}; `modelProvider`, as `initChatModel` has it, may be among them.
 *
 * @throws {@link InvalidInputError} for a string without a model, or another provider.
 *
 * @example
 * ```ts
 * import { initSiliconFlowModel } from "@langchain-siliconflow/chat";
 *
 * const model = initSiliconFlowModel("siliconflow:Qwen/Qwen3-8B", { temperature: 0 });
 * console.log((await model.invoke("Hello")).text);
 * ```
 */
export function initSiliconFlowModel(
  model: string,
  fields: Omit<ChatSiliconFlowFields, "model" | "modelName"> & { modelProvider?: string } = {},
): ChatSiliconFlow {
  const { modelProvider, ...options } = fields;
  if (modelProvider !== undefined && modelProvider !== provider) throw anotherProvider(modelProvider);
  if (typeof model !== "string")
    throw new InvalidInputError('The model must be a string like "siliconflow:Qwen/Qwen3-8B".');
  // Ids of fine-tuned models have colons of their own, and a slash before them.
  const end = model.search(/[:/]/);
  const prefix = model[end] === ":" ? model.slice(0, end) : undefined;
  const id = prefix === undefined ? model : model.slice(end + 1);
  if (prefix !== undefined && prefix !== provider) {
    if (prefix !== "ft") throw anotherProvider(prefix);
    return new ChatSiliconFlow(model, options);
  }
  if (id === "") throw new InvalidInputError(`"${model}" names no model. Use "siliconflow:<model>".`);
  return new ChatSiliconFlow(id, options);
}

function anotherProvider(name: string): InvalidInputError {
  return new InvalidInputError(
    `"${name}" is not SiliconFlow. Use "siliconflow:<model>", or initChatModel of langchain.`,
  );
}
