import { afterEach, beforeEach, expect, test } from "vitest";
import { emulatorModels, startEmulator, type Emulator } from "../index.js";

let emulator: Emulator;
beforeEach(async () => {
  emulator = await startEmulator();
});
afterEach(() => emulator.close());

interface Answer {
  object: string;
  model: string;
  data: { object: string; index: number; embedding: number[] | string }[];
  usage: object;
}

function send(fields: object, service = emulator): Promise<Response> {
  return fetch(`${service.url}/embeddings`, {
    method: "POST",
    headers: { authorization: `Bearer ${service.apiKey}` },
    body: JSON.stringify({ model: "BAAI/bge-m3", ...fields }),
  });
}

async function vectors(fields: object, service = emulator): Promise<number[][]> {
  const { data } = (await (await send(fields, service)).json()) as Answer;
  return data.map(({ embedding }) => embedding as number[]);
}

const nearness = (one: number[], other: number[]) => one.reduce((sum, value, place) => sum + value * other[place]!, 0);

test("the answer has the documented shape", async () => {
  const response = await send({ input: ["apple", "苹果"] });
  const answer = (await response.json()) as Answer;

  expect(answer).toMatchObject({
    object: "list",
    model: "BAAI/bge-m3",
    data: [
      { object: "embedding", index: 0 },
      { object: "embedding", index: 1 },
    ],
    usage: { prompt_tokens: 2, completion_tokens: 0, total_tokens: 2 },
  });
  expect(answer.data.map(({ embedding }) => embedding.length)).toEqual([1024, 1024]);
});

test("vectors are of unit length, and those of a text without letters too", async () => {
  for (const vector of await vectors({ input: ["some words", "…"] })) expect(Math.hypot(...vector)).toBeCloseTo(1, 6);
});

test.each([
  [
    "English",
    [
      "How does a reranker order documents?",
      "Reranking: documents are ordered by a model.",
      "Bread is baked from flour.",
    ],
  ],
  ["Chinese", ["重排序模型如何给文档排序？", "文档由重排序模型按相关性排列。", "面包是用面粉烤的。"]],
])("a text is nearer to a like one than to an unlike one: %s", async (_language, input) => {
  const [question, like, unlike] = await vectors({ input });
  expect(nearness(question!, like!)).toBeGreaterThan(nearness(question!, unlike!) + 0.1);
});

test("base64 is the same vector as float32, little-endian", async () => {
  const [[floats], response] = await Promise.all([
    vectors({ input: "some words" }),
    send({ input: "some words", encoding_format: "base64" }),
  ]);
  const bytes = Buffer.from(((await response.json()) as Answer).data[0]!.embedding as string, "base64");
  const decoded = Array.from({ length: bytes.length / 4 }, (_, place) => bytes.readFloatLE(place * 4));

  expect(decoded).toEqual(floats!.map(Math.fround));
});

test("a vector depends on text, model, dimensions and seed, and on nothing else", async () => {
  const model = "Qwen/Qwen3-Embedding-0.6B";
  const fields = { model, input: "a few words that make a vector" };
  const stranger = await startEmulator({ seed: 1 });
  const [[one], [again], [foreign]] = [
    await vectors(fields),
    await vectors({ ...fields, input: [fields.input, "x"] }),
    await vectors(fields, stranger),
  ];
  const [otherModel] = await vectors({ ...fields, model: "BAAI/bge-m3" });
  await stranger.close();

  expect(again).toEqual(one);
  expect(Math.abs(nearness(one!, foreign!))).toBeLessThan(0.3);
  expect(Math.abs(nearness(one!, otherModel!))).toBeLessThan(0.3);
});

test("every documented length can be asked for, and no other", async () => {
  for (const dimensions of [64, 128, 256, 512, 768, 1024, 1536, 2048, 2560, 4096]) {
    const [vector] = await vectors({ model: "Qwen/Qwen3-Embedding-8B", input: "a", dimensions });
    expect(vector).toHaveLength(dimensions);
  }
  expect((await send({ model: "Qwen/Qwen3-Embedding-8B", input: "a", dimensions: 100 })).status).toBe(400);
  expect((await send({ model: "Qwen/Qwen3-Embedding-0.6B", input: "a", dimensions: 2048 })).status).toBe(400);
});

test.each([
  ["dimensions on a model without them", { input: "a", dimensions: 512 }],
  ["an empty text", { input: ["a", ""] }],
  ["an empty list", { input: [] }],
  ["no input", {}],
  ["a number", { input: [1] }],
  ["a text longer than the model takes", { model: "BAAI/bge-large-en-v1.5", input: "word ".repeat(600) }],
  ["an unknown encoding", { input: "a", encoding_format: "int8" }],
])("%s is refused with 20015", async (_name, fields) => {
  const response = await send(fields);
  expect([response.status, await response.json()]).toMatchObject([400, { code: 20015, data: null }]);
});

test.each([
  [undefined, 33, "input batch size 33 > maximum allowed batch size 32"],
  [64, 65, "input batch size 65 > maximum allowed batch size 64"],
])("a batch over the cap is refused with 413 and both numbers", async (batchCap, size, message) => {
  const service = await startEmulator(batchCap === undefined ? {} : { batchCap });
  const within = await send({ input: Array.from({ length: size - 1 }, () => "a") }, service);
  const response = await send({ input: Array.from({ length: size }, () => "a") }, service);

  expect(within.status).toBe(200);
  expect([response.status, await response.json()]).toEqual([413, { code: 20042, message, data: null }]);
  await service.close();
});

test("the semantic model knows that a car is a vehicle", async () => {
  const service = await startEmulator({ models: "semantic" });
  const input = [
    "My car broke down on the motorway.",
    "The vehicle stopped working while driving.",
    "The soup needs more salt.",
  ];
  const [car, vehicle, soup] = await vectors({ model: emulatorModels.semanticEmbedding, input }, service);

  expect(car).toHaveLength(512);
  expect(nearness(car!, vehicle!)).toBeGreaterThan(nearness(car!, soup!) + 0.2);
  await service.close();
});

test("without it the semantic model does not exist", async () => {
  expect(await (await send({ model: emulatorModels.semanticEmbedding, input: "a" })).json()).toMatchObject({
    code: 20012,
  });
});
