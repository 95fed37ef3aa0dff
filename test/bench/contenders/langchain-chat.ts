/** A chat model of LangChain, whoever made it, through its public methods. */
import type { BaseChatModel, BaseChatModelCallOptions } from "@langchain/core/language_models/chat_models";
import type { AIMessage, AIMessageChunk } from "@langchain/core/messages";
import type { Contender } from "../contender.ts";
import type { Reading } from "../reading.ts";
import { prompt, toolForOpenAI } from "./wire.ts";

export function langChainChat(model: BaseChatModel): Contender {
  // Tools are an option of every model here, but not of their common base.
  const given = (tools: boolean | undefined): BaseChatModelCallOptions =>
    tools ? ({ tools: [toolForOpenAI] } as BaseChatModelCallOptions) : {};
  return {
    async stream(reading, { tools } = {}) {
      for await (const chunk of await model.stream(prompt, given(tools))) readMessage(chunk, reading);
    },

    async streamTelling(reading, told, { tools } = {}) {
      const callbacks = [{ handleLLMNewToken: (token: string) => told.text(token) }];
      for await (const chunk of await model.stream(prompt, { ...given(tools), callbacks })) readMessage(chunk, reading);
    },

    async streamEvents(reading, { tools } = {}) {
      for await (const event of model.streamEvents(prompt, given(tools))) {
        if (event.event === "message-finish") reading.usage(event.usage?.input_tokens, event.usage?.output_tokens);
        if (event.event !== "content-block-delta") continue;
        const { delta } = event;
        if (delta.type === "text-delta") reading.text(delta.text);
        else if (delta.type === "reasoning-delta") reading.thoughts(delta.reasoning);
        else if (delta.type === "tool-call-delta") reading.arguments(delta.args);
        else if (delta.type === "block-delta" && delta.fields.type === "tool_call_chunk")
          reading.argumentsSoFar(String(delta.fields["args"]));
      }
    },

    async invoke(reading) {
      readMessage(await model.invoke(prompt), reading);
    },
  };
}

function readMessage(message: AIMessage | AIMessageChunk, reading: Reading): void {
  reading.thoughts(message.additional_kwargs["reasoning_content"]);
  reading.text(message.content);
  if ("tool_call_chunks" in message) for (const call of message.tool_call_chunks ?? []) reading.arguments(call.args);
  const usage = message.usage_metadata;
  if (usage) reading.usage(usage.input_tokens, usage.output_tokens);
}
