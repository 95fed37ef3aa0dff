import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import { SiliconFlowClient } from "@langchain-siliconflow/client";
import { Document } from "@langchain/core/documents";
import nock from "nock";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  type RerankContent,
  type RerankInput,
  SiliconFlowRerank,
  type SiliconFlowRerankInput,
} from "./siliconflow-rerank.js";

const key = "sk-canary-key";
const host = "https://siliconflow.test";
const pngBytes = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const pngUrl = `data:image/png;base64,${Buffer.from(pngBytes).toString("base64")}`;
let sent: Record<string, unknown>[];
const unmatched: string[] = [];
nock.emitter.on("no match", ({ url }: { url: string }) => {
  // A server of the test's own is no host of nock's.
  if (url.startsWith(host)) unmatched.push(url);
});

beforeEach(() => {
  sent = [];
  nock.disableNetConnect();
});
afterEach(() => {
  const unused = nock.pendingMocks();
  nock.cleanAll();
  nock.enableNetConnect("127.0.0.1");
  const missed = unmatched.splice(0);
  if (unused.length + missed.length > 0) {
    throw new Error(`never asked for: ${unused.join()}; asked for in vain: ${missed.join()}`);
  }
});

function reranker(fields: Partial<SiliconFlowRerankInput> = {}) {
  const model = "BAAI/bge-reranker-v2-m3";
  return new SiliconFlowRerank({ model, apiKey: key, baseURL: `${host}/v1`, maxRetries: 0, ...fields });
}

/** Answers the next request. A list stands for results: `[index, score]`. */
function answer(body: unknown, status = 200, more: Record<string, unknown> = {}) {
  const ranking = (results: [unknown, unknown][]) => ({
    id: "019c4f3300a17b20",
    results: results.map(([index, relevance_score]) => ({ index, relevance_score, document: null })),
    ...more,
  });
  nock(host)
    .post("/v1/rerank", (request: Record<string, unknown>) => {
      sent.push(request);
      return true;
    })
    .reply(status, (Array.isArray(body) ? ranking(body as [unknown, unknown][]) : body) as nock.Body, {
      "x-siliconcloud-trace-id": "ti_1",
    });
}

