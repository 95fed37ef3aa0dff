import { Buffer } from "node:buffer";
import { readdirSync, readFileSync } from "node:fs";
import { inspect } from "node:util";
import { SiliconFlowClient } from "@langchain-siliconflow/client";
import nock from "nock";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { SiliconFlowEmbeddings, type SiliconFlowEmbeddingsInput } from "./siliconflow-embeddings.js";

const key = "sk-canary-key";
const host = "https://siliconflow.test";
type Body = { model: string; input: unknown[]; [field: string]: unknown };
let sent: Body[];
const unmatched: string[] = [];
nock.emitter.on("no match", ({ url }: { url: string }) => unmatched.push(url));

beforeEach(() => {
  sent = [];
  nock.disableNetConnect();
});
afterEach(() => {
  const unused = nock.pendingMocks();
  const missed = unmatched.splice(0);
  nock.cleanAll();
  if (unused.length + missed.length > 0) {
    throw new Error(`never asked for: ${unused.join()}; asked for in vain: ${missed.join()}`);
  }
});

function embeddings(fields: Partial<SiliconFlowEmbeddingsInput> = {}) {
  return new SiliconFlowEmbeddings({
    model: "BAAI/bge-m3",
    apiKey: key,
    baseURL: `${host}/v1`,
    maxRetries: 0,
    ...fields,
  });
}

/** Answers the next request: a list stands for the vectors, anything else for the whole body. */
function answer(body: unknown, status = 200, headers: Record<string, string> = {}) {
  nock(host)
    .post("/v1/embeddings", (request: Body) => {
      sent.push(request);
      return true;
    })
    .reply(status, (Array.isArray(body) ? listOf(body) : body) as nock.Body, headers);
}

function listOf(vectors: unknown[]) {
  const data = vectors.map((embedding, index) => ({ object: "embedding", index, embedding }));
  const usage = { prompt_tokens: 3, completion_tokens: 0, total_tokens: 4 };
  return { object: "list", model: "BAAI/bge-m3", data, usage };
}

const base64 = (...values: number[]) => Buffer.from(new Float32Array(values).buffer).toString("base64");
const invalid = { code: 20015, message: "The parameter is invalid. Please check again.", data: null };

describe("what is sent", () => {
  test("texts as they are, and nothing that was not asked for", async () => {
    answer([[1], [2], [3]]);
    await embeddings().embedDocuments(["a\n b ", "   ", "深度求索"]);
    expect(sent).toEqual([{ model: "BAAI/bge-m3", input: ["a\n b ", "   ", "深度求索"], encoding_format: "base64" }]);
  });

  test("dimensions and the form of the vectors, when given", async () => {
    answer([[1, 2]]);
    await embeddings({ dimensions: 2, encodingFormat: "float" }).embedQuery("a");
    expect(sent).toEqual([{ model: "BAAI/bge-m3", input: ["a"], encoding_format: "float", dimensions: 2 }]);
  });

  test("the instruction, with queries only", async () => {
    answer([[1]]);
    answer([[1]]);
    const model = embeddings({ queryInstruction: "Find passages that answer the question" });
    await model.embedQuery("Who?");
    await model.embedDocuments(["Me"]);
    expect(sent.map(({ input }) => input)).toEqual([
      ["Instruct: Find passages that answer the question\nQuery:Who?"],
      ["Me"],
    ]);
  });

  test("texts and images, to models that take both", async () => {
    const contents = ["a", { text: "b" }, { image: "https://example.test/c.png" }];
    answer([[1], [2], [3]]);
    await expect(embeddings({ model: "Qwen/Qwen3-VL-Embedding-8B" }).embedContents(contents)).resolves.toEqual([
      [1],
      [2],
      [3],
    ]);
    expect(sent[0]!.input).toEqual(contents);
  });

  test("no request for an empty list", async () => {
    await expect(embeddings().embedDocuments([])).resolves.toEqual([]);
    await expect(embeddings().embedContents([])).resolves.toEqual([]);
  });
});

