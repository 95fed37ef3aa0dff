export { type Reranker, RerankedRetriever, type RerankedRetrieverInput } from "./reranked-retriever.js";
export type { RerankResult } from "./read-scores.js";
export {
  type RerankContent,
  type RerankInput,
  type RerankOptions,
  type RerankUsage,
  SiliconFlowRerank,
  type SiliconFlowRerankInput,
} from "./siliconflow-rerank.js";
