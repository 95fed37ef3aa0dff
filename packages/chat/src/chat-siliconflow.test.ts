import { inspect } from "node:util";
import { SiliconFlowClient } from "@langchain-siliconflow/client";
import { ContextOverflowError } from "@langchain/core/errors";
import { load } from "@langchain/core/load";
import { HumanMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import nock from "nock";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ChatSiliconFlow } from "./chat-siliconflow.js";
import type { ChatSiliconFlowFields } from "./chat-fields.js";

const host = "https://siliconflow.test";
const key = "sk-sentinel-4711";

// Nothing here may reach the network.
beforeEach(() => nock.disableNetConnect());
afterEach(() => {
  const pending = nock.pendingMocks();
  nock.cleanAll();
  if (pending.length > 0) throw new Error(`Never asked: ${pending.join(", ")}`);
});

function chat(fields: Partial<ChatSiliconFlowFields> = {}): ChatSiliconFlow {
  return new ChatSiliconFlow({ model: "Qwen/Qwen3-8B", apiKey: key, baseURL: host, maxRetries: 0, ...fields });
}

interface Sent {
  body: Record<string, unknown>;
  headers: Record<string, string>;
}

/** Answers one request, and resolves to what was sent. */
function serve(status: number, body: unknown, type: string): Promise<Sent> {
  return new Promise((resolve) => {
    nock(host)
      .post("/v1/chat/completions")
      .reply(async (request: Request) => {
        const sent = (await request.json()) as Sent["body"];
        resolve({ body: sent, headers: Object.fromEntries(request.headers) });
        return [status, body, { "content-type": type, "x-siliconcloud-trace-id": "ti_1" }];
      });
  });
}

function reply(status = 200, body: unknown = answer()): Promise<Sent> {
  return serve(status, typeof body === "string" ? body : JSON.stringify(body), "application/json");
}

function answer(message: object = { content: "Lima" }, finish = "stop"): object {
  return {
    id: "019c",
    object: "chat.completion",
    created: 1,
    model: "Qwen/Qwen3-8B",
    choices: [{ index: 0, message: { role: "assistant", ...message }, finish_reason: finish }],
    usage: { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 },
  };
}

const events = [{ content: "", role: "assistant" }, { content: "Li" }, { content: "ma" }].map((delta) => ({
  id: "019c",
  model: "Qwen/Qwen3-8B",
  choices: [{ index: 0, delta, finish_reason: null }],
}));
const stream = [
  ...events,
  {
    ...events[0],
    choices: [{ index: 0, delta: { content: "" }, finish_reason: "stop" }],
    usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
  },
]
  .map((event) => `data: ${JSON.stringify(event)}\n\n`)
  .concat("data: [DONE]\n\n")
  .join("");

function replyStream(): Promise<Sent> {
  return serve(200, stream, "text/event-stream");
}

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

  test.each(["enable_thinking", "top_k", "extra_body"])(
    "the call option %s is refused by name, for it would be ignored",
    async (name) => {
      await expect(chat().invoke("hi", { [name]: 1 })).rejects.toMatchObject({
        name: "InvalidInputError",
        message: expect.stringContaining(name),
      });
    },
  );

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

  test("in ChatOpenAI's nested options reach it as well, streams included", async () => {
    const whole = reply();
    await chat().invoke("hi", { options: { headers } });
    const streamed = replyStream();
    for await (const _ of await chat().stream("hi", { options: { headers } })) continue;

    for (const sent of [whole, streamed]) expect((await sent).headers["x-tenant"]).toBe("a");
  });
});

