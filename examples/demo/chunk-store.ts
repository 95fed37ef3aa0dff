import { type PGVectorStoreArgs, PGVectorStore } from "@langchain/community/vectorstores/pgvector";
import type { Document } from "@langchain/core/documents";
import type { EmbeddingsInterface } from "@langchain/core/embeddings";

/**
 * LangChain's pgvector store, whose inserts may be repeated. The original has no `ON CONFLICT`: after a run killed
 * between an insert and the note of it, each later run would fail on a duplicate key.
 */
export class ChunkStore extends PGVectorStore {
  constructor(embeddings: EmbeddingsInterface, config: PGVectorStoreArgs) {
    super(embeddings, { chunkSize: 200, ...config });
  }

  /** Ids are made from text and place, so a row that is already there is this very row. */
  override async addVectors(vectors: number[][], documents: Document[], options?: { ids?: string[] }): Promise<void> {
    const ids = options?.ids;
    if (ids?.length !== vectors.length) throw new Error("Every chunk needs an id.");

    for (let at = 0; at < vectors.length; at += this.chunkSize) {
      const part = documents.slice(at, at + this.chunkSize);
      await this.pool.query(
        `INSERT INTO ${this.computedTableName} ("${this.idColumnName}", "${this.contentColumnName}", "${this.metadataColumnName}", "${this.vectorColumnName}")
         SELECT id, text, metadata, vector::vector
         FROM unnest($1::uuid[], $2::text[], $3::jsonb[], $4::text[]) AS row(id, text, metadata, vector)
         ON CONFLICT ("${this.idColumnName}") DO NOTHING`,
        [
          ids.slice(at, at + part.length),
          part.map((document) => document.pageContent),
          part.map((document) => JSON.stringify(document.metadata)),
          vectors.slice(at, at + part.length).map((vector) => `[${vector.map(Math.fround).join(",")}]`),
        ],
      );
    }
  }
}
