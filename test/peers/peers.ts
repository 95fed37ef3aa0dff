import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { ChatDeepSeek } from "@langchain/deepseek";
import { ChatOpenAI } from "@langchain/openai";
import { ChatSiliconFlow } from "langchain-siliconflow";
import { sentinelKey, type Peer } from "./scenario.ts";

const model = "Qwen/Qwen3-8B";

/** The three models, each set up as its own documentation says, with one retry so that no column takes long. */
export const peers: readonly Peer[] = [
  {
    name: "ChatOpenAI",
    keyName: "OPENAI_API_KEY",
    withoutThinking: { enable_thinking: false },
    withEffort: { reasoning: { effort: "high" }, reasoningEffort: "high", reasoning_effort: "high" },
    make: (baseURL, { key = sentinelKey, quietMs, ...fields } = {}) =>
      new ChatOpenAI({
        model,
        maxRetries: 1,
        configuration: { baseURL },
        ...(key === "none" ? {} : { apiKey: key }),
        ...(quietMs ? { timeout: quietMs } : {}),
        ...fields,
      }) as BaseChatModel,
  },
  {
    name: "ChatDeepSeek",
    keyName: "DEEPSEEK_API_KEY",
    withoutThinking: { enable_thinking: false },
    withEffort: { reasoning: { effort: "high" }, reasoningEffort: "high", reasoning_effort: "high" },
    make: (baseURL, { key = sentinelKey, quietMs, ...fields } = {}) =>
      new ChatDeepSeek({
        model,
        maxRetries: 1,
        configuration: { baseURL },
        ...(key === "none" ? {} : { apiKey: key }),
        ...(quietMs ? { timeout: quietMs } : {}),
        ...fields,
      }) as BaseChatModel,
  },
  {
    name: "ChatSiliconFlow",
    keyName: "SILICONFLOW_API_KEY",
    withoutThinking: { enableThinking: false },
    withEffort: { reasoningEffort: "high" },
    make: (baseURL, { key = sentinelKey, quietMs, ...fields } = {}) =>
      new ChatSiliconFlow({
        model,
        maxRetries: 1,
        baseURL,
        ...(key === "none" ? {} : { apiKey: key }),
        ...(quietMs ? { timeouts: { firstByteMs: quietMs, idleMs: quietMs } } : {}),
        ...fields,
      }) as BaseChatModel,
  },
];
