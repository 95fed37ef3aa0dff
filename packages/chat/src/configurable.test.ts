import { describe, expect, test } from "vitest";
import { chat, reply, replyStream } from "./mocked-host.js";

const configurable = { model: "deepseek-ai/DeepSeek-V3.2", temperature: 0.1, enableThinking: true };

const allowed = { configurableFields: ["model" as const, "temperature" as const] };

describe("the configuration of a run", () => {
  test.each(["invoke", "stream", "events v3"])("sets what it may, and nothing else: %s", async (way) => {
    const model = chat(allowed);
    const sent = way === "invoke" ? reply() : replyStream();
    if (way === "invoke") await model.invoke("hi", { configurable });
    else if (way === "stream") for await (const _ of await model.stream("hi", { configurable }));
    else await model.streamEvents("hi", { configurable });

    const { body } = await sent;
    expect(body).toMatchObject({ model: "deepseek-ai/DeepSeek-V3.2", temperature: 0.1 });
    expect(body).not.toHaveProperty("enable_thinking");
  });

  test("sets nothing by default", async () => {
    const sent = reply();
    await chat().invoke("hi", { configurable });
    expect((await sent).body).toMatchObject({ model: "Qwen/Qwen3-8B" });
    expect((await sent).body).not.toHaveProperty("temperature");
  });

  test("yields to an option of the call", async () => {
    const sent = reply();
    await chat(allowed).invoke("hi", { configurable, temperature: 0.9 });
    expect((await sent).body).toMatchObject({ model: "deepseek-ai/DeepSeek-V3.2", temperature: 0.9 });
  });

  test("is heard through withConfig and bound tools, and told to LangSmith and the cache", async () => {
    const sent = reply();
    const seen: unknown[] = [];
    const model = chat({ ...allowed, cache: true });
    await model
      .bindTools([{ type: "function", function: { name: "f", parameters: {} } }])
      .withConfig({ configurable })
      .invoke("hi", {
        callbacks: [
          {
            handleChatModelStart: (...all: unknown[]) => void seen.push(all[6]),
          },
        ],
      });
    expect((await sent).body).toMatchObject({ model: "deepseek-ai/DeepSeek-V3.2", tools: [{}] });
    expect(seen).toMatchObject([{ ls_model_name: "deepseek-ai/DeepSeek-V3.2", ls_provider: "siliconflow" }]);

    const other = reply();
    await model.invoke("hi");
    expect((await other).body).toMatchObject({ model: "Qwen/Qwen3-8B" });
  });

  test("is a part of the cache's key", async () => {
    const model = chat({ ...allowed, cache: true });
    reply();
    await model.invoke("configured?", { configurable });
    const second = reply();
    await model.invoke("configured?");
    expect((await second).body).toMatchObject({ model: "Qwen/Qwen3-8B" });
    await model.invoke("configured?", { configurable });
  });

  test("with a value of the wrong kind is refused", async () => {
    await expect(chat(allowed).invoke("hi", { configurable: { temperature: "hot" } })).rejects.toMatchObject({
      name: "InvalidInputError",
      message: /configurable\.temperature/,
    });
    expect(() => chat({ configurableFields: ["apiKey" as "model"] })).toThrow(/configurableFields.*model, temperature/);
  });
});

test("a call can ask another model", async () => {
  const sent = reply();
  await chat().invoke("hi", { model: "deepseek-ai/DeepSeek-V3.2" });
  expect((await sent).body).toMatchObject({ model: "deepseek-ai/DeepSeek-V3.2" });
  await expect(chat().invoke("hi", { model: "" })).rejects.toMatchObject({ name: "InvalidInputError" });
});

test("traces name this package and its version", async () => {
  expect(chat().metadata).toMatchObject({
    versions: { "@langchain-siliconflow/chat": expect.any(String), "@langchain/core": expect.any(String) },
  });
});
