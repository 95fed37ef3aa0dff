import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import { VectorReader } from "./read-vectors.js";

function base64(...values: number[]): string {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeFloatLE(value, index * 4);
  return bytes.toString("base64");
}

function read(rows: readonly unknown[], count: number, dimensions?: number) {
  return new VectorReader(dimensions).read(rows, count);
}

describe("either wire form", () => {
  test("base64 is little-endian float32", () => {
    expect(read([{ index: 0, embedding: "AACAPwAAAL8=" }], 1)).toEqual([{ vector: [1, -0.5] }]);
  });

  test("vectors are arrays of their own, not views of one buffer", () => {
    const reader = new VectorReader(undefined);
    const [first] = reader.read([{ index: 0, embedding: base64(1, 2) }], 1);
    const [second] = reader.read([{ index: 0, embedding: base64(3, 4) }], 1);
    expect(first).toEqual({ vector: [1, 2] });
    expect(second).toEqual({ vector: [3, 4] });
    expect(Array.isArray((second as { vector: number[] }).vector)).toBe(true);
  });

  test("floats and base64 may come in one answer", () => {
    const rows = [
      { index: 1, embedding: base64(0, 1) },
      { index: 0, embedding: [1, 0] },
    ];
    expect(read(rows, 2)).toEqual([{ vector: [1, 0] }, { vector: [0, 1] }]);
  });

  test("a long vector after a short one fits, and the other way round", () => {
    const reader = new VectorReader(undefined);
    const long = Array.from({ length: 5000 }, (_, index) => index);
    reader.read([{ index: 0, embedding: base64(1) }], 1);
    const once = new VectorReader(undefined).read([{ index: 0, embedding: base64(...long) }], 1);
    expect(once).toEqual([{ vector: long }]);
    expect(reader.read([{ index: 0, embedding: base64(2) }], 1)).toEqual([{ vector: [2] }]);
  });

  test("numbers that only look large or small are finite", () => {
    const vector = [1.7976931348623157e308, -1.7976931348623157e308, 5e-324];
    expect(read([{ index: 0, embedding: vector }], 1)).toEqual([{ vector }]);
    expect(read([{ index: 0, embedding: base64(1e8, -1e8, 1e-44) }], 1)).toEqual([{ vector: expect.any(Array) }]);
  });
});

describe("a vector that cannot be trusted", () => {
  test.each([
    ["null", null, "null"],
    ["missing", undefined, "undefined"],
    ["an object", {}, "object"],
    ["an empty list", [], "empty"],
    ["empty base64", "", "empty"],
    ["null among its numbers", [1, null], "number 1 of the vector is null"],
    ["text among its numbers", [1, "2"], "number 1 of the vector is a string"],
    ["a hole", Array(2), "number 0 of the vector is a undefined"],
    ["infinite", [1, Infinity], "number 1 of the vector is Infinity"],
    ["NaN", [Number.NaN, 1], "number 0 of the vector is NaN"],
    ["all zeros", [0, -0, 0], "all zeros"],
    ["all zeros in base64", base64(0, 0), "all zeros"],
    ["NaN in base64", base64(1, Number.NaN), "number 1 of the vector is NaN"],
    ["infinite in base64", base64(-Infinity, 1), "number 0 of the vector is -Infinity"],
    ["base64 of 5 bytes", Buffer.from([1, 2, 3, 4, 5]).toString("base64"), "5 bytes"],
    ["base64 cut in the middle", base64(1, 2, 3).slice(0, 10), "7 bytes"],
    ["base64 with foreign characters", `${base64(1, 2, 3).slice(0, 12)}!!!!`, "damaged"],
  ])("%s", (_, embedding, message) => {
    const [row] = read([{ index: 0, embedding }], 1);
    expect(row).toEqual({ problem: { reason: "badVector", message: expect.stringContaining(message) } });
  });

  test("base64 in another byte order, whose numbers are beyond any vector's", () => {
    const bytes = Buffer.from(base64(...Array.from({ length: 64 }, (_, index) => Math.sin(index + 1) / 8)), "base64");
    expect(read([{ index: 0, embedding: bytes.swap32().toString("base64") }], 1)).toEqual([
      { problem: { reason: "badVector", message: expect.stringContaining('encodingFormat: "float"') as string } },
    ]);
  });

  test("a length other than the one asked for", () => {
    const [row] = read([{ index: 0, embedding: [1, 2, 3] }], 1, 2);
    expect(row).toEqual({
      problem: { reason: "badVector", message: "the vector has 3 numbers instead of 2" },
    });
  });

  test("a length other than that of the others, wherever it stands", () => {
    const rows = [
      { index: 0, embedding: [1] },
      { index: 1, embedding: [1, 2] },
      { index: 2, embedding: [3, 4] },
    ];
    expect(read(rows, 3)).toEqual([
      { problem: { reason: "badVector", message: "the vector has 1 numbers instead of 2" } },
      { vector: [1, 2] },
      { vector: [3, 4] },
    ]);
  });

  test("a length that turns out wrong only with later answers", () => {
    const reader = new VectorReader(undefined);
    const [early] = reader.read([{ index: 0, embedding: [1] }], 1);
    expect(early).toEqual({ vector: [1] });
    for (let answer = 0; answer < 2; answer++) reader.read([{ index: 0, embedding: [1, 2] }], 1);
    expect(reader.check([1])).toHaveProperty("problem.reason", "badVector");
    expect(reader.check([1, 2])).toEqual({ vector: [1, 2] });
  });

  test("rows asked for again do not outvote the others", () => {
    const reader = new VectorReader(undefined);
    reader.read([{ index: 0, embedding: [1, 2] }], 1);
    for (let answer = 0; answer < 3; answer++) {
      expect(reader.read([{ index: 0, embedding: [1] }], 1, true)[0]).toHaveProperty("problem");
    }
  });
});

describe("rows", () => {
  const row = (index: unknown) => ({ index, embedding: [1, 2] });
  const good = { vector: [1, 2] };
  const malformed = (message: string) => ({
    problem: { reason: "malformed", message: expect.stringContaining(message) },
  });

  test("are placed by their index", () => {
    const rows = [2, 0, 1].map((index) => ({ index, embedding: [index, 1] }));
    expect(read(rows, 3)).toEqual([{ vector: [0, 1] }, { vector: [1, 1] }, { vector: [2, 1] }]);
  });

  test.each([
    ["one is missing", [row(0)], [good, malformed("no vector for it")]],
    ["one comes twice", [row(0), row(0), row(1)], [malformed("more than one"), good]],
    ["an index is too high", [row(0), row(2)], [good, malformed("index 2")]],
    ["an index is negative", [row(0), row(-1)], [good, malformed("index -1")]],
    ["an index is not whole", [row(0), row(0.5)], [good, malformed("index 0.5")]],
    ["an index is text", [row(0), row("1")], [good, malformed("of type string")]],
    ["an index is missing", [row(0), { embedding: [1, 2] }], [good, malformed("of type undefined")]],
    ["a row is null", [row(0), null], [good, malformed("of type undefined")]],
    ["one is too many", [row(0), row(1), row(2)], [malformed("also holds"), malformed("also holds")]],
    ["there are none", [], [malformed("no vector"), malformed("no vector")]],
  ])("%s", (_, rows, expected) => {
    expect(read(rows, 2)).toEqual(expected);
  });
});
