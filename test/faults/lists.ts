import { answers, healthy, type Case } from "./case.ts";
import type { Reply } from "./fault-server.ts";
import { failure, ranking, vectors } from "./wire.ts";

const float32 = (...numbers: number[]): string => Buffer.from(new Float32Array(numbers).buffer).toString("base64");

const inNumbers = healthy.embed;
const inBase64: Reply = { body: vectors([{ embedding: float32(1, 0) }, { embedding: float32(0, 1) }]) };

/** Forty texts, and a service that answers for `text n` with the vector `[n, 1]` unless something is wrong with the request. */
const fortyTexts = Array.from({ length: 40 }, (_, index) => `text ${index + 1}`);
const fortyVectors = fortyTexts.map((_, index) => [index + 1, 1]);
const numbered = (input: readonly string[]): { body: string } => ({
  body: vectors(input.map((each) => [Number(each.slice(5)), 1])),
});

const sizes = (requests: readonly { body: Record<string, unknown> }[]): number[] =>
  requests.map(({ body }) => (body["input"] as string[]).length);

/** 1,280 texts: forty requests of 32. The twentieth holds this one. */
const manyTexts = Array.from({ length: 1280 }, (_, index) => `text ${index + 1}`);
const spoilt = "text 620";
const firstSpoilt = 608;
const notAllowed: Reply = { status: 400, body: failure(20099, "The input is not allowed.") };

