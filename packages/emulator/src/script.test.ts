import { afterEach, beforeEach, expect, test } from "vitest";
import { startEmulator, type Emulator } from "./index.js";

let emulator: Emulator;
beforeEach(async () => {
  emulator = await startEmulator();
});
afterEach(() => emulator.close());

async function send(path: string, body: object): Promise<{ status: number; text: string; headers: Headers }> {
  const response = await fetch(`${emulator.url}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${emulator.apiKey}` },
    body: JSON.stringify(body),
  });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

const chat = (fields: object = {}) =>
  send("/chat/completions", { model: "Qwen/Qwen3-8B", messages: [{ role: "user", content: "hello" }], ...fields });
const embed = () => send("/embeddings", { model: "BAAI/bge-m3", input: "a" });
const payloads = (text: string) =>
  text
    .split("\n\n")
    .filter((event) => event.startsWith("data: {"))
    .map((event) => JSON.parse(event.slice(6)) as { choices: { delta: Record<string, unknown> }[] });

test("answers come in their order, then the model speaks for itself again", async () => {
  emulator.script([{ content: "one" }, { content: "two", reasoning: "hm", finishReason: "eos" }]);

  expect(JSON.parse((await chat()).text)).toMatchObject({
    choices: [{ message: { content: "one" }, finish_reason: "stop" }],
  });
  expect(JSON.parse((await chat()).text)).toMatchObject({
    choices: [{ message: { content: "two", reasoning_content: "hm" }, finish_reason: "eos" }],
  });
  expect((await chat()).text).toContain("emulator");
});

test("tool calls, usage and ids are the script's", async () => {
  emulator.script([
    {
      toolCalls: [
        { name: "look", arguments: { sku: "A-17" }, id: "call_1" },
        { name: "look", arguments: "{broken" },
      ],
      usage: { prompt_tokens: 7, completion_tokens: 3 },
    },
  ]);
  const answer = JSON.parse((await chat()).text) as {
    choices: { message: { content: string; tool_calls: unknown[] }; finish_reason: string }[];
    usage: object;
  };

  expect(answer.choices[0]).toMatchObject({
    message: {
      content: "",
      tool_calls: [
        { id: "call_1", type: "function", function: { name: "look", arguments: '{"sku":"A-17"}' } },
        { function: { name: "look", arguments: "{broken" } },
      ],
    },
    finish_reason: "tool_calls",
  });
  expect(answer.usage).toMatchObject({ prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 });
});

test("a list is streamed as exactly these deltas", async () => {
  emulator.script([{ reasoning: ["a ", "b"], content: ["c", "", "d"] }]);
  const deltas = payloads((await chat({ stream: true })).text).map((chunk) => chunk.choices[0]!.delta);
  expect(deltas.slice(1, -1)).toEqual([
    { content: null, reasoning_content: "a " },
    { content: null, reasoning_content: "b" },
    { content: "c", reasoning_content: null },
    { content: "", reasoning_content: null },
    { content: "d", reasoning_content: null },
  ]);
});

test("chunks go out as they are, with nothing added", async () => {
  emulator.script([{ chunks: [{ choices: [] }, "not json"] }]);
  const { text, headers } = await chat({ stream: true });
  expect(text).toBe('data: {"choices":[]}\n\ndata: not json\n\n');
  expect(headers.get("content-type")).toBe("text/event-stream");
});

test("a wire answer waits for its endpoint and skips every check but the key", async () => {
  emulator.script([
    { endpoint: "rerank", body: { results: [] } },
    { endpoint: "embeddings", status: 500, headers: { "X-A": "1" } },
  ]);

  const embedded = await embed();
  expect(embedded).toMatchObject({
    status: 500,
    text: '{"code":50507,"message":"Request failed: Unknown error","data":null}',
  });
  expect(embedded.headers.get("x-a")).toBe("1");
  expect((await send("/rerank", {})).text).toBe('{"results":[]}');
});

test("a function answers from the request, or declines and stays", async () => {
  emulator.script([
    (request) =>
      request.endpoint === "chat" ? { content: `${(request.body as { model: string }).model}!` } : undefined,
  ]);
  expect((await embed()).status).toBe(200);
  expect((await chat()).text).toContain("Qwen/Qwen3-8B!");
});

test("a function that throws is a 500 that says so", async () => {
  emulator.script([
    () => {
      throw new Error("bad script");
    },
  ]);
  expect(await chat()).toMatchObject({ status: 500, text: expect.stringContaining("bad script") as string });
});
