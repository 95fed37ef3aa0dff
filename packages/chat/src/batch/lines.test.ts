import { expect, test } from "vitest";
import { keyOf, lineOf, positionOf, splitLines } from "./lines.js";

const request = { model: "m", messages: [{ role: "user", content: "Hi" }], temperature: 0 };
const most = 1000;

test("a line is named after its place and its content, whatever the order of its fields", async () => {
  const line = await lineOf(3, request, most);
  const { messages, model, temperature } = request;
  expect((await lineOf(3, { temperature, messages, model }, most)).customId).toBe(line.customId);
  expect(positionOf(line.customId)).toBe(3);
  const others = [await lineOf(4, request, most), await lineOf(3, { ...request, temperature: 1 }, most)];
  for (const other of others) expect(other.customId).not.toBe(line.customId);
});

test("a line has no stream in it", async () => {
  const streamed = { ...request, stream: true, stream_options: { include_usage: true } };
  const line = await lineOf(0, streamed, most);
  expect(line).toEqual(await lineOf(0, request, most));
  expect(JSON.parse(new TextDecoder().decode(line.bytes))).toEqual({
    custom_id: line.customId,
    method: "POST",
    url: "/v1/chat/completions",
    body: request,
  });
});

test("what no batch runs is refused by its position", async () => {
  const tool = { ...request, messages: [{ role: "tool", content: "3" }, ...request.messages] };
  const last = { ...request, messages: [{ role: "assistant", content: "Hi" }] };
  for (const wrong of [tool, last]) {
    await expect(lineOf(7, wrong, most)).rejects.toMatchObject({ name: "InvalidInputError", position: 7 });
  }
  await expect(lineOf(7, request, 100)).rejects.toMatchObject({ name: "InvalidInputError", position: 7 });
});

test("files hold as many lines and bytes as they may, in order", async () => {
  const lines = await Promise.all([0, 1, 2, 3, 4].map((position) => lineOf(position, request, most)));
  const places = (files: { position: number }[][]) => files.map((file) => file.map(({ position }) => position));
  expect(places(splitLines(lines, { lines: 2, bytes: 10_000 }))).toEqual([[0, 1], [2, 3], [4]]);
  const bytes = lines[0]!.bytes.length * 3;
  expect(places(splitLines(lines, { lines: 5000, bytes }))).toEqual([
    [0, 1, 2],
    [3, 4],
  ]);
  expect(splitLines([], { lines: 2, bytes })).toEqual([]);
});

test("a file's key changes with its lines, its host and the attempt", async () => {
  const lines = [await lineOf(0, request, most)];
  const where = { baseURL: "https://one.test/v1", attempt: 0 };
  const keys = [
    await keyOf(lines, where),
    await keyOf(lines, { ...where, attempt: 1 }),
    await keyOf(lines, { ...where, baseURL: "https://two.test/v1" }),
    await keyOf([await lineOf(1, request, most)], where),
  ];
  expect(new Set(keys).size).toBe(4);
  expect(await keyOf(lines, where)).toBe(keys[0]);
});