export const lists: readonly Case[] = [
  {
    row: 52,
    fault: "the service names the size it takes: cut to that, and remembered",
    targets: ["embed"],
    texts: fortyTexts,
    calls: 2,
    replies: [
      ({ input }) =>
        (input as string[]).length > 10
          ? {
              status: 413,
              body: failure(20042, `input batch size ${(input as string[]).length} > maximum allowed batch size 10`),
            }
          : numbered(input as string[]),
    ],
    returns: { vectors: fortyVectors },
    // Once a size is named nothing larger may be sent; two batches may have been under way before.
    check: ({ server, subject }) =>
      subject.ours &&
      sizes(server.requests)
        .slice(2)
        .some((size) => size > 10)
        ? "sends more than the service takes"
        : undefined,
  },
  {
    row: 52,
    fault: "the service names no size: halved until it fits",
    targets: ["embed"],
    texts: fortyTexts,
    replies: [
      ({ input }) =>
        (input as string[]).length > 5
          ? { status: 413, body: '"Request Entity Too Large"' }
          : numbered(input as string[]),
    ],
    returns: { vectors: fortyVectors },
  },
  {
    row: 52,
    fault: "one text is too large on its own: named, and the others kept",
    targets: ["embed"],
    texts: fortyTexts,
    replies: [
      ({ input }) =>
        (input as string[]).includes("text 7")
          ? { status: 413, body: '"Request Entity Too Large"' }
          : numbered(input as string[]),
    ],
    throws: {
      name: "PartialFailureError",
      failures: [{ position: 6 }],
      results: fortyVectors.map((vector, index) => (index === 6 ? undefined : vector)),
    },
  },
  {
    row: 57,
    fault: "vectors in another order",
    targets: ["embed"],
    replies: [
      {
        body: vectors([
          { index: 1, embedding: [0, 1] },
          { index: 0, embedding: [1, 0] },
        ]),
      },
    ],
    returns: answers.embed,
    requests: 1,
  },
  {
    row: 57,
    fault: "vectors with a missing row, once: it is asked for again alone",
    targets: ["embed"],
    replies: [{ body: vectors([[1, 0]]) }, { body: vectors([[0, 1]]) }],
    returns: answers.embed,
    requests: 2,
    check: ({ server }) =>
      (server.requests[1]!.body["input"] as string[]).length === 1
        ? undefined
        : "more is asked for again than is missing",
  },
  ...(
    [
      "no rows",
      "a duplicated index",
      "an index out of range",
      "a negative index",
      "an index that is not whole",
    ] as const
  ).map((fault, which): Case => {
    const rows = [
      [],
      [{ index: 0 }, { index: 0 }],
      [{ index: 0 }, { index: 7 }],
      [{ index: 0 }, { index: -1 }],
      [{ index: 0 }, { index: 0.5 }],
    ][which]!;
    return {
      row: 57,
      fault: `vectors with ${fault}, always`,
      targets: ["embed"],
      replies: [{ body: vectors(rows) }],
      throws: { retryable: false },
      requests: 2,
    };
  }),
  ...(
    [
      ["a null", [1, null]],
      ["a number as text", [1, "2"]],
      ["another length", [1, 2, 3]],
      ["no numbers at all", []],
      ["nothing but zeros", [0, 0]],
    ] as const
  ).map(([fault, bad]): Case => ({
    row: 58,
    fault: `a vector with ${fault}, always`,
    targets: ["embed"],
    replies: [(body) => ({ body: vectors((body["input"] as unknown[]).length === 2 ? [[1, 2], bad] : [bad]) })],
    throws: { retryable: false },
    requests: 2,
    says: /1/,
  })),
  {
    row: 58,
    fault: "base64 whose length is no multiple of four",
    targets: ["embed"],
    replies: [{ body: vectors([[1, 0], { embedding: Buffer.from([1, 2, 3, 4, 5]).toString("base64") }]) }],
    throws: { retryable: false },
    requests: 2,
  },
  {
    row: 58,
    fault: "base64 that holds a number that is not finite",
    targets: ["embed"],
    replies: [{ body: vectors([{ embedding: float32(1, 0) }, { embedding: float32(1, Number.NaN) }]) }],
    throws: { retryable: false },
    requests: 2,
  },
  {
    row: 58,
    fault: "base64 that holds an infinite number",
    targets: ["embed"],
    replies: [{ body: vectors([{ embedding: float32(1, 0) }, { embedding: float32(-Infinity, 1) }]) }],
    throws: { retryable: false },
    requests: 2,
  },
  {
    row: 58,
    fault: "vectors in base64, where that was asked for",
    targets: ["embed"],
    replies: [({ encoding_format }) => (encoding_format === "base64" ? inBase64 : inNumbers)],
    returns: answers.embed,
    requests: 1,
  },
  {
    row: 58,
    fault: "vectors in the other form than was asked for",
    targets: ["embed"],
    replies: [({ encoding_format }) => (encoding_format === "base64" ? inNumbers : inBase64)],
    returns: answers.embed,
    requests: 1,
  },
  {
    row: 59,
    fault: "no results at all",
    targets: ["rerank"],
    replies: [{ body: ranking([]) }],
    returns: { ranking: [] },
    requests: 1,
  },
  ...(
    [
      ["an index out of range", { index: 9, relevance_score: 0.1 }],
      ["a negative index", { index: -1, relevance_score: 0.1 }],
      ["a duplicate", { index: 1, relevance_score: 0.1 }],
      ["a score that is null", { index: 2, relevance_score: null }],
      ["a score as text", { index: 2, relevance_score: "0.1" }],
    ] as const
  ).map(([fault, bad]): Case => ({
    row: 59,
    fault: `a ranking with ${fault}`,
    targets: ["rerank"],
    replies: [{ body: ranking([{ index: 1, relevance_score: 0.9 }, { index: 0, relevance_score: 0.5 }, bad]) }],
    throws: { name: "InvalidResponseError", position: 2 },
    requests: 1,
  })),
  {
    row: 59,
    fault: "a ranking with fewer results than documents",
    targets: ["rerank"],
    replies: [{ body: ranking([{ index: 1, relevance_score: 0.9 }]) }],
    throws: { name: "InvalidResponseError" },
    requests: 1,
  },
  {
    row: 59,
    fault: "no results, or null in their place",
    targets: ["rerank"],
    replies: [{ body: ranking(null) }],
    returns: { ranking: [] },
    requests: 1,
  },
  {
    row: 60,
    fault: "one request of forty is refused for good: the others are kept",
    targets: ["embed"],
    texts: manyTexts,
    replies: [({ input }) => ((input as string[]).includes(spoilt) ? notAllowed : numbered(input as string[]))],
    throws: {
      name: "PartialFailureError",
      failures: Array.from({ length: 32 }, (_, index) => ({ position: firstSpoilt + index })),
      results: manyTexts.map((_, index) =>
        index >= firstSpoilt && index < firstSpoilt + 32 ? undefined : [index + 1, 1],
      ),
    },
    requests: 40,
    says: /not allowed/,
  },
  {
    row: 60,
    fault: "what is asked for again is only what is missing",
    targets: ["embed"],
    replies: [
      // Refused once: then the reason is gone.
      ({ input }, _, soFar) => {
        const again = soFar.filter(({ body }) => (body["input"] as string[]).includes(spoilt)).length > 1;
        return again || !(input as string[]).includes(spoilt) ? numbered(input as string[]) : notAllowed;
      },
    ],
    async run({ subject, setup, server }) {
      const embed = subject.make.embed!(setup);
      const error = await embed({ texts: manyTexts }).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      const { resume } = (error ?? {}) as { resume?: () => Promise<number[][]> };
      const paid = server.requests.length - 1;
      if (typeof resume !== "function")
        return paid > 0 ? `throws, ${paid} requests that were paid for are lost` : "throws, all was one request";
      const complete = await resume();
      const asked = server.requests.slice(40).flatMap(({ body }) => body["input"] as string[]);
      if (asked.length !== 32 || !asked.includes(spoilt)) return `${asked.length} texts were asked for again`;
      return complete.every(([number], index) => number === index + 1) ? undefined : "wrong vectors";
    },
  },
];
