import { ChatSiliconFlow, type ChatSiliconFlowFields } from "@langchain-siliconflow/chat";
import { answerServer } from "./answer-server.js";
import type { Answer } from "./answers.js";
import { views } from "./views.js";

/** One view of a model with these fields, over a server that gives these answers. */
export async function ask(fields: Partial<ChatSiliconFlowFields>, view: string, ...answers: Answer[]) {
  await using server = await answerServer(...answers);
  const model = new ChatSiliconFlow({
    model: "Qwen/Qwen3-8B",
    apiKey: "sk-views",
    baseURL: server.url,
    maxRetries: 0,
    ...fields,
  });
  const message = await views[view]!(model);
  return { message, requests: server.requests };
}
