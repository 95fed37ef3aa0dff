import type { ChatCompletionRequest } from "@langchain-siliconflow/client";
import { AIMessage, type AIMessageChunk, HumanMessage, SystemMessage, ToolMessage } from "@langchain/core/messages";
import nock from "nock";
import { describe, expect, test } from "vitest";
import type { ChatSiliconFlowFields } from "./chat-fields.js";
import { toChatChunks } from "./messages-api-answer.js";
import { toMessagesRequest } from "./messages-api-request.js";
import { chat, host } from "./mocked-host.js";
import { collect } from "./read-stream.js";
import type { StreamEnd } from "./repaired-stream.js";

const options = { defaultMaxTokens: 8192, passedThrough: undefined };
const hello: ChatCompletionRequest["messages"] = [{ role: "user", content: "hi" }];

function translated(request: Partial<ChatCompletionRequest>, passedThrough?: Record<string, unknown>) {
  return toMessagesRequest({ model: "m", messages: hello, ...request }, { ...options, passedThrough });
}

/** A model of the messages endpoint, and what it sends. */
function ask(fields: Partial<ChatSiliconFlowFields> = {}, message: object = {}) {
  const sent = new Promise<Record<string, unknown>>((resolve) => {
    nock(host)
      .post("/v1/messages")
      .reply(async (request: Request) => {
        resolve((await request.json()) as Record<string, unknown>);
        const body = {
          id: "msg_1",
          type: "message",
          role: "assistant",
          model: "m",
          content: [{ type: "text", text: "Lima" }],
          stop_reason: "end_turn",
          usage: { input_tokens: 3, output_tokens: 1 },
          ...message,
        };
        return [200, JSON.stringify(body), { "content-type": "application/json" }];
      });
  });
  return { model: chat({ api: "messages", ...fields }), sent };
}

