import { ChatStream } from "../chat-stream.js";
import { InvalidInputError, StreamError } from "../errors.js";
import type { RequestOptions } from "../options.js";
import { CompletionSoFar } from "../partial-completion.js";
import { SseDecoder, type SseEvent } from "../sse.js";
import { parseAnswer, type Exchange, type Transport } from "../transport.js";
import type { WireResponse } from "../wire.js";

/** An answer of the service, with the id to quote to support. Not enumerable: it is no part of the wire's object. */
export interface Traced {
  readonly traceId?: string;
}

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  completion_tokens_details?: { reasoning_tokens?: number; [field: string]: unknown } | null;
  prompt_tokens_details?: { cached_tokens?: number; [field: string]: unknown } | null;
  prompt_cache_hit_tokens?: number;
  prompt_cache_miss_tokens?: number;
  [field: string]: unknown;
}

export interface ToolCall {
  id: string;
  type: "function";
  /** `arguments` is JSON text as the model wrote it: parse it with care. */
  function: { name: string; arguments: string };
}

export type ContentPart =
  | { type: "text"; text: string }
  | { type: "image_url"; image_url: { url: string; detail?: "auto" | "low" | "high" } }
  | { type: "audio_url"; audio_url: { url: string } }
  // `max_frams` is the documented spelling.
  | { type: "video_url"; video_url: { url: string; detail?: string; max_frams?: number; fps?: number } }
  | { type: string & {}; [field: string]: unknown };

export interface ChatMessage {
  role: "system" | "user" | "assistant" | "tool" | (string & {});
  content: string | ContentPart[];
  reasoning_content?: string | null;
  tool_calls?: ToolCall[];
  tool_call_id?: string;
  [field: string]: unknown;
}

/**
 * A chat request, field by field as documented. Unknown fields are passed on.
 *
 * @see https://docs.siliconflow.cn/cn/api-reference/chat-completions/chat-completions
 */
export interface ChatCompletionRequest {
  model: string;
  messages: ChatMessage[];
  /** Set by `create` and `stream` themselves. */
  stream?: boolean;
  max_tokens?: number;
  stop?: string | string[] | null;
  temperature?: number;
  top_p?: number;
  top_k?: number;
  min_p?: number;
  frequency_penalty?: number;
  n?: number;
  response_format?: { type: "text" | "json_object" | "json_schema"; [field: string]: unknown };
  tools?: unknown[];
  tool_choice?: unknown;
  enable_thinking?: boolean;
  /** Tokens the model may think for. */
  thinking_budget?: number;
  reasoning_effort?: string;
  prefix?: string;
  suffix?: string;
  stream_options?: { include_usage?: boolean };
  [field: string]: unknown;
}

export interface ChatCompletion extends Traced {
  id: string;
  object: string;
  /** Seconds since 1970. */
  created: number;
  model: string;
  choices: {
    index: number;
    message: {
      role: string;
      content: string | null;
      reasoning_content?: string | null;
      tool_calls?: ToolCall[];
      [field: string]: unknown;
    };
    /** `stop`, `eos`, `length`, `tool_calls`, … */
    finish_reason: string | null;
    [field: string]: unknown;
  }[];
  usage?: Usage;
  system_fingerprint?: string;
  [field: string]: unknown;
}

export interface ToolCallDelta {
  index?: number | null;
  id?: string | null;
  type?: string | null;
  function?: { name?: string | null; arguments?: string | null } | null;
  [field: string]: unknown;
}

export interface ChatDelta {
  role?: string | null;
  content?: string | null;
  reasoning_content?: string | null;
  tool_calls?: ToolCallDelta[] | null;
  [field: string]: unknown;
}

/** One piece of a streamed answer. `usage` is cumulative where it appears on every chunk: keep the last. */
export interface ChatCompletionChunk {
  id?: string;
  object?: string;
  created?: number;
  model?: string;
  /** Empty on a chunk that brings usage only. */
  choices: { index?: number; delta?: ChatDelta | null; finish_reason?: string | null; [field: string]: unknown }[];
  usage?: Usage | null;
  [field: string]: unknown;
}

