import type { ModelProfile } from "@langchain/core/language_models/profile";

/**
 * How a model thinks: `toggle` obeys `enableThinking`, `effort` obeys `reasoningEffort`, `always` cannot be stopped.
 * `undefined`: not stated anywhere.
 */
type ThinkingKind = "toggle" | "effort" | "always" | undefined;

/** What the service's catalogue says of a model. */
export interface CatalogEntry {
  profile: ModelProfile;
  thinking: ThinkingKind;
}

/** Tokens of context, tokens of answer where published, and the catalogue's flags. `json`, `prefix` and `fim` are not read yet. */
type Row = readonly [context: number | undefined, maxOutput: number | undefined, flags: string];

// The chat models of the China site's public catalogue on 2026-07-21 (https://cloud.siliconflow.cn/models), with the lengths
// of https://docs.siliconflow.cn/cn/userguide/capabilities/text-generation. Models come and go: an id that is missing here
// works all the same, it only has no profile. `Pro/` ids are the same models.
const catalog: Record<string, Row> = {
  "ByteDance-Seed/Seed-OSS-36B-Instruct": [262144, undefined, "tools json prefix"],
  "deepseek-ai/DeepSeek-OCR": [8192, undefined, "json vision pdf"],
  "deepseek-ai/DeepSeek-R1": [163840, 16384, "tools json prefix fim thinking-always"],
  "deepseek-ai/DeepSeek-R1-0528-Qwen3-8B": [131072, undefined, "json thinking-always"],
  "deepseek-ai/DeepSeek-V3": [163840, 8192, "tools json prefix fim"],
  "deepseek-ai/DeepSeek-V3.1-Terminus": [163840, undefined, "tools json prefix thinking-toggle"],
  "deepseek-ai/DeepSeek-V3.2": [163840, undefined, "tools json prefix thinking-toggle"],
  "deepseek-ai/DeepSeek-V4-Flash": [1048576, undefined, "tools json thinking-effort"],
  "deepseek-ai/DeepSeek-V4-Pro": [1048576, undefined, "tools json thinking-effort"],
  "inclusionAI/Ling-flash-2.0": [131072, undefined, "tools json prefix"],
  "inclusionAI/Ling-mini-2.0": [131072, undefined, "tools json prefix"],
  "meituan-longcat/LongCat-2.0": [1048576, undefined, "tools json prefix"],
  "MiniMaxAI/MiniMax-M2.5": [196608, undefined, "tools json prefix"],
  "moonshotai/Kimi-K2.6": [262144, undefined, "tools json vision prefix"],
  "moonshotai/Kimi-K2.7-Code": [262144, undefined, "tools json vision"],
  "nex-agi/Nex-N2-Pro": [262144, undefined, "tools json vision prefix"],
  "PaddlePaddle/PaddleOCR-VL-1.5": [undefined, undefined, "json vision"],
  "Qwen/Qwen2.5-14B-Instruct": [32768, undefined, "tools json prefix"],
  "Qwen/Qwen2.5-32B-Instruct": [32768, undefined, "tools json prefix"],
  "Qwen/Qwen2.5-72B-Instruct": [32768, undefined, "tools json prefix"],
  "Qwen/Qwen2.5-72B-Instruct-128K": [131072, undefined, "tools json prefix"],
  "Qwen/Qwen2.5-7B-Instruct": [32768, undefined, "tools json prefix"],
  "Qwen/Qwen3-14B": [131072, 8192, "tools json thinking-toggle"],
  "Qwen/Qwen3-30B-A3B-Instruct-2507": [262144, undefined, "tools json"],
  "Qwen/Qwen3-32B": [131072, 8192, "tools json thinking-toggle"],
  "Qwen/Qwen3-8B": [131072, 8192, "tools json thinking-toggle"],
  "Qwen/Qwen3-Coder-30B-A3B-Instruct": [262144, undefined, "tools json prefix fim"],
  "Qwen/Qwen3-Omni-30B-A3B-Captioner": [65536, undefined, "tools json vision prefix fim audio video"],
  "Qwen/Qwen3-Omni-30B-A3B-Instruct": [65536, undefined, "tools json vision prefix fim audio video"],
  "Qwen/Qwen3-Omni-30B-A3B-Thinking": [65536, undefined, "tools json vision prefix fim thinking-always audio video"],
  "Qwen/Qwen3-VL-30B-A3B-Instruct": [262144, undefined, "tools json vision prefix fim video"],
  "Qwen/Qwen3-VL-30B-A3B-Thinking": [262144, undefined, "tools json vision prefix fim thinking-always video"],
  "Qwen/Qwen3-VL-32B-Instruct": [262144, undefined, "tools json vision prefix video"],
  "Qwen/Qwen3-VL-32B-Thinking": [262144, undefined, "tools json vision prefix thinking-always video"],
  "Qwen/Qwen3-VL-8B-Instruct": [262144, undefined, "tools json vision prefix video"],
  "Qwen/Qwen3-VL-8B-Thinking": [262144, undefined, "tools json vision prefix thinking-always video"],
  "Qwen/Qwen3.5-122B-A10B": [262144, undefined, "tools json vision thinking-toggle"],
  "Qwen/Qwen3.5-27B": [262144, undefined, "tools json vision thinking-toggle"],
  "Qwen/Qwen3.5-35B-A3B": [262144, undefined, "tools json vision thinking-toggle"],
  "Qwen/Qwen3.5-397B-A17B": [262144, undefined, "tools json vision prefix thinking-toggle"],
  "Qwen/Qwen3.5-4B": [262144, undefined, "tools json vision thinking-toggle"],
  "Qwen/Qwen3.5-9B": [262144, undefined, "tools json vision thinking-toggle"],
  "Qwen/Qwen3.6-27B": [262144, undefined, "tools json vision"],
  "Qwen/Qwen3.6-35B-A3B": [262144, undefined, "tools json vision"],
  "stepfun-ai/Step-3.5-Flash": [262144, undefined, "tools prefix"],
  "tencent/Hunyuan-A13B-Instruct": [131072, 8192, "json thinking-toggle"],
  "tencent/Hunyuan-MT-7B": [32768, undefined, "json prefix"],
  "THUDM/GLM-4-32B-0414": [32768, 8192, "tools json"],
  "THUDM/GLM-4-9B-0414": [32768, 8192, "tools json"],
  "THUDM/GLM-Z1-9B-0414": [131072, 16384, "tools json thinking-always"],
  "zai-org/GLM-4.5-Air": [131072, undefined, "tools"],
  "zai-org/GLM-4.5V": [65536, undefined, "tools vision thinking-toggle"],
  "zai-org/GLM-5.1": [202752, undefined, "tools json prefix fim"],
  "zai-org/GLM-5.2": [1048576, undefined, "tools json thinking-effort"],
};

/** What is known of a model id; `undefined` for ids that are not in the table. */
export function lookUpModel(model: string): CatalogEntry | undefined {
  const id = model.startsWith("Pro/") ? model.slice("Pro/".length) : model;
  const row = Object.hasOwn(catalog, id) ? catalog[id] : undefined;
  if (row === undefined) return undefined;

  const [context, maxOutput, text] = row;
  const flags = new Set(text.split(" "));
  const vision = flags.has("vision");
  const thinking = (["toggle", "effort", "always"] as const).find((kind) => flags.has(`thinking-${kind}`));
  return {
    thinking,
    // structuredOutput stays unset: it would make createAgent send json_schema, which no list of models supports for certain.
    profile: {
      ...(context !== undefined && { maxInputTokens: context }),
      ...(maxOutput !== undefined && { maxOutputTokens: maxOutput }),
      imageInputs: vision,
      imageUrlInputs: vision,
      ...(flags.has("audio") && { audioInputs: true }),
      ...(flags.has("video") && { videoInputs: true }),
      ...(flags.has("pdf") && { pdfInputs: true }),
      imageToolMessage: false,
      pdfToolMessage: false,
      reasoningOutput: thinking !== undefined,
      toolCalling: flags.has("tools"),
    },
  };
}
