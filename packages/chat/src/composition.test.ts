import type { BindToolsInput } from "@langchain/core/language_models/chat_models";
import { HumanMessage } from "@langchain/core/messages";
import { isSiliconFlowError } from "@langchain-siliconflow/client";
import { type StructuredTool, tool } from "@langchain/core/tools";
import { RunnableLambda } from "@langchain/core/runnables";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { z as z3 } from "zod/v3";
import { answer, chat, reply } from "./mocked-host.js";

const busy = { code: 50505, message: "Model service overloaded." };

describe("LangChain's compositions", () => {
  test("withRetry asks again, on top of the client's own retries", async () => {
    reply(503, busy);
    reply();
    const message = await chat().withRetry({ stopAfterAttempt: 2 }).invoke("hi");
    expect(message.text).toBe("Lima");
  });

  test("withRetry can be told by the error not to ask again with what cannot work", async () => {
    reply(401, "Invalid token");
    const onFailedAttempt = (error: unknown) => {
      if (!isSiliconFlowError(error) || !error.retryable) throw error;
    };
    const failing = chat().withRetry({ stopAfterAttempt: 3, onFailedAttempt }).invoke("hi");
    await expect(failing).rejects.toMatchObject({ name: "AuthenticationError" });
  });

  test("withFallbacks asks the next model, and gives its error when all fail", async () => {
    const model = chat({ model: "a/A" }).withFallbacks([chat({ model: "b/B" })]);
    reply(503, busy);
    const second = reply();
    expect((await model.invoke("hi")).text).toBe("Lima");
    expect((await second).body).toMatchObject({ model: "b/B" });

    reply(503, busy);
    reply(401, "Invalid token");
    await expect(model.invoke("hi")).rejects.toMatchObject({ name: "ServiceUnavailableError" });
  });

  test("pipe, batch and withConfig keep options and order", async () => {
    const short = chat({ maxConcurrency: 1 }).withConfig({ maxTokens: 5 });
    const chain = RunnableLambda.from((text: string) => [new HumanMessage(text)]).pipe(short);
    const sent = [reply(200, answer({ content: "1" })), reply(200, answer({ content: "2" }))];
    expect((await chain.batch(["a", "b"])).map((message) => message.text)).toEqual(["1", "2"]);
    for (const each of sent) expect((await each).body).toMatchObject({ max_tokens: 5 });
  });
});

describe("tools of every kind are sent as JSON Schema", () => {
  const properties = { sku: { type: "string" } };
  const parameters = { type: "object", properties, required: ["sku"] };
  const named = { name: "stock", description: "Units on hand" };
  const run = async () => "12";
  // Core's types of schemas do not hold under exactOptionalPropertyTypes.
  const make = tool as unknown as (call: typeof run, fields: object) => StructuredTool;
  const kinds: [string, BindToolsInput][] = [
    ["zod 4", make(run, { ...named, schema: z.object({ sku: z.string() }) })],
    ["zod 3", make(run, { ...named, schema: z3.object({ sku: z3.string() }) })],
    ["JSON Schema", make(run, { ...named, schema: parameters })],
    ["OpenAI's form", { type: "function", function: { ...named, parameters } }],
    ["structured parameters", { ...named, schema: z.object({ sku: z.string() }) }],
    [
      "a runnable",
      RunnableLambda.from<{ sku: string }, string>(run).asTool({ ...named, schema: z.object({ sku: z.string() }) }),
    ],
  ];

  test.each(kinds)("%s, strict only if asked so", async (_, each) => {
    const sent = reply();
    await chat().invoke("hi", { tools: [each] });
    const { tools } = (await sent).body as { tools: { type: string; function: Record<string, unknown> }[] };
    expect(tools).toMatchObject([{ type: "function", function: { ...named, parameters } }]);
    expect(tools[0]!.function).not.toHaveProperty("strict");

    const strictly = reply();
    await chat().bindTools([each], { strict: true }).invoke("hi");
    expect((await strictly).body).toMatchObject({ tools: [{ function: { ...named, strict: true } }] });

    const bySetting = reply();
    await chat({ supportsStrictToolCalling: true }).bindTools([each]).invoke("hi");
    expect((await bySetting).body).toMatchObject({ tools: [{ function: { strict: true } }] });
  });

  test("a tool without arguments has an empty object of them", async () => {
    const sent = reply();
    await chat()
      .bindTools([make(run, { name: "now", description: "The time", schema: z.object({}) })])
      .invoke("hi");
    expect((await sent).body).toMatchObject({
      tools: [{ function: { parameters: { type: "object", properties: {} } } }],
    });
  });
});
