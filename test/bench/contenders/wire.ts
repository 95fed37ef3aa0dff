import type { Reading } from "../reading.ts";

/** What everyone asks. */
export const prompt = "Explain why the sky is blue, step by step.";

const parameters = {
  type: "object" as const,
  properties: { text: { type: "string" as const } },
  required: ["text"],
};

export const tool = { name: "write", description: "Writes a text down.", parameters };

export const toolForOpenAI = { type: "function", function: tool } as const;

export interface WireDelta {
  content?: string | null;
  reasoning_content?: string | null;
  tool_calls?: { function?: { arguments?: string | null } | null }[] | null;
}

export interface WireUsage {
  prompt_tokens: number;
  completion_tokens: number;
}

export function readDelta(delta: WireDelta | null | undefined, reading: Reading): void {
  if (!delta) return;
  reading.thoughts(delta.reasoning_content);
  reading.text(delta.content);
  for (const call of delta.tool_calls ?? []) reading.arguments(call.function?.arguments);
}
