import { ChatSiliconFlow } from "@langchain-siliconflow/chat";
import { isSiliconFlowError } from "@langchain-siliconflow/client";
import { describe, expect, test } from "vitest";
import { type Answer, calling, cut, limited, thinking, weighed } from "./answers.js";
import { answerServer } from "./answer-server.js";
import { seen, tools, views } from "./views.js";

const names = Object.keys(views);

async function ask(view: string, ...answers: Answer[]) {
  await using server = await answerServer(...answers);
  const model = new ChatSiliconFlow({ model: "Qwen/Qwen3-8B", apiKey: "sk-views", baseURL: server.url, maxRetries: 0 });
  const message = await views[view]!(model);
  return { message, requests: server.requests };
}

describe("an answer with thoughts looks the same", () => {
  test.each(names)("%s", async (view) => {
    const { message } = await ask(view, thinking);

    expect(seen(message)).toEqual({
      text: "Lima",
      reasoning: "Peru's capital city is Lima.",
      blocks: [
        { type: "reasoning", reasoning: "Peru's capital city is Lima." },
        { type: "text", text: "Lima" },
      ],
      calls: [],
      invalidCalls: [],
      usage_metadata: {
        input_tokens: 24,
        output_tokens: 12,
        total_tokens: 36,
        input_token_details: { cache_read: 8 },
        output_token_details: { reasoning: 9 },
      },
      metadata: {
        trace_id: "ti_1",
        finish_reason: "stop",
        model: "Qwen/Qwen3-8B",
        model_name: "Qwen/Qwen3-8B",
        model_provider: "siliconflow",
        usage: {
          prompt_tokens: 24,
          completion_tokens: 12,
          total_tokens: 36,
          completion_tokens_details: { reasoning_tokens: 9 },
          prompt_tokens_details: { cached_tokens: 8 },
          prompt_cache_hit_tokens: 8,
          prompt_cache_miss_tokens: 16,
        },
      },
    });
  });
});

describe("an answer that calls tools looks the same", () => {
  test.each(names)("%s", async (view) => {
    const { message } = await ask(view, calling, thinking);

    expect(seen(message)).toEqual({
      text: "",
      reasoning: "Need the stock level and the time.",
      blocks: [
        { type: "reasoning", reasoning: "Need the stock level and the time." },
        { type: "tool_call", id: "019c4f20b1", name: "lookup_stock", args: { sku: "A-17" } },
        { type: "tool_call", id: "019c4f20b2", name: "now", args: {} },
      ],
      calls: [
        { id: "019c4f20b1", name: "lookup_stock", args: { sku: "A-17" } },
        { id: "019c4f20b2", name: "now", args: {} },
      ],
      invalidCalls: [],
      usage_metadata: {
        input_tokens: 88,
        output_tokens: 30,
        total_tokens: 118,
        input_token_details: {},
        output_token_details: { reasoning: 7 },
      },
      metadata: {
        trace_id: "ti_1",
        finish_reason: "tool_calls",
        model: "Qwen/Qwen3-8B",
        model_name: "Qwen/Qwen3-8B",
        model_provider: "siliconflow",
        usage: {
          prompt_tokens: 88,
          completion_tokens: 30,
          total_tokens: 118,
          completion_tokens_details: { reasoning_tokens: 7 },
        },
      },
    });
  });
});

describe("the probabilities of an answer's tokens are all there", () => {
  test.each(names)("%s", async (view) => {
    const { message } = await ask(view, weighed);

    expect(message.response_metadata["logprobs"]).toEqual({
      content: [
        { token: "Li", logprob: -0.1 },
        { token: "ma", logprob: -0.2 },
      ],
    });
  });
});

describe("a call that the token limit cut is not run", () => {
  test.each(names)("%s", async (view) => {
    const { message, requests } = await ask(view, limited);

    expect(seen(message)).toMatchObject({
      calls: [],
      invalidCalls: [{ id: "019c4f20b1", name: "lookup_stock", args: '{"sku": "A-1' }],
      metadata: { finish_reason: "length" },
    });
    expect(message.contentBlocks.map((block) => block.type)).toEqual(["reasoning", "invalid_tool_call"]);
    expect(requests).toHaveLength(1);
  });
});

