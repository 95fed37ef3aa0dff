import { ChatOpenAI } from "@langchain/openai";
import type { Contender, Host } from "../contender.ts";
import { langChainChat } from "./langchain-chat.ts";

export function make({ url, apiKey }: Host): Contender {
  return langChainChat(new ChatOpenAI({ apiKey, model: "deepseek-ai/DeepSeek-R1", configuration: { baseURL: url } }));
}
