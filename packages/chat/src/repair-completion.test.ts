import type { ChatCompletion } from "@langchain-siliconflow/client";
import type { AIMessage } from "@langchain/core/messages";
import { describe, expect, test } from "vitest";
import { repairCompletion } from "./repair-completion.js";
import { toChatResult } from "./wire-to-messages.js";

function answer(message: unknown, finish: string | null = "stop", more: object = {}): AIMessage {
  const completion = {
    id: "019c",
    object: "chat.completion",
    created: 1,
    model: "Qwen/Qwen3-8B",
    choices: [{ index: 0, message, finish_reason: finish }],
    ...more,
  } as ChatCompletion;
  return toChatResult(repairCompletion(completion)).generations[0]!.message as AIMessage;
}

const call = (id: unknown, name: unknown, args: unknown) => ({
  id,
  type: "function",
  function: { name, arguments: args },
});

test("counts that are no object are no counts", () => {
  expect(answer({ content: "Lima" }, "stop", { usage: "many" }).usage_metadata).toBeUndefined();
});

describe("tool calls of an answer in one piece", () => {
  const cases: { name: string; calls: unknown[]; finish?: string; valid?: object[]; invalid?: object[] }[] = [
    {
      name: "two calls",
      calls: [call("a", "f", '{"x":1}'), call("b", "g", "{}")],
      valid: [
        { id: "a", name: "f", args: { x: 1 } },
        { id: "b", name: "g", args: {} },
      ],
    },
    { name: 'arguments ""', calls: [call("a", "f", "")], valid: [{ id: "a", name: "f", args: {} }] },
    { name: "arguments null", calls: [call("a", "f", null)], valid: [{ id: "a", name: "f", args: {} }] },
    {
      name: "arguments as an object",
      calls: [call("a", "f", { x: 1 })],
      valid: [{ id: "a", name: "f", args: { x: 1 } }],
    },
    {
      name: "no id",
      calls: [call("", "f", "{}"), call(null, "f", "{}")],
      valid: [{ id: expect.stringMatching(/^call_/) }, { id: expect.stringMatching(/^call_/) }],
    },
    {
      name: "one id twice",
      calls: [call("a", "f", "{}"), call("a", "f", "{}")],
      valid: [{ id: "a" }, { id: expect.stringMatching(/^call_/) }],
    },
    { name: "no JSON", calls: [call("a", "f", '{"x":')], invalid: [{ id: "a", name: "f", args: '{"x":' }] },
    { name: "a list", calls: [call("a", "f", "[1]")], invalid: [{ args: "[1]" }] },
    { name: "no name", calls: [call("a", "", "{}")], invalid: [{ id: "a", error: "The call names no tool." }] },
    {
      name: "cut by the token limit",
      calls: [call("a", "f", '{"x":1}'), call("b", "g", "")],
      finish: "length",
      valid: [{ id: "a", args: { x: 1 } }],
      invalid: [{ id: "b", name: "g", args: "" }],
    },
  ];

  test.each(cases)("$name", ({ calls, finish = "tool_calls", valid = [], invalid = [] }) => {
    const message = answer({ role: "assistant", content: null, tool_calls: calls }, finish);

    expect(message.content).toBe("");
    expect(message.tool_calls).toMatchObject(valid);
    expect(message.tool_calls).toHaveLength(valid.length);
    expect(message.invalid_tool_calls).toMatchObject(invalid);
    expect(message.invalid_tool_calls).toHaveLength(invalid.length);
  });
});

describe("an answer in one piece", () => {
  test("eos is a stop, and the service's word is kept", () => {
    expect(answer({ role: "assistant", content: "a" }, "eos").response_metadata).toMatchObject({
      finish_reason: "stop",
      native_finish_reason: "eos",
    });
  });

  test("an unknown finish reason is passed on", () => {
    expect(answer({ content: "a" }, "weary").response_metadata["finish_reason"]).toBe("weary");
  });

  test("empty thoughts are none", () => {
    const message = answer({ role: "assistant", content: "a", reasoning_content: "" });

    expect(message.additional_kwargs).toEqual({});
    expect(message.contentBlocks).toEqual([{ type: "text", text: "a" }]);
  });

  test("each choice is a generation", () => {
    const completion = {
      id: "019c",
      model: "m",
      choices: [
        { index: 0, message: { role: "assistant", content: "a" }, finish_reason: "stop" },
        { index: 1, message: { role: "assistant", content: "b" }, finish_reason: "stop" },
      ],
    } as ChatCompletion;
    expect(toChatResult(repairCompletion(completion)).generations.map(({ text }) => text)).toEqual(["a", "b"]);
  });

  test("logprobs are passed on, where they can be read", () => {
    const content = [{ token: "a", logprob: -0.1 }];
    const logprobs = { content: [...content, 5], refusal: "no" };
    const completion = {
      id: "019c",
      model: "m",
      choices: [{ index: 0, message: { role: "assistant", content: "a" }, finish_reason: "stop", logprobs }],
    } as unknown as ChatCompletion;
    expect(toChatResult(repairCompletion(completion)).generations[0]?.generationInfo).toMatchObject({
      logprobs: { content },
    });
  });

  test.each([[], undefined, null])("choices %j are an error, not an empty message", (choices) => {
    expect(() => repairCompletion({ id: "019c", choices } as unknown as ChatCompletion)).toThrow(
      expect.objectContaining({ name: "InvalidResponseError", reason: "empty" }),
    );
  });

  test("an answer without an id gets one of its own", () => {
    const ids = [
      answer({ content: "a" }, "stop", { id: "" }).id,
      answer({ content: "a" }, "stop", { id: undefined }).id,
    ];

    expect(ids).toEqual([expect.stringMatching(/^siliconflow-/), expect.stringMatching(/^siliconflow-/)]);
    expect(ids[0]).not.toBe(ids[1]);
  });
});
