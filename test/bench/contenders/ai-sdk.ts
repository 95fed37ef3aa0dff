import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, jsonSchema, streamText, tool as asTool } from "ai";
import type { Contender, Host } from "../contender.ts";
import { prompt, tool } from "./wire.ts";

export function make({ url, apiKey }: Host): Contender {
  const provider = createOpenAICompatible({ name: "siliconflow", apiKey, baseURL: url, includeUsage: true });
  const model = provider("deepseek-ai/DeepSeek-R1");
  const offered = {
    [tool.name]: asTool({ description: tool.description, inputSchema: jsonSchema<{ text: string }>(tool.parameters) }),
  };
  return {
    async stream(reading, { tools } = {}) {
      const { fullStream } = streamText({ model, prompt, ...(tools && { tools: offered }) });
      for await (const part of fullStream) {
        if (part.type === "text-delta") reading.text(part.text);
        else if (part.type === "reasoning-delta") reading.thoughts(part.text);
        else if (part.type === "tool-input-delta") reading.arguments(part.delta);
        else if (part.type === "finish") reading.usage(part.totalUsage.inputTokens, part.totalUsage.outputTokens);
      }
    },

    async invoke(reading) {
      const { text, reasoningText, usage } = await generateText({ model, prompt });
      reading.thoughts(reasoningText);
      reading.text(text);
      reading.usage(usage.inputTokens, usage.outputTokens);
    },
  };
}
