import { describe, expect, test } from "vitest";
import { ChatSiliconFlow } from "./chat-siliconflow.js";
import { initSiliconFlowModel } from "./init-model.js";
import { host, key, reply } from "./mocked-host.js";

const fields = { apiKey: key, baseURL: host };

describe("a model by one string", () => {
  test.each([
    ["siliconflow:Qwen/Qwen3-8B", "Qwen/Qwen3-8B"],
    ["siliconflow:Pro/deepseek-ai/DeepSeek-R1", "Pro/deepseek-ai/DeepSeek-R1"],
    ["Qwen/Qwen3-8B", "Qwen/Qwen3-8B"],
    ["Qwen/Some:variant", "Qwen/Some:variant"],
    ["siliconflow:ft:LoRA/Qwen/x:1", "ft:LoRA/Qwen/x:1"],
    ["ft:LoRA/Qwen/x:1", "ft:LoRA/Qwen/x:1"],
  ])("%s is %s", (text, id) => {
    const model = initSiliconFlowModel(text, fields);
    expect(model).toBeInstanceOf(ChatSiliconFlow);
    expect(model.model).toBe(id);
  });

  test("has its options", async () => {
    const sent = reply();
    await initSiliconFlowModel("siliconflow:Qwen/Qwen3-8B", { ...fields, temperature: 0, topK: 3 }).invoke("hi");
    expect((await sent).body).toMatchObject({ model: "Qwen/Qwen3-8B", temperature: 0, top_k: 3 });
  });

  test.each(["", "siliconflow:", "openai:gpt-5"])("%j is refused with what to write", (text) => {
    expect(() => initSiliconFlowModel(text, fields)).toThrow(/siliconflow:<model>/);
  });

  test("initChatModel's modelProvider is taken, if it is ours", () => {
    expect(initSiliconFlowModel("Qwen/Qwen3-8B", { ...fields, modelProvider: "siliconflow" }).model).toBe(
      "Qwen/Qwen3-8B",
    );
    expect(() => initSiliconFlowModel("gpt-5", { ...fields, modelProvider: "openai" })).toThrow(/"openai"/);
  });
});
