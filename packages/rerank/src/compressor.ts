/** The reranker without the retriever: the base class of LangChain's retrievers is five sixths of what the package's root costs to import. */
export type { RerankResult } from "./read-scores.js";
export {
  type RerankContent,
  type RerankInput,
  type RerankOptions,
  type RerankUsage,
  SiliconFlowRerank,
  type SiliconFlowRerankInput,
} from "./siliconflow-rerank.js";
