/** Whether a model thinks before it answers: on demand, always, or never. */
type Thinking = "toggle" | "effort" | "always" | "never";

/** What `GET /models` calls a model's `sub_type`. */
export type ModelKind =
  | "chat"
  | "embedding"
  | "reranker"
  | "text-to-image"
  | "image-to-image"
  | "text-to-speech"
  | "speech-to-text"
  | "text-to-video"
  | "image-to-video";

/** One model that the emulator pretends to host. */
export interface HostedModel {
  id: string;
  kind: ModelKind;
  /** Tokens of prompt and answer together; undefined where nothing is published. */
  contextTokens: number | undefined;
  thinking: Thinking;
  tools: boolean;
  json: boolean;
  vision: boolean;
  /** Vector lengths that may be asked for by `dimensions`; empty when the model does not take the field. */
  dimensions: readonly number[];
  defaultDimensions: number;
  /** Takes `instruction` when it ranks. */
  instruction: boolean;
  /** Takes `max_chunks_per_doc` and `overlap_tokens`. */
  chunking: boolean;
  /** Answered with 403 `Model disabled.`: was hosted once. */
  retired: boolean;
  /** Real sentence embeddings; listed only when they were loaded. */
  semantic: boolean;
}

/** The emulator's own models: they promise nothing about any real one. */
export const emulatorModels = {
  chat: "emulator/quote",
  thinkingChat: "emulator/quote-thinking",
  lexicalEmbedding: "emulator/lexical-embedding",
  semanticEmbedding: "emulator/semantic-embedding-en",
  reranker: "emulator/lexical-reranker",
} as const;