describe("what is sent", () => {
  test("texts, and nothing that was not asked for", async () => {
    answer([
      [0, 0.5],
      [1, 0.25],
    ]);
    await reranker().rerank(["a", new Document({ pageContent: "b" })], "which?");
    expect(sent).toEqual([{ model: "BAAI/bge-reranker-v2-m3", query: "which?", documents: ["a", "b"] }]);
  });

  test("the options that were given", async () => {
    answer([[1, 0.5]]);
    const options = { topN: 1, instruction: "Prefer fruit", maxChunksPerDoc: 4, overlapTokens: 0 };
    await reranker(options).rerank(["a", "b"], "which?");
    expect(sent[0]).toMatchObject({
      top_n: 1,
      instruction: "Prefer fruit",
      max_chunks_per_doc: 4,
      overlap_tokens: 0,
    });
    expect(sent[0]).not.toHaveProperty("score_threshold");
  });

  test("a topN beyond the documents asks for all of them, and one of the call replaces that of the object", async () => {
    answer([
      [0, 0.5],
      [1, 0.25],
    ]);
    await expect(reranker({ topN: 9 }).rerank(["a", "b"], "which?")).resolves.toHaveLength(2);
    answer([[0, 0.5]]);
    await expect(reranker({ topN: 9 }).rerank(["a", "b"], "which?", { topN: 1 })).resolves.toHaveLength(1);
    expect(sent.map((request) => request["top_n"])).toEqual([2, 1]);
  });

  test("contents of models that take images, as they are", async () => {
    answer([
      [0, 0.5],
      [1, 0.25],
    ]);
    const documents = [{ image: "https://example.test/a.png" }, { text: "b" }];
    await reranker({ model: "Qwen/Qwen3-VL-Reranker-8B" }).rerank(documents, { text: "which?" });
    expect(sent[0]).toMatchObject({ query: { text: "which?" }, documents });
  });

  test("pictures of documents, by models that take images", async () => {
    const model = "Qwen/Qwen3-VL-Reranker-8B";
    answer([
      [0, 0.1],
      [1, 0.4],
      [2, 0.3],
      [3, 0.2],
    ]);
    const documents = [
      new Document({ pageContent: "a text" }),
      new Document({ pageContent: "cat.png", metadata: { image: pngBytes } }),
      new Document({ pageContent: pngUrl }),
      new Document({ pageContent: "", metadata: { image: "https://example.test/a.png" } }),
    ];
    const ranked = await reranker({ model }).compressDocuments(documents, pngUrl);
    expect(sent[0]).toEqual({
      model,
      query: { image: pngUrl },
      documents: ["a text", { image: pngUrl }, { image: pngUrl }, { image: "https://example.test/a.png" }],
    });
    expect(ranked.map(({ metadata }) => metadata["relevanceScore"])).toEqual([0.4, 0.3, 0.2, 0.1]);
    expect(ranked[0]).toMatchObject({ pageContent: "cat.png", metadata: { image: pngBytes } });
  });

  test("pictures under another name, and none where none are wanted", async () => {
    const document = new Document({
      pageContent: "a text",
      metadata: { image: pngUrl, photo: "https://example.test/b.png" },
    });
    for (const fields of [
      { model: "Qwen/Qwen3-VL-Reranker-8B", imageKey: "photo" },
      { model: "Qwen/Qwen3-VL-Reranker-8B", imageKey: false as const },
      // What loaders of web pages put there is no reason to fail.
      { model: "BAAI/bge-reranker-v2-m3" },
    ]) {
      answer([[0, 0.5]]);
      await reranker(fields).compressDocuments([document], "which?");
    }
    expect(sent.map((request) => request["documents"])).toEqual([
      [{ image: "https://example.test/b.png" }],
      ["a text"],
      ["a text"],
    ]);
  });

  test("bytes, Blobs, LangChain's blocks, and fields nobody has documented", async () => {
    answer([
      [0, 0.5],
      [1, 0.4],
      [2, 0.3],
      [3, 0.2],
    ]);
    await reranker({ model: "Qwen/Qwen3-VL-Reranker-8B" }).rerank(
      [
        { image: new Blob([pngBytes]) },
        { type: "image_url", image_url: { url: pngUrl } },
        { video: "https://example.test/c.mp4", fps: 1 },
        { text: "d", image: pngBytes },
      ],
      { image: pngBytes },
    );
    expect(sent[0]).toMatchObject({
      query: { image: pngUrl },
      documents: [
        { image: pngUrl },
        { image: pngUrl },
        { video: "https://example.test/c.mp4", fps: 1 },
        { text: "d", image: pngUrl },
      ],
    });
  });

  test("to models for texts, texts alone, in the form they take", async () => {
    answer([[0, 0.5]]);
    await reranker().rerank([{ text: "a" }], { type: "text", text: "which?" });
    expect(sent[0]).toMatchObject({ query: "which?", documents: ["a"] });
  });

  test.each<[string, RerankInput, RerankContent, number | undefined, string]>([
    ["a picture, of a model for texts", { image: pngUrl }, "which?", 0, "documents[0] is more than a text"],
    ["a document that is a picture", new Document({ pageContent: pngUrl }), "which?", 0, "takes text only"],
    ["a picture to look for", "a", { image: pngUrl }, undefined, "query is more than a text"],
    ["a path", { image: "cat.png" }, "which?", 0, "Give the bytes of a file"],
  ])("%s is refused before anything is sent", async (_name, document, query, position, message) => {
    await expect(reranker().rerank([document], query)).rejects.toMatchObject({
      name: "InvalidInputError",
      position,
      message: expect.stringContaining(message),
    });
  });

  test("pictures that no request can hold together are refused", async () => {
    const blob = () => Object.defineProperty(new Blob([pngBytes]), "size", { value: 200 * 2 ** 20 });
    const ranking = reranker({ model: "Qwen/Qwen3-VL-Reranker-8B" }).rerank(
      [{ image: blob() }, { image: blob() }],
      "a",
    );
    await expect(ranking).rejects.toMatchObject({ name: "InvalidInputError", reason: "tooLarge" });
  });

  test("no request without documents", async () => {
    await expect(reranker().rerank([], "which?")).resolves.toEqual([]);
    await expect(reranker().compressDocuments([], "which?")).resolves.toEqual([]);
  });
});

