import { startEmulator, type Emulator } from "@langchain-siliconflow/emulator";
import OpenAI from "openai";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

// Many who come to SiliconFlow come with this client: what it needs is part of what the emulator promises.
let emulator: Emulator;
let openai: OpenAI;
beforeEach(async () => {
  emulator = await startEmulator();
  openai = new OpenAI({ baseURL: emulator.url, apiKey: emulator.apiKey, maxRetries: 0 });
});
afterEach(() => emulator.close());

const messages = [
  { role: "user" as const, content: "[1] Alpha lies on the river Beta.\n\nQuestion: Which river does Alpha lie on?" },
];

test("chat answers from the passages", async () => {
  const completion = await openai.chat.completions.create({ model: "Qwen/Qwen2.5-7B-Instruct", messages });

  expect(completion.choices[0]!.message.content).toContain('"Alpha lies on the river Beta." [1]');
  expect(completion.usage!.total_tokens).toBe(completion.usage!.prompt_tokens + completion.usage!.completion_tokens);
});

test("chat streams the same answer, with its usage", async () => {
  const stream = await openai.chat.completions.create({ model: "Qwen/Qwen3-8B", messages, stream: true });
  let content = "";
  let finishReason: string | null = null;
  let total = 0;
  for await (const chunk of stream) {
    content += chunk.choices[0]?.delta.content ?? "";
    finishReason = chunk.choices[0]?.finish_reason ?? finishReason;
    total = chunk.usage?.total_tokens ?? total;
  }

  expect(content).toContain('"Alpha lies on the river Beta." [1]');
  expect(finishReason).toBe("stop");
  expect(total).toBeGreaterThan(0);
});

test("its streaming runner puts a tool call together", async () => {
  const stream = openai.chat.completions.stream({
    model: "Qwen/Qwen3-8B",
    messages: [{ role: "user", content: "What is the weather in Oslo?" }],
    tools: [
      {
        type: "function",
        function: {
          name: "get_weather",
          parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
        },
      },
    ],
  });
  const { choices } = await stream.finalChatCompletion();

  expect(choices[0]).toMatchObject({
    finish_reason: "tool_calls",
    message: { tool_calls: [{ type: "function", function: { name: "get_weather", arguments: '{"city":"Oslo"}' } }] },
  });
});

test("embeddings arrive as numbers, also by the base64 it asks for on its own", async () => {
  const input = ["a river", "a town"];
  const byDefault = await openai.embeddings.create({ model: "BAAI/bge-m3", input });
  const asNumbers = await openai.embeddings.create({ model: "BAAI/bge-m3", input, encoding_format: "float" });

  expect(emulator.requests.map((request) => (request.body as { encoding_format: string }).encoding_format)).toEqual([
    "base64",
    "float",
  ]);
  expect(byDefault.data.map(({ embedding }) => embedding)).toEqual(
    asNumbers.data.map(({ embedding }) => embedding.map(Math.fround)),
  );
});

test("models are listed", async () => {
  const ids: string[] = [];
  for await (const model of openai.models.list()) ids.push(model.id);
  expect(ids).toContain("Qwen/Qwen3-8B");
});

test("a refusal is its error class for the status", async () => {
  const asked = openai.chat.completions.create({ model: "no/such-model", messages });
  await expect(asked).rejects.toBeInstanceOf(OpenAI.BadRequestError);
});

describe("on endpoints of the service's own shape", () => {
  test("speech is spoken and heard again", async () => {
    const model = "FunAudioLLM/CosyVoice2-0.5B";
    const voice = `${model}:anna`;
    const sound = await openai.audio.speech.create({ model, voice, input: "Good night.", response_format: "wav" });
    const file = new File([await sound.blob()], "night.wav");
    const { text } = await openai.audio.transcriptions.create({ model: "FunAudioLLM/SenseVoiceSmall", file });
    expect(text).toBe("Good night.");
  });

  // The service wraps what it says of files: the id is not where this client's types have it.
  test("a file is uploaded, its id lies one deeper, and a batch takes it", async () => {
    const file = new File([JSON.stringify({ custom_id: "a" })], "lines.jsonl");
    const uploaded = await openai.files.create({ file, purpose: "batch" });
    expect(uploaded.id).toBeUndefined();
    const { id } = (uploaded as unknown as { data: { id: string } }).data;
    const batch = await openai.batches.create({
      input_file_id: id,
      endpoint: "/v1/chat/completions",
      completion_window: "24h",
    });
    expect((await openai.batches.retrieve(batch.id)).input_file_id).toBe(id);
    expect((await openai.batches.list()).data.map((each) => each.id)).toEqual([batch.id]);
  });

  test("the list of files needs a purpose, and is no list to this client", async () => {
    await expect(openai.files.list()).rejects.toBeInstanceOf(OpenAI.BadRequestError);
    const page = await openai.files.list({ purpose: "batch" });
    expect((page.data as unknown as { data: unknown[] }).data).toEqual([]);
  });

  test("an image is made, under a key that this client does not know", async () => {
    const made = await openai.images.generate({ model: "Qwen/Qwen-Image", prompt: "a red star" });
    expect(made.data).toBeUndefined();
    expect(made).toMatchObject({ images: [{ url: expect.stringContaining("/outputs/") as string }] });
  });
});
