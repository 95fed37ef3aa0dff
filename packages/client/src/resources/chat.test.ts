import { PassThrough, Readable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { inspect } from "node:util";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import nock from "nock";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { StreamError } from "../errors.js";
import { failureOf } from "../failure-of.js";
import { SiliconFlowClient } from "../undici-client.js";
import type { ChatCompletionChunk } from "./chat-wire.js";

const client = new SiliconFlowClient({ apiKey: "sk-secret", baseURL: "https://siliconflow.test/v1", maxRetries: 0 });
const request = { model: "deepseek-ai/DeepSeek-R1", messages: [{ role: "user", content: "the prompt" }] };

const unmatched: string[] = [];
nock.emitter.on("no match", ({ url }) => unmatched.push(url));

beforeEach(() => nock.disableNetConnect());
afterEach(() => {
  const unused = nock.pendingMocks();
  const missed = unmatched.splice(0);
  nock.cleanAll();
  if (unused.length + missed.length > 0)
    throw new Error(`Never asked: ${unused.join()}. Asked in vain: ${missed.join()}.`);
});

function reply(status: number, body: nock.Body | (() => Readable) | Buffer, headers: nock.ReplyHeaders = {}) {
  nock("https://siliconflow.test")
    .post("/v1/chat/completions")
    .reply(status, body as nock.Body, headers);
}

/** A stream that sends these pieces, one at a time. */
function replyStream(...pieces: (string | Uint8Array)[]) {
  reply(200, () => Readable.from(pieces.map((piece) => Buffer.from(piece))), { "content-type": "text/event-stream" });
}

const event = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`;
const delta = (content: string, finish_reason: string | null = null) =>
  event({ choices: [{ index: 0, delta: { content }, finish_reason }] });
const done = "data: [DONE]\n\n";

async function collect(more: { n?: number } = {}): Promise<ChatCompletionChunk[]> {
  const chunks: ChatCompletionChunk[] = [];
  for await (const chunk of client.chat.stream({ ...request, ...more })) chunks.push(chunk);
  return chunks;
}

async function text(): Promise<string> {
  return (await collect()).map((chunk) => chunk.choices[0]?.delta?.content ?? "").join("");
}

function nested(levels: number): unknown[] {
  let inner: unknown[] = [];
  for (let level = 1; level < levels; level += 1) inner = [inner];
  return inner;
}

const answer = {
  id: "019c",
  object: "chat.completion",
  created: 1_790_000_000,
  model: "m",
  choices: [
    { index: 0, message: { role: "assistant", content: "Lima", reasoning_content: "Peru" }, finish_reason: "stop" },
  ],
  usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
  something_new: { kept: true },
};

describe("chat.create", () => {
  test("answers with the wire's object, unknown fields and all", async () => {
    reply(200, answer);
    expect(await client.chat.create(request)).toEqual(answer);
  });

  test("carries the trace id where printing does not see it", async () => {
    reply(200, answer, { "x-siliconcloud-trace-id": "ti_1" });
    const completion = await client.chat.create(request);
    expect(completion.traceId).toBe("ti_1");
    expect(Object.keys(completion)).not.toContain("traceId");
  });

  test("reads compressed answers", async () => {
    const json = Buffer.from(JSON.stringify(answer));
    for (const [encoding, body] of [
      ["gzip", gzipSync(json)],
      ["deflate", deflateSync(json)],
      ["br", brotliCompressSync(json)],
    ] as const) {
      reply(200, () => Readable.from([body.subarray(0, 20), body.subarray(20)]), { "content-encoding": encoding });
      expect(await client.chat.create(request)).toEqual(answer);
    }
  });

  test("damaged compression is an error", async () => {
    const body = gzipSync(JSON.stringify(answer));
    reply(200, () => Readable.from([body.subarray(0, -10)]), { "content-encoding": "gzip" });
    expect(await failureOf(client.chat.create(request))).toMatchObject({ reason: "truncated", retryable: true });
    body.fill(1, 12);
    reply(200, () => Readable.from([body]), { "content-encoding": "gzip" });
    expect(await failureOf(client.chat.create(request))).toMatchObject({ reason: "malformed", retryable: true });
  });

  test("takes JSON under any content type, with a byte order mark", async () => {
    reply(200, `\uFEFF${JSON.stringify(answer)}`, { "content-type": "text/html" });
    expect(await client.chat.create(request)).toEqual(answer);
  });

  test("collects a stream that was not asked for", async () => {
    const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
    reply(200, delta("Li") + delta("ma", "stop") + event({ id: "x", choices: [], usage }) + done, {
      "content-type": "text/event-stream",
    });
    expect(await client.chat.create(request)).toMatchObject({
      choices: [{ index: 0, message: { role: "assistant", content: "Lima" }, finish_reason: "stop" }],
      usage,
    });
  });

  test("collects all that was said: every choice, every call, the probabilities", async () => {
    const call = (index: number, id: string, args: string) => ({
      choices: [{ index: 1, delta: { tool_calls: [{ index, id, function: { name: "f", arguments: args } }] } }],
    });
    const pieces = [
      { choices: [{ index: 0, delta: { content: "a" }, logprobs: { content: [1] } }] },
      call(1, "two", "{}"),
      call(0, "one", '{"x":'),
      call(0, "one", "1}"),
      call(0, "again", "{}"),
      { choices: [{ index: 1, delta: {}, finish_reason: "tool_calls" }] },
      { choices: [{ index: 0, delta: { content: "b" }, logprobs: { content: [2] }, finish_reason: "stop" }] },
    ];
    reply(200, pieces.map(event).join(""), { "content-type": "text/event-stream" });
    const calls = [
      { id: "one", type: "function", function: { name: "f", arguments: '{"x":1}' } },
      { id: "two", type: "function", function: { name: "f", arguments: "{}" } },
      { id: "again", type: "function", function: { name: "f", arguments: "{}" } },
    ];
    expect((await client.chat.create({ ...request, n: 2 })).choices).toEqual([
      { index: 0, message: { role: "assistant", content: "ab" }, logprobs: { content: [1, 2] }, finish_reason: "stop" },
      { index: 1, message: { role: "assistant", content: "", tool_calls: calls }, finish_reason: "tool_calls" },
    ]);
  });

  test.each(["text/event-stream", "application/json"])("JSON is an answer, alone: under %s", async (type) => {
    reply(200, JSON.stringify(answer), { "content-type": type });
    expect(await client.chat.create(request)).toEqual(answer);
    reply(200, `${JSON.stringify(answer)}\n${JSON.stringify(answer)}`, { "content-type": type });
    expect(await failureOf(client.chat.create(request))).toMatchObject({ reason: "malformed" });
  });

  test("a stream that was not asked for and breaks off is no answer", async () => {
    reply(200, delta("Li"), { "content-type": "text/event-stream" });
    expect(await failureOf(client.chat.create(request))).toMatchObject({
      name: "StreamError",
      reason: "truncated",
      partial: { content: "Li" },
    });
  });

  test.each<[string, string, string, string]>([
    ["nothing", "", "InvalidResponseError", "empty"],
    ["a page", "<html><script>x</script><h1>Log in</h1></html>", "InvalidResponseError", "notJson"],
    ["cut JSON", '{"choices":[', "InvalidResponseError", "malformed"],
    ["a list", "[]", "InvalidResponseError", "malformed"],
    ["no choices", '{"id":"x"}', "InvalidResponseError", "malformed"],
    ["an empty list of choices", '{"choices":[]}', "InvalidResponseError", "malformed"],
    ["tool calls that are no list", '{"choices":[{"message":{"tool_calls":{}}}]}', "InvalidResponseError", "malformed"],
    ["a choice without a message", '{"choices":[{"index":0}]}', "InvalidResponseError", "malformed"],
    ["an error under a 200", '{"code":20012,"message":"Model does not exist."}', "NotFoundError", "notFound"],
    ["an error envelope under a 200", '{"error":{"message":"bad","code":50505}}', "ServiceUnavailableError", "server"],
  ])("%s is an error", async (_, body, name, reason) => {
    reply(200, body, { "x-siliconcloud-trace-id": "ti_1" });
    expect(await failureOf(client.chat.create(request))).toMatchObject({ name, reason, traceId: "ti_1", attempts: 1 });
  });

  test("a page is shown without its tags", async () => {
    reply(200, "<html><script>x</script><h1>Log in</h1></html>");
    expect((await failureOf(client.chat.create(request))).message).toMatch(/: Log in$/);
  });

  test("keys called __proto__ change nothing but themselves", async () => {
    reply(200, '{"__proto__":{"polluted":1},"choices":[{"message":{"content":"x","__proto__":{"polluted":1}}}]}');
    const completion = await client.chat.create(request);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
    expect((completion as { polluted?: number }).polluted).toBeUndefined();
  });

  test("an answer above maxResponseBytes is dropped", async () => {
    const small = new SiliconFlowClient({
      apiKey: "sk-secret",
      baseURL: "https://siliconflow.test/v1",
      maxRetries: 0,
      maxResponseBytes: 100,
    });
    reply(200, answer);
    expect(await failureOf(small.chat.create(request))).toMatchObject({
      name: "InvalidResponseError",
      reason: "tooLarge",
    });
  });
});

describe("chat.stream", () => {
  test("keeps reasoning apart from the answer when a character is cut in two", async () => {
    const wire = Buffer.from(
      event({ choices: [{ delta: { reasoning_content: "想" } }] }) +
        event({ choices: [{ delta: { content: "二" }, finish_reason: "stop" }] }) +
        done,
    );
    const cut = wire.indexOf("想") + 1;
    replyStream(wire.subarray(0, cut), wire.subarray(cut));
    expect((await collect()).map((chunk) => chunk.choices[0]!.delta)).toEqual([
      { reasoning_content: "想" },
      { content: "二" },
    ]);
  });

  test("passes on the usage that follows the finish", async () => {
    const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
    replyStream(delta("2", "stop"), event({ choices: [], usage }), done);
    expect(await collect()).toEqual([
      expect.objectContaining({ choices: [expect.objectContaining({ finish_reason: "stop" })] }),
      { choices: [], usage },
    ]);
  });

  test("is complete with a finish_reason, with or without [DONE]", async () => {
    replyStream(delta("a"), delta("b", "stop"), done);
    expect(await text()).toBe("ab");
    replyStream(delta("a"), delta("b", "length"));
    expect(await text()).toBe("ab");
  });

  test("ignores what follows [DONE]", async () => {
    replyStream(delta("a", "stop"), done + delta("b"), delta("c"));
    expect(await text()).toBe("a");
  });

  test.each<[string, string[]]>([
    ["its end without finish_reason", [delta("2")]],
    ["[DONE] without finish_reason", [delta("2"), done]],
    ["an event cut by the end", [delta("2"), 'data: {"choices":[{"del']],
  ])("%s is an error that carries what had arrived", async (_, pieces) => {
    replyStream(...pieces);
    expect(await failureOf(collect())).toMatchObject({
      name: "StreamError",
      reason: "truncated",
      partial: { content: "2" },
    });
  });

  test("a second choice that never finishes is an error", async () => {
    replyStream(delta("2", "stop"), event({ choices: [{ index: 1, delta: { content: "x" } }] }), done);
    expect(await failureOf(collect({ n: 2 }))).toMatchObject({
      name: "StreamError",
      reason: "truncated",
      partial: { content: "2" },
    });
  });

  test.each<[string, unknown]>([
    ["a choice that was not asked for", { choices: [{ index: 1, delta: { content: "x" } }] }],
    ["a choice twice", { choices: [{ delta: { content: "x" } }, { delta: { content: "y" } }] }],
    ["a content that is no text", { choices: [{ index: 0, delta: { content: 5 } }] }],
    ["thoughts that are no text", { choices: [{ index: 0, delta: { reasoning_content: ["x"] } }] }],
    ["a finish_reason that is no text", { choices: [{ index: 0, delta: {}, finish_reason: true }] }],
    ["a list in place of a choice", { choices: [["x"]] }],
    ["choices that are no list, beside counts", { choices: { 0: {} }, usage: { total_tokens: 1 } }],
    ["a whole message", { choices: [{ index: 0, message: { content: "x" }, finish_reason: "stop" }] }],
    ["a call whose name is no text", { choices: [{ delta: { tool_calls: [{ index: 0, function: { name: 5 } }] } }] }],
    [
      "a call whose arguments are nested without end",
      { choices: [{ delta: { tool_calls: [{ index: 0, function: { arguments: nested(1100) } }] } }] },
    ],
    ["a call of no number", { choices: [{ delta: { tool_calls: [{ index: "one", function: { name: "f" } }] } }] }],
  ])("%s is damage", async (_, chunk) => {
    replyStream(delta("1"), event(chunk), delta("2", "stop"), done);
    expect(await failureOf(collect())).toMatchObject({
      name: "StreamError",
      reason: "malformed",
      partial: { content: "1" },
    });
  });

  test.each<[string, unknown]>([
    ["an error", { choices: [], error: { message: "boom" } }],
    ["a code and a message", { choices: [], code: 50_000, message: "boom" }],
  ])("%s beside choices is an error", async (_, chunk) => {
    replyStream(delta("1", "stop"), event(chunk), done);
    expect(await failureOf(collect())).toMatchObject({ name: "StreamError", partial: { content: "1" } });
  });

  test("[DONE] alone is an error", async () => {
    replyStream(done);
    expect(await failureOf(collect())).toMatchObject({
      name: "StreamError",
      reason: "truncated",
      partial: { content: "" },
    });
  });

  test.each<[string, string]>([
    ["nothing", ""],
    ["comments only", ": wait\n\n"],
    ["pings only", "event: ping\ndata:\n\n"],
  ])("%s is an empty answer", async (_, body) => {
    replyStream(body);
    expect(await failureOf(collect())).toMatchObject({
      name: "InvalidResponseError",
      reason: "empty",
      retryable: true,
    });
  });

  test("a page in place of a stream is no JSON, and not asked for again", async () => {
    replyStream("<!doctype html>\n<html><h1>Log", " in</h1>\n</html>");
    const error = await failureOf(collect());
    expect(error).toMatchObject({ name: "InvalidResponseError", reason: "notJson", retryable: false });
    expect(error.message).toMatch(/: Log in$/);
  });

  test("a first event that is damaged is a broken stream, too", async () => {
    replyStream("data: {cut\n\n", delta("3", "stop"));
    expect(await failureOf(collect())).toMatchObject({
      name: "StreamError",
      reason: "malformed",
      retryable: false,
      attempts: 1,
    });
    replyStream('data: {"choices":[{"del');
    expect(await failureOf(collect())).toMatchObject({
      name: "StreamError",
      reason: "truncated",
      retryable: true,
      attempts: 1,
    });
  });

  test.each<[string, unknown]>([
    ["a choice of null", { choices: [null] }],
    ["a choice that is a number", { choices: [5] }],
    ["a delta of text", { choices: [{ index: 0, delta: "3" }] }],
    ["a tool call of null", { choices: [{ index: 0, delta: { tool_calls: [null] } }] }],
    ["tool calls that are no list", { choices: [{ index: 0, delta: { tool_calls: {} } }] }],
  ])("a chunk with %s is damaged, not a broken connection", async (_, chunk) => {
    replyStream(delta("2"), event(chunk), delta("3", "stop"));
    expect(await failureOf(collect())).toMatchObject({
      name: "StreamError",
      reason: "malformed",
      partial: { content: "2" },
    });
  });

  test("a damaged event is an error that does not quote it", async () => {
    replyStream(delta("2"), 'data: {"choices":[{"delta":{"content":"a secret answer\n\n', delta("3", "stop"));
    const error = await failureOf(collect());
    expect(error).toMatchObject({ name: "StreamError", reason: "malformed", partial: { content: "2" } });
    expect(inspect(error, { depth: 9 }) + JSON.stringify(error)).not.toMatch(/secret answer/);
  });

  test.each<[string, string]>([
    ["an error event", 'event: error\ndata: {"code":50505,"message":"Model service overloaded."}\n\n'],
    ["a coded message", event({ code: 50505, message: "Model service overloaded." })],
    ["an envelope", event({ error: { code: 50505, message: "Model service overloaded." } })],
    ["a bare line", '{"code":50505,"message":"Model service overloaded."}\n'],
  ])("%s in the middle breaks the stream, and is its cause", async (_, piece) => {
    replyStream(delta("2"), piece, done);
    const error = await failureOf(collect());
    expect(error).toMatchObject({ name: "StreamError", reason: "overloaded", code: 50505, partial: { content: "2" } });
    expect(error.cause).toMatchObject({ name: "ServiceUnavailableError", status: 200 });
    expect(error.message).toContain("Model service overloaded.");
  });

  test("an error in place of the answer is that error", async () => {
    replyStream('{"code":60000,"message":"unknown error"}\n');
    expect(await failureOf(collect())).toMatchObject({
      name: "ServiceUnavailableError",
      code: 60_000,
      retryable: true,
    });
    replyStream(event({ code: 20_015, message: "bad" }));
    expect(await failureOf(collect())).toMatchObject({ name: "BadRequestError", code: 20_015 });
  });

  test("an answer in one piece becomes one chunk", async () => {
    for (const [body, type] of [
      [JSON.stringify(answer), "application/json"],
      [JSON.stringify(answer), "text/event-stream"],
      [JSON.stringify(answer, null, 2), "text/event-stream"],
    ] as const) {
      reply(200, body, { "content-type": type, "x-siliconcloud-trace-id": "ti_1" });
      expect(await collect()).toEqual([
        {
          ...answer,
          object: "chat.completion.chunk",
          choices: [{ index: 0, delta: answer.choices[0]!.message, finish_reason: "stop" }],
        },
      ]);
    }
  });

  test("the calls of an answer in one piece stay in their order, whatever index they hold", async () => {
    const call = (id: string) => ({ id, type: "function", function: { name: "look", arguments: "{}" } });
    const tool_calls = [{ ...call("a"), index: 32 }, call("b"), { ...call("c"), index: 1 }];
    const message = { role: "assistant", content: "", tool_calls };
    reply(200, JSON.stringify({ ...answer, choices: [{ index: 0, message, finish_reason: "tool_calls" }] }));
    const [chunk] = await collect();
    expect(chunk?.choices[0]?.delta?.tool_calls?.map(({ id, index }) => [id, index])).toEqual([
      ["a", 0],
      ["b", 1],
      ["c", 2],
    ]);
  });

  test("tool calls that had arrived are put together", async () => {
    const call = (fields: object) =>
      event({ choices: [{ index: 0, delta: { tool_calls: [fields] }, finish_reason: null }] });
    replyStream(
      call({ index: 0, id: "c1", type: "function", function: { name: "lookup", arguments: "" } }),
      call({ index: 0, id: null, type: null, function: { name: "", arguments: '{"a"' } }),
      call({ index: 0, function: { arguments: ":1}" } }),
    );
    expect((await failureOf<StreamError>(collect())).partial.tool_calls).toEqual([
      { id: "c1", type: "function", function: { name: "lookup", arguments: '{"a":1}' } },
    ]);
  });

  test("has its trace id once the headers came", async () => {
    reply(200, () => Readable.from([delta("2", "stop")]), { "x-siliconcloud-trace-id": "ti_1" });
    const stream = client.chat.stream(request);
    expect(stream.traceId).toBeUndefined();
    await stream.next();
    expect(stream.traceId).toBe("ti_1");
    await stream.next();
  });

  test("calls of next() that overlap are served in order", async () => {
    replyStream(delta("a"), delta("b"), delta("c", "stop"));
    const stream = client.chat.stream(request);
    const results = await Promise.all([stream.next(), stream.next(), stream.next(), stream.next(), stream.next()]);
    expect(results.map(({ done: isDone, value }) => (isDone ? "end" : value.choices[0]!.delta!.content))).toEqual([
      "a",
      "b",
      "c",
      "end",
      "end",
    ]);
  });

  test("a next() that comes while another reader waits is not forgotten", async () => {
    const body = new PassThrough();
    reply(200, () => body, { "content-type": "text/event-stream" });
    const stream = client.chat.stream(request);
    const first = stream.next();
    body.write(delta("a"));
    await first;
    await turn();
    const waiting = stream.wait();
    expect(waiting).toBeDefined();
    const second = stream.next();
    // News that hold no event.
    body.write(": ping\n\n");
    await waiting;
    const third = stream.next();
    body.end(delta("b") + delta("c", "stop"));
    const results = await Promise.all([second, third]);
    expect(results.map(({ value }) => value?.choices[0]?.delta?.content)).toEqual(["b", "c"]);
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  test("nothing is sent when it is not read", async () => {
    const stream = client.chat.stream(request);
    expect(await stream.return()).toEqual({ done: true, value: undefined });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  test("a refusal that quotes the prompt does not repeat it", async () => {
    reply(400, { code: 20015, message: 'input "the prompt" is bad' });
    expect((await failureOf(collect())).message).toBe('400 input "[input]" is bad (code 20015)');
    replyStream(event({ code: 20015, message: "the prompt is bad" }));
    expect((await failureOf(collect())).message).toContain("[input] is bad");
    reply(200, "the prompt: what a page");
    expect((await failureOf(client.chat.create(request))).message).not.toContain("the prompt");
  });

  test("a 401 that echoes the key does not repeat it", async () => {
    reply(401, '"Invalid token: sk-secret"', { "x-siliconcloud-trace-id": "ti_1" });
    const error = await failureOf(collect());
    expect(error).toMatchObject({ name: "AuthenticationError", status: 401, traceId: "ti_1", retryable: false });
    expect(JSON.stringify(error) + inspect(error)).not.toContain("sk-secret");
  });
});

test("an unknown address is refused by nock, never asked on the network", async () => {
  const error = await failureOf(client.chat.create(request));
  expect(error).toMatchObject({ name: "ConnectionError", reason: "refused" });
  expect(unmatched.splice(0)).toHaveLength(1);
});
