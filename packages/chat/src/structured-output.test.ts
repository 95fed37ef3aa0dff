import type { ChatCompletionRequest, SiliconFlowClient } from "@langchain-siliconflow/client";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { ChatSiliconFlow } from "./chat-siliconflow.js";
import type { ChatSiliconFlowFields } from "./chat-fields.js";

const schema = z.object({ city: z.string(), people: z.number() });
const jsonSchema = {
  title: "City",
  description: "A city",
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
};

/** A model whose client gives one answer and remembers the request. */
function chat(message: object, finish = "stop", fields: Partial<ChatSiliconFlowFields> = {}) {
  const requests: ChatCompletionRequest[] = [];
  const whole = { role: "assistant", content: "", ...message };
  const client = {
    baseURL: "https://siliconflow.test/v1",
    chat: {
      async create(request: ChatCompletionRequest) {
        requests.push(request);
        return { id: "019c", model: "m", choices: [{ index: 0, message: whole, finish_reason: finish }] };
      },
      async *stream(request: ChatCompletionRequest) {
        requests.push(request);
        const { content, tool_calls } = whole as {
          content: string;
          tool_calls?: { function: { arguments: string } }[];
        };
        const head = { id: "019c", model: "m" };
        const { reasoning_content, refusal } = whole as { reasoning_content?: string; refusal?: string };
        yield { ...head, choices: [{ index: 0, delta: { reasoning_content, refusal }, finish_reason: null }] };
        // In pieces of a few characters, as models write.
        for (const piece of content.match(/.{1,8}/gs) ?? []) {
          yield { ...head, choices: [{ index: 0, delta: { content: piece }, finish_reason: null }] };
        }
        for (const [index, call] of (tool_calls ?? []).entries()) {
          for (const [part, piece] of (call.function.arguments.match(/.{1,8}/gs) ?? []).entries()) {
            const first = part === 0 ? call : {};
            const fragment = { index, ...first, function: { ...(part === 0 && call.function), arguments: piece } };
            yield { ...head, choices: [{ index: 0, delta: { tool_calls: [fragment] }, finish_reason: null }] };
          }
        }
        yield { ...head, choices: [{ index: 0, delta: { content: "" }, finish_reason: finish }] };
      },
    },
    // Only what the model uses of it.
  } as unknown as SiliconFlowClient;
  return { model: new ChatSiliconFlow({ model: "Qwen/Qwen3-8B", client, ...fields }), requests };
}

async function read<T>(stream: Promise<AsyncIterable<T>>): Promise<T[]> {
  const seen: T[] = [];
  for await (const part of await stream) seen.push(part);
  return seen;
}

const called = (args: string, name = "extract") => ({
  tool_calls: [{ id: "a", type: "function", function: { name, arguments: args } }],
});
const good = '{"city":"Lima","people":10000000}';
const value = { city: "Lima", people: 10_000_000 };

