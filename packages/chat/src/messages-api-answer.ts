import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatDelta,
  Message,
  MessageBlock,
  MessageStreamEvent,
  MessagesUsage,
  ToolCall,
  Usage,
} from "@langchain-siliconflow/client";
import { asText } from "@langchain-siliconflow/client/adapter";
import type { ThinkingSignature } from "./messages-api-request.js";
import type { StreamEnd } from "./repaired-stream.js";
import { isPlainObject } from "./tool-calls.js";

/** What an answer of `/messages` says beyond chat's, for `response_metadata`. */
type Metadata = NonNullable<StreamEnd["metadata"]>;

/** The service's own metadata beside a translated choice. A symbol: nothing that came over the wire can set it. */
export const metadataKey = Symbol("siliconflow.metadata");

/** A message of the Anthropic-compatible endpoint as the chat completion that LangChain is given. */
export function toChatCompletion(message: Message): ChatCompletion {
  const { id, model, content, stop_reason, stop_sequence, usage, traceId } = message;
  const signatures: ThinkingSignature[] = [];
  let said = "";
  let thoughts = "";
  const calls: ToolCall[] = [];
  for (const block of content) {
    if (block.text) said += block.text;
    else if (block.thinking) {
      thoughts += block.thinking;
      sign(signatures, block.thinking, block.signature);
    } else if (block.type === "tool_use") {
      const { id: callId, name, input } = block;
      calls.push({ id: callId || "", type: "function", function: { name: name || "", arguments: asText(input) } });
    }
  }
  const choice = {
    index: 0,
    message: {
      role: "assistant",
      content: said,
      reasoning_content: thoughts,
      ...(calls.length > 0 && { tool_calls: calls }),
    },
    finish_reason: toFinishReason(stop_reason || null),
    ...nativeReason(stop_reason),
    [metadataKey]: toMetadata(signatures, stop_sequence),
  };
  const completion: ChatCompletion = {
    id,
    object: "chat.completion",
    created: 0,
    model,
    choices: [choice],
    ...(isPlainObject(usage) && { usage: toUsage(usage) }),
  };
  if (traceId !== undefined) Object.defineProperty(completion, "traceId", { value: traceId });
  return completion;
}

/**
 * The events of a streamed message as the chunks of a chat stream, so that all that follows is the same for both endpoints.
 *
 * Fields decide, not the names of events: the service documents the first event only.
 */
export function toChatChunks(
  events: AsyncIterable<MessageStreamEvent> & { readonly traceId?: string | undefined },
  end: StreamEnd | undefined,
): AsyncIterable<ChatCompletionChunk> & { readonly traceId: string | undefined } {
  return {
    get traceId() {
      return events.traceId;
    },
    [Symbol.asyncIterator]: () => translate(events, end),
  };
}

