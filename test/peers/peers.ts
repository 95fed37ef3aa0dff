import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { ChatDeepSeek } from "@langchain/deepseek";
import { ChatOpenAI } from "@langchain/openai";
import { ChatSiliconFlow } from "langchain-siliconflow";
import { sentinelKey, type Peer } from "./scenario.ts";

const model = "Qwen/Qwen3-8B";

/** Options that both of the others take. */
interface OpenAIFields {
  model: string;
  maxRetries: number;
  configuration: { baseURL: string };
  apiKey?: string;
  timeout?: number;
}

function likeChatOpenAI(name: string, keyName: string, Model: new (fields: OpenAIFields) => unknown): Peer {
  return {
    name,
    keyName,
    withoutThinking: { enable_thinking: false },
    withEffort: { reasoning: { effort: "high" }, reasoningEffort: "high", reasoning_effort: "high" },
    make: (baseURL, { key = sentinelKey, quietMs, ...fields } = {}) =>
      new Model({
        model,
        maxRetries: 1,
        configuration: { baseURL },
        ...(key === "none" ? {} : { apiKey: key }),
        ...(quietMs ? { timeout: quietMs } : {}),
        ...fields,
      }) as BaseChatModel,
  };
}

/** The three models, each set up as its own documentation says, with one retry so that no column takes long. */
export const peers: readonly Peer[] = [
  likeChatOpenAI("ChatOpenAI", "OPENAI_API_KEY", ChatOpenAI),
  likeChatOpenAI("ChatDeepSeek", "DEEPSEEK_API_KEY", ChatDeepSeek),
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
