export { BatchedChatSiliconFlow, type BatchHandle } from "./batch/batched-chat.js";
export type { BatchOptions, BatchProgress } from "./batch/options.js";
export type { BatchState } from "./batch/state.js";
export type {
  ChatSiliconFlowCallOptions,
  ReasoningEffort,
  SamplingOptions,
  ToolChoiceWhileThinking,
} from "./call-options.js";
export type { ChatSiliconFlowFields } from "./chat-fields.js";
export { ChatSiliconFlow } from "./chat-siliconflow.js";
export type { CompletionOptions, SiliconFlowCallOptions, SiliconFlowFields } from "./completion-fields.js";
export type { ConfigurableField } from "./configurable.js";
export { siliconFlowImportMap, siliconFlowOptionalImportsMap } from "./import-maps.js";
export { initSiliconFlowModel } from "./init-model.js";
export type { ReasoningHistory } from "./reasoning.js";
export { SiliconFlow } from "./siliconflow.js";
