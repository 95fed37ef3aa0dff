import type { BaseRetriever } from "@langchain/core/retrievers";
import type { SiliconFlowRerank } from "langchain-siliconflow";
import type { Chunk, Place } from "./chunks.ts";
import { Document } from "@langchain/core/documents";
import { naming } from "./failure.ts";

/** A passage with its way through the search. Places count from 1. */
export interface Hit {
  passage: Chunk;
  rankBefore: number;
  rankAfter: number;
  /** The reranker's score, 0 to 1; null when it was not asked. */
  relevanceScore: number | null;
}

/** The passages to answer from: the nearest ones by vector, put in order by the reranker when there is one. */
export async function search(
  question: string,
  options: { retriever: BaseRetriever; reranker: SiliconFlowRerank | undefined; topN: number; signal: AbortSignal },
): Promise<Hit[]> {
  const nearest = (await options.retriever.invoke(question, { signal: options.signal })) as Chunk[];
  const ranked = options.reranker
    ? await naming(
        "--rerank-model",
        options.reranker.model,
        options.reranker.rerank(nearest, question, { topN: options.topN, signal: options.signal }),
      )
    : nearest.slice(0, options.topN).map((_, index) => ({ index, relevanceScore: null }));

  return ranked.map(({ index, relevanceScore }, place) => ({
    passage: new Document<Place>(nearest[index]!),
    rankBefore: index + 1,
    rankAfter: place + 1,
    relevanceScore,
  }));
}
