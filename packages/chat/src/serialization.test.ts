import { inspect } from "node:util";
import { SiliconFlowClient } from "@langchain-siliconflow/client";
import { load } from "@langchain/core/load";
import { describe, expect, test } from "vitest";
import { ChatSiliconFlow } from "./chat-siliconflow.js";
import { siliconFlowImportMap, siliconFlowOptionalImportsMap } from "./import-maps.js";
import { answer, chat, host, key, reply, replyStream } from "./mocked-host.js";

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

  test.each([{ importMap: siliconFlowImportMap }, { optionalImportsMap: siliconFlowOptionalImportsMap }])(
    "is asked for with either of the maps for load(): %o",
    async (maps) => {
      const secretsMap = { SILICONFLOW_API_KEY: key };
      const loaded = await load<ChatSiliconFlow>(JSON.stringify(chat({ topK: 3 })), { secretsMap, ...maps });
      expect(loaded).toBeInstanceOf(ChatSiliconFlow);
      expect(loaded.topK).toBe(3);
    },
  );

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

  test("handlers are given the caller's options of a call, and nothing of ours", async () => {
    const given: unknown[] = [];
    const handler = { handleChatModelStart: (...call: unknown[]) => void given.push(call[4]) };
    void replyStream();
    for await (const _ of await chat().stream("hi", { callbacks: [handler], seed: 3 }));

    const [{ options }] = given as [{ options: object }];
    expect(Reflect.ownKeys(options)).toEqual(["seed"]);
  });

  test("the cache tells apart what is sent back of earlier thoughts", () => {
    const keys = (["auto", "never"] as const).map((reasoningHistory) =>
      chat({ reasoningHistory })._getSerializedCacheKeyParametersForCall({}),
    );
    expect(keys[0]).not.toBe(keys[1]);
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
