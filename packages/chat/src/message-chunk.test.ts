import { load } from "@langchain/core/load";
import { AIMessage, AIMessageChunk } from "@langchain/core/messages";
import { afterEach, describe, expect, test, vi } from "vitest";
import { modelProvider, toContentBlocks } from "./content-blocks.js";
import { SiliconFlowMessageChunk } from "./message-chunk.js";

const provider = { model_provider: modelProvider };

/** A call in two fragments, and the finish that settles it. */
function streamed(args: [string, string], finish: string): AIMessageChunk {
  const fragment = (text: string, more: object = {}) =>
    new SiliconFlowMessageChunk({
      content: "",
      tool_call_chunks: [{ type: "tool_call_chunk", index: 0, args: text, ...more }],
      response_metadata: { ...provider },
    });
  return fragment(args[0], { id: "a", name: "f" })
    .concat(fragment(args[1]))
    .concat(new SiliconFlowMessageChunk({ content: "", response_metadata: { ...provider, finish_reason: finish } }))
    .concat(new SiliconFlowMessageChunk({ content: "", response_metadata: { ...provider } }));
}

describe("a streamed message", () => {
  test("is one of LangChain's, for everybody who asks", () => {
    const chunk = new SiliconFlowMessageChunk({ content: "a" });

    expect(AIMessageChunk.isInstance(chunk)).toBe(true);
    expect(chunk).toBeInstanceOf(AIMessageChunk);
    expect(Object.prototype.toString.call(chunk)).toBe("[object AIMessageChunk]");
    expect(chunk.concat(new AIMessageChunk("b"))).toBeInstanceOf(SiliconFlowMessageChunk);
    expect(new AIMessageChunk("b").concat(chunk).content).toBe("ba");
  });

  test.each([
    ["complete", ['{"x"', ":1}"], "tool_calls", [{ id: "a", name: "f", args: { x: 1 } }], []],
    ["cut", ['{"x"', ":1"], "length", [], [{ id: "a", name: "f", args: '{"x":1' }]],
    ["broken", ['{"x"', ":1"], "tool_calls", [], [{ id: "a", name: "f", args: '{"x":1' }]],
  ] as const)(
    "with %s arguments stays what it is when it is stored and read again",
    async (_, args, finish, valid, invalid) => {
      const message = streamed([...args], finish);
      expect(message.tool_calls).toMatchObject(valid);
      expect(message.invalid_tool_calls).toMatchObject(invalid);

      const revived = await load<AIMessageChunk>(JSON.stringify(message));
      expect(revived.constructor.name).toBe("AIMessageChunk");
      expect(revived.tool_calls).toMatchObject(valid);
      expect(revived.tool_calls).toHaveLength(valid.length);
    },
  );
});

describe("content blocks", () => {
  test("of an answer with thoughts and a broken call", () => {
    const message = new AIMessage({
      content: "Lima",
      additional_kwargs: { reasoning_content: "hm" },
      tool_calls: [{ id: "a", name: "f", args: {} }],
      invalid_tool_calls: [{ id: "b", name: "g", args: "{", error: "no JSON" }],
      response_metadata: { ...provider },
    });
    expect(message.contentBlocks).toEqual([
      { type: "reasoning", reasoning: "hm" },
      { type: "text", text: "Lima" },
      { type: "tool_call", id: "a", name: "f", args: {} },
      { type: "invalid_tool_call", id: "b", name: "g", args: "{", error: "no JSON" },
    ]);
    expect(message.text).toBe("Lima");
  });

  test("do not repeat thoughts and calls that are blocks already", () => {
    const message = new AIMessage({
      content: [
        { type: "reasoning", reasoning: "hm" },
        { type: "text", text: "Lima" },
        { type: "tool_call", id: "a", name: "f", args: {} },
      ],
      additional_kwargs: { reasoning_content: "hm" },
      tool_calls: [{ id: "a", name: "f", args: {} }],
    });
    expect(toContentBlocks(message).map((block) => block.type)).toEqual(["reasoning", "text", "tool_call"]);
  });
});

describe("the translator", () => {
  const holder = globalThis as { lc_block_translators_registry?: Map<string, unknown> | undefined };
  const registry = holder.lc_block_translators_registry;
  afterEach(() => {
    holder.lc_block_translators_registry = registry;
  });

  test("stands in core's registry beside core's own, once", async () => {
    const entry = registry?.get("siliconflow");
    expect(entry).toBeDefined();
    expect(registry?.has("deepseek")).toBe(true);

    vi.resetModules();
    await import("./content-blocks.js");
    expect(registry?.get("siliconflow")).toBe(entry);
  });

  test("is replaced by DeepSeek's where there is no registry, which is never made here", async () => {
    holder.lc_block_translators_registry = undefined;
    // A copy of our module that finds core loaded, and its registry gone.
    vi.doMock("@langchain/core/messages", () => ({ isAIMessageChunk: () => false }));
    vi.resetModules();
    const { modelProvider: fallback } = await import("./content-blocks.js");
    vi.doUnmock("@langchain/core/messages");

    expect(fallback).toBe("deepseek");
    expect(holder.lc_block_translators_registry).toBeUndefined();
  });
});
