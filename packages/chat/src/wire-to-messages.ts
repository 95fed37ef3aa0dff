import type { ChatCompletion, ChatCompletionChunk, Usage } from "@langchain-siliconflow/client";
import {
  AIMessage,
  type AIMessageChunk,
  type AIMessageChunkFields,
  type AIMessageFields,
} from "@langchain/core/messages";
import type { ToolCallChunk } from "@langchain/core/messages/tool";
import { ChatGenerationChunk, type ChatResult } from "@langchain/core/outputs";
import { modelProvider } from "./content-blocks.js";
import { metadataKey } from "./messages-api-answer.js";
import { SiliconFlowMessageChunk } from "./message-chunk.js";
import type { StreamEnd } from "./repaired-stream.js";
import { nonEmpty } from "./stream-tool-calls.js";
import { readToolCalls } from "./tool-calls.js";
import { toUsageMetadata } from "./usage.js";

/**
 * One repaired chunk as LangChain's.
 *
 * What describes the whole answer is in the finish chunk alone, and the counts are in the usage chunk alone: LangChain adds
 * numbers and joins strings when it merges. Literals without spreads: this runs for every token.
 *
 * @param end - Filled by the time the finish chunk arrives.
 */
export function toGenerationChunk(chunk: ChatCompletionChunk, end: StreamEnd): ChatGenerationChunk {
  const choice = chunk.choices[0];
  const message = toMessage(chunk, end);
  return new ChatGenerationChunk({
    message,
    text: choice?.delta?.content ?? "",
    generationInfo: choice === undefined ? {} : generationInfo(choice),
  });
}

/** The message alone, as core yields it: with what it finds in `generationInfo`. */
export function toMessageChunk(chunk: ChatCompletionChunk, end: StreamEnd): AIMessageChunk {
  const choice = chunk.choices[0];
  const message = toMessage(chunk, end);
  message.response_metadata =
    choice === undefined || (choice.finish_reason == null && choice["logprobs"] == null)
      ? { ...message.response_metadata }
      : { ...generationInfo(choice), ...message.response_metadata };
  return message;
}

function toMessage(chunk: ChatCompletionChunk, end: StreamEnd): AIMessageChunk {
  const choice = chunk.choices[0];
  if (choice === undefined) return usageMessage(chunk);

  const delta = choice.delta ?? {};
  const reasoning = delta.reasoning_content;
  const metadata = choice.finish_reason == null ? { model_provider: modelProvider } : describe(end);
  // Lists, which merge. In generationInfo alone, where the last chunk's win, they would be lost in some of the views.
  if (choice["logprobs"] != null) Object.assign(metadata, { logprobs: choice["logprobs"] });
  const fields: AIMessageChunkFields = {
    content: delta.content ?? "",
    additional_kwargs: reasoning == null ? {} : { reasoning_content: reasoning },
    response_metadata: metadata,
  };
  if (delta.tool_calls != null) fields.tool_call_chunks = delta.tool_calls.map(toToolCallChunk);
  if (chunk.id !== undefined) fields.id = chunk.id;
  return new SiliconFlowMessageChunk(fields);
}

function usageMessage(chunk: ChatCompletionChunk): AIMessageChunk {
  const { usage } = chunk;
  return new SiliconFlowMessageChunk({
    content: "",
    response_metadata: { model_provider: modelProvider, ...(usage && { usage: { ...usage } }) },
    ...(usage && { usage_metadata: toUsageMetadata(usage) }),
    ...(chunk.id !== undefined && { id: chunk.id }),
    // Under exactOptionalPropertyTypes core's generics make usage_metadata `never`.
  } as unknown as AIMessageChunkFields);
}

function toToolCallChunk(fragment: {
  index?: number | null;
  id?: string | null;
  function?: { name?: string | null; arguments?: string | null } | null;
}): ToolCallChunk {
  const { index, id } = fragment;
  const { name, arguments: args } = fragment.function ?? {};
  return {
    type: "tool_call_chunk",
    ...(index != null && { index }),
    ...(id != null && { id }),
    ...(name != null && { name }),
    args: args ?? "",
  };
}

function generationInfo(choice: { finish_reason?: string | null; [field: string]: unknown }): Record<string, unknown> {
  const info: Record<string, unknown> = {};
  if (choice.finish_reason != null) info["finish_reason"] = choice.finish_reason;
  if (choice["logprobs"] != null) info["logprobs"] = choice["logprobs"];
  return info;
}

/** `response_metadata` of a whole answer. `model` is what LangChain's standard tests read, `model_name` what ChatOpenAI sets. */
export function describe(end: StreamEnd): Record<string, unknown> {
  return {
    model_provider: modelProvider,
    ...(end.model !== undefined && { model_name: end.model, model: end.model }),
    ...(end.finishReason !== undefined && { finish_reason: end.finishReason }),
    ...(end.nativeFinishReason !== undefined && { native_finish_reason: end.nativeFinishReason }),
    ...(end.systemFingerprint !== undefined && { system_fingerprint: end.systemFingerprint }),
    ...(end.traceId !== undefined && { trace_id: end.traceId }),
    ...end.metadata,
    ...(end.thinkingOnly && { thinking_only: true }),
    ...(end.refusal !== undefined && { refusal: end.refusal }),
    ...(end.dropped !== undefined && { dropped_parameters: end.dropped }),
  };
}

/**
 * A repaired answer as LangChain's result: one generation for each choice.
 *
 * @param end - What is known of how it was asked for.
 */
export function toChatResult(completion: ChatCompletion, end: StreamEnd = {}): ChatResult {
  const { usage } = completion;
  const generations = completion.choices.map((choice) => {
    const { message } = choice;
    const text = typeof message.content === "string" ? message.content : "";
    const calls = (message.tool_calls ?? []).map(({ id, function: { name, arguments: args } }) => ({ id, name, args }));
    const { valid, invalid } = readToolCalls(calls, choice.finish_reason === "length");
    const native = choice["native_finish_reason"];
    const answer = new AIMessage({
      id: completion.id,
      content: text,
      tool_calls: valid,
      invalid_tool_calls: invalid,
      additional_kwargs: message.reasoning_content == null ? {} : { reasoning_content: message.reasoning_content },
      response_metadata: {
        ...describe({
          model: completion.model,
          finishReason: choice.finish_reason ?? undefined,
          nativeFinishReason: typeof native === "string" ? native : undefined,
          systemFingerprint: completion.system_fingerprint || undefined,
          traceId: completion.traceId,
          metadata: (choice as { [metadataKey]?: StreamEnd["metadata"] })[metadataKey],
          thinkingOnly: message.reasoning_content != null && text === "" && calls.length === 0,
          refusal: nonEmpty(message["refusal"]),
          dropped: end.dropped,
        }),
        ...(usage && { usage: { ...usage } }),
      },
      ...(usage && { usage_metadata: toUsageMetadata(usage) }),
      // The same trouble with core's generics as in usageMessage.
    } as unknown as AIMessageFields);
    return { text, message: answer, generationInfo: generationInfo(choice) };
  });
  return { generations, llmOutput: usage ? { tokenUsage: toTokenUsage(usage) } : {} };
}

/** `llmOutput.tokenUsage`, where older callbacks look for the counts. */
export function toTokenUsage(usage: Usage): Record<string, number> {
  const counts = toUsageMetadata(usage);
  return {
    promptTokens: counts.input_tokens,
    completionTokens: counts.output_tokens,
    totalTokens: counts.total_tokens,
  };
}