describe("ChatOpenAI's habits", () => {
  test("address, headers, model and stop are taken from where ChatOpenAI has them", async () => {
    const sent = reply();
    const model = new ChatSiliconFlow({
      modelName: "Qwen/Qwen3-8B",
      stopSequences: ["end"],
      maxCompletionTokens: 5,
      timeout: 5000,
      useResponsesApi: false,
      configuration: { baseURL: `${host}/v1`, apiKey: key, defaultHeaders: { "x-app": "demo" }, maxRetries: 0 },
    } as ChatSiliconFlowFields);
    await model.invoke("hi");

    expect((await sent).body).toMatchObject({ model: "Qwen/Qwen3-8B", stop: ["end"], max_tokens: 5 });
    expect((await sent).headers).toMatchObject({ authorization: `Bearer ${key}`, "x-app": "demo" });
    expect(model.timeouts).toEqual({ firstByteMs: 5000 });
  });

  test("the model may stand before the options", () => {
    expect(new ChatSiliconFlow("Qwen/Qwen3-8B", { apiKey: key, temperature: 0 })).toMatchObject({
      model: "Qwen/Qwen3-8B",
      temperature: 0,
    });
  });

  test.each([
    [{ useResponsesApi: true }, /no option "useResponsesApi".*no Responses API/],
    [{ configuration: { fetch } }, /configuration\.fetch.*client\/fetch/],
    [{ configuration: { organization: "o" } }, /configuration\.organization/],
    [{ openAIApiKey: "sk" }, /Use apiKey/],
    [{ enable_thinking: true }, /Use enableThinking/],
    [{ reasoning: { effort: "high" } }, /reasoningEffort/],
    [{ onFailedAttempt: () => {} }, /maxRetries, and onRetry/],
    [{ colour: "red" }, /no option "colour".*modelKwargs/],
    [{ temperature: "0.5" }, /temperature of ChatSiliconFlow must be a finite number/],
    [{ topK: Number.NaN }, /topK of ChatSiliconFlow must be a finite number/],
    [{ enableThinking: "yes" }, /enableThinking of ChatSiliconFlow must be true or false/],
    [{ stop: [1] }, /stop of ChatSiliconFlow must be a string or a list/],
    [{ reasoningHistory: "sometimes" }, /must be "auto", "always" or "never"/],
    [{ modelKwargs: { stream: true } }, /modelKwargs cannot set "stream"/],
    [{ model: "" }, /needs a model/],
    [{ client: {} }, /Pass either client or apiKey/],
  ])("%j is refused, with what to do instead", (fields, says) => {
    expect(() => chat(fields as object)).toThrow(
      expect.objectContaining({ name: "InvalidInputError", message: expect.stringMatching(says) }),
    );
  });

  test("a client can be shared", async () => {
    const client = new SiliconFlowClient({ apiKey: key, baseURL: host, maxRetries: 0 });
    const sent = reply();
    await new ChatSiliconFlow({ model: "Qwen/Qwen3-8B", client }).invoke("hi");

    expect((await sent).headers["authorization"]).toBe(`Bearer ${key}`);
  });

  test("without a key anywhere, the constructor says so", () => {
    expect(() => new ChatSiliconFlow({ model: "m" })).toThrow(expect.objectContaining({ reason: "auth" }));
  });
});

describe("the environment of OpenAI has no effect", () => {
  test("on the address, the headers, the body, or what is written out", async () => {
    vi.stubEnv("OPENAI_API_KEY", "sk-poison");
    vi.stubEnv("OPENAI_ORGANIZATION", "org-poison");
    vi.stubEnv("OPENAI_PROJECT_ID", "project-poison");
    vi.stubEnv("OPENAI_API_BASE", "https://poison.test/v1");
    vi.stubEnv("OPENAI_BASE_URL", "https://poison.test/v1");
    vi.stubEnv("LANGSMITH_GATEWAY", "https://poison.test");
    vi.stubEnv("LANGSMITH_GATEWAY_API_KEY", "sk-poison");
    vi.stubEnv("SILICONFLOW_API_KEY", key);
    const sent = reply();
    const model = new ChatSiliconFlow({ model: "Qwen/Qwen3-8B", baseURL: host });
    await model.invoke("hi");

    expect((await sent).headers["authorization"]).toBe(`Bearer ${key}`);
    expect(
      JSON.stringify([await sent, model, model._identifyingParams()]) + inspect(model, { depth: 9, showHidden: true }),
    ).not.toContain("poison");
  });
});

