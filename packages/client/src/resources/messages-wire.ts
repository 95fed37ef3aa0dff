import { isErrorBody } from "../answer.js";
import type { Traced } from "./chat-wire.js";
import { isAbsent, isIndex, isInput, isObject, isText } from "./fields.js";

/**
 * A block of a message. Which fields it has depends on its `type`: `text`, `thinking`, `tool_use`, `tool_result`, `image`, …
 * The service documents the first three, in answers.
 */
export interface MessageBlock {
  type: string;
  text?: string;
  thinking?: string;
  /** Goes back unchanged with the thoughts it belongs to. */
  signature?: string;
  id?: string;
  name?: string;
  /** Arguments of a tool: an object, not JSON text. */
  input?: unknown;
  [field: string]: unknown;
}

/** A turn of the conversation. An assistant's turn at the end is continued. */
export interface MessageParam {
  role: "user" | "assistant" | "system";
  content: string | MessageBlock[];
  [field: string]: unknown;
}

/**
 * A request to the Anthropic-compatible endpoint, field by field as documented. Unknown fields are passed on.
 *
 * @see https://docs.siliconflow.cn/cn/api-reference/chat-completions/messages
 */
export interface MessagesRequest {
  model: string;
  messages: MessageParam[];
  /** Most tokens of the answer. Required on the international site: give it always. */
  max_tokens?: number;
  system?: string | { type: "text"; text: string }[];
  stop_sequences?: string[];
  /** Set by `create` and `stream` themselves. */
  stream?: boolean;
  temperature?: number;
  top_p?: number;
  top_k?: number;
  tools?: { name: string; description?: string; input_schema: Record<string, unknown>; [field: string]: unknown }[];
  tool_choice?: {
    type: "auto" | "any" | "tool" | "none";
    name?: string;
    disable_parallel_tool_use?: boolean;
  };
  [field: string]: unknown;
}

export interface MessagesUsage {
  input_tokens?: number;
  output_tokens?: number;
  cache_read_input_tokens?: number | null;
  cache_creation_input_tokens?: number | null;
  [field: string]: unknown;
}

export interface Message extends Traced {
  id: string;
  /** `message`. */
  type: string;
  /** `assistant`. */
  role: string;
  model: string;
  content: MessageBlock[];
  /** `end_turn`, `max_tokens`, `stop_sequence`, `tool_use`, `refusal`, … */
  stop_reason: string | null;
  stop_sequence?: string | null;
  usage?: MessagesUsage;
  [field: string]: unknown;
}

/**
 * One event of a streamed message. The service documents `message_start` alone; the others are taken to be Anthropic's:
 * `content_block_start`, `content_block_delta`, `content_block_stop`, `message_delta` and `message_stop`.
 */
export interface MessageStreamEvent {
  type: string;
  /** Of the block that an event is about. */
  index?: number;
  message?: Partial<Message> | null;
  content_block?: MessageBlock | null;
  delta?: {
    type?: string;
    text?: string;
    thinking?: string;
    signature?: string;
    /** A piece of the JSON text of a tool's arguments. */
    partial_json?: string;
    stop_reason?: string | null;
    stop_sequence?: string | null;
    [field: string]: unknown;
  } | null;
  usage?: MessagesUsage | null;
  [field: string]: unknown;
}

/** A list of blocks, which may be empty; without it, it is no message. */
export function isMessage(value: Record<string, unknown>): boolean {
  const { content } = value;
  return (
    value["type"] !== "error" &&
    !isErrorBody(value) &&
    Array.isArray(content) &&
    content.every(isBlock) &&
    isText(value["stop_reason"]) &&
    isText(value["stop_sequence"])
  );
}

/** A block that says what one of its kind says, and nothing else. */
function isBlock(block: unknown): block is MessageBlock {
  if (!isObject(block) || typeof block["type"] !== "string") return false;
  const { text, thinking, signature, id, name, input } = block;
  if (![text, thinking, signature, id, name].every(isText) || !isInput(input)) return false;
  const kind = kindOf(block as MessageBlock);
  return (!text || kind === "text") && (!thinking || kind === "thinking");
}

/** What a block holds, also one whose type is new: text, thoughts or a call. */
export function kindOf({ type, thinking }: MessageBlock): "text" | "thinking" | "tool_use" {
  if (type === "text" || type === "thinking" || type === "tool_use") return type;
  return thinking ? "thinking" : "text";
}

/**
 * Whether an event holds what it may: nothing of it can be something else than what is documented. A message begins without
 * content and without an end: both are told by the events that follow.
 */
export function isEvent({ index, message, content_block, delta }: Record<string, unknown>): boolean {
  if (!isIndex(index)) return false;
  if (!isAbsent(message)) {
    if (!isObject(message) || isErrorBody(message) || !isAbsent(message["stop_reason"])) return false;
    const { content } = message;
    if (!isAbsent(content) && !(Array.isArray(content) && content.length === 0)) return false;
  }
  if (!isAbsent(content_block) && !isBlock(content_block)) return false;
  if (isAbsent(delta)) return true;
  return isObject(delta) && deltaTexts.every((field) => isText(delta[field]));
}

const deltaTexts = ["text", "thinking", "signature", "partial_json", "stop_reason", "stop_sequence"] as const;

/** A whole message as the events of a stream. */
export function eventsFromMessage(message: Message): MessageStreamEvent[] {
  const { content, stop_reason, stop_sequence, usage, ...rest } = message;
  const events: MessageStreamEvent[] = [
    {
      type: "message_start",
      message: { ...rest, content: [], stop_reason: null, stop_sequence: null, ...(usage && { usage }) },
    },
  ];
  for (const [index, content_block] of content.entries()) {
    events.push({ type: "content_block_start", index, content_block });
    // At the beginning of a block, `{}` would mean that the arguments are still to come.
    if (content_block.type === "tool_use" && isEmptyObject(content_block.input)) {
      events.push({ type: "content_block_delta", index, delta: { type: "input_json_delta", partial_json: "{}" } });
    }
    events.push({ type: "content_block_stop", index });
  }
  events.push(
    {
      type: "message_delta",
      delta: { stop_reason: stop_reason || null, ...(stop_sequence !== undefined && { stop_sequence }) },
      ...(usage && { usage }),
    },
    { type: "message_stop" },
  );
  return events;
}

export function isEmptyObject(value: unknown): boolean {
  return isObject(value) && Object.keys(value).length === 0;
}
