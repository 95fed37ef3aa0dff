import { afterEach, beforeEach, expect, test } from "vitest";
import { startEmulator, type Emulator } from "../index.js";

let emulator: Emulator;
beforeEach(async () => {
  emulator = await startEmulator();
});
afterEach(() => emulator.close());

interface Answer {
  id: string;
  results: { index: number; relevance_score: number; document?: { text: string } }[];
  tokens?: object;
  meta?: object;
}

function send(fields: object): Promise<Response> {
  return fetch(`${emulator.url}/rerank`, {
    method: "POST",
    headers: { authorization: `Bearer ${emulator.apiKey}` },
    body: JSON.stringify({
      model: "BAAI/bge-reranker-v2-m3",
      query: "apple",
      documents: ["banana", "apple", "an apple tree"],
      ...fields,
    }),
  });
}

const answer = async (fields: object) => (await (await send(fields)).json()) as Answer;

test.each([
  [
    "English",
    "How many points did the Panthers defence surrender?",
    [
      "The Broncos scored in the first quarter.",
      "The stadium holds many people.",
      "The Panthers gave up just 308 points, the defence ranking sixth.",
    ],
    2,
  ],
  [
    "Chinese",
    "黑豹队的防守丢了多少分？",
    ["丹佛野马队在第一节得分。", "黑豹队的防守只丢了308分。", "体育场可以容纳很多人。"],
    1,
  ],
  [
    "a number",
    "What happened in 1532?",
    ["In 1533 the town burned down.", "In 1532 the town was founded.", "The town is old."],
    1,
  ],
])("the document that answers comes first: %s", async (_name, query, documents, first) => {
  const { results } = await answer({ query, documents });
  const scores = results.map((result) => result.relevance_score);

  expect(results[0]!.index).toBe(first);
  expect(scores).toEqual(scores.toSorted((one, other) => other - one));
  expect(scores.every((score) => score >= 0 && score <= 1)).toBe(true);
  expect(results.map((result) => result.index).toSorted()).toEqual([0, 1, 2]);
});

test("a document that shares nothing scores 0, one that says the same nearly 1", async () => {
  const { results } = await answer({
    query: "copper wire prices",
    documents: ["copper wire prices", "the cat sleeps"],
  });
  expect(results[0]!.relevance_score).toBeGreaterThan(0.6);
  expect(results[1]).toMatchObject({ index: 1, relevance_score: 0 });
});

test("documents come back only when asked for, as many as asked for", async () => {
  expect((await answer({})).results.every((result) => !("document" in result))).toBe(true);
  const { results } = await answer({ return_documents: true, top_n: 2 });
  expect(results).toHaveLength(2);
  expect(results[0]!.document).toEqual({ text: "apple" });
});

test("usage stands under meta, or under tokens when told so", async () => {
  const newer = await answer({});
  expect(newer.meta).toMatchObject({
    tokens: { output_tokens: 0, image_tokens: 0 },
    billed_units: { search_units: 1, classifications: 0 },
  });
  expect(newer.tokens).toBeUndefined();

  await emulator.close();
  emulator = await startEmulator({ quirks: { rerankShape: "A" } });
  const older = await answer({});
  expect(older.tokens).toEqual({ input_tokens: expect.any(Number) as number, output_tokens: 0 });
  expect(older.meta).toBeUndefined();
});

test("an instruction is taken where it is documented", async () => {
  expect((await send({ instruction: "Find fruit." })).status).toBe(400);
  expect((await send({ model: "Qwen/Qwen3-Reranker-0.6B", instruction: "Find fruit." })).status).toBe(200);
});

test.each([
  ["no documents", { documents: [] }, "List should have at least 1 item after validation"],
  ["documents that are missing", { documents: undefined }, "Field required"],
  ["an empty query", { query: "" }, "String should have at least 1 character"],
  ["top_n of 0", { top_n: 0 }, "Input should be greater than or equal to 1"],
  ["an overlap above 80", { overlap_tokens: 81 }, "Input should be less than or equal to 80"],
  ["no chunks", { max_chunks_per_doc: 0 }, "Input should be greater than or equal to 1"],
  ["a document that is no text", { documents: [1] }, "Input should be a valid string"],
])("%s: refused with 20015", async (_name, fields, message) => {
  const response = await send(fields);
  expect([response.status, await response.json()]).toEqual([400, { code: 20015, message, data: null }]);
});

test("a retired model is 403 with code 30003", async () => {
  const response = await send({ model: "netease-youdao/bce-reranker-base_v1" });
  expect([response.status, await response.json()]).toEqual([
    403,
    { code: 30003, message: "Model disabled.", data: null },
  ]);
});