describe("rerank", () => {
  test("gives the scores best first, whatever the order of the answer", async () => {
    answer([
      [2, 0.25],
      [0, 0.5],
      [1, 0.75],
    ]);
    await expect(reranker().rerank(["a", "b", "c"], "which?")).resolves.toEqual([
      { index: 1, relevanceScore: 0.75 },
      { index: 0, relevanceScore: 0.5 },
      { index: 2, relevanceScore: 0.25 },
    ]);
  });

  test("leaves equal scores in the order of the service", async () => {
    answer([
      [3, 0.5],
      [1, 0.5],
      [0, 0.75],
      [2, 0.5],
    ]);
    const results = await reranker().rerank(["a", "b", "c", "d"], "which?");
    expect(results.map(({ index }) => index)).toEqual([0, 3, 1, 2]);
  });

  test("drops what is below scoreThreshold, and what the service sends beyond topN", async () => {
    answer([
      [0, 0.1],
      [1, -0.5],
      [2, 0.75],
      [3, 0.5],
    ]);
    const results = await reranker({ topN: 3, scoreThreshold: 0.5 }).rerank(["a", "b", "c", "d"], "which?");
    expect(results.map(({ index }) => index)).toEqual([2, 3]);
  });

  test.each([
    ["empty", { results: [] }],
    ["missing", { id: "1" }],
    ["null", { results: null }],
  ])("results that are %s mean that nothing is relevant", async (_, body) => {
    answer(body);
    await expect(reranker().rerank(["a"], "which?")).resolves.toEqual([]);
  });

  test.each([
    [
      "an index that is too high",
      [
        [0, 1],
        [1, 1],
        [3, 1],
      ],
      "malformed",
      2,
      "index 3, but 3 documents",
    ],
    [
      "a negative index",
      [
        [0, 1],
        [-1, 1],
        [2, 1],
      ],
      "malformed",
      1,
      "index -1",
    ],
    [
      "an index that is not whole",
      [
        [0.5, 1],
        [1, 1],
        [2, 1],
      ],
      "malformed",
      0,
      "index 0.5",
    ],
    [
      "an index as text",
      [
        ["0", 1],
        [1, 1],
        [2, 1],
      ],
      "malformed",
      0,
      "index string",
    ],
    [
      "a duplicate",
      [
        [0, 1],
        [1, 1],
        [1, 1],
      ],
      "malformed",
      2,
      "documents[1] has more than one score",
    ],
    [
      "a score that is null",
      [
        [0, 1],
        [2, null],
        [1, 1],
      ],
      "badScore",
      2,
      "documents[2] is null",
    ],
    [
      "a score as text",
      [
        [0, 1],
        [2, "0.5"],
        [1, 1],
      ],
      "badScore",
      2,
      "documents[2] is a string",
    ],
    [
      "a score that is missing",
      [
        [0, 1],
        [2, undefined],
        [1, 1],
      ],
      "badScore",
      2,
      "documents[2] is a undefined",
    ],
    [
      "a result too few",
      [
        [0, 1],
        [2, 1],
      ],
      "malformed",
      1,
      "documents[1] has no score",
    ],
  ] as [string, [unknown, unknown][], string, number, string][])(
    "%s is an error that names the place",
    async (_, results, reason, position, message) => {
      answer(results);
      await expect(reranker().rerank(["a", "b", "c"], "which?")).rejects.toMatchObject({
        name: "InvalidResponseError",
        reason,
        position,
        attempts: 1,
        traceId: "ti_1",
        message: expect.stringContaining(message),
      });
    },
  );

  test("fewer results than topN are an error, though which document is missing cannot be told", async () => {
    answer([[0, 1]]);
    await expect(reranker({ topN: 2 }).rerank(["a", "b", "c"], "which?")).rejects.toMatchObject({
      reason: "malformed",
      position: undefined,
      message: "The answer holds 1 results where 2 were asked for.",
    });
  });

  test("a null result is an error", async () => {
    answer({ results: [null] });
    await expect(reranker().rerank(["a"], "which?")).rejects.toMatchObject({ reason: "malformed", position: 0 });
  });

  test.each([
    ["an empty query", () => reranker().rerank(["a"], ""), undefined],
    ["no query", () => reranker().rerank(["a"], undefined as never), undefined],
    ["an empty query without documents", () => reranker().rerank([], ""), undefined],
    ["an empty document", () => reranker().rerank(["a", ""], "q"), 1],
    ["an empty LangChain document", () => reranker().rerank([new Document({ pageContent: "" })], "q"), 0],
    ["a document of another kind", () => reranker().rerank(["a", 3 as never], "q"), 1],
    ["no list", () => reranker().rerank("abc" as never, "q"), undefined],
    ["a topN of 0", () => reranker().rerank(["a"], "q", { topN: 0 }), undefined],
    // oxlint-disable-next-line no-sparse-arrays -- that is the point
    ["a hole in the list", () => reranker().rerank([, "a"] as never, "q"), 0],
    ["a text as a document", () => reranker().compressDocuments(["a" as never], "q"), 0],
    ["no list of documents", () => reranker().compressDocuments(undefined as never, "q"), undefined],
  ])("%s is refused before anything is sent", async (_, call, position) => {
    await expect(call()).rejects.toMatchObject({ name: "InvalidInputError", position });
  });

  test("a query in the place of the documents is told where it belongs", async () => {
    await expect(reranker().rerank("q" as never, ["a"] as never)).rejects.toThrow("It comes before the query.");
  });
});

