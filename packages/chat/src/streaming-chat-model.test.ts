import type { OpenAIClient } from "@langchain/openai";
import { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { AIMessageChunk } from "@langchain/core/messages";
import { ChatGenerationChunk } from "@langchain/core/outputs";
import { beforeEach, expect, test, vi, type MockInstance } from "vitest";
import { ChatSiliconFlow } from "./chat-siliconflow.js";
import { chat, host, key, replyStream } from "./mocked-host.js";

// That both paths show the same is what the differential tests are about: here only which one is taken.
let corePath: MockInstance;
beforeEach(() => {
  corePath = vi.spyOn(BaseChatModel.prototype, "_streamIterator");
});

async function texts(model: ChatSiliconFlow, options?: Parameters<ChatSiliconFlow["stream"]>[1]): Promise<string[]> {
  const seen: string[] = [];
  for await (const chunk of await model.stream("Capital of Peru?", options)) seen.push(String(chunk.content));
  return seen;
}

const fields = { model: "Qwen/Qwen3-8B", apiKey: key, baseURL: host, maxRetries: 0 };

test("a stream that nobody else hears of goes without core's loop", async () => {
  void replyStream();
  expect((await texts(chat())).join("")).toBe("Lima");
  expect(corePath).not.toHaveBeenCalled();
});

test.each([
  ["a handler of the call", {}, { callbacks: [{ handleLLMNewToken() {} }] }],
  ["a handler of the model", { callbacks: [{ handleLLMNewToken() {} }] }, {}],
  ["standard content blocks", { outputVersion: "v1" as const }, {}],
])("one with %s goes through it", async (_, more, options) => {
  void replyStream();
  await texts(new ChatSiliconFlow({ ...fields, ...more }), options);
  expect(corePath).toHaveBeenCalledOnce();
});

test("a subclass that makes its own chunks is asked for them", async () => {
  class Echo extends ChatSiliconFlow {
    override async *_streamResponseChunks(): AsyncGenerator<ChatGenerationChunk> {
      yield new ChatGenerationChunk({ text: "own", message: new AIMessageChunk("own") });
    }
  }
  expect(await texts(new Echo(fields))).toEqual(["own"]);
});

test("a subclass that answers requests itself has its answer repaired", async () => {
  type Chunk = OpenAIClient.Chat.Completions.ChatCompletionChunk;
  class Canned extends ChatSiliconFlow {
    override async completionWithRetry(): Promise<never> {
      const piece = (content: string, finish_reason: string | null) =>
        ({ choices: [{ index: 0, delta: { content }, finish_reason }] }) as Chunk;
      async function* chunks() {
        yield piece("Li", null);
        yield piece("ma", "stop");
      }
      // What the base class promises for a request that streams.
      return chunks() as unknown as never;
    }
  }
  expect((await texts(new Canned(fields))).join("")).toBe("Lima");
});

test("a stream that somebody else reads rejects whoever asks it for an item", async () => {
  void replyStream();
  const stream = await chat().stream("Capital of Peru?");
  const reader = stream.getReader();
  await expect(stream.next()).rejects.toThrow(TypeError);
  await reader.cancel();
});
