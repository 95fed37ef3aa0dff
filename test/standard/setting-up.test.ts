import { ChatSiliconFlow } from "@langchain-siliconflow/chat";
import { describe, expect, test, vi } from "vitest";
import * as z from "zod";
import { emulated, weather } from "./emulated.js";

const { emulator, model, sent } = emulated();

/** Options that every LangChain chat model is set up with. */
const common = { temperature: 0, maxTokens: 100, timeout: 60_000, stopSequences: [], maxRetries: 2 };

describe("a model is set up", () => {
  test("with the key of the environment", async () => {
    vi.stubEnv("SILICONFLOW_API_KEY", emulator().apiKey);
    const chat = new ChatSiliconFlow({ model: "Qwen/Qwen3-8B", baseURL: emulator().url, ...common });
    expect((await chat.invoke("Hello")).text).not.toBe("");
  });

  test("with a key of its own, where the environment has none", async () => {
    vi.stubEnv("SILICONFLOW_API_KEY", undefined);
    expect((await model(common).invoke("Hello")).text).not.toBe("");
    expect(() => new ChatSiliconFlow({ model: "Qwen/Qwen3-8B", ...common })).toThrow(/SILICONFLOW_API_KEY/);
  });

  test("to stream, and invoke still gives the whole answer", async () => {
    const answer = await model({ ...common, streaming: true }).invoke("Hello");
    expect(answer.text).toBe((await model(common).invoke("Hello")).text);
    expect(emulator().requests.map(({ body }) => (body as { stream?: boolean }).stream ?? false)).toEqual([
      true,
      false,
    ]);
  });

  test("with tools, and is a runnable that can be asked", async () => {
    const bound = model(common).bindTools([weather]);
    expect((await bound.invoke("Hello")).type).toBe("ai");
    expect(sent()).toMatchObject({ tools: [{ function: { name: "get_weather" } }] });
  });

  test("with a schema of its answers, and is a runnable that can be asked", async () => {
    const structured = model(common).withStructuredOutput(z.object({ city: z.string() }));
    emulator().script([{ toolCalls: [{ name: "extract", arguments: { city: "Lima" } }] }]);
    expect(await structured.invoke("Capital of Peru?")).toEqual({ city: "Lima" });
  });
});

test("traces are told six facts of a model", () => {
  const params = model({ ...common, stopSequences: ["END"] }).getLsParams({} as never);
  expect(params).toEqual({
    ls_provider: "siliconflow",
    ls_model_name: "Qwen/Qwen3-8B",
    ls_model_type: "chat",
    ls_temperature: 0,
    ls_max_tokens: 100,
    ls_stop: ["END"],
  });
  const bare = model().getLsParams({} as never);
  expect(Object.keys(bare).toSorted()).toEqual(Object.keys(params).toSorted());
});

describe("a signal that is aborted already", () => {
  test("makes invoke fail, and nothing is asked", async () => {
    await expect(model().invoke("Hello", { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: "AbortError",
    });
    expect(emulator().requests).toEqual([]);
  });

  test("makes stream fail before a first chunk, and nothing is asked", async () => {
    const chunks: unknown[] = [];
    const reading = (async () => {
      for await (const chunk of await model().stream("Hello", { signal: AbortSignal.abort() })) chunks.push(chunk);
    })();
    await expect(reading).rejects.toMatchObject({ name: "AbortError" });
    expect(chunks).toEqual([]);
    expect(emulator().requests).toEqual([]);
  });
});
