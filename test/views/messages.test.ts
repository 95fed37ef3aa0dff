import { describe, expect, test } from "vitest";
import type { Answer } from "./answers.js";
import { ask as askWith } from "./ask.js";
import { calling, thinking } from "./messages-answers.js";
import { seen, tools, views } from "./views.js";

const names = Object.keys(views);

const ask = (view: string, ...answers: Answer[]) =>
  askWith({ model: "Pro/zai-org/GLM-4.7", api: "messages" }, view, ...answers);

describe("an answer of the messages endpoint with thoughts looks the same", () => {
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
        output_token_details: {},
      },
      metadata: {
        trace_id: "ti_1",
        finish_reason: "stop",
        model: "Pro/zai-org/GLM-4.7",
        model_name: "Pro/zai-org/GLM-4.7",
        model_provider: "siliconflow",
        usage: {
          input_tokens: 16,
          output_tokens: 12,
          cache_read_input_tokens: 8,
          prompt_tokens: 24,
          completion_tokens: 12,
          total_tokens: 36,
          prompt_tokens_details: { cached_tokens: 8 },
        },
      },
    });
    expect(message.response_metadata).toMatchObject({
      native_finish_reason: "end_turn",
      thinking_signatures: [{ length: 28, signature: "c2lnbmVk" }],
    });
  });
});

describe("an answer of the messages endpoint that calls tools looks the same", () => {
  test.each(names)("%s", async (view) => {
    const { message } = await ask(view, calling, thinking);

    expect(seen(message)).toMatchObject({
      text: "",
      reasoning: "Need the stock level and the time.",
      blocks: [
        { type: "reasoning", reasoning: "Need the stock level and the time." },
        { type: "tool_call", id: "toolu_1", name: "lookup_stock", args: { sku: "A-17" } },
        { type: "tool_call", id: "toolu_2", name: "now", args: {} },
      ],
      calls: [
        { id: "toolu_1", name: "lookup_stock", args: { sku: "A-17" } },
        { id: "toolu_2", name: "now", args: {} },
      ],
      invalidCalls: [],
      usage_metadata: { input_tokens: 88, output_tokens: 30, total_tokens: 118 },
      metadata: { trace_id: "ti_1", finish_reason: "tool_calls" },
    });
  });
});

describe("an agent gives the model its signed thoughts back with the results of its tools", () => {
  test.each(names.filter((name) => name.startsWith("agent")))("%s", async (view) => {
    const { requests } = await ask(view, calling, thinking);

    expect(requests).toHaveLength(2);
    expect(requests[0]).toMatchObject({
      max_tokens: 8192,
      messages: [{ role: "user", content: "Well?" }],
      tools: tools.map(({ name, description }) => ({ name, description, input_schema: { type: "object" } })),
    });
    expect(requests[1]!.messages.slice(1)).toEqual([
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "Need the stock level and the time.", signature: "c2lnbmVkIHRvbw" },
          { type: "tool_use", id: "toolu_1", name: "lookup_stock", input: { sku: "A-17" } },
          { type: "tool_use", id: "toolu_2", name: "now", input: {} },
        ],
      },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "toolu_1", content: "12 units of A-17" },
          { type: "tool_result", tool_use_id: "toolu_2", content: "noon" },
        ],
      },
    ]);
  });
});