describe("what comes back", () => {
  test("rows out of order are put in order, in either form", async () => {
    const rows = [
      { index: 1, embedding: base64(3, 4) },
      { index: 0, embedding: [1, 2] },
    ];
    answer({ object: "list", model: "BAAI/bge-m3", data: rows });
    await expect(embeddings().embedDocuments(["a", "b"])).resolves.toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  test("only the bad rows are asked for again", async () => {
    answer([[1, 2], null, [5, 6], [0, 0]]);
    answer([base64(3, 4), [7, 8]]);
    await expect(embeddings().embedDocuments(["a", "b", "c", "d"])).resolves.toEqual([
      [1, 2],
      [3, 4],
      [5, 6],
      [7, 8],
    ]);
    expect(sent.map(({ input }) => input)).toEqual([
      ["a", "b", "c", "d"],
      ["b", "d"],
    ]);
  });

  test("a row that stays bad is an error that names the text", async () => {
    answer([[1, 2], null], 200, { "x-siliconcloud-trace-id": "ti_1" });
    answer([null], 200, { "x-siliconcloud-trace-id": "ti_2" });
    await expect(embeddings().embedDocuments(["a", "b"])).rejects.toMatchObject({
      name: "InvalidResponseError",
      reason: "badVector",
      position: 1,
      attempts: 2,
      traceId: "ti_2",
      message: expect.stringContaining("texts[1]: the vector is null"),
    });
  });

  test("a row that stays missing is an error that names the text", async () => {
    answer([
      [1, 2],
      [3, 4],
    ]);
    answer([]);
    await expect(embeddings().embedDocuments(["a", "b", "c"])).rejects.toMatchObject({
      reason: "malformed",
      position: 2,
    });
    expect(sent[1]!.input).toEqual(["c"]);
  });

  test("a vector of another length than asked for is refused", async () => {
    answer([[1, 2, 3]]);
    answer([[1, 2, 3]]);
    const message = "query: the vector has 3 numbers instead of 2; asked twice";
    await expect(embeddings({ dimensions: 2 }).embedQuery("a")).rejects.toMatchObject({ reason: "badVector", message });
  });
});

describe('encodingFormat "auto"', () => {
  test("asks for floats when base64 is refused as invalid, and remembers what worked", async () => {
    answer(invalid, 400);
    answer([[1]]);
    answer([[2]]);
    const model = embeddings();
    await model.embedQuery("a");
    await expect(model.embedQuery("b")).resolves.toEqual([2]);
    expect(sent.map(({ encoding_format }) => encoding_format)).toEqual(["base64", "float", "float"]);
  });

  test("remembers nothing when floats are refused too", async () => {
    answer(invalid, 400);
    answer(invalid, 400);
    answer([[1]]);
    const model = embeddings();
    await expect(model.embedQuery("a")).rejects.toMatchObject({ name: "BadRequestError", code: 20015 });
    await model.embedQuery("b");
    expect(sent.map(({ encoding_format }) => encoding_format)).toEqual(["base64", "float", "base64"]);
  });

  test("does not blame base64 once it was accepted, nor for another error", async () => {
    const model = embeddings();
    answer({ code: 20024, message: "Something else.", data: null }, 400);
    await expect(model.embedQuery("a")).rejects.toMatchObject({ code: 20024 });
    answer([[1]]);
    await model.embedQuery("a");
    answer(invalid, 400);
    await expect(model.embedQuery("a")).rejects.toMatchObject({ code: 20015 });
    expect(sent.map(({ encoding_format }) => encoding_format)).toEqual(["base64", "base64", "base64"]);
  });

  test("is not second-guessed when a form was set", async () => {
    answer(invalid, 400);
    await expect(embeddings({ encodingFormat: "base64" }).embedQuery("a")).rejects.toMatchObject({ code: 20015 });
  });
});

describe("errors", () => {
  test.each([
    ["an empty text", (model: SiliconFlowEmbeddings) => model.embedDocuments(["a", ""]), 1, "texts[1] is empty"],
    [
      "a text that is no string",
      (model) => model.embedDocuments(["a", "b", 3 as never]),
      2,
      "texts[2] must be a string",
    ],
    [
      "a document in place of its text",
      (model) => model.embedDocuments([{ pageContent: "a" } as never]),
      0,
      "texts[0] must be a string. Of a document give its pageContent.",
    ],
    ["a hole", (model) => model.embedDocuments(Array<string>(2)), 0, "texts[0] must be a string"],
    ["an empty query", (model) => model.embedQuery(""), 0, "query is empty"],
    ["a query that is no string", (model) => model.embedQuery(undefined as never), 0, "query must be a string"],
    [
      "no list",
      (model) => model.embedDocuments("abc" as never),
      undefined,
      "texts must be a list. embedQuery takes a single text",
    ],
    ["contents that are no list", (model) => model.embedContents("abc" as never), undefined, "contents must be a list"],
  ] as [string, (model: SiliconFlowEmbeddings) => Promise<unknown>, number | undefined, string][])(
    "%s is refused before anything is sent",
    async (_, call, position, message) => {
      await expect(call(embeddings())).rejects.toMatchObject({
        name: "InvalidInputError",
        position,
        message: expect.stringContaining(message),
      });
    },
  );

  test("of the service come through as they are", async () => {
    answer('"Invalid token"', 401, { "x-siliconcloud-trace-id": "ti_1" });
    await expect(embeddings().embedDocuments(["a"])).rejects.toMatchObject({
      name: "AuthenticationError",
      status: 401,
      traceId: "ti_1",
      attempts: 1,
    });
  });

  test.each([
    [{ model: "" }, "model must be"],
    [{ model: undefined as never }, "model must be"],
    [{ dimension: 8 } as object, "Did you mean dimensions?"],
    [{ batchSize: 0 }, "batchSize must be"],
    [{ batchSize: 1.5 }, "batchSize must be"],
    [{ maxConcurrency: -1 }, "maxConcurrency must be"],
    [{ dimensions: Number.NaN }, "dimensions must be"],
    [{ encodingFormat: "ubinary" as never }, "encodingFormat must be"],
    [{ queryInstruction: 3 as never }, "queryInstruction must be"],
    [{ client: { apiKey: "k" } as never }, "client must be"],
    [{ configuration: { fetch } as never }, "configuration.fetch is not supported"],
  ] as [Partial<SiliconFlowEmbeddingsInput>, string][])("the option %o is refused", (fields, message) => {
    expect(() => embeddings(fields)).toThrow(
      expect.objectContaining({ name: "InvalidInputError", message: expect.stringContaining(message) }),
    );
  });
});

describe("the way out", () => {
  test("retries are the client's alone", async () => {
    answer("busy", 503);
    answer([[1]]);
    const errors: string[] = [];
    const model = embeddings({ maxRetries: 1, onRetry: ({ error }) => errors.push(error.name) });
    await expect(model.embedQuery("a")).resolves.toEqual([1]);
    expect(errors).toEqual(["ServiceUnavailableError"]);
    answer("busy", 503);
    await expect(embeddings({ maxRetries: 0 }).embedQuery("a")).rejects.toMatchObject({ attempts: 1 });
  });

  test("a shared client is used, with this adapter's headers and retries on top", async () => {
    const client = new SiliconFlowClient({ apiKey: "sk-shared", baseURL: `${host}/v1`, maxRetries: 5 });
    nock(host, { reqheaders: { authorization: "Bearer sk-shared", "x-team": "search" } })
      .post("/v1/embeddings")
      .reply(503, "busy");
    const model = new SiliconFlowEmbeddings({ model: "m", client, headers: { "x-team": "search" }, maxRetries: 0 });
    await expect(model.embedQuery("a")).rejects.toMatchObject({ attempts: 1 });
  });

  test("options that a shared client would not hear of are refused", () => {
    const client = new SiliconFlowClient({ apiKey: key });
    expect(() => new SiliconFlowEmbeddings({ model: "m", client, apiKey: "k", region: "cn" })).toThrow(
      "apiKey, region would have no effect",
    );
  });

  test("OpenAIEmbeddings' names for the address and the headers are understood", async () => {
    nock(host, { reqheaders: { authorization: `Bearer ${key}`, "x-team": "search" } })
      .post("/v1/embeddings")
      .reply(200, listOf([[1]]));
    const configuration = { baseURL: `${host}/v1`, apiKey: key, defaultHeaders: { "x-team": "search" } };
    await expect(new SiliconFlowEmbeddings({ model: "m", configuration }).embedQuery("a")).resolves.toEqual([1]);
  });

  test("without a key nothing is built", () => {
    vi.stubEnv("SILICONFLOW_API_KEY", "");
    expect(() => new SiliconFlowEmbeddings({ model: "m" })).toThrow(expect.objectContaining({ reason: "auth" }));
  });

  test("the key shows nowhere", async () => {
    const model = embeddings({ headers: { "x-secret": "sk-canary-header" } });
    answer('"Invalid token: sk-canary-key"', 401);
    const error = await model.embedQuery("a").catch((reason: unknown) => reason);
    for (const value of [model, error]) {
      const shown = JSON.stringify(value) + String(value) + inspect(value, { depth: 20, showHidden: true });
      expect(shown).not.toContain("sk-canary");
    }
  });

  test("nothing of OpenAI's is loaded", () => {
    // The graph of the built package: this needs a build, as every import of the client does.
    const dist = new URL("../dist/", import.meta.url);
    const files = readdirSync(dist).filter((name) => name.endsWith(".js"));
    const imported = files.flatMap((name) =>
      [...readFileSync(new URL(name, dist), "utf8").matchAll(/^(?:import|export) .*"([^."][^"]*)";$/gm)].map(
        ([, name]) => name,
      ),
    );
    expect([...new Set(imported)].sort()).toEqual([
      "@langchain-siliconflow/client",
      "@langchain-siliconflow/client/adapter",
      "@langchain/core/embeddings",
      "node:buffer",
    ]);
  });
});

describe("onUsage", () => {
  test("is told once what a call cost, over all its requests", async () => {
    const usages: unknown[] = [];
    answer([[1]]);
    answer([[2]]);
    await embeddings({ batchSize: 1, onUsage: (usage) => usages.push(usage) }).embedDocuments(["a", "b"]);
    expect(usages).toEqual([{ model: "BAAI/bge-m3", promptTokens: 6, totalTokens: 8, requests: 2 }]);
  });

  test("is told of a failed call, and not of one that was never answered", async () => {
    const usages: unknown[] = [];
    const model = embeddings({ onUsage: (usage) => usages.push(usage) });
    answer([null]);
    answer([null]);
    await expect(model.embedQuery("a")).rejects.toThrow("null");
    answer("busy", 503);
    await expect(model.embedQuery("a")).rejects.toThrow("503");
    expect(usages).toEqual([{ model: "BAAI/bge-m3", promptTokens: 6, totalTokens: 8, requests: 2 }]);
  });

  test("costs no vectors when it throws, and survives an answer without usage", async () => {
    answer({ object: "list", model: "m", data: [{ index: 0, embedding: [1] }] });
    const onUsage = vi.fn<(usage: unknown) => void>(() => {
      throw new Error("the counter is broken");
    });
    await expect(embeddings({ onUsage }).embedQuery("a")).resolves.toEqual([1]);
    expect(onUsage).toHaveBeenCalledWith({ model: "BAAI/bge-m3", promptTokens: 0, totalTokens: 0, requests: 1 });
  });
});
