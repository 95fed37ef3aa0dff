import type { ChatCompletionChunk, ChatDelta, Usage } from "@langchain-siliconflow/client";
import { quietly } from "@langchain-siliconflow/client/adapter";
import { markForLangChain } from "./langchain-errors.js";
import { readLogprobs } from "./logprobs.js";
import { nonEmpty, StreamToolCalls } from "./stream-tool-calls.js";
import { ThinkTags } from "./think-tags.js";
import { isPlainObject } from "./tool-calls.js";

/** What is known of an answer when its stream has ended. Filled by {@link RepairedStream}, just before its last chunks. */
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

/** Chunks of an answer. */
export interface ChunkSource<Chunk = ChatCompletionChunk> extends AsyncIterable<Chunk> {
  readonly traceId?: string | undefined;
  /** The next chunk if it is there already. */
  take?(): Chunk | undefined;
  /** Settles when `take` may have one, `undefined` where `next()` must be awaited instead. Never rejects. */
  wait?(): Promise<void> | undefined;
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
 *
 * An iterator rather than a generator: what has arrived is handed out by {@link take} without a promise.
 */
export class RepairedStream implements AsyncIterableIterator<ChatCompletionChunk, undefined> {
  readonly #source: ChunkSource;
  readonly #chunks: AsyncIterator<ChatCompletionChunk>;
  readonly #end: StreamEnd;
  readonly #told: Told = { tags: new ThinkTags(), text: false, reasoning: false, calls: undefined };
  #id: string | undefined;
  #created: number | undefined;
  #usage: Usage | undefined;
  #finish: string | undefined;
  /** What comes after the last chunk of the source; `undefined` before that. */
  #rest: ChatCompletionChunk[] | undefined;

  constructor(source: ChunkSource, end: StreamEnd = {}) {
    this.#source = source;
    this.#chunks = source[Symbol.asyncIterator]();
    this.#end = end;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The next chunk if it is there already. */
  take(): ChatCompletionChunk | undefined {
    if (this.#rest !== undefined) return this.#rest.shift();
    try {
      for (let chunk = this.#source.take?.(); chunk !== undefined; chunk = this.#source.take!()) {
        if (this.#repair(chunk)) return chunk;
      }
    } catch (error) {
      throw this.#fail(error);
    }
    return undefined;
  }

  /** Settles when {@link take} may have a chunk, `undefined` where {@link next} must be awaited instead. Never rejects. */
  wait(): Promise<void> | undefined {
    return this.#rest === undefined ? this.#source.wait?.() : undefined;
  }

  async next(): Promise<IteratorResult<ChatCompletionChunk, undefined>> {
    for (;;) {
      const chunk = this.take();
      if (chunk !== undefined) return { done: false, value: chunk };
      if (this.#rest !== undefined) return { done: true, value: undefined };
      const waiting = this.wait();
      if (waiting !== undefined) {
        await waiting;
        continue;
      }
      try {
        const { done, value } = await this.#chunks.next();
        if (done) this.#rest = this.#ending();
        else if (this.#repair(value)) return { done: false, value };
      } catch (error) {
        throw this.#fail(error);
      }
    }
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#rest = [];
    await this.#chunks.return?.();
    return { done: true, value: undefined };
  }

  #fail(error: unknown): unknown {
    // What holds the source lets it go. It has failed already.
    quietly(() => this.return());
    return markForLangChain(error);
  }

  /** Returns whether anything of the chunk is to be passed on. */
  #repair(chunk: ChatCompletionChunk): boolean {
    const end = this.#end;
    if (isPlainObject(chunk.usage)) this.#usage = chunk.usage;
    chunk.usage = null;
    this.#id ??= nonEmpty(chunk.id);
    end.model ??= nonEmpty(chunk.model);
    this.#created ??= chunk.created;
    const choice = chunk.choices?.[0];
    if (choice === undefined) return false;

    this.#finish = nonEmpty(choice.finish_reason) ?? this.#finish;
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
    if (!repairDelta(delta, this.#told) && choice["logprobs"] == null) return false;

    chunk.id = this.#id ??= makeMessageId();
    return true;
  }

  /** The source has ended: what is owed, the finish reason and the counts. */
  #ending(): ChatCompletionChunk[] {
    const end = this.#end;
    const told = this.#told;
    const finish = this.#finish;
    const usage = this.#usage;
    const head = {
      id: (this.#id ??= makeMessageId()),
      object: "chat.completion.chunk",
      ...(this.#created !== undefined && { created: this.#created }),
      ...(end.model !== undefined && { model: end.model }),
    };
    const rest: ChatCompletionChunk[] = [];
    const held = told.tags.end();
    if (held.text !== "" || held.reasoning !== "") {
      const delta = { role: "assistant", content: held.text || null, reasoning_content: held.reasoning || null };
      note(delta, told);
      rest.push({ ...head, choices: [{ index: 0, delta, finish_reason: null }] });
    }
    const owed = told.calls?.finish(finish === "length");
    if (owed?.length) {
      const delta = { role: "assistant", content: null, tool_calls: owed };
      rest.push({ ...head, choices: [{ index: 0, delta, finish_reason: null }] });
    }

    const finishReason = normalFinishReason(finish);
    end.finishReason = finishReason;
    if (finish !== finishReason) end.nativeFinishReason = finish;
    end.traceId = this.#source.traceId;
    end.usage = usage;
    end.thinkingOnly = told.reasoning && !told.text && !told.calls?.any;
    const delta = { role: "assistant", content: "" };
    rest.push({ ...head, choices: [{ index: 0, delta, finish_reason: finishReason ?? null }] });
    if (usage !== undefined) rest.push({ ...head, choices: [], usage: withCachedTokens(usage) });
    return rest;
  }
}

/** What an answer has said so far. */
interface Told {
  tags: ThinkTags;
  text: boolean;
  reasoning: boolean;
  /** Made for the first one: most answers call nothing. */
  calls: StreamToolCalls | undefined;
}

/** Returns whether anything is left to say. */
function repairDelta(delta: ChatDelta, told: Told): boolean {
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
    const fragments = (told.calls ??= new StreamToolCalls()).accept(delta.tool_calls);
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