// id, context window, then what the catalogue says of it: thinking, tools, JSON mode, vision.
const chatTable = `
ByteDance-Seed/Seed-OSS-36B-Instruct 262K tools json
MiniMaxAI/MiniMax-M2.5 196K tools json
Pro/MiniMaxAI/MiniMax-M2.5 196K tools json
PaddlePaddle/PaddleOCR-VL-1.5 - json vision
Qwen/Qwen2.5-14B-Instruct 32K tools json
Qwen/Qwen2.5-32B-Instruct 32K tools json
Qwen/Qwen2.5-72B-Instruct 32K tools json
Qwen/Qwen2.5-72B-Instruct-128K 131K tools json
Pro/Qwen/Qwen2.5-7B-Instruct 32K tools json
Qwen/Qwen2.5-7B-Instruct 32K tools json
Qwen/Qwen3-14B 131K toggle tools json
Qwen/Qwen3-30B-A3B-Instruct-2507 262K tools json
Qwen/Qwen3-32B 131K toggle tools json
Qwen/Qwen3-8B 131K toggle tools json
Qwen/Qwen3-Coder-30B-A3B-Instruct 262K tools json
Qwen/Qwen3-Omni-30B-A3B-Captioner 65K tools json vision
Qwen/Qwen3-Omni-30B-A3B-Instruct 65K tools json vision
Qwen/Qwen3-Omni-30B-A3B-Thinking 65K always tools json vision
Qwen/Qwen3-VL-30B-A3B-Instruct 262K tools json vision
Qwen/Qwen3-VL-30B-A3B-Thinking 262K always tools json vision
Qwen/Qwen3-VL-32B-Instruct 262K tools json vision
Qwen/Qwen3-VL-32B-Thinking 262K always tools json vision
Qwen/Qwen3-VL-8B-Instruct 262K tools json vision
Qwen/Qwen3-VL-8B-Thinking 262K always tools json vision
Qwen/Qwen3.5-122B-A10B 262K toggle tools json vision
Qwen/Qwen3.5-27B 262K toggle tools json vision
Qwen/Qwen3.5-35B-A3B 262K toggle tools json vision
Qwen/Qwen3.5-397B-A17B 262K toggle tools json vision
Qwen/Qwen3.5-4B 262K toggle tools json vision
Qwen/Qwen3.5-9B 262K toggle tools json vision
Qwen/Qwen3.6-27B 262K tools json vision
Qwen/Qwen3.6-35B-A3B 262K tools json vision
THUDM/GLM-4-32B-0414 32K tools json
THUDM/GLM-4-9B-0414 32K tools json
THUDM/GLM-Z1-9B-0414 131K always tools json
deepseek-ai/DeepSeek-OCR 8K json vision
Pro/deepseek-ai/DeepSeek-R1 163K always tools json
deepseek-ai/DeepSeek-R1 163K always tools json
deepseek-ai/DeepSeek-R1-0528-Qwen3-8B 131K always json
Pro/deepseek-ai/DeepSeek-V3 163K tools json
deepseek-ai/DeepSeek-V3 163K tools json
Pro/deepseek-ai/DeepSeek-V3.1-Terminus 163K toggle tools json
deepseek-ai/DeepSeek-V3.1-Terminus 163K toggle tools json
Pro/deepseek-ai/DeepSeek-V3.2 163K toggle tools json
deepseek-ai/DeepSeek-V3.2 163K toggle tools json
deepseek-ai/DeepSeek-V4-Flash 1049K effort tools json
deepseek-ai/DeepSeek-V4-Pro 1049K effort tools json
inclusionAI/Ling-flash-2.0 131K tools json
inclusionAI/Ling-mini-2.0 131K tools json
meituan-longcat/LongCat-2.0 1049K tools json
Pro/moonshotai/Kimi-K2.6 262K tools json vision
moonshotai/Kimi-K2.7-Code 262K tools json vision
nex-agi/Nex-N2-Pro 262K tools json vision
stepfun-ai/Step-3.5-Flash 262K tools
tencent/Hunyuan-A13B-Instruct 131K toggle json
tencent/Hunyuan-MT-7B 32K json
zai-org/GLM-4.5-Air 131K tools
zai-org/GLM-4.5V 65K toggle tools vision
Pro/zai-org/GLM-5.1 202K tools json
zai-org/GLM-5.2 1049K effort tools json
deepseek-ai/DeepSeek-V3.1 163K toggle tools json
deepseek-ai/DeepSeek-V3.2-Exp 163K toggle tools json
moonshotai/Kimi-K2-Instruct-0905 - tools json
moonshotai/Kimi-K2-Thinking - always tools json
Pro/moonshotai/Kimi-K2.5 - tools json vision
moonshotai/Kimi-K2.5 - tools json vision
zai-org/GLM-4.6 - toggle tools json
Pro/zai-org/GLM-4.7 - toggle tools json
zai-org/GLM-4.7 - toggle tools json
Pro/zai-org/GLM-5 - toggle tools json
${emulatorModels.chat} 131K tools json vision
${emulatorModels.thinkingChat} 131K toggle tools json vision
`;

const qwenDimensions = [64, 128, 256, 512, 768, 1024, 1536, 2048, 2560, 4096];

// id, context window, default vector length, longest vector that `dimensions` may ask for (0: the field is not taken).
const embeddingTable = `
BAAI/bge-large-en-v1.5 512 1024 0
BAAI/bge-large-zh-v1.5 512 1024 0
BAAI/bge-m3 8192 1024 0
Pro/BAAI/bge-m3 8192 1024 0
netease-youdao/bce-embedding-base_v1 512 768 0
Qwen/Qwen3-Embedding-0.6B 32768 1024 1024
Qwen/Qwen3-Embedding-4B 32768 2560 2560
Qwen/Qwen3-Embedding-8B 32768 4096 4096
Qwen/Qwen3-VL-Embedding-8B 32768 4096 4096
${emulatorModels.lexicalEmbedding} 32768 1024 4096
`;

const rerankerTable = `
BAAI/bge-reranker-v2-m3 8192 chunking
Pro/BAAI/bge-reranker-v2-m3 8192 chunking
netease-youdao/bce-reranker-base_v1 512 chunking retired
Qwen/Qwen3-Reranker-0.6B 32768 instruction
Qwen/Qwen3-Reranker-4B 32768 instruction
Qwen/Qwen3-Reranker-8B 32768 instruction
Qwen/Qwen3-VL-Reranker-8B 32768 instruction
${emulatorModels.reranker} 32768 instruction chunking
`;

