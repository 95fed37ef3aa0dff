import { createHash } from "node:crypto";
import { PostgresRecordManager } from "@langchain/community/indexes/postgres";
import type { EmbeddingsInterface } from "@langchain/core/embeddings";
import { index } from "@langchain/core/indexing";
import type { SiliconFlowEmbeddings } from "langchain-siliconflow";
import { type Chunk, splitterKey } from "./chunks.ts";
import { ChunkStore } from "./chunk-store.ts";
import type { Database } from "./database.ts";
import { batchSize, concurrency, KeptEmbeddings } from "./kept-embeddings.ts";
import { Progress } from "./progress.ts";
import { VectorCache } from "./vector-cache.ts";

/** Everything that makes vectors comparable: vectors of different spaces are never searched together. */
export interface VectorSpace {
  /** Address of the host; for an emulator what its vectors depend on. */
  host: string;
  model: string;
  dimensions: number;
}

/** What an indexing run did. */
export interface IndexReport {
  chunks: number;
  /** Chunks that were sent to be embedded. */
  embedded: number;
  removed: number;
  seconds: number;
}

/** The stored chunks of one folder of documents in one vector space. */
export class DocumentIndex {
  readonly #database: Database;
  readonly #docs: string;
  readonly #space: VectorSpace;
  readonly #cache: VectorCache;
  /** Name of the table, and of the record manager's namespace. */
  readonly #name: string;

  /** `docs` tells one folder of documents from another: cleaning up after one leaves the others alone. */
  constructor(database: Database, docs: string, space: VectorSpace) {
    this.#database = database;
    this.#docs = docs;
    this.#space = space;
    this.#cache = new VectorCache(database.pool, hashOf(space));
    this.#name = `siliconflow_demo_chunks_${hashOf({ docs, splitterKey, ...space })}`;
  }

  /** Makes the tables that are missing. Returns what is known of an earlier run, if there was one. */
  async open(): Promise<{ unfinished: boolean; otherSpace: boolean }> {
    const { pool } = this.#database;
    await this.#cache.createTable();
    await this.#records().createSchema();
    await pool.query(`
      CREATE TABLE IF NOT EXISTS siliconflow_demo_indexes (
        name text PRIMARY KEY, docs text NOT NULL, space jsonb NOT NULL, finished boolean NOT NULL DEFAULT false
      )`);
    const { rows } = await pool.query<{ name: string; finished: boolean; same: boolean }>(
      "SELECT name, finished, space = $2::jsonb AS same FROM siliconflow_demo_indexes WHERE docs = $1",
      [this.#docs, JSON.stringify(this.#space)],
    );
    const own = rows.find((row) => row.name === this.#name);
    return { unfinished: own?.finished === false, otherSpace: rows.length > 0 && !rows.some((row) => row.same) };
  }

  /** Forgets what is stored for these documents, in every vector space, and the vectors kept for this one. */
  async reset(): Promise<void> {
    const { pool } = this.#database;
    const { rows } = await pool.query<{ name: string }>("SELECT name FROM siliconflow_demo_indexes WHERE docs = $1", [
      this.#docs,
    ]);
    for (const { name } of rows) {
      // The records first: chunks without records are embedded again, records without chunks would never be.
      const records = this.#records(name);
      await records.deleteKeys(await records.listKeys({}));
      await pool.query(`DROP TABLE IF EXISTS ${name}`);
      await pool.query("DELETE FROM siliconflow_demo_indexes WHERE name = $1", [name]);
    }
    await this.#cache.clear();
  }

  /** Brings the store up to date with these chunks: embeds what is new, removes what is gone. */
  async update(
    chunks: Chunk[],
    embeddings: SiliconFlowEmbeddings,
    options: { signal: AbortSignal; onStart(missing: number): void },
  ): Promise<IndexReport> {
    const startedAt = performance.now();
    const { pool } = this.#database;
    const known = await this.#cache.known(chunks.map((chunk) => chunk.pageContent));
    const missing = new Set(chunks.map((chunk) => chunk.pageContent).filter((text) => !known.has(text)));
    const embedded = chunks.filter((chunk) => missing.has(chunk.pageContent)).length;
    options.onStart(embedded);

    const tracker = new Tracker(chunks, known);
    const kept = new KeptEmbeddings({
      embeddings,
      cache: this.#cache,
      signal: options.signal,
      onBatch: (texts) => tracker.arrived(texts),
    });
    const store = this.#store(kept);
    try {
      await store.ensureTableInDatabase(this.#space.dimensions);
      await pool.query(
        `INSERT INTO siliconflow_demo_indexes (name, docs, space) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET finished = false`,
        [this.#name, this.#docs, JSON.stringify(this.#space)],
      );
      const { numDeleted } = await index({
        docsSource: chunks,
        recordManager: this.#records(),
        vectorStore: store,
        // index() works through its batches one after another: each must fill all concurrent requests several times over.
        options: { batchSize: 4 * batchSize * concurrency, cleanup: "full" },
      });
      await pool.query("UPDATE siliconflow_demo_indexes SET finished = true WHERE name = $1", [this.#name]);
      return { chunks: chunks.length, embedded, removed: numDeleted, seconds: (performance.now() - startedAt) / 1000 };
    } finally {
      tracker.end();
    }
  }

  /** The chunks nearest to a question, nearest first. */
  retriever(embeddings: EmbeddingsInterface, k: number) {
    return this.#store(embeddings).asRetriever({ k });
  }

  #store(embeddings: EmbeddingsInterface): ChunkStore {
    // Not PGVectorStore.initialize(): it takes a connection it never gives back, and the pool could then never end.
    return new ChunkStore(embeddings, { pool: this.#database.pool, tableName: this.#name });
  }

  #records(namespace = this.#name): PostgresRecordManager {
    return new PostgresRecordManager(namespace, { pool: this.#database.pool, tableName: "siliconflow_demo_records" });
  }
}

/** Turns batches of texts into files and chunks done. */
class Tracker {
  readonly #progress: Progress;
  readonly #waiting = new Map<string, Chunk[]>();
  readonly #left = new Map<string, number>();
  readonly #files: number;
  #chunks = 0;

  constructor(chunks: Chunk[], known: Set<string>) {
    for (const chunk of chunks) {
      const { source } = chunk.metadata;
      const isKnown = known.has(chunk.pageContent);
      this.#left.set(source, (this.#left.get(source) ?? 0) + (isKnown ? 0 : 1));
      if (isKnown) this.#chunks += 1;
      else this.#waiting.set(chunk.pageContent, [...(this.#waiting.get(chunk.pageContent) ?? []), chunk]);
    }
    this.#files = this.#left.size;
    this.#progress = new Progress("Embedding", { files: this.#files, chunks: chunks.length }, this.#chunks);
    this.#show();
  }

  arrived(texts: readonly string[]): void {
    for (const text of texts) {
      for (const { metadata } of this.#waiting.get(text) ?? []) {
        this.#left.set(metadata.source, this.#left.get(metadata.source)! - 1);
        this.#chunks += 1;
      }
      this.#waiting.delete(text);
    }
    this.#show();
  }

  #show(): void {
    const open = [...this.#left.values()].filter((count) => count > 0).length;
    this.#progress.update({ files: this.#files - open, chunks: this.#chunks });
  }

  end(): void {
    this.#progress.end();
  }
}

function hashOf(value: object): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 16);
}