describe("the key", () => {
  test("is in no text of the model", async () => {
    const seen: unknown[] = [];
    const model = chat({ headers: { "x-secret": "s3cret" } });
    reply();
    await model.invoke("hi", {
      callbacks: [{ handleChatModelStart: (...all: unknown[]) => void seen.push(...all) }],
      headers: { "x-secret": "s3cret" },
    });
    const shown = [
      JSON.stringify(model),
      inspect(model, { depth: 9, showHidden: true }),
      JSON.stringify(model._identifyingParams()),
      model._getSerializedCacheKeyParametersForCall({ headers: { "x-secret": "s3cret" } }),
      JSON.stringify(model.lc_kwargs),
      JSON.stringify(seen),
    ].join("\n");

    expect(seen.length).toBeGreaterThan(0);
    expect(shown).not.toContain(key);
    expect(shown).not.toContain("s3cret");
  });

  test("is asked for by its own name when the model is loaded again, with its own options", async () => {
    const model = chat({
      topK: 3,
      enableThinking: true,
      reasoningHistory: "never",
      maxRetries: 5,
      stop: ["a"],
      profile: { imageInputs: true },
    });
    const text = JSON.stringify(model);

    expect(JSON.parse(text)).toEqual({
      lc: 1,
      type: "constructor",
      id: ["langchain", "chat_models", "siliconflow", "ChatSiliconFlow"],
      kwargs: expect.objectContaining({
        api_key: { lc: 1, type: "secret", id: ["SILICONFLOW_API_KEY"] },
        model: "Qwen/Qwen3-8B",
        base_url: host,
        top_k: 3,
        enable_thinking: true,
        reasoning_history: "never",
        max_retries: 5,
        stop: ["a"],
      }),
    });
    const loaded = await load<ChatSiliconFlow>(text, {
      secretsMap: { SILICONFLOW_API_KEY: key },
      importMap: { chat_models__siliconflow: { ChatSiliconFlow } },
    });
    expect(loaded).toBeInstanceOf(ChatSiliconFlow);
    expect(JSON.stringify(loaded)).toBe(text);
    const sent = reply();
    await loaded.invoke("hi");
    expect((await sent).body).toMatchObject({ top_k: 3, enable_thinking: true, stop: ["a"] });
  });

  test("is neither written out with a shared client, whose address is", () => {
    const client = new SiliconFlowClient({ apiKey: key, baseURL: `${host}/v1` });
    const text = JSON.stringify(new ChatSiliconFlow({ model: "m", client }));

    expect(JSON.parse(text)).toMatchObject({ kwargs: { base_url: `${host}/v1` } });
    expect(text).not.toContain(key);
  });
});

