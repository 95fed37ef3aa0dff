import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startEmulator, type Emulator, type EmulatorOptions } from "../index.js";

let emulator: Emulator;
beforeEach(async () => {
  emulator = await startEmulator();
});
afterEach(() => emulator.close());

/** The same test against an emulator with other options. */
async function restart(options: EmulatorOptions): Promise<void> {
  await emulator.close();
  emulator = await startEmulator(options);
}

interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  completion_tokens_details?: { reasoning_tokens: number };
}

interface Answer {
  choices: {
    message: {
      content: string;
      reasoning_content?: string;
      tool_calls?: { id: string; function: { name: string; arguments: string } }[];
    };
    finish_reason: string;
  }[];
  usage: Usage;
}

interface Chunk {
  id: string;
  created: number;
  choices: { index: number; delta: Record<string, unknown>; finish_reason: string | null }[];
  usage: Usage;
  system_fingerprint: string;
}

const hello = [{ role: "user", content: "hello" }];

async function send(fields: object): Promise<Response> {
  return fetch(`${emulator.url}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${emulator.apiKey}` },
    body: JSON.stringify({ model: "Qwen/Qwen3-8B", messages: hello, ...fields }),
  });
}

async function answer(fields: object): Promise<Answer> {
  const response = await send(fields);
  expect(response.status).toBe(200);
  return (await response.json()) as Answer;
}

async function chunks(fields: object): Promise<{ chunks: Chunk[]; end: string }> {
  const text = await (await send({ stream: true, ...fields })).text();
  const events = text.split("\n\n").filter((event) => event !== "");
  return { chunks: events.slice(0, -1).map((event) => JSON.parse(event.slice(6)) as Chunk), end: events.at(-1)! };
}

describe("an answer in one piece", () => {
  test("has the documented shape", async () => {
    expect(await answer({ model: "Qwen/Qwen2.5-7B-Instruct" })).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      object: "chat.completion",
      created: expect.closeTo(Date.now() / 1000, -1) as number,
      model: "Qwen/Qwen2.5-7B-Instruct",
      choices: [
        {
          index: 0,
          message: { role: "assistant", content: expect.stringContaining("I am an emulator") as string },
          finish_reason: "stop",
        },
      ],
      usage: {
        prompt_tokens: 5,
        completion_tokens: expect.any(Number) as number,
        total_tokens: expect.any(Number) as number,
        prompt_tokens_details: { cached_tokens: 0 },
        prompt_cache_hit_tokens: 0,
        prompt_cache_miss_tokens: 5,
      },
      system_fingerprint: "",
    });
  });

  test("is the same for the same prompt", async () => {
    const one = await answer({});
    const other = await answer({});
    expect(one.choices).toEqual(other.choices);
  });

  test("thinks on models that toggle unless told not to, always on reasoning models, never on others", async () => {
    const reasoning = async (fields: object) => (await answer(fields)).choices[0]!.message.reasoning_content;
    expect(await reasoning({})).toBeTypeOf("string");
    expect(await reasoning({ enable_thinking: false })).toBeUndefined();
    expect(await reasoning({ model: "deepseek-ai/DeepSeek-R1" })).toBeTypeOf("string");
    expect(await reasoning({ model: "Qwen/Qwen2.5-7B-Instruct" })).toBeUndefined();
  });

  test("counts thoughts as part of the completion", async () => {
    const { usage } = await answer({});
    expect(usage.completion_tokens_details!.reasoning_tokens).toBeGreaterThan(0);
    expect(usage.completion_tokens_details!.reasoning_tokens).toBeLessThan(usage.completion_tokens);
    expect(usage.total_tokens).toBe(usage.prompt_tokens + usage.completion_tokens);
  });

  test("ends at max_tokens with length, thoughts not counted", async () => {
    const { choices, usage } = await answer({ max_tokens: 5 });
    expect(choices[0]!.finish_reason).toBe("length");
    expect(usage.completion_tokens - usage.completion_tokens_details!.reasoning_tokens).toBe(5);
  });

  test("ends before a stop text", async () => {
    const { choices } = await answer({ stop: ["never said", "emulator"] });
    expect(choices[0]!.message.content).toMatch(/I am an $/);
    expect(choices[0]!.finish_reason).toBe("stop");
  });

  test("comes n times when asked", async () => {
    expect((await answer({ n: 3 })).choices.map((choice) => (choice as unknown as { index: number }).index)).toEqual([
      0, 1, 2,
    ]);
  });

  test("loses its text to the thoughts when the quirk says that max_tokens counts them", async () => {
    await restart({ quirks: { maxTokensCountThoughts: true } });
    const { choices } = await answer({ max_tokens: 3 });
    expect(choices[0]).toMatchObject({ message: { content: "" }, finish_reason: "length" });
  });
});

