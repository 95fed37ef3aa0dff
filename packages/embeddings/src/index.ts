export {
  type EmbedOptions,
  type EmbeddingContent,
  type EmbeddingsUsage,
  SiliconFlowEmbeddings,
  type SiliconFlowEmbeddingsInput,
} from "./siliconflow-embeddings.js";