describe("what LangChain knows of the model", () => {
  test("LangSmith's six fields, and no others", () => {
    const model = chat({ temperature: 0.5, maxTokens: 10, stop: ["a"] });

    expect(model.getLsParams({} as never)).toEqual({
      ls_provider: "siliconflow",
      ls_model_name: "Qwen/Qwen3-8B",
      ls_model_type: "chat",
      ls_temperature: 0.5,
      ls_max_tokens: 10,
      ls_stop: ["a"],
    });
    expect(Object.keys(chat().getLsParams({} as never)).toSorted()).toEqual([
      "ls_max_tokens",
      "ls_model_name",
      "ls_model_type",
      "ls_provider",
      "ls_stop",
      "ls_temperature",
    ]);
  });

  test("the cache tells models, hosts, thinking and messages apart, and a hit asks nobody", async () => {
    const model = chat({ cache: true });
    reply();
    const [first, second] = [await model.invoke("hi"), await model.invoke("hi")];
    reply(200, answer({ content: "Quito" }));
    const third = await model.invoke("hi", { enableThinking: false });

    expect([first.content, second.content, third.content]).toEqual(["Lima", "Lima", "Quito"]);
    expect(second.usage_metadata).toMatchObject({ total_tokens: 0 });
  });

  test("its profile by id, Pro/ or not, under the caller's own", () => {
    expect(chat({ model: "Pro/deepseek-ai/DeepSeek-R1" }).profile).toMatchObject({
      maxInputTokens: 163_840,
      maxOutputTokens: 16_384,
      reasoningOutput: true,
      toolCalling: true,
    });
    expect(
      chat({ model: "Qwen/Qwen3-VL-8B-Instruct", profile: { imageInputs: false, structuredOutput: true } }).profile,
    ).toMatchObject({ imageInputs: false, imageUrlInputs: true, structuredOutput: true });
    expect(chat({ model: "new/Model" }).profile).toEqual({});
    expect(chat({ model: "constructor" }).profile).toEqual({});
  });

  test("token counts are estimated on this machine", async () => {
    expect(await chat().getNumTokens("Capital of Peru, please tell me.")).toBeGreaterThan(5);
    expect(await chat().getNumTokens("深度求索")).toBe(3);
    expect(await chat().getNumTokens([{ type: "text", text: "hello" }])).toBe(2);
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

describe("errors of the service", () => {
  test.each([
    [401, '"Invalid token"', "AuthenticationError", "MODEL_AUTHENTICATION"],
    [400, { code: 20012, message: "Model does not exist." }, "NotFoundError", "MODEL_NOT_FOUND"],
    [
      429,
      { message: "Request was rejected due to rate limiting. TPM limit reached." },
      "RateLimitError",
      "MODEL_RATE_LIMIT",
    ],
    [
      400,
      { code: 20015, message: "length of prompt_tokens (9000) must be less than max_seq_len (8192)." },
      "ContextLengthError",
      "CONTEXT_OVERFLOW",
    ],
    [
      400,
      { code: 20015, message: "messages with role 'tool' must follow tool_calls" },
      "BadRequestError",
      "INVALID_TOOL_RESULTS",
    ],
    [503, { code: 50505, message: "Model service overloaded." }, "ServiceUnavailableError", undefined],
  ])("%i %j is a %s that LangChain knows", async (status, body, name, code) => {
    reply(status, body);
    const error: unknown = await chat()
      .invoke("hi")
      .catch((reason: unknown) => reason);

    expect(error).toMatchObject({ name, traceId: "ti_1" });
    expect((error as { lc_error_code?: string }).lc_error_code).toBe(code);
    expect(ContextOverflowError.isInstance(error)).toBe(name === "ContextLengthError");
    expect(String(error) + JSON.stringify(error)).not.toContain(key);
  });

  test("a too long prompt is known in a stream as well", async () => {
    reply(
      400,
      JSON.stringify({ code: 20015, message: "length of prompt_tokens (9000) must be less than max_seq_len (8192)." }),
    );
    const error: unknown = await chat()
      .stream("hi")
      .catch((reason: unknown) => reason);

    expect(error).toMatchObject({ name: "ContextLengthError", status: 400 });
    expect(ContextOverflowError.isInstance(error)).toBe(true);
  });

  test("an error wrapped into a 200 is an error", async () => {
    reply(200, { code: 50505, message: "Model service overloaded." });

    await expect(chat().invoke("hi")).rejects.toMatchObject({ status: 200, code: 50505 });
  });

  test("retries are the client's, as many as asked for", async () => {
    reply(503, "busy");
    reply(503, "busy");
    reply();
    const waits: number[] = [];
    const message = await chat({ maxRetries: 2, onRetry: ({ attempt }) => void waits.push(attempt) }).invoke("hi");

    expect(message.content).toBe("Lima");
    expect(waits).toHaveLength(2);
  });

  test("moderation is refused, as there is none", async () => {
    await expect(chat().moderateContent()).rejects.toMatchObject({ name: "InvalidInputError" });
  });
});