describe("a stream", () => {
  test("opens, thinks, speaks and closes as captured", async () => {
    emulator.script([{ reasoning: ["hm"], content: ["yes", "!"] }]);
    const { chunks: received, end } = await chunks({});

    expect(received.map((chunk) => [chunk.choices[0]!.delta, chunk.choices[0]!.finish_reason])).toEqual([
      [{ content: null, reasoning_content: "", role: "assistant" }, null],
      [{ content: null, reasoning_content: "hm" }, null],
      [{ content: "yes", reasoning_content: null }, null],
      [{ content: "!", reasoning_content: null }, null],
      [{ content: "", reasoning_content: null }, "stop"],
    ]);
    expect(end).toBe("data: [DONE]");
    expect(new Set(received.map((chunk) => `${chunk.id} ${chunk.created} ${chunk.system_fingerprint}`)).size).toBe(1);
  });

  test("opens with an empty content when nothing is thought", async () => {
    const { chunks: received } = await chunks({ enable_thinking: false });
    expect(received[0]!.choices[0]!.delta).toEqual({ content: "", reasoning_content: null, role: "assistant" });
  });

  test("carries usage on every chunk, cumulative, ending at the counts of the answer in one piece", async () => {
    const { chunks: received } = await chunks({});
    const whole = await answer({});
    const counts = received.map((chunk) => chunk.usage.completion_tokens);

    expect(counts[0]).toBe(0);
    expect(counts).toEqual(counts.toSorted((one, other) => one - other));
    expect(received.every(({ usage }) => usage.total_tokens === usage.prompt_tokens + usage.completion_tokens)).toBe(
      true,
    );
    expect(received[0]!.usage.completion_tokens_details).toBeUndefined();
    expect(received.at(-1)!.usage).toEqual({
      prompt_tokens: whole.usage.prompt_tokens,
      completion_tokens: whole.usage.completion_tokens,
      total_tokens: whole.usage.total_tokens,
      completion_tokens_details: whole.usage.completion_tokens_details,
    });
  });

  test("says the same as the answer in one piece", async () => {
    const { chunks: received } = await chunks({});
    const { message } = (await answer({})).choices[0]!;
    const joined = (field: string) => received.map((chunk) => chunk.choices[0]!.delta[field] ?? "").join("");
    expect([joined("content"), joined("reasoning_content")]).toEqual([message.content, message.reasoning_content]);
  });

  test("sends a tool call in fragments, with an empty name after the first", async () => {
    emulator.script([{ toolCalls: [{ name: "lookup_stock", arguments: { sku: "A-17", store: "north" }, id: "c1" }] }]);
    const { chunks: received } = await chunks({});
    const calls = received.flatMap(
      (chunk) => (chunk.choices[0]!.delta["tool_calls"] ?? []) as Record<string, unknown>[],
    );

    expect(received[0]!.choices[0]!.delta).toEqual({
      content: null,
      reasoning_content: null,
      role: "assistant",
      tool_calls: [{ index: 0, id: "c1", type: "function", function: { name: "lookup_stock", arguments: "" } }],
    });
    expect(calls.length).toBeGreaterThan(2);
    expect(calls[1]).toMatchObject({ index: 0, id: null, type: null, function: { name: "" } });
    expect(calls.map((call) => (call["function"] as { arguments: string }).arguments).join("")).toBe(
      '{"sku":"A-17","store":"north"}',
    );
    expect(received.at(-1)!.choices[0]!.finish_reason).toBe("tool_calls");
  });

  test("takes on the habits it is told to", async () => {
    await restart({ quirks: { role: "every", idleField: "absent", toolName: "absent", trailingUsage: true } });
    emulator.script([{ content: ["a"], toolCalls: [{ name: "f", arguments: { x: 1 } }] }]);
    const { chunks: received } = await chunks({ enable_thinking: false });

    expect(received.slice(0, -1).map((chunk) => chunk.choices[0]!.delta)).toEqual([
      { content: "", role: "assistant" },
      { content: "a", role: "assistant" },
      { role: "assistant", tool_calls: [expect.objectContaining({ function: { name: "f", arguments: "" } })] },
      { role: "assistant", tool_calls: [{ index: 0, id: null, type: null, function: { arguments: '{"x":1}' } }] },
      { content: "" },
    ]);
    expect(received.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 5 } });
  });
});

