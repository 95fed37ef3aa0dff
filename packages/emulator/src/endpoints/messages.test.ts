import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startEmulator, type Emulator, type EmulatorOptions } from "../index.js";

let emulator: Emulator;
beforeEach(async () => {
  emulator = await startEmulator();
});
afterEach(() => emulator.close());

async function restart(options: EmulatorOptions): Promise<void> {
  await emulator.close();
  emulator = await startEmulator(options);
}

const hello = [{ role: "user", content: "hello" }];
const weather = {
  name: "weather",
  description: "The weather in a city",
  input_schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
};

async function send(fields: object, headers?: Record<string, string>): Promise<Response> {
  return fetch(`${emulator.url}/messages`, {
    method: "POST",
    headers: headers ?? { authorization: `Bearer ${emulator.apiKey}` },
    body: JSON.stringify({ model: "zai-org/GLM-4.6", max_tokens: 256, messages: hello, ...fields }),
  });
}

async function answer(fields: object): Promise<Record<string, unknown>> {
  const response = await send(fields);
  expect(response.status).toBe(200);
  return (await response.json()) as Record<string, unknown>;
}

/** Names and data of a stream's events; data alone for one without a name. */
async function events(fields: object): Promise<[string | undefined, Record<string, unknown> | string][]> {
  const text = await (await send({ stream: true, ...fields })).text();
  return text
    .split("\n\n")
    .filter(Boolean)
    .map((event) => {
      const [, name, data] = /^(?:event: (.*)\n)?data: (.*)$/s.exec(event)!;
      return [name, data === "[DONE]" ? data : (JSON.parse(data!) as Record<string, unknown>)];
    });
}

describe("an answer in one piece", () => {
  test("has the documented shape", async () => {
    emulator.script([{ reasoning: "Short greeting.", content: "Hello!" }]);
    expect(await answer({})).toEqual({
      id: expect.stringMatching(/^msg_[0-9a-f]{32}$/) as string,
      type: "message",
      role: "assistant",
      model: "zai-org/GLM-4.6",
      content: [
        { type: "thinking", thinking: "Short greeting.", signature: expect.stringMatching(/./) as string },
        { type: "text", text: "Hello!" },
      ],
      stop_reason: "end_turn",
      stop_sequence: null,
      usage: { input_tokens: 5, output_tokens: 6, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 },
    });
  });

  test("calls the tool that fits, and answers from its result", async () => {
    const question = { role: "user", content: "What is the weather in Lima?" };
    const called = await answer({ messages: [question], tools: [weather], system: "Be brief." });
    expect(called).toMatchObject({ stop_reason: "tool_use" });
    const [, call] = called["content"] as { id: string }[];
    expect(call).toMatchObject({ type: "tool_use", name: "weather", input: { city: "Lima" } });

    const result = { type: "tool_result", tool_use_id: call!.id, content: [{ type: "text", text: "sunny" }] };
    const messages = [question, { role: "assistant", content: called["content"] }, { role: "user", content: [result] }];
    expect(await answer({ messages, tools: [weather] })).toMatchObject({
      content: [{ type: "thinking" }, { type: "text", text: "weather returned: sunny" }],
    });
  });

  test.each([
    [{ type: "none" }, "end_turn"],
    [{ type: "any" }, "tool_use"],
    [{ type: "tool", name: "weather" }, "tool_use"],
  ])("obeys tool_choice %j", async (tool_choice, stop_reason) => {
    expect(await answer({ tools: [weather], tool_choice })).toMatchObject({ stop_reason });
  });

  test("max_tokens and stop sequences end it", async () => {
    emulator.script([{ content: "one two three" }, { content: "one two three" }]);
    expect(await answer({ max_tokens: 2 })).toMatchObject({ stop_reason: "max_tokens", stop_sequence: null });
    expect(await answer({ stop_sequences: ["three", " two"] })).toMatchObject({
      content: [{ text: "one" }],
      stop_reason: "stop_sequence",
      stop_sequence: " two",
    });
  });
});

