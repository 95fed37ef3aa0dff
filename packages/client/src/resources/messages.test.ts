import { Readable } from "node:stream";
import nock from "nock";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { SiliconFlowClient } from "../undici-client.js";
import type { MessagesRequest, MessageStreamEvent } from "./messages-wire.js";

const settled: number[] = [];
const client = new SiliconFlowClient({
  apiKey: "sk-secret",
  baseURL: "https://siliconflow.test/v1",
  maxRetries: 0,
  limiter: { acquire: async () => ({ settle: ({ tokens }) => void settled.push(tokens), penalize: () => {} }) },
});
const request = {
  model: "m",
  max_tokens: 64,
  system: "a system prompt",
  messages: [{ role: "user", content: "the prompt" }],
} satisfies MessagesRequest;

beforeEach(() => {
  nock.disableNetConnect();
  settled.length = 0;
});
afterEach(() => {
  const unused = nock.pendingMocks();
  nock.cleanAll();
  if (unused.length > 0) throw new Error(`Never asked: ${unused.join()}.`);
});

function reply(body: unknown, headers: nock.ReplyHeaders = {}, sent: nock.RequestBodyMatcher = () => true): void {
  nock("https://siliconflow.test", { reqheaders: { authorization: "Bearer sk-secret" }, badheaders: ["x-api-key"] })
    .post("/v1/messages", sent)
    .reply(200, body as nock.Body, headers);
}

function replyStream(...pieces: string[]): void {
  reply(() => Readable.from(pieces.map((piece) => Buffer.from(piece))), { "content-type": "text/event-stream" });
}

const answer = {
  id: "msg_1",
  type: "message",
  role: "assistant",
  model: "m",
  content: [
    { type: "thinking", thinking: "Hm.", signature: "c2ln" },
    { type: "text", text: "Lima" },
    { type: "tool_use", id: "toolu_1", name: "look", input: { at: "it" } },
  ],
  stop_reason: "tool_use",
  stop_sequence: null,
  usage: { input_tokens: 6, output_tokens: 21, cache_read_input_tokens: 2 },
  something_new: { kept: true },
};

const event = (value: { type: string; [field: string]: unknown }) =>
  `event: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`;
const { content: _, stop_reason: _reason, usage: _usage, ...head } = answer;
const start = event({
  type: "message_start",
  message: { ...head, content: [], stop_reason: null, usage: { input_tokens: 6, cache_read_input_tokens: 2 } },
});
const delta = (index: number, fields: object) => event({ type: "content_block_delta", index, delta: fields });
const blocks = [
  event({ type: "content_block_start", index: 0, content_block: { type: "thinking", thinking: "" } }),
  event({ type: "ping" }),
  delta(0, { type: "thinking_delta", thinking: "Hm." }),
  delta(0, { type: "signature_delta", signature: "c2ln" }),
  event({ type: "content_block_stop", index: 0 }),
  event({ type: "content_block_start", index: 1, content_block: { type: "text", text: "" } }),
  delta(1, { type: "text_delta", text: "Li" }),
  delta(1, { type: "text_delta", text: "ma" }),
  event({ type: "content_block_stop", index: 1 }),
  event({
    type: "content_block_start",
    index: 2,
    content_block: { type: "tool_use", id: "toolu_1", name: "look", input: {} },
  }),
  delta(2, { type: "input_json_delta", partial_json: '{"at":' }),
  delta(2, { type: "input_json_delta", partial_json: '"it"}' }),
  event({ type: "content_block_stop", index: 2 }),
];
const reason = event({
  type: "message_delta",
  delta: { stop_reason: "tool_use", stop_sequence: null },
  usage: { output_tokens: 21 },
});
const stop = event({ type: "message_stop" });
const done = "data: [DONE]\n\n";

async function collect(): Promise<MessageStreamEvent[]> {
  const events: MessageStreamEvent[] = [];
  for await (const each of client.messages.stream(request)) events.push(each);
  return events;
}

describe("messages.create", () => {
  test("sends what it is given, with a bearer key, and answers with the wire's object", async () => {
    reply(answer, { "x-siliconcloud-trace-id": "ti_1" }, { ...request, unknown: 1, stream: false });
    const message = await client.messages.create({ ...request, unknown: 1 });
    expect(message).toEqual(answer);
    expect(message.traceId).toBe("ti_1");
    expect(settled).toEqual([27]);
  });

  test("counts that are no numbers do not cost the answer", async () => {
    const depth = 20_000;
    const usage = `{"input_tokens":${"[".repeat(depth)}${"]".repeat(depth)}}`;
    reply(JSON.stringify({ ...answer, usage: 0 }).replace('"usage":0', `"usage":${usage}`));
    expect((await client.messages.create(request)).content).toEqual(answer.content);
  });

  test("collects a stream that was not asked for", async () => {
    reply(start + blocks.join("") + reason + stop + done, { "content-type": "text/event-stream" });
    expect(await client.messages.create(request)).toEqual(answer);
  });

  test.each([
    { ...answer, content: undefined },
    { ...answer, content: [null] },
  ])("an answer without blocks is none", async (body) => {
    reply(body);
    await expect(client.messages.create(request)).rejects.toMatchObject({ reason: "malformed" });
  });

  test("an error in Anthropic's shape is an error, without the prompt", async () => {
    const message = "cannot serve: a system prompt";
    reply({ type: "error", error: { type: "overloaded_error", message }, content: [] });
    const error = await client.messages.create(request).catch((thrown: unknown) => thrown as Error);
    expect(error).toMatchObject({ name: "ServiceUnavailableError" });
    expect((error as Error).message).toContain("cannot serve: [input]");
  });

  test("what is missing is said before anything is sent", async () => {
    await expect(client.messages.create({ ...request, model: "" })).rejects.toThrow(/model/);
    expect(() => client.messages.stream({ ...request, messages: [] })).toThrow(/messages/);
  });
});

