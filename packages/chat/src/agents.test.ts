import type { ChatCompletionRequest, SiliconFlowClient } from "@langchain-siliconflow/client";
import { HumanMessage } from "@langchain/core/messages";
import {
  type AgentMiddleware,
  createAgent,
  providerStrategy,
  summarizationMiddleware,
  tool,
  toolStrategy,
} from "langchain";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { ChatSiliconFlowFields } from "./chat-fields.js";
import { ChatSiliconFlow } from "./chat-siliconflow.js";

/** A model whose client gives these messages in turn, and remembers the requests. */
function chat(messages: object[], fields: Partial<ChatSiliconFlowFields> = {}) {
  const requests: ChatCompletionRequest[] = [];
  const client = {
    baseURL: "https://siliconflow.test/v1",
    chat: {
      async create(request: ChatCompletionRequest) {
        const message = { role: "assistant", content: "", ...messages[requests.push(structuredClone(request)) - 1] };
        const finish_reason = "tool_calls" in message ? "tool_calls" : "stop";
        return { id: `a${requests.length}`, model: "m", choices: [{ index: 0, message, finish_reason }] };
      },
    },
    // Only what the model uses of it.
  } as unknown as SiliconFlowClient;
  return { model: new ChatSiliconFlow({ model: "Qwen/Qwen3-8B", client, ...fields }), requests };
}

const call = (id: string, name: string, args: object) => ({
  id,
  type: "function",
  function: { name, arguments: JSON.stringify(args) },
});
const City = z.object({ city: z.string(), people: z.number() });
const lima = { city: "Lima", people: 10_000_000 };
const question = { messages: [new HumanMessage("The capital of Peru?")] };

const stock = tool(async ({ sku }: { sku: string }) => `12 of ${sku}`, {
  name: "stock",
  description: "Units on hand",
  schema: z.object({ sku: z.string() }),
});

describe("an agent's structured answer", () => {
  /** The tool that stands for the schema, under the name LangChain gave it. */
  const nameOf = (request: ChatCompletionRequest | undefined): string => {
    const [last] = (request?.tools ?? []).slice(-1) as { function: { name: string } }[];
    return last?.function.name ?? "";
  };

  test("comes by a tool call", async () => {
    const strategy = toolStrategy(City);
    const name = (strategy as unknown as { name: string }[])[0]!.name;
    const { model, requests } = chat([{ tool_calls: [call("a", name, lima)] }]);
    const { structuredResponse } = await createAgent({ model, tools: [stock], responseFormat: strategy }).invoke(
      question,
    );

    expect(structuredResponse).toEqual(lima);
    expect(requests[0]).toMatchObject({ tool_choice: "required" });
    expect(nameOf(requests[0])).toBe(name);
  });

  test.each([
    ["is sent as asked for", {}, "required"],
    ["is an offer, where the model thinks and the option says so", { toolChoiceWhileThinking: "auto" }, "auto"],
  ] as const)("the tool choice of that %s", async (_, fields, choice) => {
    const strategy = toolStrategy(City);
    const name = (strategy as unknown as { name: string }[])[0]!.name;
    const { model, requests } = chat([{ tool_calls: [call("a", name, lima)] }], { enableThinking: true, ...fields });
    await createAgent({ model, tools: [], responseFormat: strategy }).invoke(question);

    expect(requests[0]?.tool_choice).toBe(choice);
  });

  test("comes by json_schema, after the tools were asked", async () => {
    const { model, requests } = chat([
      { tool_calls: [call("a", "stock", { sku: "A-17" })] },
      { content: JSON.stringify(lima) },
    ]);
    const agent = createAgent({ model, tools: [stock], responseFormat: providerStrategy(City) });
    const { structuredResponse } = await agent.invoke(question);

    expect(structuredResponse).toEqual(lima);
    expect(requests).toHaveLength(2);
    for (const request of requests) {
      expect(request.response_format).toMatchObject({
        type: "json_schema",
        json_schema: { schema: { required: ["city", "people"] } },
      });
      expect(request.tools).toHaveLength(1);
      expect(request).not.toHaveProperty("tool_choice");
    }
  });

  test.each([
    ["a tool call, as long as the profile promises nothing", {}, "tools"],
    ["json_schema, if it does", { profile: { structuredOutput: true } }, "response_format"],
  ] as const)("is asked for by %s", async (_, fields, field) => {
    const answer = { content: JSON.stringify(lima), tool_calls: undefined };
    const { model, requests } = chat([answer, answer], fields);
    await createAgent({ model, tools: [], responseFormat: City }).invoke(question);

    expect(requests[0]).toHaveProperty(field);
    expect(requests[0]).not.toHaveProperty(field === "tools" ? "response_format" : "tools");
  });
});

test("rounds of parallel calls keep every thought with its calls, in order and unmodified", async () => {
  const first = {
    reasoning_content: " First,\n two. ",
    tool_calls: [call("a", "stock", { sku: "A" }), call("b", "stock", { sku: "B" })],
  };
  const second = {
    reasoning_content: "Then one.",
    content: "One more.",
    tool_calls: [call("c", "stock", { sku: "C" })],
  };
  const { model, requests } = chat([first, second, { reasoning_content: "Done.", content: "36" }]);
  const agent = createAgent({ model, tools: [stock] });
  const { messages } = await agent.invoke(question);

  expect(requests[2]?.messages.slice(1)).toEqual([
    { role: "assistant", content: "", ...first },
    { role: "tool", tool_call_id: "a", content: "12 of A" },
    { role: "tool", tool_call_id: "b", content: "12 of B" },
    { role: "assistant", ...second },
    { role: "tool", tool_call_id: "c", content: "12 of C" },
  ]);
  expect(messages.at(-1)).toMatchObject({ content: "36", additional_kwargs: { reasoning_content: "Done." } });

  // The next question: "auto" leaves out the thoughts of the answer that called nothing, "always" sends them too.
  for (const [reasoningHistory, thoughts] of [
    ["auto", undefined],
    ["always", "Done."],
  ] as const) {
    const next = chat([{ content: "ok" }], { reasoningHistory });
    await next.model.invoke([...messages, new HumanMessage("And now?")]);
    expect(next.requests[0]?.messages.map((message) => message.reasoning_content)).toEqual([
      undefined,
      " First,\n two. ",
      undefined,
      undefined,
      "Then one.",
      undefined,
      thoughts,
      undefined,
    ]);
  }
});

// The types of the middleware do not hold under exactOptionalPropertyTypes.
const summarising = summarizationMiddleware as unknown as (options: object) => AgentMiddleware;

test("the summarisation middleware reads the context size from the profile", async () => {
  const fields = { profile: { maxInputTokens: 400 } };
  const { model, requests } = chat([{ content: "They spoke of Peru." }, { content: "Lima" }], fields);
  const summarise = summarising({ model, trigger: { fraction: 0.5 }, keep: { messages: 1 } });
  const agent = createAgent({ model, tools: [], middleware: [summarise] });
  const long = Array.from(
    { length: 8 },
    (_, index) => new HumanMessage(`${index} ${"Peru has a capital. ".repeat(20)}`),
  );
  const { messages } = await agent.invoke({ messages: long });

  expect(requests).toHaveLength(2);
  expect(JSON.stringify(requests[1]?.messages)).toContain("They spoke of Peru.");
  expect(requests[1]!.messages.length).toBeLessThan(long.length);
  expect(messages.at(-1)?.text).toBe("Lima");
});
