import { CohereRerank } from "@langchain/cohere";
import { CohereClient } from "cohere-ai";
import type { Contender, Host } from "../contender.ts";

export function make({ origin, apiKey }: Host): Contender {
  // The one way to another host.
  const client = new CohereClient({ token: apiKey, environment: origin });
  const reranker = new CohereRerank({ client, model: "BAAI/bge-reranker-v2-m3" });
  return { rerank: (query, documents) => reranker.rerank(documents, query, { topN: documents.length }) };
}
