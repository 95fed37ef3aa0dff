import { afterEach, beforeEach, expect, test } from "vitest";
import { startEmulator, type Emulator } from "../index.js";

let emulator: Emulator;
beforeEach(async () => {
  emulator = await startEmulator();
});
afterEach(() => emulator.close());

async function send(fields: object): Promise<Response> {
  return fetch(`${emulator.url}/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${emulator.apiKey}` },
    body: JSON.stringify({ model: "Qwen/Qwen3-Coder-30B-A3B-Instruct", prompt: "def", ...fields }),
  });
}

interface Answer {
  choices: { text: string; finish_reason: string | null }[];
  usage: { prompt_tokens: number; completion_tokens: number; total_tokens: number };
}

async function text(fields: object): Promise<string> {
  return ((await (await send(fields)).json()) as Answer).choices[0]!.text;
}

test("an answer has the documented shape", async () => {
  expect(await (await send({})).json()).toEqual({
    id: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
    object: "text_completion",
    created: expect.closeTo(Date.now() / 1000, -1) as number,
    model: "Qwen/Qwen3-Coder-30B-A3B-Instruct",
    choices: [
      { index: 0, text: expect.stringContaining("an emulator") as string, finish_reason: "stop", logprobs: null },
    ],
    usage: expect.objectContaining({ prompt_tokens: 1 }) as object,
  });
});

test("text goes on as it went on before, or as it goes on after the gap", async () => {
  const prompt = "north = read('north.csv')\nsouth = read('south.csv')\nnorth = read(";
  expect(await text({ prompt })).toBe("'north.csv')");
  expect(await text({ prompt: "north = read('north.csv')\neast = read(", suffix: ")\n" })).toBe("'north.csv'");
  expect(await text({ prompt: "total = add(a,", suffix: "\nother = add(a, b)\n" })).toBe(" b)");
});

test("a stream is the same text in pieces, its counts growing to the whole's", async () => {
  const fields = { prompt: "one two three four\none two", max_tokens: 64 };
  const events = (await (await send({ ...fields, stream: true })).text()).split("\n\n").filter(Boolean);
  expect(events.at(-1)).toBe("data: [DONE]");
  const chunks = events.slice(0, -1).map((event) => JSON.parse(event.slice(6)) as Answer);
  expect(chunks.map((chunk) => chunk.choices[0]!.text).join("")).toBe(await text(fields));
  expect(chunks.map((chunk) => chunk.choices[0]!.finish_reason)).toEqual([null, null, "stop"]);
  expect(chunks.map((chunk) => chunk.usage.completion_tokens)).toEqual([1, 2, 2]);
});

test("max_tokens and stop end it", async () => {
  emulator.script([{ content: "one two three" }, { content: "one two three" }]);
  expect(await (await send({ max_tokens: 2 })).json()).toMatchObject({
    choices: [{ text: "one two", finish_reason: "length" }],
  });
  expect(await (await send({ stop: " two" })).json()).toMatchObject({
    choices: [{ text: "one", finish_reason: "stop" }],
  });
});

test.each([
  [{ prompt: undefined }, "Field required"],
  [{ prompt: ["a"] }, "Input should be a valid string"],
  [{ suffix: 1 }, "Input should be a valid string"],
  [{ max_tokens: 0 }, "greater than or equal to 1"],
])("%j is refused", async (fields, message) => {
  const response = await send(fields);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({
    code: 20015,
    message: expect.stringContaining(message) as string,
  });
});

test("faults and the journal know the endpoint", async () => {
  emulator.fault({ endpoint: "completions", status: 503 });
  expect((await send({})).status).toBe(503);
  expect(emulator.requests).toMatchObject([{ endpoint: "completions", body: { prompt: "def" } }]);
});
