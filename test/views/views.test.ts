import { ChatSiliconFlow } from "@langchain-siliconflow/chat";
import { isSiliconFlowError } from "@langchain-siliconflow/client";
import { describe, expect, test } from "vitest";
import {
  type Answer,
  calling,
  cut,
  declined,
  limited,
  noJsonMode,
  silent,
  speaksOfTags,
  tagged,
  tagLeftOpen,
  thinking,
  thoughtAway,
  unfit,
  weighed,
} from "./answers.js";
import { answerServer } from "./answer-server.js";
import { ask as askWith } from "./ask.js";
import { seen, tools, views } from "./views.js";

const names = Object.keys(views);

const ask = (view: string, ...answers: Answer[]) => askWith({}, view, ...answers);

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
    if (view !== "invoke") {
      expect(error).toMatchObject({ usage_metadata: { input_tokens: 24, output_tokens: 11, total_tokens: 35 } });
    }
    expect(error).toMatchObject(view === "invoke" ? { name: "InvalidResponseError" } : streamed);
  });
});

describe("thoughts between tags in the content are thoughts, however the tags are cut", () => {
  test.each(names)("%s", async (view) => {
    for (const answer of tagged) {
      const { message } = await ask(view, answer);
      expect(seen(message)).toMatchObject({
        text: "Lima <think>",
        reasoning: "Peru's capital city\n\nis Lima.",
        blocks: [
          { type: "reasoning", reasoning: "Peru's capital city\n\nis Lima." },
          { type: "text", text: "Lima <think>" },
        ],
      });
    }
  });
});

describe("tags are text where the service has told thoughts apart", () => {
  test.each(names)("%s", async (view) => {
    const { message } = await ask(view, speaksOfTags);
    expect(seen(message)).toMatchObject({ text: "<think> is a tag.", reasoning: "Tags?" });
  });
});

describe("an answer that is nothing but thoughts says so, and is not taken for an empty one", () => {
  test.each(names)("%s", async (view) => {
    for (const answer of [thoughtAway, tagLeftOpen]) {
      const { message } = await ask(view, answer);
      expect(seen(message)).toMatchObject({ text: "", reasoning: "Let me see. Peru" });
      expect(message.response_metadata).toMatchObject({ finish_reason: "length", thinking_only: true });
    }
    for (const answer of [silent, thinking, calling]) {
      const { message } = await ask(view, answer, thinking);
      expect(message.response_metadata).not.toHaveProperty("thinking_only");
    }
  });
});

describe.each(Object.keys(unfit))("arguments with %s never reach a tool", (name) => {
  test.each(names)("%s", async (view) => {
    const { message, requests } = await ask(view, unfit[name]!);
    expect(seen(message)).toMatchObject({ calls: [], invalidCalls: [{ id: "a", name: "now" }] });
    expect(message.contentBlocks).toMatchObject([{ type: "invalid_tool_call" }]);
    expect(requests).toHaveLength(1);
  });
});

describe("what a model says when it declines is kept", () => {
  test.each(names)("%s", async (view) => {
    const { message } = await ask(view, declined);
    expect(message.response_metadata["refusal"]).toBe("I will not.");
  });
});

describe("a model without JSON mode is asked once more without it, and the answer says so", () => {
  const schema = { type: "object", properties: { city: { type: "string" } } };
  test.each(names)("%s", async (view) => {
    const object = { modelKwargs: { response_format: { type: "json_object" } } };
    const { message, requests } = await askWith(object, view, noJsonMode, thinking);
    expect(requests.map((request) => request["response_format"])).toEqual([{ type: "json_object" }, undefined]);
    expect(requests[1]!.messages).toEqual(requests[0]!.messages);
    expect(seen(message)).toMatchObject({ text: "Lima", metadata: { trace_id: "ti_2" } });
    expect(message.response_metadata["dropped_parameters"]).toEqual(["response_format"]);

    const format = { type: "json_schema", json_schema: { name: "city", schema } };
    const asked = await askWith({ modelKwargs: { response_format: format } }, view, noJsonMode, thinking);
    expect(asked.requests[1]!.messages[0]).toEqual({
      role: "system",
      content: `Answer with JSON alone. It must fit this JSON Schema: ${JSON.stringify(schema)}`,
    });
    await expect(askWith(object, view, noJsonMode)).rejects.toMatchObject({ name: "BadRequestError", code: 20024 });
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
  function model(server: { url: string }) {
    return new ChatSiliconFlow({ model: "Qwen/Qwen3-8B", apiKey: "sk-views", baseURL: server.url });
  }

  test("a stream's chunks have one id, and text or thoughts or nothing but facts at the end", async () => {
    await using server = await answerServer(thinking);
    const chunks = [];
    for await (const chunk of await model(server).stream("Well?")) chunks.push(chunk);

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
    for await (const chunk of await model(server).stream("Well?", { outputVersion: "v1" })) {
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
    const events = model(server).streamEvents("Well?");

    expect(await events.text).toBe("Lima");
    expect(await events.reasoning).toBe("Peru's capital city is Lima.");
    const kinds: string[] = [];
    for await (const event of events) kinds.push(event.event);
    expect(kinds.filter((kind) => kind === "usage")).toHaveLength(1);
  });

  test("an agent's stream of messages shows each answer under one id", async () => {
    await using server = await answerServer(calling, thinking);
    const { createAgent } = await import("langchain");
    const agent = createAgent({ model: model(server), tools });
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
