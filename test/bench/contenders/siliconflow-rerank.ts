import { SiliconFlowRerank } from "@langchain-siliconflow/rerank";
import type { Contender, Host } from "../contender.ts";

export function make({ url, apiKey }: Host): Contender {
  const reranker = new SiliconFlowRerank({ apiKey, baseURL: url, model: "BAAI/bge-reranker-v2-m3" });
  return { rerank: (query, documents) => reranker.rerank(documents, query, { topN: documents.length }) };
}
