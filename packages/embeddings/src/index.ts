export type { EmbeddingContent } from "./contents.js";
export type { EmbeddedText } from "./embedding-stream.js";
export {
  type EmbedOptions,
  type EmbeddingsUsage,
  SiliconFlowEmbeddings,
  type SiliconFlowEmbeddingsInput,
} from "./siliconflow-embeddings.js";
