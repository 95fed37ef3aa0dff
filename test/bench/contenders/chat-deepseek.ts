import { ChatDeepSeek } from "@langchain/deepseek";
import type { Contender, Host } from "../contender.ts";
import { langChainChat } from "./langchain-chat.ts";

export function make({ url, apiKey }: Host): Contender {
  return langChainChat(new ChatDeepSeek({ apiKey, model: "deepseek-ai/DeepSeek-R1", configuration: { baseURL: url } }));
}
