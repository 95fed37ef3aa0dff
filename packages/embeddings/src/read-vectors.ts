import { Buffer } from "node:buffer";

/** Why a row of an answer cannot be trusted. `malformed`: it is missing or misplaced; `badVector`: its numbers are wrong. */
export interface RowProblem {
  reason: "malformed" | "badVector";
  message: string;
}

/** One entry per input, in the order of the inputs: a vector, or why there is none. */
export type ReadRow = { vector: number[] } | { problem: RowProblem };

const littleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/** Of no vector that a model makes; bytes in the wrong order give numbers of up to 1e38. */
const longestSquared = 1e18;

/**
 * Turns the rows of answers into vectors, and believes none of them unseen: rows are placed by their `index`,
 * and each vector is checked for length, finite numbers and not being all zeros.
 *
 * One reader serves one list of inputs, over all its requests: all vectors of a list have the same length.
 */
export class VectorReader {
  #dimensions: number | undefined;
  /** How many vectors had which length. Where `dimensions` was not given, the commonest length is the right one, on a tie the first. */
  readonly #lengths = new Map<number, number>();
  #scratch = Buffer.alloc(0);
  #blank: number[] = [];

  constructor(dimensions: number | undefined) {
    this.#dimensions = dimensions;
  }

  /** The length that vectors should have, as far as is known. */
  get length(): number | undefined {
    if (this.#dimensions !== undefined) return this.#dimensions;
    let best: number | undefined;
    let most = 0;
    for (const [length, count] of this.#lengths) {
      if (count > most) [best, most] = [length, count];
    }
    return best;
  }

  /** Vectors of this length were handed out and cannot be taken back: those to come have to be like them. */
  settle(length: number): void {
    this.#dimensions ??= length;
  }

  /**
   * Reads the answer to a request for `count` inputs.
   * `repeated`: the inputs whose rows were bad before, asked once more; they must not outvote the others' length.
   */
  read(rows: readonly unknown[], count: number, repeated = false): ReadRow[] {
    const placed = place(rows, count);
    const read = placed.map((row): ReadRow => ("problem" in row ? row : this.#decode(row.embedding)));
    for (const row of read) {
      if ("vector" in row && !repeated)
        this.#lengths.set(row.vector.length, (this.#lengths.get(row.vector.length) ?? 0) + 1);
    }
    return read.map((row) => ("vector" in row ? this.check(row.vector) : row));
  }

  /** Judges a vector's length by what is known now, which may be more than when it was read. */
  check(vector: number[]): ReadRow {
    const expected = this.length;
    if (expected === undefined || vector.length === expected) return { vector };
    return bad(`the vector has ${vector.length} numbers instead of ${expected}`);
  }

  #decode(embedding: unknown): ReadRow {
    // Either form, whatever was asked for: a host may ignore `encoding_format`.
    if (typeof embedding === "string") return this.#decodeBase64(embedding);
    if (Array.isArray(embedding)) return checkNumbers(embedding);
    return bad(`the vector is ${embedding === null ? "null" : typeof embedding}, neither numbers nor base64`);
  }

  #decodeBase64(text: string): ReadRow {
    const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
    const bytes = Math.floor(((text.length - padding) * 3) / 4);
    if (bytes === 0) return bad("the vector is empty");
    if (bytes % 4 !== 0) return bad(`the base64 holds ${bytes} bytes, which is not a whole number of 4-byte floats`);
    if (this.#scratch.length < bytes) this.#scratch = Buffer.from(new ArrayBuffer(bytes));
    const scratch = this.#scratch;
    // Node skips characters that are not base64, so fewer bytes come out.
    if (scratch.write(text, 0, bytes, "base64") !== bytes) return bad("the base64 is damaged");
    if (!littleEndian) scratch.subarray(0, bytes).swap32();
    const length = bytes / 4;
    const floats = new Float32Array(scratch.buffer, scratch.byteOffset, length);
    // Measured: a copy of an array that already holds doubles, filled by index, costs a third of Array.from(floats).
    if (this.#blank.length !== length) this.#blank = Array.from({ length }, () => 0.5);
    const vector = this.#blank.slice();
    // The squares of 4-byte floats neither overflow nor vanish here, so one sum tells of NaN, of infinity and of all zeros.
    let squares = 0;
    for (let index = 0; index < length; index++) {
      const value = floats[index]!;
      vector[index] = value;
      squares += value * value;
    }
    if (!Number.isFinite(squares)) return notFinite(vector);
    if (squares > longestSquared)
      return bad('the base64 is not of little-endian floats; ask for encodingFormat: "float"');
    return squares === 0 ? bad("the vector is all zeros") : { vector };
  }
}

function checkNumbers(vector: unknown[]): ReadRow {
  let zero = true;
  for (const value of vector) {
    if (typeof value !== "number" || value - value !== 0) return notFinite(vector);
    if (value !== 0) zero = false;
  }
  if (vector.length === 0) return bad("the vector is empty");
  // Each element was looked at above.
  return zero ? bad("the vector is all zeros") : { vector: vector as number[] };
}

function notFinite(vector: readonly unknown[]): ReadRow {
  const at = vector.findIndex((value) => typeof value !== "number" || !Number.isFinite(value));
  const found = vector[at];
  const shown = typeof found === "number" || found === null ? String(found) : `a ${typeof found}`;
  return bad(`number ${at} of the vector is ${shown}`);
}

type PlacedRow = { embedding: unknown } | { problem: RowProblem };

function place(rows: readonly unknown[], count: number): PlacedRow[] {
  const placed = Array.from<PlacedRow | undefined>({ length: count });
  let stray: unknown;
  let strays = 0;
  for (const row of rows) {
    // Rows come unchecked from the wire.
    const { index, embedding } = (row ?? {}) as { index?: unknown; embedding?: unknown };
    if (!Number.isInteger(index) || (index as number) < 0 || (index as number) >= count) {
      stray = index;
      strays++;
    } else if (placed[index as number] === undefined) placed[index as number] = { embedding };
    else placed[index as number] = malformed("the answer holds more than one vector for it");
  }
  const missing = placed.includes(undefined);
  // More rows than inputs and none missing: nobody can say which of them is the stray one.
  if (strays > 0 && !missing)
    return placed.map(() => malformed(`the answer also holds a row with index ${show(stray)}`));
  const lost =
    strays > 0
      ? `the answer holds no vector for it, but a row with index ${show(stray)}`
      : "the answer holds no vector for it";
  return placed.map((row) => row ?? malformed(lost));
}

function show(index: unknown): string {
  return typeof index === "number" ? String(index) : `of type ${index === null ? "null" : typeof index}`;
}

function bad(message: string): ReadRow {
  return { problem: { reason: "badVector", message } };
}

function malformed(message: string): { problem: RowProblem } {
  return { problem: { reason: "malformed", message } };
}