describe("a stream", () => {
  test("names its events, and starts with the one that is documented", async () => {
    emulator.script([
      { reasoning: ["Hm."], content: ["Hel", "lo"], toolCalls: [{ id: "1", name: "f", arguments: { a: 1 } }] },
    ]);
    const all = await events({});
    expect(all.every(([name, data]) => typeof data === "string" || data["type"] === name)).toBe(true);
    expect(all[0]![1]).toMatchObject({ message: { content: [], usage: { input_tokens: 5 } } });
    expect(all.map(([, data]) => (typeof data === "string" ? data : (data["delta"] ?? data["type"])))).toEqual([
      "message_start",
      "ping",
      "content_block_start",
      { type: "thinking_delta", thinking: "Hm." },
      { type: "signature_delta", signature: expect.stringMatching(/./) as string },
      "content_block_stop",
      "content_block_start",
      { type: "text_delta", text: "Hel" },
      { type: "text_delta", text: "lo" },
      "content_block_stop",
      "content_block_start",
      { type: "input_json_delta", partial_json: '{"a":1}' },
      "content_block_stop",
      { stop_reason: "tool_use", stop_sequence: null },
      "message_stop",
      "[DONE]",
    ]);
  });

  test.each(["message_stop", "[DONE]"] as const)("can end with %s alone", async (messagesEnd) => {
    await restart({ quirks: { messagesEnd } });
    const ends = (await events({})).map(([, data]) => (typeof data === "string" ? data : data["type"]));
    expect(ends.slice(-2)).toEqual(["message_delta", messagesEnd]);
  });

  test("given event by event goes out as it is", async () => {
    emulator.script([{ chunks: [{ type: "message_start" }, "{broken"] }]);
    expect(await (await send({ stream: true })).text()).toBe(
      'event: message_start\ndata: {"type":"message_start"}\n\ndata: {broken\n\n',
    );
  });
});

test("either header brings the key, and the journal keeps neither", async () => {
  expect((await send({}, { "x-api-key": emulator.apiKey })).status).toBe(200);
  expect((await send({}, { "x-api-key": "sk-wrong" })).status).toBe(401);
  const chat = await fetch(`${emulator.url}/chat/completions`, {
    method: "POST",
    headers: { "x-api-key": emulator.apiKey },
    body: JSON.stringify({ model: "zai-org/GLM-4.6", messages: hello }),
  });
  expect(chat.status).toBe(401);
  expect(emulator.requests[0]).toMatchObject({ endpoint: "messages" });
  expect(JSON.stringify(emulator.requests)).not.toContain(emulator.apiKey);
});

test.each([
  [{ messages: [] }, "at least 1 item"],
  [{ messages: [{ role: "tool", content: "x" }] }, "'user', 'assistant' or 'system'"],
  [{ messages: [{ role: "user", content: [{ type: "image_url" }] }] }, "Input tag 'image_url'"],
  [
    { messages: [{ role: "assistant", content: [{ type: "tool_use", id: "1", name: "f", input: "{}" }] }] },
    "dictionary",
  ],
  [{ messages: [{ role: "user", content: [{ type: "tool_result", content: "x" }] }] }, "Field required"],
  [{ system: [{ type: "text", text: "" }] }, "at least 1 character"],
  [{ top_p: 0.05 }, "greater than or equal to 0.1"],
  [{ top_k: 60 }, "less than or equal to 50"],
  [{ tools: [{ name: "f", input_schema: { type: "string" } }] }, "Input should be 'object'"],
  [{ tools: [weather], tool_choice: "auto" }, "valid dictionary"],
  [{ tools: [weather], tool_choice: { type: "required" } }, "'auto', 'any', 'tool' or 'none'"],
  [{ max_tokens: 0 }, "greater than or equal to 1"],
])("%j is refused", async (fields, message) => {
  const response = await send(fields);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ code: 20015, message: expect.stringContaining(message) as string });
});
