import { describe, expect, test } from "vitest";
import { SseDecoder, type SseEvent } from "./sse.js";

/** Decodes bytes that arrive in pieces of this size. */
function decode(wire: string | Uint8Array, size = Infinity, maxBytes = 1_000_000): SseEvent[] {
  const bytes = typeof wire === "string" ? Buffer.from(wire) : wire;
  const decoder = new SseDecoder(maxBytes);
  const events: SseEvent[] = [];
  const step = Math.min(size, bytes.length);
  for (let start = 0; start < bytes.length; start += step) decoder.feed(bytes.subarray(start, start + step), events);
  decoder.end(events);
  return events;
}

const sizes = [1, 2, 3, 5, 7, 16, Infinity];

describe.each(sizes)("in pieces of %s bytes", (size) => {
  test("characters of several bytes are joined", () => {
    expect(decode("data: 深度求索 🦊\n\ndata: 二\n\n", size)).toEqual(["深度求索 🦊", "二"]);
  });

  test("LF, CRLF and CR end lines, mixed in one stream", () => {
    expect(decode("data: a\n\ndata: b\r\n\r\ndata: c\r\rdata: d\r\n\ndata: e\n\r\n", size)).toEqual([
      "a",
      "b",
      "c",
      "d",
      "e",
    ]);
  });

  test("a byte order mark is no part of the first line", () => {
    expect(decode("\uFEFFdata: a\n\ndata: \uFEFFb\n\n", size)).toEqual(["a", "\uFEFFb"]);
  });

  test("lines of data are joined, with and without the space", () => {
    expect(decode("data:a\ndata: b\ndata:  c\n\n", size)).toEqual(["a\nb\n c"]);
  });

  test("comments, ids, retry times and unknown fields are skipped", () => {
    expect(decode(": hello\n\nid: 7\nretry: 10\nwhatever: x\ndata: a\n: in between\n\n:\n\n", size)).toEqual(["a"]);
  });

  test("a line that is no field makes an event of the ping that it interrupts", () => {
    for (const ping of ["event: ping\ndata: {}\n", "data: {}\nevent: ping\n"])
      expect(decode(`${ping}{"id":1}\n`, size)).toEqual([{ raw: '{"id":1}' }, "{}"]);
    expect(decode('event: ping\n{"id":1}\n', size)).toEqual([{ raw: '{"id":1}' }]);
  });

  test("a named event keeps its name, a ping without data is nothing", () => {
    expect(decode("event: ping\ndata:\n\nevent: error\ndata: {}\n\nevent: message\ndata: a\n\n", size)).toEqual([
      { type: "error", data: "{}" },
      "a",
    ]);
  });

  test("from a line of bare JSON on, all is handed over as such", () => {
    expect(decode('data: a\n\n{"code":60000,"message":"x"}\n"Forbidden"\ndata: b\n\n', size)).toEqual([
      "a",
      { raw: '{"code":60000,"message":"x"}' },
      { raw: '"Forbidden"' },
      { raw: "data: b" },
    ]);
  });

  test.each(['dat`: {"a":1}', 'data; {"a":1}', ' data: {"a":1}', 'ata: {"a":1}'])(
    "an event whose name was damaged is not taken for an unknown field: %s",
    (line) => {
      expect(decode(`data: a\n\n${line}\n\n`, size)).toEqual(["a", { raw: line }]);
    },
  );

  test("a field without a colon is one without a value", () => {
    expect(decode("data\ndata: a\nevent\nid\n\n", size)).toEqual(["\na"]);
  });

  test("an unknown field is the beginning of a text when no event but more of it follows", () => {
    expect(decode("Error: 1\n<p>x: 2</p>\n", size)).toEqual([{ raw: "Error: 1" }, { raw: "<p>x: 2</p>" }]);
  });

  test("indented JSON, a page and plain words are handed over line by line", () => {
    expect(decode('{\n  "a": 1\n}', size)).toEqual([{ raw: "{" }, { raw: '  "a": 1' }, { raw: "}" }]);
    expect(decode("<html>\nx: y\n</html>", size)).toEqual([{ raw: "<html>" }, { raw: "x: y" }, { raw: "</html>" }]);
    expect(decode("no healthy upstream", size)).toEqual([{ raw: "no healthy upstream" }]);
  });

  test("bytes that are no UTF-8 become replacement characters", () => {
    const wire = Buffer.concat([Buffer.from("data: a"), Buffer.from([0xff, 0xc3]), Buffer.from("b\n\n")]);
    expect(decode(wire, size)).toEqual(["a\uFFFD\uFFFDb"]);
  });

  test("a last event counts without its blank line, and without any line end", () => {
    expect(decode("data: a\n\ndata: b\n", size)).toEqual(["a", "b"]);
    expect(decode("data: a\n\ndata: b", size)).toEqual(["a", "b"]);
  });

  test("a line and an event may not grow without bound", () => {
    expect(() => decode(`data: ${"x".repeat(200)}`, size, 100)).toThrow("longer than 100 bytes");
    expect(() => decode("data: 0123456789\n".repeat(20), size, 100)).toThrow("longer than 100 bytes");
    expect(() => decode(`data: ${"x".repeat(95)}\n\n`, size, 100)).toThrow("longer than 100 bytes");
    expect(() => decode(`data: ${"长".repeat(32)}\n\n`, size, 100)).toThrow("longer than 100 bytes");
    expect(decode(`data: ${"长".repeat(31)}\n\n`.repeat(3), size, 100)).toHaveLength(3);
  });
});

test("a CR and its LF in two reads are one line end", () => {
  const decoder = new SseDecoder(1000);
  const events: SseEvent[] = [];
  decoder.feed(Buffer.from("data: a\r"), events);
  decoder.feed(Buffer.from("\ndata: b\r"), events);
  decoder.feed(Buffer.from("\n\r"), events);
  expect(events).toEqual(["a\nb"]);
});

test("a comment alone is nothing to wait for, the beginning of an event is", () => {
  const decoder = new SseDecoder(1000);
  decoder.feed(Buffer.from(": keep"), []);
  expect(decoder.expecting).toBe(false);
  decoder.feed(Buffer.from("-alive\n\n"), []);
  expect(decoder.expecting).toBe(false);
  decoder.feed(Buffer.from("da"), []);
  expect(decoder.expecting).toBe(true);
});

test("a large event in tiny pieces takes time in proportion to its size", () => {
  const decoder = new SseDecoder(10_000_000);
  const events: SseEvent[] = [];
  const piece = Buffer.alloc(16, "x");
  decoder.feed(Buffer.from("data: "), events);
  const start = performance.now();
  for (let written = 0; written < 4_000_000; written += piece.length) decoder.feed(piece, events);
  decoder.feed(Buffer.from("\n\n"), events);
  // A decoder that joins at every piece would copy 500 GB here.
  expect(performance.now() - start).toBeLessThan(5_000);
  expect((events[0] as string).length).toBe(4_000_000);
});
