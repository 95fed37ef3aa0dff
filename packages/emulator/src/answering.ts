import type { ChatRequest } from "./chat-request.js";

/** What the model thinks, says and wants called. */
export interface ModelAnswer {
  reasoning: string;
  content: string;
  toolCalls: { name: string; arguments: unknown }[];
}

/** What the emulator's chat model answers. */
export function answerTo(request: ChatRequest): ModelAnswer {
  const question = request.messages.findLast((message) => message.role === "user")?.text ?? "";
  return {
    reasoning: `The prompt is ${question.length} characters long.`,
    content: "I am the SiliconFlow emulator.",
    toolCalls: [],
  };
}