/** `/chat/completions`. */
export class Chat {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * Asks for an answer in one piece. Long ones are better streamed: a gateway may give up before they are complete.
   *
   * @throws {@link ContextLengthError} when the prompt is too long for the model.
   * @throws {@link RateLimitError} when a limit of the account holds after the retries.
   * @see https://docs.siliconflow.cn/cn/api-reference/chat-completions/chat-completions
   */
  async create(request: ChatCompletionRequest, options?: RequestOptions): Promise<ChatCompletion> {
    checkRequest(request);
    const call = {
      method: "POST",
      path: "/chat/completions",
      body: { ...request, stream: false },
      stream: false,
      options,
    } as const;
    return await this.#transport.send(call, decodeCompletion);
  }

  /**
   * Asks for an answer piece by piece. Nothing is sent before the first `next()`.
   *
   * Ends only after a `finish_reason`; leaving the loop early closes the socket.
   *
   * @throws {@link StreamError} from the loop, with what had arrived in `partial`, when the answer breaks off.
   * @see https://docs.siliconflow.cn/cn/api-reference/chat-completions/chat-completions
   */
  stream(request: ChatCompletionRequest, options?: RequestOptions): ChatStream {
    checkRequest(request);
    const call = {
      method: "POST",
      path: "/chat/completions",
      body: { ...request, stream: true },
      stream: true,
      options,
    } as const;
    return new ChatStream(this.#transport, call);
  }
}

function checkRequest(request: ChatCompletionRequest): void {
  if (typeof request?.model !== "string" || request.model === "")
    throw new InvalidInputError("model must be the id of a model.");
  if (!Array.isArray(request.messages) || request.messages.length === 0) {
    throw new InvalidInputError("messages must be a list of at least one message.");
  }
}

function decodeCompletion(text: string, response: WireResponse, exchange: Exchange): ChatCompletion {
  const streamed =
    response.header("content-type")?.includes("text/event-stream") || /^\uFEFF?\s*(data:|event:|:)/.test(text);
  // A gateway may stream although it was not asked to.
  if (streamed) return collectStream(text, response, exchange);
  return parseAnswer(text, response, exchange, isCompletion) as ChatCompletion;
}

/** At least one choice with a message: an empty list is no answer. */
export function isCompletion(value: Record<string, unknown>): boolean {
  const { choices } = value;
  return (
    Array.isArray(choices) &&
    choices.length > 0 &&
    choices.every((choice) => typeof choice?.message === "object" && choice.message !== null)
  );
}

function collectStream(text: string, response: WireResponse, exchange: Exchange): ChatCompletion {
  const events: SseEvent[] = [];
  const decoder = new SseDecoder(Infinity);
  decoder.feed(new TextEncoder().encode(text), events);
  decoder.end(events);

  const soFar = new CompletionSoFar();
  let last: ChatCompletionChunk | undefined;
  for (const event of events) {
    if (event === "[DONE]") break;
    const data = typeof event === "string" ? event : "raw" in event ? event.raw : event.data;
    const chunk = parseAnswer(data, response, exchange, (value) =>
      Array.isArray(value["choices"]),
    ) as ChatCompletionChunk;
    soFar.add(chunk);
    last = chunk;
  }
  const partial = soFar.partial();
  // Empty or cut: parseAnswer says so of nothing at all.
  if (last === undefined) return parseAnswer("", response, exchange, isCompletion) as ChatCompletion;
  if (!soFar.whole)
    throw new StreamError("The answer ended before its finish_reason.", { reason: "truncated", partial });
  const { content, reasoning_content, tool_calls, finish_reason, usage } = partial;
  const { id = "", created = 0, model = "" } = last;
  const message = {
    role: "assistant",
    content,
    ...(reasoning_content && { reasoning_content }),
    ...(tool_calls.length > 0 && { tool_calls }),
  };
  return {
    id,
    object: "chat.completion",
    created,
    model,
    choices: [{ index: 0, message, finish_reason }],
    ...(usage && { usage: usage as Usage }),
  };
}
