import { SiliconFlowClient } from "@langchain-siliconflow/client";
import { startEmulator, type Emulator } from "@langchain-siliconflow/emulator";
import { AIMessage, HumanMessage, SystemMessage, ToolMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { ChatSiliconFlow, SiliconFlow, SiliconFlowEmbeddings, SiliconFlowRerank } from "langchain-siliconflow";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { wrongIn, wrongInAnswer, wrongInRequest } from "./openapi.js";

let emulator: Emulator;
let client: SiliconFlowClient;

beforeAll(async () => {
  emulator = await startEmulator();
  client = new SiliconFlowClient({ apiKey: emulator.apiKey, baseURL: emulator.url, maxRetries: 0 });
});
afterEach(() => emulator.reset());
afterAll(async () => {
  await client.close();
  await emulator.close();
});

/** Sends bytes past our client, so that what the emulator answers is seen as it is. */
async function plain(
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: unknown }> {
  const response = await fetch(emulator.url + path, {
    method: "POST",
    headers: { authorization: `Bearer ${emulator.apiKey}`, "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

function requestsAreAsDescribed(): number {
  const posted = emulator.requests.filter(({ method }) => method === "POST");
  for (const { path, body } of posted)
    expect(wrongInRequest("post", path.replace(/^\/v1/, ""), body), `${path} ${JSON.stringify(body)}`).toEqual([]);
  return posted.length;
}

const weather = tool(() => "sunny", {
  name: "weather",
  description: "The weather in a city",
  schema: z.object({ city: z.string() }),
});
const hello = [{ role: "user", content: "Hello" }];

describe("the description has teeth", () => {
  test("a request with a wrong type, a missing field or too many inputs is found", () => {
    expect(wrongInRequest("post", "/chat/completions", { model: "m" })).not.toEqual([]);
    expect(wrongInRequest("post", "/chat/completions", { model: 1, messages: hello })).not.toEqual([]);
    expect(
      wrongInRequest("post", "/chat/completions", { model: "m", messages: [{ role: "tool", content: ["a"] }] }),
    ).not.toEqual([]);
    expect(wrongInRequest("post", "/messages", { model: "m", messages: [{ role: "tool", content: "a" }] })).not.toEqual(
      [],
    );
    expect(
      wrongInRequest("post", "/messages", { model: "m", messages: hello, tools: [{ name: "f", parameters: {} }] }),
    ).not.toEqual([]);
    expect(wrongInRequest("post", "/completions", { model: "m" })).not.toEqual([]);
    expect(wrongInRequest("post", "/embeddings", { model: "m", input: [""] })).not.toEqual([]);
    expect(
      wrongInRequest("post", "/embeddings", { model: "m", input: Array.from({ length: 65 }, () => "a") }),
    ).not.toEqual([]);
    expect(wrongInRequest("post", "/rerank", { model: "m", query: "q", documents: [] })).not.toEqual([]);
  });

  test("an answer of the wrong shape is found", () => {
    expect(wrongInAnswer("post", "/embeddings", 200, { data: [{ index: "0", embedding: [1] }] })).not.toEqual([]);
    expect(wrongInAnswer("post", "/rerank", 200, { results: [{ index: 0 }] })).not.toEqual([]);
    expect(wrongInAnswer("post", "/chat/completions", 401, { code: "no message" })).not.toEqual([]);
    expect(wrongInAnswer("post", "/messages", 200, { content: [{ text: "no type" }] })).not.toEqual([]);
    expect(wrongInAnswer("post", "/completions", 200, { choices: [{ text: 1 }] })).not.toEqual([]);
  });
});

describe("what we send is what the service describes", () => {
  test("chat: sampling, thinking, tools, history with reasoning and tool results, structured output", async () => {
    const model = new ChatSiliconFlow({
      model: "Qwen/Qwen3-8B",
      client,
      temperature: 0.2,
      topP: 0.9,
      topK: 20,
      minP: 0.05,
      maxTokens: 256,
      stop: ["END"],
      enableThinking: true,
      thinkingBudget: 256,
    });
    await model.invoke("Hello");
    await Array.fromAsync(await model.stream([new SystemMessage("Be brief."), new HumanMessage("Hello")]));
    await Array.fromAsync(await model.bindTools([weather]).stream("What is the weather in Lima?"));
    await model.bindTools([weather]).invoke([
      new HumanMessage("What is the weather in Lima?"),
      new AIMessage({
        content: "",
        additional_kwargs: { reasoning_content: "I must look." },
        tool_calls: [{ id: "1", name: "weather", args: { city: "Lima" } }],
      }),
      new ToolMessage({ tool_call_id: "1", content: [{ type: "text", text: "sunny" }] }),
    ]);
    await model
      .withStructuredOutput(z.object({ city: z.string() }), { method: "jsonMode" })
      .invoke("Answer in JSON: the capital of Peru?")
      .catch(() => {});
    expect(requestsAreAsDescribed()).toBe(5);
  });

  test("messages: sampling, tools, tool choice, signed thoughts and tool results, always with a limit", async () => {
    const model = new ChatSiliconFlow({
      model: "zai-org/GLM-4.6",
      api: "messages",
      client,
      temperature: 0.2,
      topP: 0.9,
      topK: 20,
      stop: ["END"],
    });
    const question = "What is the weather in Lima?";
    const called = await model.bindTools([weather], { tool_choice: "any" }).invoke(question);
    expect(called.tool_calls).toMatchObject([{ name: "weather", args: { city: "Lima" } }]);
    const result = new ToolMessage({ tool_call_id: called.tool_calls![0]!.id!, content: "sunny" });
    const turns = [new SystemMessage("Be brief."), new HumanMessage(question), called, result];
    expect((await model.bindTools([weather]).invoke(turns)).text).toContain("sunny");
    const chunks = await Array.fromAsync(await model.stream("Hello"));
    expect(chunks.map(({ text }) => text).join("")).toContain("I am an emulator");
    await model.withStructuredOutput(z.object({ city: z.string() })).invoke("The capital of Peru?");
    expect(requestsAreAsDescribed()).toBe(4);
    for (const { body } of emulator.requests) expect(body).toMatchObject({ max_tokens: expect.any(Number) as number });
  });

  test("completions: a prompt, a suffix, a limit, whole and streamed", async () => {
    const model = new SiliconFlow({ model: "Qwen/Qwen3-Coder-30B-A3B-Instruct", client, maxTokens: 64 });
    const suffix = "\nother = add(a, b)\n";
    expect(await model.invoke("total = add(a,", { suffix })).toBe(" b)");
    expect((await Array.fromAsync(await model.stream("total = add(a,", { suffix }))).join("")).toBe(" b)");
    expect(requestsAreAsDescribed()).toBe(2);
  });

  test("embeddings: several batches, a query, dimensions", async () => {
    const embeddings = new SiliconFlowEmbeddings({
      model: "Qwen/Qwen3-Embedding-0.6B",
      client,
      dimensions: 256,
      queryInstruction: "Find the passage",
    });
    await embeddings.embedDocuments(Array.from({ length: 70 }, (_, index) => `text ${index}`));
    await embeddings.embedQuery("a question");
    expect(requestsAreAsDescribed()).toBe(4);
  });

  test("rerank: every option of either family", async () => {
    await new SiliconFlowRerank({
      model: "BAAI/bge-reranker-v2-m3",
      client,
      topN: 1,
      maxChunksPerDoc: 8,
      overlapTokens: 20,
    }).rerank(["a cat", "a dog"], "cat");
    await new SiliconFlowRerank({ model: "Qwen/Qwen3-Reranker-8B", client, instruction: "Prefer cats" }).rerank(
      ["a cat", "a dog"],
      "cat",
    );
    expect(requestsAreAsDescribed()).toBe(2);
  });
});

describe("what the emulator answers is what the service describes", () => {
  test("chat, whole", async () => {
    for (const enable_thinking of [true, false]) {
      const { status, body } = await plain("/chat/completions", {
        model: "Qwen/Qwen3-8B",
        messages: hello,
        enable_thinking,
      });
      expect(wrongInAnswer("post", "/chat/completions", status, body)).toEqual([]);
    }
  });

  test("chat, streamed: every chunk", async () => {
    const chunks = await Array.fromAsync(client.chat.stream({ model: "Qwen/Qwen3-8B", messages: hello }));
    expect(chunks.length).toBeGreaterThan(2);
    for (const chunk of chunks) expect(wrongIn("ChatCompletionChunk", chunk), JSON.stringify(chunk)).toEqual([]);
  });

  test("a tool call, whole and streamed", async () => {
    const tools = [
      {
        type: "function",
        function: {
          name: "weather",
          description: "The weather in a city",
          parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
        },
      },
    ];
    const request = {
      model: "Qwen/Qwen3-8B",
      messages: [{ role: "user", content: "What is the weather in Lima?" }],
      tools,
    };
    const { status, body } = await plain("/chat/completions", request);
    expect(wrongInAnswer("post", "/chat/completions", status, body)).toEqual([]);
    expect(body).toMatchObject({
      choices: [{ finish_reason: "tool_calls", message: { tool_calls: [{ function: { name: "weather" } }] } }],
    });
    for (const chunk of await Array.fromAsync(client.chat.stream(request)))
      expect(wrongIn("ChatCompletionChunk", chunk), JSON.stringify(chunk)).toEqual([]);
  });

  test("messages, whole, and a stream whose events make the same message", async () => {
    const tools = [{ name: "weather", input_schema: { type: "object", properties: { city: { type: "string" } } } }];
    const messages = [{ role: "user" as const, content: "What is the weather in Lima?" }];
    for (const more of [{}, { tools }]) {
      const request = { model: "zai-org/GLM-4.6", max_tokens: 256, messages, ...more };
      const { status, body } = await plain("/messages", request);
      expect(wrongInAnswer("post", "/messages", status, body)).toEqual([]);
      const { content } = body as { content: { type: string }[] };
      const events = await Array.fromAsync(client.messages.stream(request));
      expect(events[0]).toMatchObject({
        type: "message_start",
        message: { usage: { input_tokens: expect.any(Number) } },
      });
      const started = events.flatMap(({ content_block }) => (content_block ? [content_block.type] : []));
      expect(started).toEqual(content.map(({ type }) => type));
    }
  });

  test("completions, whole and every chunk of a stream", async () => {
    const request = { model: "Qwen/Qwen3-Coder-30B-A3B-Instruct", prompt: "def area(r):", suffix: "print(area(2))" };
    const { status, body } = await plain("/completions", request);
    expect(wrongInAnswer("post", "/completions", status, body)).toEqual([]);
    const chunks = await Array.fromAsync(client.completions.stream(request));
    expect(chunks.length).toBeGreaterThan(1);
    for (const chunk of chunks) expect(wrongIn("Completion", chunk), JSON.stringify(chunk)).toEqual([]);
  });

  test.each(["float", "base64"])("embeddings as %s", async (encoding_format) => {
    const { status, body } = await plain("/embeddings", { model: "BAAI/bge-m3", input: ["a", "b"], encoding_format });
    expect(wrongInAnswer("post", "/embeddings", status, body)).toEqual([]);
  });

  test("rerank", async () => {
    const { status, body } = await plain("/rerank", {
      model: "BAAI/bge-reranker-v2-m3",
      query: "a",
      documents: ["a", "b"],
      return_documents: true,
    });
    expect(wrongInAnswer("post", "/rerank", status, body)).toEqual([]);
  });

  test("models", async () => {
    expect(wrongInAnswer("get", "/models", 200, await client.models.list())).toEqual([]);
  });

  test.each([
    ["an unknown model", "/chat/completions", { model: "no/such", messages: hello }, {}, 400],
    ["no messages", "/chat/completions", { model: "Qwen/Qwen3-8B" }, {}, 400],
    [
      "a wrong key",
      "/chat/completions",
      { model: "Qwen/Qwen3-8B", messages: hello },
      { authorization: "Bearer sk-wrong" },
      401,
    ],
    [
      "a batch that is too large",
      "/embeddings",
      { model: "BAAI/bge-m3", input: Array.from({ length: 33 }, () => "a") },
      {},
      413,
    ],
    ["an empty text", "/embeddings", { model: "BAAI/bge-m3", input: ["a", ""] }, {}, 400],
    ["no messages", "/messages", { model: "zai-org/GLM-4.6", messages: [] }, {}, 400],
    ["no prompt", "/completions", { model: "zai-org/GLM-4.6" }, {}, 400],
    ["no documents", "/rerank", { model: "BAAI/bge-reranker-v2-m3", query: "a", documents: [] }, {}, 400],
  ])("the refusal of %s", async (_, path, request, headers, expected) => {
    const { status, body } = await plain(path, request, headers);
    expect(status).toBe(expected);
    expect(wrongInAnswer("post", path, status, body), JSON.stringify(body)).toEqual([]);
  });
});
