export * from "./compressor.js";
export { type Reranker, RerankedRetriever, type RerankedRetrieverInput } from "./reranked-retriever.js";