describe("messages.stream", () => {
  test.each([
    ["message_stop", [stop]],
    ["[DONE]", [done]],
    ["message_stop and [DONE]", [stop, done]],
    ["the stop reason alone", []],
  ])("ends with %s", async (_, end) => {
    replyStream(start, ...blocks, reason, ...end);
    const types = (await collect()).map(({ type }) => type);
    expect(types).not.toContain("ping");
    expect(types.slice(-1)).toEqual(end.includes(stop) ? ["message_stop"] : ["message_delta"]);
    expect(settled).toEqual([27]);
  });

  test("what follows message_stop is no part of the answer", async () => {
    replyStream(start, ...blocks, reason, stop + delta(1, { type: "text_delta", text: "more" }) + "data: {broken\n\n");
    expect((await collect()).at(-1)).toEqual({ type: "message_stop" });
  });

  test("an event is known by its data, or else by its name", async () => {
    replyStream(
      start.replace(/^event.*\n/, ""),
      'event: content_block_delta\ndata: {"index":0,"delta":{"text":"Lima"}}\n\n',
      'data: {"type":"ping"}\n\n',
      'event: something_new\ndata: {"a":1}\n\n',
      stop,
    );
    expect((await collect()).map(({ type }) => type)).toEqual([
      "message_start",
      "content_block_delta",
      "something_new",
      "message_stop",
    ]);
  });

  test.each([
    ["in one line", JSON.stringify(answer)],
    ["in several", JSON.stringify(answer, null, 2)],
  ])("a message in one piece becomes its events: %s", async (_, body) => {
    reply(body);
    const events = await collect();
    expect(events.map(({ type }) => type)).toEqual([
      "message_start",
      ...answer.content.flatMap(() => ["content_block_start", "content_block_stop"]),
      "message_delta",
      "message_stop",
    ]);
    expect(events[0]!.message).toMatchObject({ id: "msg_1", something_new: { kept: true } });
  });

  test.each([
    ["without an end", ""],
    ["although it says [DONE]", done],
  ])("what breaks off %s is an error that holds what had come", async (_, end) => {
    replyStream(start, ...blocks.slice(0, -2), end);
    await expect(collect()).rejects.toMatchObject({
      name: "StreamError",
      reason: "truncated",
      partial: {
        content: "Lima",
        reasoning_content: "Hm.",
        tool_calls: [{ id: "toolu_1", type: "function", function: { name: "look", arguments: '{"at":' } }],
        finish_reason: null,
        usage: { prompt_tokens: 6 },
      },
    });
  });

  test.each(['{"type":"content_block_delta","delta":"x"}', '{"type":"message_start","message":5}', "{}"])(
    "an event that holds something else is damaged: %s",
    async (data) => {
      replyStream(start, delta(0, { type: "text_delta", text: "Li" }), `data: ${data}\n\n`, stop);
      await expect(collect()).rejects.toMatchObject({
        name: "StreamError",
        reason: "malformed",
        partial: { content: "Li" },
      });
    },
  );

  test.each([
    ["begins twice", event({ type: "content_block_start", index: 0, content_block: { type: "text", text: "x" } })],
    ["changes its kind", delta(0, { type: "input_json_delta", partial_json: "{}" })],
    ["grows after its end", event({ type: "content_block_stop", index: 0 }) + delta(0, { text: "x" })],
    ["belongs to a second message", start],
    ["grows after the next one began", delta(1, { text: "" }) + delta(0, { text: "x" })],
    ["is of another type", delta(0, { text: 5 })],
    ["is in no place", delta(-1, { text: "x" })],
  ])("a block that %s is damaged", async (_name, wire) => {
    replyStream(start, delta(0, { type: "text_delta", text: "Li" }), wire, reason, stop);
    await expect(collect()).rejects.toMatchObject({ reason: "malformed", partial: { content: "Li" } });
  });

  test("calls and text may alternate: each goes on where it stopped", async () => {
    replyStream(
      start,
      delta(0, { text: "Li" }),
      event({ type: "content_block_start", index: 1, content_block: { type: "tool_use", id: "1", name: "f" } }),
      delta(0, { text: "ma" }),
      delta(1, { partial_json: "{}" }),
      stop,
    );
    const { content } = await client.messages.create(request);
    expect(content).toMatchObject([
      { type: "text", text: "Lima" },
      { type: "tool_use", input: {} },
    ]);
  });

  test("a message that holds an error is damaged, in whichever way it is read", async () => {
    const spoiled = start.replace('"content":', '"error":["upstream"],"content":');
    for (const read of [collect, async () => client.messages.create(request)]) {
      replyStream(spoiled, delta(0, { text: "Lima" }), stop);
      await expect(read()).rejects.toMatchObject({ reason: "malformed" });
    }
  });

  test("without its beginning a message is not whole", async () => {
    replyStream(delta(0, { type: "text_delta", text: "Li" }), reason, stop);
    await expect(collect()).rejects.toMatchObject({ reason: "truncated", partial: { content: "Li" } });
  });

  test.each([
    'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n',
    'data: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n',
    'data: {"code":50505,"message":"Overloaded","data":null}\n\n',
  ])("an error among the events is an error: %j", async (failure) => {
    replyStream(start, delta(0, { type: "text_delta", text: "Li" }), failure);
    await expect(collect()).rejects.toMatchObject({
      name: "StreamError",
      reason: "overloaded",
      partial: { content: "Li" },
    });
  });
});
