import { isErrorBody } from "../answer.js";
import { areChoices, isAbsent, isContent, isIndex, isInput, isObject, isText } from "./fields.js";

/** An answer of the service, and where it came from. Not enumerable: that is no part of the wire's object. */
export interface Traced {
  /** `x-siliconcloud-trace-id`, when the answer had one: the id to quote to support. */
  readonly traceId?: string;
  /** Requests sent for this answer, the first one included. */
  readonly attempts?: number;
}

/** Tokens, as the service counts them. Only the first three are documented for every model. */
export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  /** Thoughts are a part of `completion_tokens`. */
  completion_tokens_details?: { reasoning_tokens?: number; [field: string]: unknown } | null;
  /** What was read from the cache is a part of `prompt_tokens`. */
  prompt_tokens_details?: { cached_tokens?: number; [field: string]: unknown } | null;
  /** The same figure under DeepSeek's name. */
  prompt_cache_hit_tokens?: number;
  prompt_cache_miss_tokens?: number;
  [field: string]: unknown;
}

/** A call that the model wants made. */
export interface ToolCall {
  /** Goes back as the `tool_call_id` of the result. */
  id: string;
  type: "function";
  /** `arguments` is JSON text as the model wrote it: parse it with care. */
  function: { name: string; arguments: string };
}

/** One part of a message for models that see or hear. URLs may be data URLs. */
export type ContentPart =
  | { type: "text"; text: string }
  | { type: "image_url"; image_url: { url: string; detail?: "auto" | "low" | "high" } }
  | { type: "audio_url"; audio_url: { url: string } }
  // `max_frams` is the documented spelling.
  | { type: "video_url"; video_url: { url: string; detail?: string; max_frams?: number; fps?: number } }
  | { type: string & {}; [field: string]: unknown };

/** One message of a conversation. */
export interface ChatMessage {
  role: "system" | "user" | "assistant" | "tool" | (string & {});
  content: string | ContentPart[];
  /** An earlier answer's thoughts, for models that want them back. */
  reasoning_content?: string | null;
  /** What an assistant message called. */
  tool_calls?: ToolCall[];
  /** Which call a tool message answers. */
  tool_call_id?: string;
  [field: string]: unknown;
}

/**
 * A chat request, field by field as documented. Unknown fields are passed on, and nothing has a default here: what is left
 * out is the model's to choose. Which model takes which field, the service decides; it answers others with 400.
 *
 * @see https://docs.siliconflow.cn/cn/api-reference/chat-completions/chat-completions
 */
export interface ChatCompletionRequest {
  /** Id as `models.list` has it, `Pro/` included. */
  model: string;
  /** At least one. */
  messages: ChatMessage[];
  /** Set by `create` and `stream` themselves. */
  stream?: boolean;
  /** Most tokens of the answer. */
  max_tokens?: number;
  /** Texts that end the answer, four at most. They are not part of it. */
  stop?: string | string[] | null;
  /** Randomness, 0 to 2. */
  temperature?: number;
  /** Share of probability that is considered, up to 1. */
  top_p?: number;
  /** How many of the likeliest tokens are considered, up to 100. */
  top_k?: number;
  /** Smallest share of the likeliest token's probability that is considered, 0 to 1. Qwen3 models only. */
  min_p?: number;
  /** Penalty for tokens by how often they occurred, -2 to 2. */
  frequency_penalty?: number;
  /** Answers per request. */
  n?: number;
  /** Asks for JSON. With `json_object` the prompt must ask for it too. @defaultValue text */
  response_format?: { type: "text" | "json_object" | "json_schema"; [field: string]: unknown };
  /** Functions the model may call: `{ type: "function", function: { name, description, parameters } }`. */
  tools?: unknown[];
  /** Only `"auto"` is documented. */
  tool_choice?: unknown;
  /** Thinking on or off, for models that can do both. */
  enable_thinking?: boolean;
  /** Most tokens the model may think for, 128 to 32768 for most models. */
  thinking_budget?: number;
  /** `"high"` or `"max"`, for the models that take it. */
  reasoning_effort?: string;
  /** Text the answer starts with. */
  prefix?: string;
  /** Text that follows the answer. */
  suffix?: string;
  /** Whether a stream tells its usage at the end. */
  stream_options?: { include_usage?: boolean };
  [field: string]: unknown;
}

/** An answer in one piece. */
export interface ChatCompletion extends Traced {
  id: string;
  object: string;
  /** Seconds since 1970. */
  created: number;
  model: string;
  /** At least one: an answer without is an error. */
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

/** A piece of a streamed call: the index says of which. Ids and names come once, arguments in pieces. */
export interface ToolCallDelta {
  /** Which call of the answer; some models leave it out. */
  index?: number | null;
  id?: string | null;
  type?: string | null;
  function?: { name?: string | null; arguments?: string | null } | null;
  [field: string]: unknown;
}

/** What one piece of a streamed answer adds. */
export interface ChatDelta {
  role?: string | null;
  content?: string | null;
  /** A piece of the thoughts, which come before the answer. */
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

/** At least one choice with a message, and no more than were asked for: an empty list is no answer. */
export function isCompletion(value: Record<string, unknown>, asked: number): boolean {
  const { choices } = value;
  if (isErrorBody(value) || !areChoices(choices, asked)) return false;
  return choices.every(({ message }) => isObject(message) && isSaid(message));
}

/** What a message, or a piece of one, says: each field may be missing, but not be something else. */
export function isSaid(said: Record<string, unknown>): boolean {
  return isContent(said["content"]) && isText(said["reasoning_content"]) && areToolCalls(said["tool_calls"]);
}

function areToolCalls(value: unknown): boolean {
  return isAbsent(value) || (Array.isArray(value) && value.every(isToolCall));
}

function isToolCall(call: unknown): boolean {
  if (!isObject(call) || !isText(call["id"]) || !isIndex(call["index"])) return false;
  const called = call["function"];
  if (isAbsent(called)) return true;
  if (!isObject(called) || !isText(called["name"])) return false;
  // Some hosts have parsed them already.
  const args = called["arguments"];
  return isText(args) || (typeof args === "object" && isInput(args));
}

/** A whole answer as the one chunk of a stream. */
export function chunkFromCompletion(completion: ChatCompletion): ChatCompletionChunk {
  const { choices, usage, ...rest } = completion;
  return {
    ...rest,
    object: "chat.completion.chunk",
    choices: choices.map(({ message, ...choice }, position) => {
      const { tool_calls, ...delta } = message;
      return {
        ...choice,
        index: isAbsent(choice.index) ? position : choice.index,
        // It has ended, whether it says why or not.
        finish_reason: choice.finish_reason || "stop",
        // Each call stands for itself: an index it may hold is no order, nor makes it a part of another.
        delta: { ...delta, ...(tool_calls && { tool_calls: tool_calls.map((call, index) => ({ ...call, index })) }) },
      };
    }),
    ...(usage && { usage }),
  };
}