describe("how the answer is asked for", () => {
  test("by a forced tool call, when nothing else is said", async () => {
    const { model, requests } = chat(called(good), "tool_calls");

    expect(await model.withStructuredOutput(schema).invoke("hi")).toEqual(value);
    expect(requests[0]).toMatchObject({
      tool_choice: { type: "function", function: { name: "extract" } },
      tools: [{ type: "function", function: { name: "extract", parameters: { required: ["city", "people"] } } }],
    });
    expect(requests[0]).not.toHaveProperty("response_format");
  });

  test.each([
    ["enableThinking", { enableThinking: true }, "auto"],
    ["a model that always thinks", { model: "Qwen/Qwen3-VL-8B-Thinking" }, "auto"],
    [
      "a model whose thinking is switched off",
      { model: "deepseek-ai/DeepSeek-V4-Flash", enableThinking: false },
      { type: "function", function: { name: "extract" } },
    ],
  ])("by an offered one, where the model is known to think: %s", async (_, fields, choice) => {
    const { model, requests } = chat(called(good), "tool_calls", fields);
    await model.withStructuredOutput(schema).invoke("hi");

    expect(requests[0]?.tool_choice).toEqual(choice);
  });

  test("by a forced one all the same, if that is the caller's choice", async () => {
    const { model, requests } = chat(called(good), "tool_calls", {
      enableThinking: true,
      toolChoiceWhileThinking: "forced",
    });
    await model.withStructuredOutput(schema).invoke("hi");

    expect(requests[0]?.tool_choice).toEqual({ type: "function", function: { name: "extract" } });
  });

  test.each([
    ["functionCalling", { tools: [{ function: { strict: true } }] }],
    ["jsonSchema", { response_format: { json_schema: { strict: true } } }],
  ])("with strict, when asked so: %s", async (method, sent) => {
    const { model, requests } = chat({ content: good, ...called(good) });
    await model.withStructuredOutput(schema, { method, strict: true }).invoke("hi");
    expect(requests[0]).toMatchObject(sent);
    await model.withStructuredOutput(schema, { method }).invoke("hi");
    expect(JSON.stringify(requests[1])).not.toContain("strict");
  });

  test("in JSON mode, where the model cannot call tools", async () => {
    const { model, requests } = chat({ content: good }, "stop", { model: "tencent/Hunyuan-A13B-Instruct" });

    expect(await model.withStructuredOutput(schema).invoke("hi")).toEqual(value);
    expect(requests[0]).toMatchObject({ response_format: { type: "json_object" } });
    expect(requests[0]).not.toHaveProperty("tools");
  });

  test("by json_schema, when asked so", async () => {
    const { model, requests } = chat({ content: good });

    expect(await model.withStructuredOutput(schema, { method: "jsonSchema", name: "city" }).invoke("hi")).toEqual(
      value,
    );
    expect(requests[0]).toMatchObject({
      response_format: { type: "json_schema", json_schema: { name: "city", schema: { required: ["city", "people"] } } },
    });
  });

  test("with a JSON Schema, under its title", async () => {
    const { model, requests } = chat(called('{"city":"Lima"}', "City"), "tool_calls");

    expect(await model.withStructuredOutput(jsonSchema).invoke("hi")).toEqual({ city: "Lima" });
    expect(requests[0]).toMatchObject({
      tools: [{ function: { name: "City", description: "A city", parameters: jsonSchema } }],
    });
  });

  test("with OpenAI's form of a function", async () => {
    const form = { name: "city", description: "d", parameters: jsonSchema };
    const { model, requests } = chat(called('{"city":"Lima"}', "city"), "tool_calls");

    expect(await model.withStructuredOutput(form).invoke("hi")).toEqual({ city: "Lima" });
    expect(requests[0]).toMatchObject({ tools: [{ function: form }] });
  });

  test("by a method that does not exist is refused", () => {
    const { model } = chat({});
    expect(() => model.withStructuredOutput(schema, { method: "telepathy" })).toThrow(/"telepathy"/);
    expect(() => model.withStructuredOutput(schema, { method: "jsonMode", strict: true })).toThrow(/strict/);
  });

  test("without a schema is refused", () => {
    // As plain JavaScript can ask.
    const missing = undefined as unknown as Record<string, unknown>;
    expect(() => chat({}).model.withStructuredOutput(missing)).toThrow(/needs a schema/);
  });

  test("with a schema that transforms, and gives what it makes of the answer", async () => {
    const length = z.object({ city: z.string().transform((name) => name.length) });
    const structured = chat(called(good), "tool_calls").model.withStructuredOutput(length);
    const { city }: { city: number } = await structured.invoke("hi");

    expect(city).toBe(4);
    expect((await read(structured.stream("hi"))).at(-1)).toEqual({ city: 4 });
  });
});