describe("the request", () => {
  test("a whole conversation", async () => {
    const { model, sent } = ask({ temperature: 0.2, topP: 0.9, topK: 5, stop: ["END"], maxTokens: 50 });
    await model.invoke([
      new SystemMessage("Be brief."),
      new HumanMessage({
        content: [
          { type: "text", text: "What is it?" },
          { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } },
          { type: "image", url: "https://img.example.test/cat.jpg" },
        ],
      }),
      new AIMessage({
        content: "I look.",
        additional_kwargs: { reasoning_content: "First.Second.Third." },
        response_metadata: {
          thinking_signatures: [
            { length: 6, signature: "one" },
            { length: 7, signature: "two" },
          ],
        },
        tool_calls: [{ id: "1", name: "look", args: { at: "it" } }],
      }),
      new ToolMessage({ tool_call_id: "1", content: "a cat" }),
      new HumanMessage("Well?"),
    ]);
    expect(await sent).toEqual({
      model: "Qwen/Qwen3-8B",
      stream: false,
      max_tokens: 50,
      temperature: 0.2,
      top_p: 0.9,
      top_k: 5,
      stop_sequences: ["END"],
      system: "Be brief.",
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "What is it?" },
            { type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } },
            { type: "image", source: { type: "url", url: "https://img.example.test/cat.jpg" } },
          ],
        },
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking: "First.", signature: "one" },
            { type: "thinking", thinking: "Second.", signature: "two" },
            { type: "thinking", thinking: "Third." },
            { type: "text", text: "I look." },
            { type: "tool_use", id: "1", name: "look", input: { at: "it" } },
          ],
        },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: "1", content: "a cat" },
            { type: "text", text: "Well?" },
          ],
        },
      ],
    });
  });

  test("a limit is always sent: the user's, the model's, or the default", async () => {
    const own = ask({ maxTokens: 7 });
    await own.model.invoke("hi");
    expect(await own.sent).toMatchObject({ max_tokens: 7 });
    const known = ask({ model: "Qwen/Qwen3-8B", profile: { maxOutputTokens: 1234 } });
    await known.model.invoke("hi");
    expect(await known.sent).toMatchObject({ max_tokens: 1234 });
    expect(translated({})).toMatchObject({ max_tokens: 8192 });
  });

  test("system messages: several at the beginning, and one in between", () => {
    const messages = [
      { role: "system", content: "A" },
      { role: "system", content: "B" },
      { role: "user", content: "hi" },
      { role: "system", content: "C" },
      { role: "user", content: "go on" },
    ];
    expect(translated({ messages })).toEqual({
      model: "m",
      max_tokens: 8192,
      system: [
        { type: "text", text: "A" },
        { type: "text", text: "B" },
      ],
      messages: [
        { role: "user", content: "hi" },
        { role: "system", content: "C" },
        { role: "user", content: "go on" },
      ],
    });
    expect(() => translated({ messages: [{ role: "system", content: "A" }] })).toThrow(/Add a human message/);
  });

  test.each([
    ["auto", undefined, { type: "auto" }],
    ["required", undefined, { type: "any" }],
    ["none", undefined, { type: "none" }],
    [{ type: "function", function: { name: "f" } }, undefined, { type: "tool", name: "f" }],
    [undefined, false, { type: "auto", disable_parallel_tool_use: true }],
    ["required", false, { type: "any", disable_parallel_tool_use: true }],
    [undefined, true, undefined],
  ])("tool_choice %j with parallel_tool_calls %j", (tool_choice, parallel_tool_calls, expected) => {
    expect(translated({ tool_choice, parallel_tool_calls }).tool_choice).toEqual(expected);
  });

  test("a tool without parameters still has an object to fill", () => {
    const tools = [{ type: "function", function: { name: "now" } }];
    expect(translated({ tools }).tools).toEqual([{ name: "now", input_schema: { type: "object" } }]);
  });

  test("a prefix is an assistant's turn that is continued", () => {
    expect(translated({ prefix: "Once" }).messages).toEqual([...hello, { role: "assistant", content: "Once" }]);
  });

  test("fields of the user's own go through", () => {
    expect(translated({ thinking: { type: "enabled" } }, { thinking: { type: "enabled" } })).toMatchObject({
      thinking: { type: "enabled" },
    });
  });

  test.each([
    [{ enable_thinking: true }, /"enable_thinking" is no field/],
    [{ suffix: "x" }, /"suffix" is no field/],
    [{ response_format: { type: "json_object" as const } }, /"response_format" is no field/],
    [{ n: 2 }, /"n" is no field/],
    [{ tools: [{ type: "function", function: { name: "f", strict: true } }] }, /strict/],
    [{ messages: [{ role: "user", content: [{ type: "audio_url", audio_url: { url: "x" } }] }] }, /audio_url/],
    [
      { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "data:application/pdf,x" } }] }] },
      /image/,
    ],
    [
      {
        messages: [
          {
            role: "assistant",
            content: "",
            tool_calls: [{ id: "1", type: "function" as const, function: { name: "f", arguments: "{se" } }],
          },
        ],
      },
      /no JSON object/,
    ],
  ])("%j is refused before anything is sent", (request, message) => {
    expect(() => translated(request)).toThrow(message);
  });
});

