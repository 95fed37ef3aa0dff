import { InMemoryCache } from "@langchain/core/caches";
import { AIMessage, AIMessageChunk, type BaseMessage, HumanMessage, SystemMessage } from "@langchain/core/messages";
import type { Generation } from "@langchain/core/outputs";
import { describe, expect, test } from "vitest";
import { countsOf, emulated, joined } from "./emulated.js";

const { emulator, model, sent } = emulated();

describe("an answer", () => {
  test("of invoke is a message with text", async () => {
    const answer = await model().invoke("Hello");
    expect(AIMessage.isInstance(answer)).toBe(true);
    expect(answer.text).toMatch(/\w/);
  });

  test.each(["v0", "v1"] as const)("of stream is chunks with text, in content of %s", async (outputVersion) => {
    let text = "";
    for await (const chunk of await model().stream("Hello", { outputVersion })) {
      expect(AIMessageChunk.isInstance(chunk)).toBe(true);
      expect(typeof chunk.content === "string").toBe(outputVersion === "v0");
      if (Array.isArray(chunk.content)) {
        for (const block of chunk.content) expect(block).toHaveProperty("type");
      }
      text += chunk.text;
    }
    expect(text).toBe((await model().invoke("Hello")).text);
  });

  test("of batch is one message for each input, in their order", async () => {
    emulator().script([
      ({ body }) => ({ content: JSON.stringify(body).includes("Peru") ? "Lima" : "Quito" }),
      ({ body }) => ({ content: JSON.stringify(body).includes("Peru") ? "Lima" : "Quito" }),
    ]);
    const answers = await model().batch(["Capital of Peru?", "Capital of Ecuador?"]);
    expect(answers.map((answer) => [answer.type, answer.text])).toEqual([
      ["ai", "Lima"],
      ["ai", "Quito"],
    ]);
  });

  test("of streamEvents starts, streams and ends, and what streamed is what it ends with", async () => {
    const names: string[] = [];
    let streamed = "";
    let end: AIMessage | undefined;
    for await (const { event, data } of model().streamEvents("Hello", { version: "v2" })) {
      names.push(event);
      if (event === "on_chat_model_stream") streamed += (data.chunk as AIMessageChunk).text;
      if (event === "on_chat_model_end") end = data.output as AIMessage;
    }
    expect(names[0]).toBe("on_chat_model_start");
    expect(new Set(names.slice(1, -1))).toEqual(new Set(["on_chat_model_stream"]));
    expect(names.at(-1)).toBe("on_chat_model_end");
    expect(streamed).toMatch(/\w/);
    expect(streamed).toBe(end?.text);
  });
});

const histories: Record<string, BaseMessage[]> = {
  "question, answer, question": [
    new HumanMessage("Hello"),
    new AIMessage("How can I help?"),
    new HumanMessage("Who are you?"),
  ],
  "instructions and two questions in a row": [
    new SystemMessage("Be brief."),
    new HumanMessage("Hello"),
    new HumanMessage("Who are you?"),
  ],
};

test.each(Object.keys(histories))("a conversation of %s is answered, nothing of it lost or joined", async (name) => {
  const history = histories[name]!;
  const answer = await model().invoke(history);
  expect(answer.text).toMatch(/\w/);
  expect(sent().messages.map(({ content }) => content)).toEqual(history.map((message) => message.text));
});

describe("what an answer cost", () => {
  const ask = {
    "by invoke": () => model().invoke("Hello"),
    "by stream": async () => joined(await model().stream("Hello")),
  };

  test.each(Object.entries(ask))("is told %s, with the model's name", async (_, asked) => {
    emulator().script([
      { content: "Lima", reasoning: "Hm.", usage: { prompt_tokens: 20, completion_tokens: 7, reasoning_tokens: 4 } },
    ]);
    const answer = await asked();
    expect(answer.usage_metadata).toMatchObject({
      input_tokens: 20,
      output_tokens: 7,
      total_tokens: 27,
      output_token_details: { reasoning: 4 },
    });
    expect(answer.response_metadata).toMatchObject({ model: "Qwen/Qwen3-8B", model_name: "Qwen/Qwen3-8B" });
  });

  test("is the same by invoke and by stream", async () => {
    // What came from the service's cache is counted in whole answers alone: the emulator's streams do not say.
    const { input_token_details: _, ...whole } = countsOf(await ask["by invoke"]());
    expect(whole.total_tokens).toBeGreaterThan(0);
    expect((await ask["by stream"]()).usage_metadata).toMatchObject(whole);
  });
});

test.each([
  ["of a call", () => model().invoke("Hello", { stop: ["END", "STOP"] })],
  ["of a streamed call", async () => joined(await model().stream("Hello", { stop: ["END", "STOP"] }))],
  ["of the constructor, as stop", () => model({ stop: ["END", "STOP"] }).invoke("Hello")],
  ["of the constructor, as stopSequences", () => model({ stopSequences: ["END", "STOP"] }).invoke("Hello")],
])("stop words %s are obeyed", async (_, asked) => {
  expect((await asked()).text).toMatch(/\w/);
  expect(sent()).toMatchObject({ stop: ["END", "STOP"] });
});

test("a cache keeps an answer to a message of several parts, and asks once", async () => {
  const entries = new Map<string, Generation[]>();
  const cached = model({ cache: new InMemoryCache(entries) });
  const question = [new HumanMessage({ content: [{ type: "text", text: "Hello there!" }] })];
  const [first, second] = [await cached.invoke(question), await cached.invoke(question)];

  expect(entries.size).toBe(1);
  expect(emulator().requests).toHaveLength(1);
  expect(second.text).toMatch(/\w/);
  expect(second.content).toEqual(first.content);
  expect(second.response_metadata).toEqual(first.response_metadata);
});
