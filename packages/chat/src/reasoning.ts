import type { BaseMessage } from "@langchain/core/messages";

/**
 * When the thoughts of earlier answers are sent back to the model.
 *
 * - `"auto"`: with the answers that called tools. Models that think between tool calls lose their thread without them; for
 *   other answers the service's guides leave them out.
 * - `"always"`: with every answer, unmodified and in order, as the guide for interleaved thinking asks.
 * - `"never"`.
 */
export type ReasoningHistory = "auto" | "always" | "never";

/** Whether an earlier answer goes back with its thoughts. */
export function sendsReasoning(policy: ReasoningHistory, callsTools: boolean): boolean {
  return policy === "always" || (policy === "auto" && callsTools);
}

/**
 * The thoughts of an earlier answer, unmodified: as the service sent them, or from the reasoning blocks of a message whose
 * content is made of blocks (`outputVersion: "v1"`, or another provider's answer).
 */
export function reasoningOf(message: BaseMessage): string {
  const kept = message.additional_kwargs["reasoning_content"];
  if (typeof kept === "string" && kept !== "") return kept;
  if (!Array.isArray(message.content)) return "";
  let thoughts = "";
  for (const block of message.content) {
    const text = block.type === "reasoning" ? block["reasoning"] : block.type === "thinking" ? block["thinking"] : "";
    if (typeof text === "string") thoughts += text;
  }
  return thoughts;
}
