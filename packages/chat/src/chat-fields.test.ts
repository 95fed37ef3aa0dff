import { inspect } from "node:util";
import { SiliconFlowClient } from "@langchain-siliconflow/client";
import { describe, expect, test, vi } from "vitest";
import type { ChatSiliconFlowFields } from "./chat-fields.js";
import { ChatSiliconFlow } from "./chat-siliconflow.js";
import { chat, host, key, reply } from "./mocked-host.js";

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
    [{ colour: "red" }, /no option "colour". Fields.*modelKwargs/],
    [{ temprature: 1 }, /no option "temprature". Did you mean temperature\?.*modelKwargs/],
    [{ base_url: "https://example.com" }, /Did you mean baseURL\?/],
    [{ apikey: "sk" }, /Did you mean apiKey\?/],
    [{ response_format: { type: "json_object" } }, /Use withStructuredOutput, or give it per call/],
    [{ tools: [] }, /Use bindTools/],
    [{ temperature: "0.5" }, /temperature of ChatSiliconFlow must be a finite number/],
    [{ topK: Number.NaN }, /topK of ChatSiliconFlow must be a finite number/],
    [{ enableThinking: "yes" }, /enableThinking of ChatSiliconFlow must be true or false/],
    [{ stop: [1] }, /stop of ChatSiliconFlow must be a string or a list/],
    [{ reasoningHistory: "sometimes" }, /must be "auto", "always" or "never"/],
    [{ maxConcurrency: 0 }, /maxConcurrency of ChatSiliconFlow must be 1 or more/],
    [{ modelKwargs: { stream: true } }, /modelKwargs cannot set "stream"/],
    [{ model: "" }, /needs a model/],
    [{ client: {} }, /client must be a SiliconFlowClient/],
    [
      { client: new SiliconFlowClient({ apiKey: key }) },
      /apiKey, baseURL would have no effect beside a client that is already made/,
    ],
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

  test("beside a shared client, headers, time limits and retries count for each request, and a call's own are stronger", async () => {
    const client = new SiliconFlowClient({ apiKey: key, baseURL: host, headers: { "x-a": "client" } });
    const model = new ChatSiliconFlow({
      model: "Qwen/Qwen3-8B",
      client,
      headers: { "x-a": "model", "x-b": "model" },
      timeouts: { totalMs: 30_000 },
      maxRetries: 0,
    });
    const first = reply();
    await model.invoke("hi");
    expect((await first).headers).toMatchObject({ "x-a": "model", "x-b": "model" });

    const second = reply();
    await model.invoke("hi", { headers: { "x-b": "call" } });
    expect((await second).headers).toMatchObject({ "x-a": "model", "x-b": "call" });

    reply(503, "busy");
    await expect(model.invoke("hi")).rejects.toMatchObject({ name: "ServiceUnavailableError", attempts: 1 });
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
