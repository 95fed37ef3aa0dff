import { HumanMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { describe, expect, test } from "vitest";
import { chat, reply, replyStream } from "./mocked-host.js";

describe("the request", () => {
  test("has nothing that was not asked for", async () => {
    const sent = reply();
    await chat().invoke("Capital of Peru?");

    expect((await sent).body).toEqual({
      model: "Qwen/Qwen3-8B",
      stream: false,
      messages: [{ role: "user", content: "Capital of Peru?" }],
    });
  });

  test("has the constructor's options, under the names of the wire", async () => {
    const sent = reply();
    await chat({
      temperature: 0.1,
      topP: 0.2,
      topK: 3,
      minP: 0.4,
      frequencyPenalty: 0.5,
      presencePenalty: 0.6,
      maxTokens: 7,
      stop: "end",
      n: 1,
      seed: 9,
      enableThinking: false,
      thinkingBudget: 128,
      reasoningEffort: "max",
      logprobs: true,
      topLogprobs: 2,
      user: "u",
      modelKwargs: { custom: 1, temperature: 2 },
    }).invoke("hi");

    expect((await sent).body).toEqual({
      model: "Qwen/Qwen3-8B",
      stream: false,
      messages: [{ role: "user", content: "hi" }],
      temperature: 0.1,
      top_p: 0.2,
      top_k: 3,
      min_p: 0.4,
      frequency_penalty: 0.5,
      presence_penalty: 0.6,
      max_tokens: 7,
      stop: ["end"],
      n: 1,
      seed: 9,
      enable_thinking: false,
      thinking_budget: 128,
      reasoning_effort: "max",
      logprobs: true,
      top_logprobs: 2,
      user: "u",
      custom: 1,
    });
  });

  test("has the call's options in their place", async () => {
    const sent = reply();
    await chat({ temperature: 0.1, enableThinking: true, stop: ["a"] }).invoke("hi", {
      temperature: 0,
      topK: 1,
      enableThinking: false,
      thinkingBudget: 256,
      reasoningEffort: "high",
      prefix: "Well,",
      suffix: ".",
      stop: ["b"],
      maxTokens: 5,
      response_format: { type: "json_object" },
      parallel_tool_calls: false,
    });

    expect((await sent).body).toMatchObject({
      temperature: 0,
      top_k: 1,
      enable_thinking: false,
      thinking_budget: 256,
      reasoning_effort: "high",
      prefix: "Well,",
      suffix: ".",
      stop: ["b"],
      max_tokens: 5,
      response_format: { type: "json_object" },
      parallel_tool_calls: false,
    });
  });

  test("has no stop where the list of them is empty, for the service takes one to four", async () => {
    const sent = reply();
    await chat({ stop: ["a"] }).invoke("hi", { stop: [] });

    expect((await sent).body).not.toHaveProperty("stop");
  });

  test("has tools as they were bound, and no strict that nobody asked for", async () => {
    const lookup = tool(async () => "12", {
      name: "lookup",
      description: "Units on hand",
      schema: { type: "object", properties: { sku: { type: "string" } }, required: ["sku"] },
    });
    const sent = reply();
    await chat().bindTools([lookup], { tool_choice: "any" }).invoke("hi");

    expect((await sent).body).toMatchObject({
      tool_choice: "required",
      tools: [
        {
          type: "function",
          function: {
            name: "lookup",
            description: "Units on hand",
            parameters: { type: "object", properties: { sku: { type: "string" } }, required: ["sku"] },
          },
        },
      ],
    });
    expect(JSON.stringify((await sent).body)).not.toContain("strict");
  });

  test.each([
    ["auto", "auto"],
    ["none", "none"],
    ["lookup", { type: "function", function: { name: "lookup" } }],
  ])("tool_choice %s goes out as %j", async (tool_choice, expected) => {
    const sent = reply();
    await chat().invoke("hi", { tool_choice });

    expect((await sent).body["tool_choice"]).toEqual(expected);
  });

  test.each([
    ["enable_thinking", "enableThinking"],
    ["top_k", "topK"],
    ["max_completion_tokens", "maxTokens"],
    ["extra_body", "modelKwargs"],
    ["repetition_penalty", "modelKwargs"],
    ["modelKwargs", "modelKwargs of the constructor"],
    ["logprobs", "logprobs of the constructor"],
    ["functions", "tools"],
  ])("the call option %s is refused by name, for it would be ignored", async (name, replacement) => {
    await expect(chat().invoke("hi", { [name]: 1 })).rejects.toMatchObject({
      name: "InvalidInputError",
      message: expect.stringMatching(`"${name}".*Use ${replacement}`),
    });
  });

  test.each([
    { temperature: "hot" },
    { maxTokens: Number.NaN },
    { topK: Number.POSITIVE_INFINITY },
    { enableThinking: "no" },
    { reasoningHistory: "sometimes" },
  ])("a call option that cannot be meant is refused: %o", async (options) => {
    await expect(chat().invoke("hi", options as object)).rejects.toMatchObject({
      name: "InvalidInputError",
      message: expect.stringContaining(Object.keys(options)[0]!),
    });
  });

  test("keys that LangChain, agents and graphs pass along are let through", async () => {
    const sent = reply();
    await chat().invoke("hi", {
      configurable: { thread_id: "1" },
      context: {},
      store: {},
      writer: () => {},
      recursionLimit: 5,
      promptIndex: 0,
      ls_structured_output_format: { kwargs: { method: "json_mode" }, schema: {} },
    } as object);

    expect(Object.keys((await sent).body)).toEqual(["model", "stream", "messages"]);
  });

  test("what is no tool is refused before anything goes out", async () => {
    for (const notATool of [{}, { type: "web_search" }, { type: "function", function: {} }]) {
      await expect(chat().bindTools([notATool]).invoke("hi")).rejects.toMatchObject({
        name: "InvalidInputError",
        message: expect.stringContaining("Tool 0"),
      });
    }
  });

  test("a message that cannot be sent is refused before anything goes out", async () => {
    const message = new HumanMessage({ content: [{ type: "hologram" }] });

    await expect(chat().invoke([message])).rejects.toMatchObject({ name: "InvalidInputError", position: 0 });
    await expect(chat().stream([message])).rejects.toMatchObject({ name: "InvalidInputError", position: 0 });
    await expect(chat().streamEvents([message])).rejects.toMatchObject({ position: 0 });
  });

  test("several answers are not streamed", async () => {
    await expect(chat({ n: 2 }).stream("hi")).rejects.toMatchObject({
      name: "InvalidInputError",
      message: expect.stringContaining("n > 1"),
    });
  });
});

describe("headers of one call", () => {
  const headers = { "x-tenant": "a" };

  test("reach the service on invoke, stream and events", async () => {
    const whole = reply();
    await chat().invoke("hi", { headers });
    const streamed = replyStream();
    for await (const _ of await chat().stream("hi", { headers })) continue;
    const told = replyStream();
    await chat().streamEvents("hi", { headers });

    for (const sent of [whole, streamed, told]) expect((await sent).headers["x-tenant"]).toBe("a");
  });

  test("reach it from a Headers object, of the call and of the constructor", async () => {
    const sent = reply();
    const model = chat({ headers: new Headers({ "x-app": "demo" }) as unknown as Record<string, string> });
    await model.invoke("hi", { headers: new Headers(headers) as unknown as Record<string, string> });

    expect((await sent).headers).toMatchObject({ "x-app": "demo", "x-tenant": "a" });
  });

  test("in ChatOpenAI's nested options reach it as well, streams included", async () => {
    const whole = reply();
    await chat().invoke("hi", { options: { headers } });
    const streamed = replyStream();
    for await (const _ of await chat().stream("hi", { options: { headers } })) continue;

    for (const sent of [whole, streamed]) expect((await sent).headers["x-tenant"]).toBe("a");
  });
});

describe("invoke of a model that streams", () => {
  test("gives the whole answer with the service's counts, tells tokens to callbacks, and asks nobody else", async () => {
    const sent = replyStream();
    const tokens: string[] = [];
    let output: unknown;
    const message = await chat({ streaming: true }).invoke("hi", {
      callbacks: [
        {
          handleLLMNewToken: (token) => void tokens.push(token),
          handleLLMEnd: (result) => void (output = result.llmOutput),
        },
      ],
    });

    expect((await sent).body).toMatchObject({ stream: true, stream_options: { include_usage: true } });
    expect(message.text).toBe("Lima");
    expect(message.usage_metadata).toMatchObject({ input_tokens: 3, output_tokens: 2, total_tokens: 5 });
    expect(message.response_metadata).toMatchObject({ finish_reason: "stop", model_name: "Qwen/Qwen3-8B" });
    expect(tokens.join("")).toBe("Lima");
    expect(output).toEqual({ tokenUsage: { promptTokens: 3, completionTokens: 2, totalTokens: 5 } });
  });

  test("batch gives each input its answer", async () => {
    replyStream();
    replyStream();
    const messages = await chat({ streaming: true }).batch(["a", "b"]);
    expect(messages.map((message) => message.text)).toEqual(["Lima", "Lima"]);
  });
});
