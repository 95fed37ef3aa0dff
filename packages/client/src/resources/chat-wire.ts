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

/** At least one choice with a message: an empty list is no answer. */
export function isCompletion(value: Record<string, unknown>): boolean {
  const { choices } = value;
  return (
    Array.isArray(choices) &&
    choices.length > 0 &&
    choices.every((choice) => isObject(choice?.message) && areToolCalls(choice.message["tool_calls"]))
  );
}

/** A list of choices that can be put together: what they hold may be missing, but not be something else. */
export function isChunk(value: Record<string, unknown>): boolean {
  const { choices } = value;
  if (!Array.isArray(choices)) return false;
  // A loop: this runs for each chunk.
  for (const choice of choices as unknown[]) {
    if (!isObject(choice)) return false;
    const delta = choice["delta"];
    if (delta === undefined || delta === null) continue;
    if (!isObject(delta) || !areToolCalls(delta["tool_calls"])) return false;
  }
  return true;
}

function areToolCalls(value: unknown): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.every(isObject));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** A whole answer as the one chunk of a stream. */
export function chunkFromCompletion(completion: ChatCompletion): ChatCompletionChunk {
  const { choices, usage, ...rest } = completion;
  return {
    ...rest,
    object: "chat.completion.chunk",
    choices: choices.map(({ message, ...choice }) => {
      const { tool_calls, ...delta } = message;
      return {
        ...choice,
        delta: { ...delta, ...(tool_calls && { tool_calls: tool_calls.map((call, index) => ({ index, ...call })) }) },
      };
    }),
    ...(usage && { usage }),
  };
}