async function* translate(
  events: AsyncIterable<MessageStreamEvent>,
  end: StreamEnd | undefined,
): AsyncGenerator<ChatCompletionChunk, void, undefined> {
  const blocks = new Map<number, OpenBlock>();
  let head: { id?: string; model?: string } = {};
  let usage: MessagesUsage | undefined;
  let stopReason: string | null = null;
  let stopSequence: string | null = null;
  let calls = 0;

  const chunk = (delta: ChatDelta, finish_reason: string | null = null): ChatCompletionChunk => ({
    ...head,
    object: "chat.completion.chunk",
    choices: [{ index: 0, delta, finish_reason }],
  });
  const openBlock = (index: number, block: MessageBlock): OpenBlock => {
    const call = block.type === "tool_use" ? calls++ : undefined;
    const open: OpenBlock = { call, thinking: "", signature: "" };
    blocks.set(index, open);
    return open;
  };

  for await (const { index: given, message, content_block, delta, usage: counts } of events) {
    const index = given || 0;
    if (message) {
      head = { ...(message.id && { id: message.id }), ...(message.model && { model: message.model }) };
      if (isPlainObject(message.usage)) usage = { ...usage, ...message.usage };
    }
    if (isPlainObject(counts)) usage = { ...usage, ...counts };
    if (content_block) {
      const open = openBlock(index, content_block);
      const { id = null, name = null, input, text, thinking, signature } = content_block;
      if (open.call !== undefined) {
        // A call begins with `{}` and its arguments follow, or with all of them.
        const args = isEmpty(input) ? "" : asText(input);
        yield chunk({
          tool_calls: [{ index: open.call, id, type: "function", function: { name, arguments: args } }],
        });
      } else if (text) yield chunk({ content: text });
      else if (typeof thinking === "string") yield chunk({ reasoning_content: (open.thinking = thinking) });
      if (typeof signature === "string") open.signature = signature;
    }
    if (delta) {
      const { text, thinking, signature, partial_json } = delta;
      if (typeof text === "string") yield chunk({ content: text });
      if (typeof thinking === "string" || typeof signature === "string") {
        const open = blocks.get(index) ?? openBlock(index, { type: "thinking" });
        open.signature += signature ?? "";
        open.thinking += thinking ?? "";
        if (thinking) yield chunk({ reasoning_content: thinking });
      }
      if (typeof partial_json === "string") {
        const open = blocks.get(index) ?? openBlock(index, { type: "tool_use" });
        yield chunk({ tool_calls: [{ index: open.call ?? index, function: { arguments: partial_json } }] });
      }
      stopReason = delta.stop_reason || stopReason;
      stopSequence = delta.stop_sequence || stopSequence;
    }
  }

  if (end !== undefined) {
    const signatures: ThinkingSignature[] = [];
    for (const { thinking, signature } of blocks.values()) sign(signatures, thinking, signature);
    const { native_finish_reason } = nativeReason(stopReason);
    if (native_finish_reason !== undefined) end.nativeFinishReason = native_finish_reason;
    end.metadata = toMetadata(signatures, stopSequence);
  }
  yield { ...chunk({}, toFinishReason(stopReason)), ...(usage && { usage: toUsage(usage) }) };
}

/** A block as far as it has arrived. */
interface OpenBlock {
  /** Number of the tool call it is. */
  call: number | undefined;
  thinking: string;
  signature: string;
}

/** Chat's word for why an answer ended; the service's own stays in `native_finish_reason`. A word that is new stays too. */
function toFinishReason(reason: string | null): string {
  // Both endings are an end: a `message_stop` may come without a reason.
  return reason === null ? "stop" : (finishReasons.get(reason) ?? reason);
}

const finishReasons = new Map([
  ["end_turn", "stop"],
  ["stop_sequence", "stop"],
  ["max_tokens", "length"],
  ["tool_use", "tool_calls"],
  ["refusal", "content_filter"],
]);

function nativeReason(reason: string | null): { native_finish_reason?: string } {
  return reason !== null && finishReasons.has(reason) ? { native_finish_reason: reason } : {};
}

function toMetadata(signatures: ThinkingSignature[], stopSequence: string | null | undefined): Metadata {
  return {
    ...(signatures.length > 0 && { thinking_signatures: signatures }),
    ...(stopSequence && { stop_sequence: stopSequence }),
  };
}

function sign(signatures: ThinkingSignature[], thinking: string, signature: string | undefined): void {
  if (signature && thinking !== "") signatures.push({ length: thinking.length, signature });
}

/** Anthropic's `input_tokens` leave out what came from the cache and what went into it; chat's `prompt_tokens` hold both. */
function toUsage(usage: MessagesUsage): Usage {
  const read = usage.cache_read_input_tokens;
  const prompt = count(usage.input_tokens) + count(read) + count(usage.cache_creation_input_tokens);
  const completion = count(usage.output_tokens);
  return {
    ...usage,
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    ...(typeof read === "number" && { prompt_tokens_details: { cached_tokens: read } }),
  };
}

function count(tokens: number | null | undefined): number {
  return typeof tokens === "number" && Number.isFinite(tokens) ? tokens : 0;
}

function isEmpty(input: unknown): boolean {
  return isPlainObject(input) && Object.keys(input).length === 0;
}
