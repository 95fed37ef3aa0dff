import { Embeddings } from "@langchain/core/embeddings";
import type { SiliconFlowEmbeddings } from "langchain-siliconflow";
import type { VectorCache } from "./vector-cache.ts";

/** What one request may hold, and how many are under way at once: the defaults of `SiliconFlowEmbeddings`. */
export const batchSize = 32;
export const concurrency = 16;

/**
 * Embeds only texts whose vector is not kept yet, and keeps each batch the moment it arrives:
 * a run killed at any point sends again no more than what was under way.
 */
export class KeptEmbeddings extends Embeddings {
  readonly #embeddings: SiliconFlowEmbeddings;
  readonly #cache: VectorCache;
  readonly #signal: AbortSignal;
  readonly #onBatch: (texts: readonly string[]) => void;

  constructor(fields: {
    embeddings: SiliconFlowEmbeddings;
    cache: VectorCache;
    signal: AbortSignal;
    onBatch: (texts: readonly string[]) => void;
  }) {
    super({});
    this.#embeddings = fields.embeddings;
    this.#cache = fields.cache;
    this.#signal = fields.signal;
    this.#onBatch = fields.onBatch;
  }

  async embedDocuments(texts: string[]): Promise<number[][]> {
    const vectors = await this.#cache.get(texts);
    const missing = [...new Set(texts.filter((text) => !vectors.has(text)))];
    const batches: string[][] = [];
    for (let at = 0; at < missing.length; at += batchSize) batches.push(missing.slice(at, at + batchSize));

    const worker = async () => {
      for (let batch = batches.shift(); batch; batch = batches.shift()) {
        this.#signal.throwIfAborted();
        const found = await this.#embeddings.embedDocuments(batch, { signal: this.#signal });
        await this.#cache.put(batch, found);
        for (const [index, text] of batch.entries()) vectors.set(text, found[index]!);
        this.#onBatch(batch);
      }
    };
    const careful = () =>
      worker().catch((error: unknown) => {
        batches.length = 0;
        throw error;
      });
    // All of them settle before the first failure is told: the others' vectors are paid for, and kept.
    const results = await Promise.allSettled(Array.from({ length: concurrency }, careful));
    for (const result of results) if (result.status === "rejected") throw result.reason;

    return texts.map((text) => vectors.get(text)!);
  }

  embedQuery(text: string): Promise<number[]> {
    return this.#embeddings.embedQuery(text, { signal: this.#signal });
  }
}
