import { InvalidInputError, isSiliconFlowError } from "@langchain-siliconflow/client";
import { abortReason, wholeNumber } from "@langchain-siliconflow/client/adapter";
import {
  type CallbackManagerForRetrieverRun,
  type Callbacks,
  parseCallbackConfigArg,
} from "@langchain/core/callbacks/manager";
import type { DocumentInterface } from "@langchain/core/documents";
import { BaseRetriever, type BaseRetrieverInput, type BaseRetrieverInterface } from "@langchain/core/retrievers";
import { ensureConfig, type RunnableConfig } from "@langchain/core/runnables";
import { untilAborted } from "./until-aborted.js";
import type { RerankOptions } from "./siliconflow-rerank.js";
import { withMetadata } from "./with-metadata.js";

/** Anything that ranks documents: {@link SiliconFlowRerank}, or any LangChain document compressor. */
export interface Reranker {
  /** New or the same documents, best first. */
  compressDocuments(
    documents: DocumentInterface[],
    query: string,
    callbacks?: Callbacks,
    /** Those that know `signal` and `topN` are given them; to others they mean nothing. */
    options?: RerankOptions,
  ): Promise<DocumentInterface[]>;
}

/** Options of {@link RerankedRetriever}, beside those of every retriever (`callbacks`, `tags`, `metadata`, `verbose`). */
export interface RerankedRetrieverInput extends BaseRetrieverInput {
  /** Where the candidates come from. */
  retriever: BaseRetrieverInterface;
  /** What puts them in order. */
  reranker: Reranker;
  /**
   * Candidates to rerank, 1 or more. A vector store's retriever is asked for that many, whatever its own `k`; of what another
   * retriever returns, the first `fetchK` are reranked. Take a few times `topN`.
   *
   * @defaultValue as many as the retriever returns
   */
  fetchK?: number;
  /** Documents to return, 1 or more. @defaultValue as many as the reranker returns */
  topN?: number;
  /**
   * What a failed rerank comes to. `"throw"`: the error. `"keepOrder"`: the first `topN` candidates in the retriever's order. They carry
   * the reason in `metadata.rerankError` and no score, and callback handlers receive the custom event `rerank_failed`.
   * An abort is always thrown.
   *
   * @defaultValue `"throw"`
   */
  onRerankError?: "throw" | "keepOrder";
}

/**
 * A retriever that fetches more than it needs from another one, and returns the best of it by a reranker's judgement.
 *
 * Callbacks, tracing and the caller's signal reach both the retriever and the reranker.
 *
 * @example
 * ```ts
 * import { SiliconFlowEmbeddings } from "@langchain-siliconflow/embeddings";
 * import { RerankedRetriever, SiliconFlowRerank } from "@langchain-siliconflow/rerank";
 * import { MemoryVectorStore } from "@langchain/classic/vectorstores/memory";
 *
 * const store = new MemoryVectorStore(new SiliconFlowEmbeddings({ model: "BAAI/bge-m3" }));
 * const retriever = new RerankedRetriever({
 *   retriever: store.asRetriever(),
 *   reranker: new SiliconFlowRerank({ model: "BAAI/bge-reranker-v2-m3" }),
 *   fetchK: 20,
 *   topN: 5,
 * });
 * const documents = await retriever.invoke("How do I cancel a request?");
 * ```
 *
 * @throws {@link InvalidInputError} for a bad option. What the retriever throws comes through; so does what the reranker
 * throws, unless `onRerankError` is `"keepOrder"`.
 * @see https://docs.siliconflow.cn/cn/api-reference/rerank/create-rerank
 */
export class RerankedRetriever extends BaseRetriever {
  static override lc_name(): string {
    return "RerankedRetriever";
  }

  /** What each call was invoked with, while it runs. */
  static readonly #configs = new WeakMap<RerankedRetriever, RunnableConfig>();

  lc_namespace = ["langchain", "retrievers", "siliconflow"];
  /** Where the candidates come from. */
  readonly retriever: BaseRetrieverInterface;
  /** What puts them in order. */
  readonly reranker: Reranker;
  /** Candidates to rerank; `undefined` for as many as the retriever returns. */
  readonly fetchK: number | undefined;
  /** Documents to return; `undefined` for as many as the reranker returns. */
  readonly topN: number | undefined;
  /** What a failed rerank comes to. */
  readonly onRerankError: "throw" | "keepOrder";

  constructor(fields: RerankedRetrieverInput) {
    super(fields);
    const { retriever, reranker, fetchK, topN, onRerankError = "throw" } = fields ?? {};
    if (typeof retriever?.invoke !== "function") {
      throw new InvalidInputError("retriever must be a LangChain retriever, of a vector store its asRetriever().");
    }
    if (typeof reranker?.compressDocuments !== "function") {
      throw new InvalidInputError("reranker must be a document compressor, such as SiliconFlowRerank.");
    }
    if (onRerankError !== "throw" && onRerankError !== "keepOrder") {
      throw new InvalidInputError('onRerankError must be "throw" or "keepOrder".');
    }
    this.retriever = retriever;
    this.reranker = reranker;
    this.fetchK = wholeNumber("fetchK", fetchK, 1);
    this.topN = wholeNumber("topN", topN, 1);
    this.onRerankError = onRerankError;
  }

  override async invoke(query: string, options?: RunnableConfig): Promise<DocumentInterface[]> {
    // Core hands `_getRelevantDocuments` the callbacks but not the signal, so each call gets a view of this object that knows it.
    const config = ensureConfig(parseCallbackConfigArg(options));
    const call = Object.create(this) as this;
    RerankedRetriever.#configs.set(call, config);
    return super.invoke.call(call, query, config);
  }

  override async _getRelevantDocuments(
    query: string,
    run?: CallbackManagerForRetrieverRun,
  ): Promise<DocumentInterface[]> {
    const { signal, configurable } = RerankedRetriever.#configs.get(this) ?? {};
    if (signal?.aborted) throw abortReason(signal);
    const config: RunnableConfig = {
      ...(run && { callbacks: run.getChild("retriever") }),
      ...(signal && { signal }),
      ...(configurable && { configurable }),
    };
    const retriever = this.fetchK === undefined ? this.retriever : asking(this.retriever, this.fetchK);
    const found = await untilAborted(retriever.invoke(query, config), signal);
    const candidates = found.slice(0, this.fetchK);
    if (candidates.length === 0) return [];
    try {
      const options = { signal, topN: this.topN };
      const ranking = this.reranker.compressDocuments(candidates, query, run?.getChild("reranker"), options);
      return (await untilAborted(ranking, signal)).slice(0, this.topN);
    } catch (error) {
      if (this.onRerankError === "throw" || signal?.aborted) throw error;
      const { name, message } = error instanceof Error ? error : new Error(String(error));
      const reason = isSiliconFlowError(error) ? error.reason : name;
      await run?.handleCustomEvent("rerank_failed", { name, reason, message }, run.runId);
      return candidates.slice(0, this.topN).map((document) => withMetadata(document, { rerankError: reason }));
    }
  }
}

/** The same retriever, asking its vector store for `k` documents. The given object, which others may use, stays as it is. */
function asking(retriever: BaseRetrieverInterface, k: number): BaseRetrieverInterface {
  const isVectorStoreRetriever = "vectorStore" in retriever && "k" in retriever && typeof retriever.k === "number";
  if (!isVectorStoreRetriever || retriever.k === k) return retriever;
  return Object.create(retriever, { k: { value: k } }) as BaseRetrieverInterface;
}