describe("a refusal", () => {
  const unsupported = "Value error, current model does not support parameter `enable_thinking`.";
  test.each([
    ["no messages", { messages: undefined }, "Field required"],
    ["an empty list of messages", { messages: [] }, "List should have at least 1 item after validation"],
    ["a message without a role", { messages: [{ content: "a" }] }, "Field required"],
    ["a user message without content", { messages: [{ role: "user" }] }, "Field required"],
    [
      "an assistant message that says and calls nothing",
      { messages: [{ role: "assistant", content: null }] },
      "Input should be a valid string",
    ],
    ["a temperature above 2", { temperature: 3 }, "Input should be less than or equal to 2"],
    ["a thinking budget below 128", { thinking_budget: 1 }, "Input should be greater than or equal to 128"],
    [
      "five stop texts",
      { stop: ["a", "b", "c", "d", "e"] },
      "List should have at most 4 items after validation, not 5",
    ],
    [
      "thinking on a model without it",
      { model: "Qwen/Qwen3-Coder-30B-A3B-Instruct", enable_thinking: false },
      unsupported,
    ],
    [
      "thinking switched on a model that always thinks",
      { model: "deepseek-ai/DeepSeek-R1", enable_thinking: true },
      unsupported,
    ],
    [
      "a tool with a bad name",
      { tools: [{ type: "function", function: { name: "a b" } }] },
      "String should match pattern '^[A-Za-z0-9_-]{1,64}$'",
    ],
    [
      "a picture for a model that cannot see",
      { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "data:," } }] }] },
      "The parameter is invalid. Please check again.",
    ],
  ])("of %s is 20015", async (_name, fields, message) => {
    const response = await send(fields);
    expect([response.status, await response.json()]).toEqual([400, { code: 20015, message, data: null }]);
  });

  test("of an unknown model, or one of another kind, is 20012", async () => {
    for (const model of ["no/such-model", "BAAI/bge-m3", "qwen/qwen3-8b"]) {
      const response = await send({ model });
      expect([response.status, await response.json()]).toEqual([
        400,
        { code: 20012, message: "Model does not exist. Please check it carefully.", data: null },
      ]);
    }
  });

  test("of JSON mode on a model without it is 20024", async () => {
    const response = await send({ model: "zai-org/GLM-4.5-Air", response_format: { type: "json_object" } });
    expect([response.status, await response.json()]).toEqual([
      400,
      { code: 20024, message: "Json mode is not supported for this model.", data: null },
    ]);
  });

  test("of a prompt beyond the context names both counts", async () => {
    const response = await send({
      model: "Qwen/Qwen2.5-7B-Instruct",
      messages: [{ role: "user", content: "a ".repeat(33_000) }],
    });
    const body = (await response.json()) as { code: number; message: string };
    expect(response.status).toBe(400);
    expect(body.code).toBe(20015);
    expect(body.message).toMatch(/^length of prompt_tokens \(3\d{4}\) must be less than max_seq_len \(32768\)\.$/);
  });

  test("of an eleventh message comes only with the quirk", async () => {
    const messages = Array.from({ length: 11 }, () => hello[0]);
    expect((await send({ messages })).status).toBe(200);
    await restart({ quirks: { maxMessages: 10 } });
    expect((await send({ messages })).status).toBe(400);
  });
});

