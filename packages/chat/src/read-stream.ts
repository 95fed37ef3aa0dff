import type { ChatCompletionChunk, Usage } from "@langchain-siliconflow/client";
import { convertOpenAICompletionsStream } from "@langchain/core/language_models/openai_completions_stream";
import { ChatModelStream } from "@langchain/core/language_models/stream";
import type { AIMessage, AIMessageChunk } from "@langchain/core/messages";
import type { ChatGenerationChunk } from "@langchain/core/outputs";
import { RepairedStream, type StreamEnd } from "./repaired-stream.js";
import { completeMessage, settleEvent } from "./stream-events.js";
import { toGenerationChunk } from "./wire-to-messages.js";

// For tests: a stream of events, read in both ways in which LangChain reads a repaired one.

type Delta = Record<string, unknown> | null;
/** `[delta, finish_reason, usage]`, and for the rest the fields of any chunk. */
export type Event = readonly [delta: Delta, finish?: string | null, usage?: unknown];

export function usage(completion: number, more: object = {}): Usage {
  return { prompt_tokens: 10, completion_tokens: completion, total_tokens: 10 + completion, ...more };
}

/** Events as the client yields them: each parsed anew, for the repair changes them. */
export async function* source(events: readonly Event[], head: object = {}): AsyncGenerator<ChatCompletionChunk> {
  for (const [delta, finish = null, counts = null] of events) {
    const chunk = {
      id: "019c",
      object: "chat.completion.chunk",
      created: 1,
      model: "Qwen/Qwen3-8B",
      ...head,
      choices: [{ index: 0, delta, finish_reason: finish }],
      usage: counts,
    };
    yield JSON.parse(JSON.stringify(chunk)) as ChatCompletionChunk;
  }
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

export async function repaired(events: readonly Event[], head?: object): Promise<ChatCompletionChunk[]> {
  return collect(new RepairedStream(source(events, head)));
}

/** The chunk path: `stream`, events v2, agents that stream messages. */
export async function asChunks(events: readonly Event[]): Promise<AIMessageChunk> {
  const end: StreamEnd = {};
  let whole: ChatGenerationChunk | undefined;
  for await (const chunk of new RepairedStream(source(events), end)) {
    const generation = toGenerationChunk(chunk, end);
    whole = whole === undefined ? generation : whole.concat(generation);
  }
  return whole!.message as AIMessageChunk;
}

/** The event path: events v3. */
export async function asEvents(events: readonly Event[]): Promise<AIMessage> {
  const end: StreamEnd = {};
  // Chunks have more fields than the converter reads.
  const chunks = new RepairedStream(source(events), end) as Parameters<typeof convertOpenAICompletionsStream>[0];
  async function* settled() {
    for await (const event of convertOpenAICompletionsStream(chunks)) yield settleEvent(event, end);
  }
  return completeMessage(await new ChatModelStream(settled()));
}
