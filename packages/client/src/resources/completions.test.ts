import { Readable } from "node:stream";
import nock from "nock";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { SiliconFlowClient } from "../undici-client.js";
import type { CompletionChunk, CompletionRequest } from "./completions.js";

const client = new SiliconFlowClient({ apiKey: "sk-secret", baseURL: "https://siliconflow.test/v1", maxRetries: 0 });
const request = { model: "m", prompt: "def area(r):\n    return ", suffix: "\n\nprint(area(2))" };

beforeEach(() => nock.disableNetConnect());
afterEach(() => {
  const unused = nock.pendingMocks();
  nock.cleanAll();
  if (unused.length > 0) throw new Error(`Never asked: ${unused.join()}.`);
});

function reply(body: unknown, headers: nock.ReplyHeaders = {}, sent: nock.RequestBodyMatcher = () => true): void {
  nock("https://siliconflow.test")
    .post("/v1/completions", sent)
    .reply(200, body as nock.Body, headers);
}

function replyStream(...pieces: string[]): void {
  reply(() => Readable.from(pieces.map((piece) => Buffer.from(piece))), { "content-type": "text/event-stream" });
}

const usage = { prompt_tokens: 14, completion_tokens: 9, total_tokens: 23 };
const answer = {
  id: "019c",
  object: "text_completion",
  created: 1,
  model: "m",
  choices: [{ index: 0, text: "3.14", finish_reason: "stop", logprobs: null }],
  usage,
  something_new: { kept: true },
};
const piece = (text: string, finish_reason: string | null = null) =>
  `data: ${JSON.stringify({ id: "019c", created: 1, model: "m", choices: [{ index: 0, text, finish_reason }], usage })}\n\n`;
const done = "data: [DONE]\n\n";

async function collect(): Promise<CompletionChunk[]> {
  const chunks: CompletionChunk[] = [];
  for await (const chunk of client.completions.stream(request)) chunks.push(chunk);
  return chunks;
}

describe("completions.create", () => {
  test("sends what it is given and answers with the wire's object, unknown fields and all", async () => {
    reply(answer, { "x-siliconcloud-trace-id": "ti_1" }, { ...request, unknown: 1, stream: false });
    const completion = await client.completions.create({ ...request, unknown: 1 });
    expect(completion).toEqual(answer);
    expect(completion.traceId).toBe("ti_1");
  });

  test("choices without an index stay apart where they come in one piece", async () => {
    reply({ ...answer, choices: [{ text: "a" }, { text: "b" }] });
    const chunks = [];
    for await (const { choices } of client.completions.stream({ ...request, n: 2 })) chunks.push(...choices);
    expect(chunks).toEqual([
      { index: 0, text: "a", finish_reason: "stop" },
      { index: 1, text: "b", finish_reason: "stop" },
    ]);
  });

  test("a choice keeps its index wherever it stands", async () => {
    reply({ ...answer, choices: [1, 0].map((index) => ({ index, text: String(index) })) });
    const chunks = [];
    for await (const { choices } of client.completions.stream({ ...request, n: 2 })) chunks.push(...choices);
    expect(chunks).toMatchObject([
      { index: 1, text: "1" },
      { index: 0, text: "0" },
    ]);
  });

  test("collects a stream that was not asked for", async () => {
    reply(piece("3.") + piece("14", "stop") + done, { "content-type": "text/event-stream" });
    expect(await client.completions.create(request)).toEqual({
      id: "019c",
      object: "text_completion",
      created: 1,
      model: "m",
      choices: [{ index: 0, text: "3.14", finish_reason: "stop" }],
      usage,
    });
  });

  test.each([[{ ...answer, choices: [] }], [{ ...answer, choices: [{ index: 0 }] }]])(
    "an answer without a text is none",
    async (body) => {
      reply(body);
      await expect(client.completions.create(request)).rejects.toMatchObject({ reason: "malformed" });
    },
  );

  test("what is missing is said before anything is sent", async () => {
    await expect(client.completions.create({ prompt: "x" } as unknown as CompletionRequest)).rejects.toThrow(/model/);
    expect(() => client.completions.stream({ model: "m" } as unknown as CompletionRequest)).toThrow(/prompt/);
  });
});

describe("completions.stream", () => {
  test("yields the wire's chunks", async () => {
    replyStream(piece("3."), piece("14", "stop"), done);
    expect((await collect()).map(({ choices }) => choices[0]?.text)).toEqual(["3.", "14"]);
  });

  test("an answer in one piece becomes one chunk", async () => {
    reply(answer);
    expect(await collect()).toEqual([answer]);
  });

  test.each([
    ["without an end", ""],
    ["although it says [DONE]", done],
  ])("what breaks off %s is an error that holds what had come", async (_, end) => {
    replyStream(piece("3."), end);
    await expect(collect()).rejects.toMatchObject({
      name: "StreamError",
      reason: "truncated",
      partial: { content: "3.", usage },
    });
  });
});
