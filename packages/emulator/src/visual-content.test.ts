import { PNG } from "pngjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startEmulator, type Emulator } from "./index.js";

let emulator: Emulator;
beforeAll(async () => {
  emulator = await startEmulator();
});
afterAll(() => emulator.close());

async function post<Answer>(path: string, body: object): Promise<Answer> {
  const response = await fetch(`${emulator.url}/${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${emulator.apiKey}` },
    body: JSON.stringify(body),
  });
  return (await response.json()) as Answer;
}

async function drawn(prompt: string): Promise<string> {
  const { images } = await post<{ images: { url: string }[] }>("images/generations", {
    model: "Kwai-Kolors/Kolors",
    prompt,
    image_size: "1024x1024",
    seed: 1,
  });
  return images[0]!.url;
}

async function asDataUrl(link: string): Promise<string> {
  const bytes = Buffer.from(await (await fetch(link)).arrayBuffer());
  return `data:image/png;base64,${bytes.toString("base64")}`;
}

function plain(red: number, green: number, blue: number): string {
  const png = new PNG({ width: 56, height: 28 });
  for (let at = 0; at < png.data.length; at += 4) png.data.set([red, green, blue, 255], at);
  return PNG.sync.write(png).toString("base64");
}

async function vectors(input: unknown): Promise<number[][]> {
  const { data } = await post<{ data: { embedding: number[] }[] }>("embeddings", {
    model: "Qwen/Qwen3-VL-Embedding-8B",
    input,
  });
  return data.map(({ embedding }) => embedding);
}

const nearness = (one: number[], other: number[]) => one.reduce((sum, value, place) => sum + value * other[place]!, 0);

const rank = (fields: object) =>
  post<{ results: { index: number; document?: unknown }[]; meta: { tokens: object } }>("rerank", {
    model: "Qwen/Qwen3-VL-Reranker-8B",
    ...fields,
  });

describe("embeddings", () => {
  test("a text is nearest to the picture that shows it: at a link, as a data URL, in both languages", async () => {
    const [lighthouse, meadow] = [await drawn("A lighthouse in a storm"), await drawn("草地上的羊群")];
    const [words, chinese, first, firstAgain, second] = await vectors([
      "the lighthouse",
      { text: "羊群" },
      { image: lighthouse },
      { image: await asDataUrl(lighthouse) },
      { image: meadow },
    ]);
    expect(firstAgain).toEqual(first);
    expect(nearness(words!, first!)).toBeGreaterThan(nearness(words!, second!) + 0.2);
    expect(nearness(chinese!, second!)).toBeGreaterThan(nearness(chinese!, first!) + 0.2);
  });

  test("a picture of another's is found by its colour", async () => {
    const [words, chinese, red, blue] = await vectors([
      "something red",
      "蓝",
      { image: plain(214, 40, 40) },
      { image: `data:image/png;base64,${plain(36, 92, 214)}` },
    ]);
    expect(nearness(words!, red!)).toBeGreaterThan(nearness(words!, blue!) + 0.1);
    expect(nearness(chinese!, blue!)).toBeGreaterThan(nearness(chinese!, red!) + 0.1);
  });

  test("an address elsewhere is not opened: its own words stand for it", async () => {
    const [words, cat, dog] = await vectors([
      "a cat",
      { image: "https://example.test/cat.jpg" },
      { image: "http://127.0.0.1:9/dog.jpg" },
    ]);
    expect(nearness(words!, cat!)).toBeGreaterThan(nearness(words!, dog!));
  });

  test("pictures count by their size", async () => {
    const answer = await post("embeddings", {
      model: "Qwen/Qwen3-VL-Embedding-8B",
      input: [{ image: plain(0, 0, 0) }, "two words"],
    });
    expect(answer).toMatchObject({ usage: { prompt_tokens: 4, total_tokens: 4 } });
  });

  test.each<[string, { [field: string]: unknown }]>([
    ["bytes that are no picture", { image: "data:image/png;base64,aGVsbG8=" }],
    ["a link at which nothing lies", { image: "gone" }],
    ["an object of something else", { video: "https://example.test/a.mp4" }],
    ["an empty text", { text: "" }],
    ["a number", { image: 1 }],
  ])("%s is refused with 20015", async (_name, item) => {
    const input = [item["image"] === "gone" ? { image: `${new URL(emulator.url).origin}/outputs/none.png` } : item];
    expect(await post("embeddings", { model: "Qwen/Qwen3-VL-Embedding-8B", input })).toMatchObject({ code: 20015 });
  });

  test("models for texts refuse pictures", async () => {
    const answer = await post("embeddings", { model: "BAAI/bge-m3", input: [{ image: plain(0, 0, 0) }] });
    expect(answer).toMatchObject({ code: 20015 });
  });
});

describe("rerank", () => {
  test("pictures and texts are ranked by what they show and say", async () => {
    const documents = [
      { text: "Bread is baked from flour." },
      { image: await drawn("A bowl of oranges") },
      { image: await drawn("A harbour at night") },
      "The ships lie in the harbour.",
    ];
    const { results, meta } = await rank({ query: "a harbour at night", documents, return_documents: true });
    expect(results[0]).toMatchObject({ index: 2, document: documents[2] });
    expect(results[1]).toMatchObject({ index: 3, document: { text: documents[3] } });
    // 37 × 37 of each picture.
    expect(meta).toMatchObject({ tokens: { image_tokens: 2 * 1369, input_tokens: expect.any(Number) } });
  });

  test("a picture finds the text that tells of it, and a film is known by what it was asked for", async () => {
    const query = { image: await drawn("A lighthouse in a storm") };
    const { results } = await rank({ query, documents: ["Sheep eat grass.", "The storm shook the lighthouse."] });
    expect(results[0]!.index).toBe(1);
  });
});