describe("tools", () => {
  const weather = {
    type: "function",
    function: {
      name: "get_weather",
      description: "Current weather in a city",
      parameters: {
        type: "object",
        properties: { city: { type: "string" }, unit: { type: "string", enum: ["celsius", "fahrenheit"] } },
        required: ["city"],
      },
    },
  };
  const time = {
    type: "function",
    function: {
      name: "get_time",
      parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
    },
  };
  const ask = (content: string) => [{ role: "user", content }];
  const called = async (fields: object) =>
    ((await answer({ tools: [time, weather], ...fields })).choices[0]!.message.tool_calls ?? []).map((call) => [
      call.function.name,
      JSON.parse(call.function.arguments) as unknown,
    ]);

  test("the one that fits is called, its arguments taken from the question", async () => {
    expect(await called({ messages: ask("What is the weather in San Francisco in fahrenheit?") })).toEqual([
      ["get_weather", { city: "San Francisco", unit: "fahrenheit" }],
    ]);
  });

  test("two are called at once when the question names both, unless that is forbidden", async () => {
    const messages = ask("What is the weather in Paris and the time in Tokyo?");
    expect(await called({ messages })).toEqual([
      ["get_weather", { city: "Paris" }],
      ["get_time", { city: "Tokyo" }],
    ]);
    expect(await called({ messages, parallel_tool_calls: false })).toHaveLength(1);
  });

  test("tool_choice decides: none, required, or one by name", async () => {
    const messages = ask("What is the weather in Oslo?");
    expect(await called({ messages, tool_choice: "none" })).toEqual([]);
    expect(await called({ messages: ask("Hello"), tool_choice: "required" })).toHaveLength(1);
    expect(await called({ messages, tool_choice: { type: "function", function: { name: "get_time" } } })).toEqual([
      ["get_time", { city: "Oslo" }],
    ]);
  });

  test("none is called when none fits", async () => {
    expect(await called({ messages: ask("Hello") })).toEqual([]);
  });

  test("what a tool returned is the answer", async () => {
    const messages = [
      ...ask("What is the weather in Oslo?"),
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "c1", type: "function", function: { name: "get_weather", arguments: "{}" } }],
      },
      { role: "tool", tool_call_id: "c1", content: "3 degrees" },
    ];
    const { choices } = await answer({ messages, tools: [weather] });
    expect(choices[0]!.message).toMatchObject({ content: "get_weather returned: 3 degrees" });
    expect(choices[0]!.finish_reason).toBe("stop");
  });
});

describe("JSON", () => {
  test("json_object is an object with the keys the prompt asks for", async () => {
    const messages = [{ role: "user", content: 'Answer in JSON with the keys "name" and "age": Alice is 31.' }];
    const { choices } = await answer({ messages, response_format: { type: "json_object" } });
    expect(JSON.parse(choices[0]!.message.content)).toEqual({ name: "Alice", age: "31" });
  });

  test("json_schema is a value that fits the schema", async () => {
    const schema = {
      type: "object",
      properties: { name: { type: "string" }, age: { type: "integer" }, mood: { enum: ["sad", "happy"] } },
      required: ["name", "age", "mood"],
    };
    const messages = [{ role: "user", content: "Alice Smith, 31, is happy today." }];
    const response_format = { type: "json_schema", json_schema: { name: "person", schema } };
    const { choices } = await answer({ messages, response_format });
    expect(JSON.parse(choices[0]!.message.content)).toEqual({ name: "Alice Smith", age: 31, mood: "happy" });
  });
});

describe("a model with eyes", () => {
  const model = "Qwen/Qwen3-VL-8B-Instruct";
  const seen = async (parts: object[], text: string) => {
    const content = [...parts, { type: "text", text }];
    return (await answer({ model, messages: [{ role: "user", content }] })).choices[0]!.message.content;
  };
  const picture = async (prompt: string) => {
    const response = await fetch(`${emulator.url}/images/generations`, {
      method: "POST",
      headers: { authorization: `Bearer ${emulator.apiKey}` },
      body: JSON.stringify({ model: "Kwai-Kolors/Kolors", prompt, image_size: "64x64" }),
    });
    return ((await response.json()) as { images: { url: string }[] }).images[0]!.url;
  };

  test("says what a picture shows that the image model made, given as a link or as data", async () => {
    const link = await picture("a red circle");
    const data = Buffer.from(await (await fetch(link)).arrayBuffer()).toString("base64");
    for (const url of [link, `data:image/png;base64,${data}`]) {
      expect(await seen([{ type: "image_url", image_url: { url } }], "What is this?")).toBe(
        "I see a picture (PNG 64×64) of this: “a red circle” (made by the emulated Kwai-Kolors/Kolors).",
      );
    }
  });

  test("numbers several, and opens no address of others", async () => {
    const parts = [await picture("a cat"), "http://127.0.0.1:1/other.png"].map((url) => ({
      type: "image_url",
      image_url: { url },
    }));
    expect(await seen(parts, "这是什么？")).toMatch(
      /^我看到\[1\] 图片（PNG 64×64）：“a cat”.*\n我看到\[2\] .*不会打开。$/,
    );
  });

  test("answers from passages before it describes what it was shown", async () => {
    const part = { type: "image_url", image_url: { url: await picture("a cat") } };
    const question = "[1] Alpha lies on the river Beta.\n\nQuestion: On which river does Alpha lie?";
    expect(await seen([part], question)).toContain('"Alpha lies on the river Beta." [1]');
  });
});