describe("what cannot be trusted is an error", () => {
  const cases: { name: string; message: object; finish?: string; method?: string; error: object }[] = [
    {
      name: "text instead of the call",
      message: { content: "Lima" },
      error: { name: "InvalidResponseError", message: /did not call "extract"/ },
    },
    {
      name: "another call",
      message: called(good, "other"),
      finish: "tool_calls",
      error: { name: "InvalidResponseError" },
    },
    {
      name: "arguments that are no JSON",
      message: called('{"city":'),
      finish: "tool_calls",
      error: { name: "InvalidResponseError", message: /cannot be read/ },
    },
    {
      name: "arguments cut by the limit",
      message: called('{"city":"Li'),
      finish: "length",
      error: { name: "InvalidResponseError", reason: "truncated" },
    },
    {
      name: "arguments that do not fit",
      message: called('{"city":"Lima"}'),
      finish: "tool_calls",
      error: { name: "Error", lc_error_code: "OUTPUT_PARSING_FAILURE" },
    },
    {
      name: "JSON cut by the limit",
      message: { content: '{"city":"Lima","peo' },
      finish: "length",
      method: "jsonMode",
      error: { reason: "truncated" },
    },
    { name: "no JSON", message: { content: "It is Lima." }, method: "jsonMode", error: { message: /not valid JSON/ } },
    {
      name: "JSON that does not fit",
      message: { content: '{"city":1}' },
      method: "jsonMode",
      error: { message: /does not fit the schema: city: .*people: /s },
    },
    {
      name: "two answers",
      message: { content: `${good} or ${good}` },
      method: "jsonSchema",
      error: { message: /not valid JSON/ },
    },
    {
      name: "a bracket that is never closed",
      message: { content: `Here: {"city":"Lima"` },
      method: "jsonMode",
      error: { message: /not valid JSON/ },
    },
    {
      name: "nothing but thoughts",
      message: { reasoning_content: "Let me see" },
      finish: "length",
      method: "jsonMode",
      error: { reason: "truncated", lc_error_code: "OUTPUT_PARSING_FAILURE", message: /thinking.*enableThinking/ },
    },
    {
      name: "nothing but thoughts in place of the call",
      message: { reasoning_content: "Let me see" },
      error: { reason: "empty", message: /thinking/ },
    },
    {
      name: "a refusal",
      message: { refusal: "I will not." },
      method: "jsonSchema",
      error: { lc_error_code: "OUTPUT_PARSING_FAILURE", message: /refused/ },
    },
    {
      name: "a content filter in place of the call",
      message: { content: "" },
      finish: "content_filter",
      error: { message: /refused/ },
    },
    {
      name: "JSON that reaches for a prototype",
      message: { content: '{"__proto__":{"admin":true}}' },
      method: "jsonSchema",
      error: { message: /__proto__/ },
    },
  ];

  test.each(cases)("$name", async ({ message, finish = "stop", method, error }) => {
    const { model } = chat(message, finish);
    const structured = model.withStructuredOutput(schema, method === undefined ? {} : { method });
    const { message: says, ...rest } = error as { message?: RegExp };

    for (const answer of [structured.invoke("hi"), read(structured.stream("hi"))]) {
      const failure: unknown = await answer.catch((reason: unknown) => reason);
      expect(failure).toMatchObject(rest);
      expect((failure as Error).message).toMatch(says ?? /./);
    }
  });

  const padded: [string, string][] = [
    ["a fence", `\`\`\`json\n${good}\n\`\`\``],
    ["a sentence", `Here you are:\n\n${good}\nAnything else?`],
    ["a sentence with brackets, and a fence", `The {shape} is:\n\`\`\`json\n${good}\n\`\`\``],
    ["thoughts", `<think>{"city"?}</think>\n\n${good}`],
    ["white space", ` \n\t${good}\n`],
  ];
  test.each(padded)("%s around the JSON is taken off, whole and in a stream", async (_, content) => {
    for (const method of ["jsonMode", "jsonSchema"]) {
      const { model } = chat({ content });
      const structured = model.withStructuredOutput(schema, { method });
      expect(await structured.invoke("hi")).toEqual(value);
      let last: unknown;
      for await (const part of await structured.stream("hi")) last = part;
      expect(last).toEqual(value);
    }
  });

  test("a fence that the JSON itself holds stays", async () => {
    const text = { code: "```json\n{}\n```" };
    const { model } = chat({ content: JSON.stringify(text) });
    expect(await model.withStructuredOutput({ type: "object" }, { method: "jsonMode" }).invoke("hi")).toEqual(text);
  });

  // Looked for by an expression, the end of this fence takes longer than anyone waits.
  test("a fence that holds a hundred thousand blank lines is no JSON, said at once", async () => {
    const { model } = chat({ content: `[\`\`\`json\n${"\n".repeat(100_000)}\`` });
    const structured = model.withStructuredOutput({ type: "object" }, { method: "jsonMode" });
    await expect(structured.invoke("hi")).rejects.toMatchObject({ lc_error_code: "OUTPUT_PARSING_FAILURE" });
  });

  test("includeRaw gives the message, and null for what cannot be read", async () => {
    const { model } = chat({ content: "It is Lima." });
    const answer = await model.withStructuredOutput(schema, { method: "jsonMode", includeRaw: true }).invoke("hi");

    expect(answer.parsed).toBeNull();
    expect(answer.raw.text).toBe("It is Lima.");
  });
});

describe("a structured stream", () => {
  test.each([
    ["functionCalling", called(good), "tool_calls"],
    ["jsonMode", { content: good }, "stop"],
    ["jsonSchema", { content: good }, "stop"],
  ])("shows the object as it grows: %s", async (method, message, finish) => {
    const { model } = chat(message, finish);
    const seen = await read(model.withStructuredOutput(schema, { method }).stream("hi"));

    expect(seen.length).toBeGreaterThan(2);
    expect(seen.at(-1)).toEqual(value);
  });

  test.each([
    ["functionCalling", called('{"city":"Lima"}'), "tool_calls"],
    ["jsonMode", { content: '{"city":"Lima"}' }, "stop"],
  ])("ends in an error where the whole object does not fit: %s", async (method, message, finish) => {
    const { model } = chat(message, finish);

    await expect(read(model.withStructuredOutput(schema, { method }).stream("hi"))).rejects.toMatchObject({
      lc_error_code: "OUTPUT_PARSING_FAILURE",
    });
  });

  test.each([
    ["functionCalling", called('{"city":"Lima","peo')],
    ["jsonMode", { content: '{"city":"Lima","peo' }],
  ])("that the limit cuts ends in an error: %s", async (method, message) => {
    const { model } = chat(message, "length");

    await expect(read(model.withStructuredOutput(schema, { method }).stream("hi"))).rejects.toMatchObject({
      reason: "truncated",
    });
  });
});
