import { expect, test } from "vitest";
import { nearest } from "./nearest-models.js";

const ids = [
  "deepseek-ai/DeepSeek-V3.2",
  "deepseek-ai/DeepSeek-R1",
  "Pro/deepseek-ai/DeepSeek-V3.2",
  "Qwen/Qwen3-8B",
  "Qwen/Qwen3-32B",
  "Qwen/Qwen3-Embedding-8B",
  "Qwen/Qwen3-VL-32B-Instruct",
  "BAAI/bge-m3",
  "BAAI/bge-reranker-v2-m3",
  "zai-org/GLM-4.6",
];

test.each<[string, string]>([
  ["Qwen/Qwen3-8b", "Qwen/Qwen3-8B"],
  ["qwen3-8b", "Qwen/Qwen3-8B"],
  ["Qwen/Qwen3-7B", "Qwen/Qwen3-8B"],
  ["Qwen/Qwen3-32B-Instruct", "Qwen/Qwen3-VL-32B-Instruct"],
  ["deepseek-v3.2", "deepseek-ai/DeepSeek-V3.2"],
  ["deepseek-ai/DeepSeek-V3", "deepseek-ai/DeepSeek-V3.2"],
  ["deepseek/deepseek-r1", "deepseek-ai/DeepSeek-R1"],
  ["bge-m3", "BAAI/bge-m3"],
  ["THUDM/GLM-4.6", "zai-org/GLM-4.6"],
])("%s may have been meant to be %s", (model, expected) => {
  const found = nearest(model, ids);
  expect(found[0]).toBe(expected);
  expect(found.length).toBeLessThanOrEqual(3);
});

test.each(["gpt-4o", "claude-sonnet-4-5", "", "x".repeat(100_000), "深度求索"])("nothing is like %s", (model) => {
  expect(nearest(model, ids)).toEqual([]);
});