// Models that draw, speak and listen. What each takes is said where it is answered.
const mediaTable = `
Kwai-Kolors/Kolors text-to-image
Qwen/Qwen-Image text-to-image
Qwen/Qwen-Image-Edit image-to-image
Qwen/Qwen-Image-Edit-2509 image-to-image
Tongyi-MAI/Z-Image text-to-image
Tongyi-MAI/Z-Image-Turbo text-to-image
baidu/ERNIE-Image-Turbo text-to-image
black-forest-labs/FLUX.2-pro text-to-image
black-forest-labs/FLUX.2-flex text-to-image
black-forest-labs/FLUX.1-Kontext-max image-to-image
black-forest-labs/FLUX.1-Kontext-pro image-to-image
black-forest-labs/FLUX.1-Kontext-dev image-to-image
black-forest-labs/FLUX-1.1-pro text-to-image
black-forest-labs/FLUX-1.1-pro-Ultra text-to-image
black-forest-labs/FLUX.1-schnell text-to-image
black-forest-labs/FLUX.1-dev text-to-image
FunAudioLLM/CosyVoice2-0.5B text-to-speech
fnlp/MOSS-TTSD-v0.5 text-to-speech
fishaudio/fish-speech-1.5 text-to-speech
IndexTeam/IndexTTS-2 text-to-speech
FunAudioLLM/SenseVoiceSmall speech-to-text
TeleAI/TeleSpeechASR speech-to-text
Wan-AI/Wan2.2-T2V-A14B text-to-video
Wan-AI/Wan2.2-I2V-A14B image-to-video
Wan-AI/Wan2.1-T2V-14B-720P text-to-video
Wan-AI/Wan2.1-T2V-14B-720P-Turbo text-to-video
Wan-AI/Wan2.1-I2V-14B-720P image-to-video
Wan-AI/Wan2.1-I2V-14B-720P-Turbo image-to-video
`;

/** Every model the emulator hosts, in the order in which they are listed. Ids are compared exactly, as the service does. */
export function hostedModels(options: { semantic: boolean }): Map<string, HostedModel> {
  const models: HostedModel[] = [
    ...rows(chatTable).map(([id, context, ...flags]) => chatModel(id!, context!, flags)),
    ...rows(embeddingTable).map(([id, context, length, longest]) => ({
      ...bare(id!, "embedding", Number(context)),
      dimensions: qwenDimensions.filter((size) => size <= Number(longest)),
      defaultDimensions: Number(length),
    })),
    ...rows(rerankerTable).map(([id, context, ...flags]) => ({
      ...bare(id!, "reranker", Number(context)),
      instruction: flags.includes("instruction"),
      chunking: flags.includes("chunking"),
      retired: flags.includes("retired"),
    })),
  ];
  for (const [id, kind] of rows(mediaTable)) models.push(bare(id!, kind as ModelKind, undefined));
  if (options.semantic) {
    models.push({
      ...bare(emulatorModels.semanticEmbedding, "embedding", 8192),
      dimensions: [512],
      defaultDimensions: 512,
      semantic: true,
    });
  }
  return new Map(models.map((model) => [model.id, model]));
}

function rows(table: string): string[][] {
  return table
    .trim()
    .split("\n")
    .map((line) => line.split(" "));
}

function chatModel(id: string, context: string, flags: string[]): HostedModel {
  const thinking = flags.find((flag): flag is Thinking => ["toggle", "effort", "always"].includes(flag)) ?? "never";
  return {
    // The catalogue prints 131072 as 131K: cut, not rounded, and always a multiple of 1024.
    ...bare(id, "chat", context === "-" ? undefined : Math.ceil((parseInt(context, 10) * 1000) / 1024) * 1024),
    thinking,
    tools: flags.includes("tools"),
    json: flags.includes("json"),
    vision: flags.includes("vision"),
  };
}

function bare(id: string, kind: ModelKind, contextTokens: number | undefined): HostedModel {
  return {
    id,
    kind,
    contextTokens,
    thinking: "never",
    tools: false,
    json: false,
    vision: false,
    dimensions: [],
    defaultDimensions: 0,
    instruction: false,
    chunking: false,
    retired: false,
    semantic: false,
  };
}