describe("compressDocuments", () => {
  test("gives new documents with the score, and leaves the given ones alone", async () => {
    class Chunk extends Document {}
    const documents = [
      new Document({ pageContent: "a", id: "1", metadata: { page: 1 } }),
      new Chunk({ pageContent: "b", metadata: { page: 2, relevanceScore: "old" } }),
      { pageContent: "c", metadata: {} },
    ];
    const before = structuredClone(documents.map((document) => ({ ...document })));
    answer([
      [1, 0.75],
      [0, 0.5],
      [2, 0.25],
    ]);
    const ranked = await reranker().compressDocuments(documents, "which?");
    expect(ranked).toEqual([
      { pageContent: "b", metadata: { page: 2, relevanceScore: 0.75 } },
      { pageContent: "a", id: "1", metadata: { page: 1, relevanceScore: 0.5 } },
      { pageContent: "c", metadata: { relevanceScore: 0.25 } },
    ]);
    expect(ranked[0]).toBeInstanceOf(Chunk);
    expect(ranked[1]).toBeInstanceOf(Document);
    expect(ranked[1]).not.toBe(documents[0]);
    expect(documents.map((document) => ({ ...document }))).toEqual(before);
  });
});

describe("onUsage", () => {
  const told: unknown[] = [];
  const onUsage = (usage: unknown) => void told.push(usage);
  beforeEach(() => void (told.length = 0));

  test("reads either shape of answer", async () => {
    const meta = { tokens: { input_tokens: 18, output_tokens: 1, image_tokens: 3 }, billed_units: {} };
    answer([[0, 1]], 200, { meta, tokens: { input_tokens: 99 } });
    await reranker({ onUsage }).rerank(["a"], "q");
    answer([[0, 1]], 200, { tokens: { input_tokens: 7, output_tokens: 0 } });
    await reranker({ onUsage }).rerank(["a"], "q");
    expect(told).toEqual([
      { model: "BAAI/bge-reranker-v2-m3", inputTokens: 18, outputTokens: 1, imageTokens: 3 },
      { model: "BAAI/bge-reranker-v2-m3", inputTokens: 7, outputTokens: 0, imageTokens: 0 },
    ]);
  });

  test("is told of an answer that could not be used, and not of one without usage", async () => {
    answer([[7, 1]], 200, { tokens: { input_tokens: 7 } });
    await expect(reranker({ onUsage }).rerank(["a"], "q")).rejects.toThrow("index 7");
    answer([[0, 1]]);
    await reranker({ onUsage }).rerank(["a"], "q");
    expect(told).toHaveLength(1);
  });

  test("costs no result when it throws", async () => {
    const broken = vi.fn<(usage: unknown) => void>(() => {
      throw new Error("the counter is broken");
    });
    answer([[0, 1]], 200, { tokens: { input_tokens: 7 } });
    await expect(reranker({ onUsage: broken }).rerank(["a"], "q")).resolves.toHaveLength(1);
    expect(broken).toHaveBeenCalledOnce();
  });
});

