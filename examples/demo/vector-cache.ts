import { createHash } from "node:crypto";
import type pg from "pg";

/**
 * Vectors by the text they stand for, written as soon as they arrive.
 * What was paid for outlives a killed run, a moved paragraph and a renamed file.
 */
export class VectorCache {
  readonly #pool: pg.Pool;
  readonly #space: string;

  /** `space` names everything a vector depends on beside its text: host, model, dimensions. */
  constructor(pool: pg.Pool, space: string) {
    this.#pool = pool;
    this.#space = space;
  }

  async createTable(): Promise<void> {
    await this.#pool.query(`
      CREATE TABLE IF NOT EXISTS siliconflow_demo_vectors (
        space text NOT NULL, hash text NOT NULL, vector bytea NOT NULL, PRIMARY KEY (space, hash)
      )`);
  }

  /** Which of the texts have a vector here. */
  async known(texts: readonly string[]): Promise<Set<string>> {
    const byHash = new Map(texts.map((text) => [hashOf(text), text]));
    const { rows } = await this.#pool.query<{ hash: string }>(
      "SELECT hash FROM siliconflow_demo_vectors WHERE space = $1 AND hash = ANY($2)",
      [this.#space, [...byHash.keys()]],
    );
    return new Set(rows.map(({ hash }) => byHash.get(hash)!));
  }

  async get(texts: readonly string[]): Promise<Map<string, number[]>> {
    const byHash = new Map(texts.map((text) => [hashOf(text), text]));
    const { rows } = await this.#pool.query<{ hash: string; vector: Buffer }>(
      "SELECT hash, vector FROM siliconflow_demo_vectors WHERE space = $1 AND hash = ANY($2)",
      [this.#space, [...byHash.keys()]],
    );
    return new Map(rows.map(({ hash, vector }) => [byHash.get(hash)!, fromBytes(vector)]));
  }

  async put(texts: readonly string[], vectors: readonly number[][]): Promise<void> {
    await this.#pool.query(
      `INSERT INTO siliconflow_demo_vectors (space, hash, vector)
       SELECT $1, * FROM unnest($2::text[], $3::bytea[]) ON CONFLICT DO NOTHING`,
      [this.#space, texts.map(hashOf), vectors.map(toBytes)],
    );
  }

  async clear(): Promise<void> {
    await this.#pool.query("DELETE FROM siliconflow_demo_vectors WHERE space = $1", [this.#space]);
  }
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

// pgvector holds 32-bit floats too, so nothing is lost.
function toBytes(vector: readonly number[]): Buffer {
  return Buffer.from(Float32Array.from(vector).buffer);
}

function fromBytes(bytes: Buffer): number[] {
  const numbers: number[] = [];
  for (let offset = 0; offset < bytes.length; offset += 4) numbers.push(bytes.readFloatLE(offset));
  return numbers;
}