describe("an answer that breaks off is an error, never a short answer", () => {
  test.each(names)("%s", async (view) => {
    const error = await ask(view, cut).catch((reason: unknown) => reason);

    expect(isSiliconFlowError(error)).toBe(true);
    const streamed = { name: "StreamError", reason: "truncated", partial: { content: "Li" } };
    expect(error).toMatchObject(view === "invoke" ? { name: "InvalidResponseError" } : streamed);
  });
});

describe("an agent gives the model its thoughts back with the results of its tools", () => {
  test.each(names.filter((name) => name.startsWith("agent")))("%s", async (view) => {
    const { requests } = await ask(view, calling, thinking);

    expect(requests).toHaveLength(2);
    expect(requests[1]!.messages.slice(1)).toEqual([
      {
        role: "assistant",
        content: "",
        reasoning_content: "Need the stock level and the time.",
        tool_calls: [
          { id: "019c4f20b1", type: "function", function: { name: "lookup_stock", arguments: '{"sku":"A-17"}' } },
          { id: "019c4f20b2", type: "function", function: { name: "now", arguments: "{}" } },
        ],
      },
      { role: "tool", tool_call_id: "019c4f20b1", content: "12 units of A-17" },
      { role: "tool", tool_call_id: "019c4f20b2", content: "noon" },
    ]);
  });
});

describe("what is shown while an answer comes in", () => {
  async function model(server: { url: string }) {
    return new ChatSiliconFlow({ model: "Qwen/Qwen3-8B", apiKey: "sk-views", baseURL: server.url });
  }

  test("a stream's chunks have one id, and text or thoughts or nothing but facts at the end", async () => {
    await using server = await answerServer(thinking);
    const chunks = [];
    for await (const chunk of await (await model(server)).stream("Well?")) chunks.push(chunk);

    expect(chunks.map((chunk) => chunk.contentBlocks)).toEqual([
      [{ type: "reasoning", reasoning: "Peru's capital ", index: "sf-reasoning" }],
      [{ type: "reasoning", reasoning: "city is Lima.", index: "sf-reasoning" }],
      [{ type: "text", text: "Li", index: "sf-text" }],
      [{ type: "text", text: "ma", index: "sf-text" }],
      [],
      [],
    ]);
    expect(new Set(chunks.map((chunk) => chunk.id))).toEqual(new Set(["019c4f20a1"]));
  });

  test("a v1 stream merges into one block of each kind", async () => {
    await using server = await answerServer(calling);
    let whole;
    for await (const chunk of await (await model(server)).stream("Well?", { outputVersion: "v1" })) {
      whole = whole === undefined ? chunk : whole.concat(chunk);
    }
    expect(whole?.content).toMatchObject([
      { type: "reasoning", reasoning: "Need the stock level and the time." },
      { type: "tool_call", name: "lookup_stock", args: { sku: "A-17" } },
      { type: "tool_call", name: "now", args: {} },
    ]);
  });

  test("events v3 tell thoughts from text, and count once", async () => {
    await using server = await answerServer(thinking);
    const events = (await model(server)).streamEvents("Well?");

    expect(await events.text).toBe("Lima");
    expect(await events.reasoning).toBe("Peru's capital city is Lima.");
    const kinds: string[] = [];
    for await (const event of events) kinds.push(event.event);
    expect(kinds.filter((kind) => kind === "usage")).toHaveLength(1);
  });

  test("an agent's stream of messages shows each answer under one id", async () => {
    await using server = await answerServer(calling, thinking);
    const { createAgent } = await import("langchain");
    const agent = createAgent({ model: await model(server), tools });
    const ids = new Set<string | undefined>();
    let text = "";
    for await (const [message] of await agent.stream(
      { messages: [{ role: "user", content: "Well?" }] },
      { streamMode: "messages" },
    )) {
      if (message.type !== "ai") continue;
      ids.add(message.id);
      text += message.text;
    }
    expect(ids).toEqual(new Set(["019c4f20b0", "019c4f20a1"]));
    expect(text).toBe("Lima");
  });
});
