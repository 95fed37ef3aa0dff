import type { ChatSiliconFlow } from "@langchain-siliconflow/chat";
import type { AIMessage, AIMessageChunk, BaseMessage } from "@langchain/core/messages";
import { createAgent, tool } from "langchain";

/** The tools that agents are given: what they answer is of no matter here. */
export const tools = [
  tool(async ({ sku }: { sku: string }) => `12 units of ${sku}`, {
    name: "lookup_stock",
    description: "Units on hand for one SKU",
    schema: { type: "object", properties: { sku: { type: "string" } }, required: ["sku"] },
  }),
  tool(async () => "noon", {
    name: "now",
    description: "The time",
    schema: { type: "object", properties: {} },
  }),
];

const question = "Well?";

async function joined(chunks: AsyncIterable<AIMessageChunk>): Promise<AIMessageChunk> {
  let whole: AIMessageChunk | undefined;
  for await (const chunk of chunks) whole = whole === undefined ? chunk : whole.concat(chunk);
  return whole!;
}

const firstAnswer = (messages: BaseMessage[]): AIMessage =>
  messages.find((message) => message.type === "ai") as AIMessage;

/** Every way in which LangChain shows an answer, each as a function that asks once and returns the (first) answer. */
export const views: Record<string, (model: ChatSiliconFlow) => Promise<AIMessage | AIMessageChunk>> = {
  invoke: (model) => model.invoke(question),

  "invoke of a model that streams": (model) => {
    model.streaming = true;
    return model.invoke(question);
  },

  "stream v0": async (model) => joined(await model.stream(question)),

  "stream v1": async (model) => joined(await model.stream(question, { outputVersion: "v1" })),

  "events v2": async (model) => {
    let output: AIMessage | undefined;
    for await (const { event, data } of model.streamEvents(question, { version: "v2" })) {
      if (event === "on_chat_model_end") output = data.output as AIMessage;
    }
    return output!;
  },

  "events v3": async (model) => model.streamEvents(question),

  "agent stream": async (model) => {
    const agent = createAgent({ model, tools });
    let messages: BaseMessage[] = [];
    for await (const [mode, data] of await agent.stream(
      { messages: [{ role: "user", content: question }] },
      { streamMode: ["messages", "values"] },
    )) {
      if (mode === "values") messages = data.messages as BaseMessage[];
    }
    return firstAnswer(messages);
  },

  "agent events v3": async (model) => {
    const agent = createAgent({ model, tools });
    const run = await agent.streamEvents({ messages: [{ role: "user", content: question }] }, { version: "v3" });
    const { messages } = (await run.output) as { messages: BaseMessage[] };
    return firstAnswer(messages);
  },
};

/** What is the same in every view, whatever class and content it has. */
export function seen(message: AIMessage | AIMessageChunk): Record<string, unknown> {
  const { trace_id, finish_reason, model, model_name, model_provider, usage } = message.response_metadata;
  return {
    text: message.text,
    reasoning: message.additional_kwargs["reasoning_content"],
    blocks: message.contentBlocks.map((block) => {
      const { index: _, ...rest } = block as { index?: unknown; type: string };
      return rest;
    }),
    calls: (message.tool_calls ?? []).map(({ id, name, args }) => ({ id, name, args })),
    invalidCalls: (message.invalid_tool_calls ?? []).map(({ id, name, args }) => ({ id, name, args })),
    usage_metadata: message.usage_metadata,
    metadata: { trace_id, finish_reason, model, model_name, model_provider, usage },
  };
}
