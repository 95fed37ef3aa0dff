import { ChatSiliconFlow, type ChatSiliconFlowFields } from "@langchain-siliconflow/chat";
import { type Emulator, startEmulator } from "@langchain-siliconflow/emulator";
import type { AIMessageChunk, UsageMetadata } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import * as z from "zod";

interface ChatBody {
  messages: { role: string; content: unknown; tool_calls?: unknown }[];
  tools?: { function: { parameters?: unknown } }[];
  stream?: boolean;
}

interface Emulated {
  emulator(): Emulator;
  /** A model that asks the emulator, without retries. */
  model(fields?: Partial<ChatSiliconFlowFields>): ChatSiliconFlow;
  /** What the first request said. */
  sent(): ChatBody;
}

/** One emulator for a test file. */
export function emulated(): Emulated {
  let emulator: Emulator;
  beforeAll(async () => {
    emulator = await startEmulator();
  });
  afterEach(() => emulator.reset());
  afterAll(() => emulator.close());

  return {
    emulator: () => emulator,
    sent: () => emulator.requests[0]!.body as ChatBody,
    model: (fields) =>
      new ChatSiliconFlow({
        model: "Qwen/Qwen3-8B",
        apiKey: emulator.apiKey,
        baseURL: emulator.url,
        maxRetries: 0,
        ...fields,
      }),
  };
}

/** All chunks of a stream as the one message they make. */
export async function joined(chunks: AsyncIterable<AIMessageChunk>): Promise<AIMessageChunk> {
  let whole: AIMessageChunk | undefined;
  for await (const chunk of chunks) whole = whole === undefined ? chunk : whole.concat(chunk);
  if (whole === undefined) throw new Error("The stream was empty.");
  return whole;
}

/** The counts of an answer, which must have them. LangChain's type of them is `undefined` on a bare message. */
export function countsOf(message: { usage_metadata?: unknown }): UsageMetadata {
  expect(message.usage_metadata).toBeDefined();
  return message.usage_metadata as UsageMetadata;
}

/** Reports the weather of one place. */
export const weather = tool(async ({ location }: { location: string }) => `Rain in ${location}, 9 degrees.`, {
  name: "get_weather",
  description: "Weather of a place",
  schema: z.object({ location: z.string().describe("Name of the place") }),
});

/** Reports the time at one place. */
export const time = tool(async ({ place }: { place: string }) => `Noon in ${place}.`, {
  name: "get_time",
  description: "Local time of a place",
  schema: z.object({ place: z.string() }),
});
