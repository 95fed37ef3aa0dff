import { ChatSiliconFlow } from "@langchain-siliconflow/chat";
import type { Contender, Host } from "../contender.ts";
import { langChainChat } from "./langchain-chat.ts";

export function make({ url, apiKey }: Host): Contender {
  return langChainChat(new ChatSiliconFlow({ apiKey, baseURL: url, model: "deepseek-ai/DeepSeek-R1" }));
}