describe("the way out", () => {
  test.each([
    [{ model: "" }, "model must be"],
    [{ topn: 2 } as object, "Did you mean topN?"],
    [{ topN: 0 }, "topN must be"],
    [{ topN: 1.5 }, "topN must be"],
    [{ maxChunksPerDoc: 0 }, "maxChunksPerDoc must be"],
    [{ overlapTokens: 81 }, "overlapTokens must be a whole number, 0 to 80"],
    [{ maxConcurrency: 0 }, "maxConcurrency must be"],
    [{ scoreThreshold: Number.NaN }, "scoreThreshold must be"],
    [{ instruction: "" }, "instruction must be"],
    [{ client: {} as never }, "client must be"],
    [{ configuration: { fetch } as never }, "configuration.fetch is not supported"],
  ] as [Partial<SiliconFlowRerankInput>, string][])("the option %o is refused", (fields, message) => {
    expect(() => reranker(fields)).toThrow(
      expect.objectContaining({ name: "InvalidInputError", message: expect.stringContaining(message) }),
    );
  });

  test("errors of the service come through as they are, retried by the client alone", async () => {
    answer("busy", 503);
    answer({ code: 30003, message: "Model disabled.", data: null }, 403);
    const retried: string[] = [];
    const model = reranker({ maxRetries: 1, onRetry: ({ error }) => retried.push(error.name) });
    await expect(model.rerank(["a"], "q")).rejects.toMatchObject({
      name: "PermissionDeniedError",
      code: 30003,
      attempts: 2,
    });
    expect(retried).toEqual(["ServiceUnavailableError"]);
  });

  test("a shared client is used, with this adapter's headers on top", async () => {
    const client = new SiliconFlowClient({ apiKey: "sk-shared", baseURL: `${host}/v1` });
    nock(host, { reqheaders: { authorization: "Bearer sk-shared", "x-team": "search" } })
      .post("/v1/rerank")
      .reply(200, { results: [{ index: 0, relevance_score: 1 }] });
    const model = new SiliconFlowRerank({ model: "m", client, headers: { "x-team": "search" } });
    await expect(model.rerank(["a"], "q")).resolves.toHaveLength(1);
    expect(() => new SiliconFlowRerank({ model: "m", client, baseURL: host })).toThrow("baseURL would have no effect");
  });

  test("the address may come as configuration.baseURL", async () => {
    answer([[0, 1]]);
    const configuration = { baseURL: `${host}/v1` };
    await new SiliconFlowRerank({ model: "m", apiKey: key, configuration }).rerank(["a"], "q");
    expect(sent).toHaveLength(1);
  });

  test("the key shows nowhere", async () => {
    answer('"Invalid token: sk-canary-key"', 401);
    const model = reranker({ headers: { "x-secret": "sk-canary-header" } });
    const error = await model.rerank(["a"], "q").catch((reason: unknown) => reason);
    for (const value of [model, error]) {
      const shown = JSON.stringify(value) + String(value) + inspect(value, { depth: 20, showHidden: true });
      expect(shown).not.toContain("sk-canary");
    }
  });

  test("the reranker alone loads no more of LangChain than it needs", () => {
    // The graph of the built file: this needs a build, as every import of the client does.
    const imported = new Set<string>();
    const read = (name: string) => {
      const code = readFileSync(new URL(`../dist/${name}`, import.meta.url), "utf8");
      for (const [, source] of code.matchAll(/^(?:import|export) .*"([^"]+)";$/gm)) {
        if (!source!.startsWith(".")) imported.add(source!);
        else read(source!.slice(2));
      }
    };
    read("compressor.js");
    expect([...imported].sort()).toEqual([
      "@langchain-siliconflow/client",
      "@langchain-siliconflow/client/adapter",
      "@langchain/core/retrievers/document_compressors",
      "@langchain/core/utils/async_caller",
    ]);
  });
});

describe("a signal, with requests that are held", () => {
  const held: ServerResponse[] = [];
  let arrived = () => {};
  const server = createServer((_, response) => {
    held.push(response);
    arrived();
  });
  let url: string;
  beforeEach(async () => {
    nock.restore();
    held.length = 0;
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
    nock.activate();
  });
  const arrival = () => new Promise<void>((resolve) => (arrived = resolve));

  test("rejects with the caller's own reason, and closes the socket", async () => {
    const controller = new AbortController();
    const first = arrival();
    const call = reranker({ baseURL: url }).rerank(["a"], "q", { signal: controller.signal });
    await first;
    const closed = once(held[0]!, "close");
    controller.abort("a reason that is no error");
    await expect(call).rejects.toBe("a reason that is no error");
    await closed;
  });

  test("is heard by a call that waits for its turn, which then sends nothing", async () => {
    const model = reranker({ baseURL: url, maxConcurrency: 1 });
    const first = arrival();
    const one = model.rerank(["a"], "q");
    await first;
    const controller = new AbortController();
    const two = model.rerank(["a"], "q", { signal: controller.signal });
    const reason = new Error("enough");
    controller.abort(reason);
    await expect(two).rejects.toBe(reason);
    const last = arrival();
    const three = model.rerank(["a"], "q");
    held[0]!.end('{"results":[{"index":0,"relevance_score":1}]}');
    await one;
    await last;
    held[1]!.end('{"results":[{"index":0,"relevance_score":1}]}');
    await three;
    expect(held).toHaveLength(2);
  });

  test("that fired before sends nothing, and a deadline is a TimeoutError", async () => {
    const model = reranker({ baseURL: url });
    const reason = new Error("before");
    await expect(model.rerank(["a"], "q", { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(held).toHaveLength(0);
    await expect(model.rerank(["a"], "q", { signal: AbortSignal.timeout(50) })).rejects.toMatchObject({
      name: "TimeoutError",
      phase: "total",
    });
  });
});