describe("the answer", () => {
  test.each([
    ["end_turn", "stop", "end_turn"],
    ["stop_sequence", "stop", "stop_sequence"],
    ["max_tokens", "length", "max_tokens"],
    ["refusal", "content_filter", "refusal"],
    ["something_new", "something_new", undefined],
  ])("stop_reason %s is the finish reason %s", async (stop_reason, finish_reason, native) => {
    const { model } = ask({}, { stop_reason, stop_sequence: "END" });
    const { response_metadata } = await model.invoke("hi");
    expect(response_metadata).toMatchObject({ finish_reason, stop_sequence: "END" });
    expect(response_metadata["native_finish_reason"]).toBe(native);
  });

  test("a call that the token limit cut is not run", async () => {
    const content = [{ type: "tool_use", id: "1", name: "f", input: "{se" }];
    const { model } = ask({}, { content, stop_reason: "max_tokens" });
    const message = await model.invoke("hi");
    expect(message.tool_calls).toEqual([]);
    expect(message.invalid_tool_calls).toMatchObject([{ id: "1", name: "f", args: "{se" }]);
  });

  test.each([
    ["a list", [], "end_turn", "[]"],
    ["a list, cut", [], "max_tokens", "[]"],
    ["nothing yet, cut", {}, "max_tokens", ""],
  ])("arguments that are %s are no call, streamed or not", async (_name, input, stop_reason, args) => {
    const content = [
      { type: "tool_use", id: "0", name: "f", input: { a: 1 } },
      { type: "tool_use", id: "1", name: "f", input },
    ];
    const wire = [
      { type: "message_start", message: { id: "msg_1", content: [] } },
      // No end of a block is told.
      ...content.map((content_block, index) => ({ type: "content_block_start", index, content_block })),
      { type: "message_delta", delta: { stop_reason } },
    ];
    nock(host)
      .post("/v1/messages")
      .times(2)
      .reply(200, wire.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(""), {
        "content-type": "text/event-stream",
      });
    const model = chat({ api: "messages" });
    let streamed: AIMessageChunk | undefined;
    for await (const chunk of await model.stream("hi")) streamed = streamed?.concat(chunk) ?? chunk;
    for (const message of [streamed!, await model.invoke("hi")]) {
      expect(message.tool_calls).toMatchObject([{ id: "0", args: { a: 1 } }]);
      expect(message.invalid_tool_calls).toMatchObject([{ id: "1", args }]);
    }
  });

  test("signatures stand in the order of their thoughts", async () => {
    async function* events() {
      for (const [index, thinking] of ["Hm.", "Well."].entries()) {
        yield { type: "content_block_delta", index, delta: { thinking } };
        yield { type: "content_block_delta", index, delta: { signature: `signature of ${thinking}` } };
        if (index === 1) yield { type: "content_block_stop", index };
      }
      yield { type: "message_stop" };
    }
    const end: StreamEnd = {};
    await collect(toChatChunks(events(), end));
    expect(end.metadata?.["thinking_signatures"]).toEqual([
      { length: 3, signature: "signature of Hm." },
      { length: 5, signature: "signature of Well." },
    ]);
  });

  test("a stream that leaves out everything it can", async () => {
    async function* events() {
      yield { type: "content_block_delta", index: 0, delta: { thinking: "Hm." } };
      yield { type: "content_block_delta", index: 1, delta: { text: "Lima" } };
      yield {
        type: "content_block_start",
        index: 2,
        content_block: { type: "tool_use", id: "1", name: "f", input: { a: 1 } },
      };
      yield { type: "message_stop" };
    }
    const chunks = await collect(toChatChunks(events(), undefined));
    expect(chunks.map(({ choices }) => choices[0])).toMatchObject([
      { delta: { reasoning_content: "Hm." } },
      { delta: { content: "Lima" } },
      { delta: { tool_calls: [{ index: 0, id: "1", function: { name: "f", arguments: '{"a":1}' } }] } },
      { delta: {}, finish_reason: "stop" },
    ]);
  });
});

describe("the model", () => {
  test("is written out with its endpoint, and its cache keys tell the endpoints apart", () => {
    expect(JSON.parse(JSON.stringify(chat({ api: "messages" })))).toMatchObject({ kwargs: { api: "messages" } });
    expect(chat({ api: "messages" })._identifyingParams()).toMatchObject({ api: "messages" });
    expect(chat()._identifyingParams()).not.toHaveProperty("api");
    expect(() => chat({ api: "responses" as "chat" })).toThrow(/must be "chat" or "messages"/);
  });

  test("counts what the service counted", async () => {
    const usage = { input_tokens: 3, output_tokens: 1, cache_read_input_tokens: 5, cache_creation_input_tokens: 2 };
    const { model } = ask({}, { usage });
    const { usage_metadata } = await model.invoke("hi");
    expect(usage_metadata).toMatchObject({
      input_tokens: 10,
      output_tokens: 1,
      total_tokens: 11,
      input_token_details: { cache_read: 5 },
    });
  });
});
