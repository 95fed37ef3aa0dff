import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { settingsFrom } from "../../packages/emulator/src/options.js";

const readme = readFileSync(new URL("README.md", import.meta.url), "utf8");
const rows = readme
  .split("\n")
  .filter((line) => line.startsWith("| ") && !line.startsWith("| uncertain"))
  .map((line) => line.split(" | ").map((cell) => cell.replaceAll(/^\| | \|$/g, "").trim()));
const quirks = Object.keys(settingsFrom({}).quirks);
const named = (text: string) => [...text.matchAll(/`(\w+)`/g)].map(([, name]) => name!);

/** What the reference leaves open, by the first words of each of its rows. */
const topics = [
  "embeddings batch",
  "`messages` length",
  "`max_tokens` ceiling",
  "`max_tokens` and thinking",
  "`thinking_budget` default and reach",
  "`enable_thinking` default",
  "`reasoning_effort`",
  "`temperature`, `top_k` ranges",
  "`tool_choice`",
  "`json_schema`",
  "JSON mode on R1, V3",
  "image `detail` default",
  "`max_frams` / `max_frames`",
  "`prefix`, `suffix` place",
  "`/completions`",
  "`/messages` stream end",
  "`/messages` `max_tokens`",
  "SSE error events",
  "`stream_options`",
  "401/403/404 bodies",
  "balance error",
  "503 code",
  "`Retry-After`",
  "rerank response",
  "VL rerank and VL embedding details",
  "rerank `overlap_tokens` default; result order; document count limit",
  "embeddings `base64` byte order; default dimensions; whether `dimensions` is an error or ignored elsewhere",
  "`sample_rate` default",
  "speech content type",
  "voice list key",
  "voice delete reply",
  "custom voice models",
  "video result life",
  "batch window",
  "batch result download",
  "batch status set",
  "`/user/info`",
  '"TypeSafe fast decision" endpoint',
  "`sub_type` values",
  "IndexTTS-2, Z-Image, ERNIE-Image-Turbo on .cn",
  "request body size, number of images per message, timeouts, concurrency",
  "`api.siliconflow.com` for China accounts",
];

test("every uncertainty of the reference has a row, and no other has", () => {
  expect(rows.map(([topic]) => topic)).toEqual(topics);
});

test.each(rows)("%s: a quirk that exists, or why there is none", (_, switches, shown) => {
  const found = named(switches!).filter((name) => quirks.includes(name) || name === "batchCap");
  if (switches!.startsWith("none: ")) expect(found).toEqual([]);
  else expect([found.length > 0, found, shown]).toEqual([true, named(switches!), expect.stringMatching(/^quirks/)]);
});

test("every quirk is in the table, or below it", () => {
  expect(quirks.filter((quirk) => !named(readme).includes(quirk))).toEqual([]);
});
