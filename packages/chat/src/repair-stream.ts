import type { ChatCompletionChunk, ChatDelta, Usage } from "@langchain-siliconflow/client";
import { markForLangChain } from "./langchain-errors.js";
import { readLogprobs } from "./logprobs.js";
import { nonEmpty, StreamToolCalls } from "./stream-tool-calls.js";
import { ThinkTags } from "./think-tags.js";
import { isPlainObject } from "./tool-calls.js";

/** What is known of an answer when its stream has ended. Filled by {@link repairStream}, just before its last chunks. */
export interface StreamEnd {
  model?: string | undefined;
  finishReason?: string | undefined;
  /** The service's own word for it, where it was another: `eos` is a `stop`. */
  nativeFinishReason?: string | undefined;
  systemFingerprint?: string | undefined;
  traceId?: string | undefined;
  usage?: Usage | undefined;
  /** What the endpoint says beyond that, for `response_metadata`. */
  metadata?: Record<string, unknown> | undefined;
  /** Whether the answer ended before it said or called anything. */
  thinkingOnly?: boolean;
  /** The model's own words for not answering. */
  refusal?: string | undefined;
  /** Fields that the model did not take, and that were left out for it. Filled before the first chunk. */
  dropped?: string[] | undefined;
  /** Probabilities of the tokens so far, where they were asked for. */
  logprobs?: unknown[];
}

/**
 * Makes a stream of chunks one that LangChain merges correctly, whoever reads it: its chunk converter or its event converter.
 *
 * - Counts are cumulative on the wire, and LangChain would add them: the last ones go out once, at the very end, in a chunk
 *   without choices.
 * - One finish reason, in a chunk of its own before that one; LangChain would join repeated ones (`"stopstop"`).
 * - The role is set, tool calls are numbered, `{}` stands for no arguments, and every chunk has the same id.
 * - Thoughts that a model writes into its content, between `<think>` tags, become thoughts.
 * - Chunks that say nothing are dropped: an empty string must not open a text or a reasoning block.
 *
 * Chunks are changed in place: they were parsed for this reader alone, and a copy of each would cost more than the repair.
 */
export async function* repairStream(
  source: AsyncIterable<ChatCompletionChunk> & { readonly traceId?: string | undefined },
  end: StreamEnd = {},
): AsyncGenerator<ChatCompletionChunk, void, undefined> {
  const calls = new StreamToolCalls();
  const told: Told = { tags: new ThinkTags(), text: false, reasoning: false };
  let id: string | undefined;
  let created: number | undefined;
  let usage: Usage | undefined;
  let finish: string | undefined;

  try {
    for await (const chunk of source) {
      if (isPlainObject(chunk.usage)) usage = chunk.usage;
      chunk.usage = null;
      id ??= nonEmpty(chunk.id);
      end.model ??= nonEmpty(chunk.model);
      created ??= chunk.created;
      const choice = chunk.choices?.[0];
      if (choice === undefined) continue;

      finish = nonEmpty(choice.finish_reason) ?? finish;
      choice.finish_reason = null;
      if (choice["logprobs"] != null) {
        const logprobs = readLogprobs(choice["logprobs"]);
        choice["logprobs"] = logprobs;
        for (const entry of logprobs?.content ?? []) (end.logprobs ??= []).push(entry);
      }
      end.systemFingerprint ??= nonEmpty(chunk["system_fingerprint"]);
      // Probabilities may come with nothing said.
      const delta = isPlainObject(choice.delta) ? choice.delta : (choice.delta = {});
      if (typeof delta["refusal"] === "string") end.refusal = (end.refusal ?? "") + delta["refusal"];
      if (!repairDelta(delta, calls, told) && choice["logprobs"] == null) continue;

      chunk.id = id ??= makeMessageId();
      yield chunk;
    }
  } catch (error) {
    throw markForLangChain(error);
  }

  const head = {
    id: (id ??= makeMessageId()),
    object: "chat.completion.chunk",
    ...(created !== undefined && { created }),
    ...(end.model !== undefined && { model: end.model }),
  };
  const held = told.tags.end();
  if (held.text !== "" || held.reasoning !== "") {
    const delta = { role: "assistant", content: held.text || null, reasoning_content: held.reasoning || null };
    note(delta, told);
    yield { ...head, choices: [{ index: 0, delta, finish_reason: null }] };
  }
  const owed = calls.finish(finish === "length");
  if (owed.length > 0) {
    const delta = { role: "assistant", content: null, tool_calls: owed };
    yield { ...head, choices: [{ index: 0, delta, finish_reason: null }] };
  }

  const finishReason = normalFinishReason(finish);
  end.finishReason = finishReason;
  if (finish !== finishReason) end.nativeFinishReason = finish;
  end.traceId = source.traceId;
  end.usage = usage;
  end.thinkingOnly = told.reasoning && !told.text && !calls.any;
  yield {
    ...head,
    choices: [{ index: 0, delta: { role: "assistant", content: "" }, finish_reason: finishReason ?? null }],
  };
  if (usage !== undefined) yield { ...head, choices: [], usage: withCachedTokens(usage) };
}

/** What an answer has said so far. */
interface Told {
  tags: ThinkTags;
  text: boolean;
  reasoning: boolean;
}

/** Returns whether anything is left to say. */
function repairDelta(delta: ChatDelta, calls: StreamToolCalls, told: Told): boolean {
  delta.role = "assistant";
  let content = plainText(delta.content);
  const given = delta.reasoning_content;
  let reasoning = typeof given === "string" ? given : "";
  const { tags } = told;
  if (!tags.over) {
    // A service that tells thoughts apart itself: tags in the content are then what the model wants to say.
    if (reasoning !== "") {
      const held = tags.end();
      content = held.text + content;
      reasoning = held.reasoning + reasoning;
    } else if (content !== "") ({ reasoning, text: content } = tags.push(content));
  }
  delta.content = content === "" ? null : content;
  delta.reasoning_content = reasoning === "" ? null : reasoning;
  note(delta, told);

  let ready = false;
  if (Array.isArray(delta.tool_calls)) {
    const fragments = calls.accept(delta.tool_calls);
    ready = fragments.length > 0;
    delta.tool_calls = ready ? fragments : null;
  }
  return ready || delta.content !== null || delta.reasoning_content !== null;
}

function note(delta: ChatDelta, told: Told): void {
  told.text ||= delta.content != null;
  told.reasoning ||= delta.reasoning_content != null;
}

/** Text of a content that should be a string, and is a list of text parts on some hosts. */
export function plainText(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((part: { text?: unknown } | null) => (typeof part?.text === "string" ? part.text : "")).join("");
}

/** `eos` is a normal stop; anything else is the service's own word and stays. */
export function normalFinishReason(reason: string | undefined): string | undefined {
  return reason === "eos" ? "stop" : reason;
}

/** DeepSeek counts cached tokens beside the details; LangChain reads them only inside. */
export function withCachedTokens(usage: Usage): Usage {
  if (usage.prompt_cache_hit_tokens === undefined || usage.prompt_tokens_details?.cached_tokens !== undefined)
    return usage;
  return {
    ...usage,
    prompt_tokens_details: { ...usage.prompt_tokens_details, cached_tokens: usage.prompt_cache_hit_tokens },
  };
}

/** LangGraph replaces a message that has the id of another, so an answer without an id gets one of its own. */
export function makeMessageId(): string {
  return `siliconflow-${crypto.randomUUID()}`;
}
