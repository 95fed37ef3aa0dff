import { InvalidInputError, type ChatMessage, type ContentPart, type ToolCall } from "@langchain-siliconflow/client";
import { asText } from "@langchain-siliconflow/client/adapter";
import type { AIMessage, BaseMessage, ContentBlock, ToolMessage } from "@langchain/core/messages";
import { type PartOptions, toContentPart, unsupported } from "./content-parts.js";
import { type ReasoningHistory, reasoningOf, sendsReasoning } from "./reasoning.js";

/** How a conversation is sent. */
export interface WireOptions extends PartOptions {
  reasoningHistory: ReasoningHistory;
  /** Whether the signatures of thoughts go back with them, as the messages endpoint asks. */
  signatures?: boolean;
}

/**
 * A LangChain conversation as the service takes it.
 *
 * Differs from ChatOpenAI's conversion where that one loses or breaks something: assistant content is always a string, tool
 * results are text, thoughts go back by policy, audio and video are sent, `name` is not, and no block is dropped in silence.
 *
 * @throws {@link InvalidInputError} with the position of a message that cannot be sent.
 * @see https://docs.siliconflow.cn/cn/api-reference/chat-completions/chat-completions
 */
export function messagesToWire(messages: readonly BaseMessage[], options: WireOptions): ChatMessage[] {
  const answered = new Set<unknown>();
  for (const message of messages) if (message.type === "tool") answered.add((message as ToolMessage).tool_call_id);

  return messages.map((message, position) => {
    try {
      return toWire(message, answered, options);
    } catch (error) {
      if (!(error instanceof InvalidInputError) || error.position !== undefined) throw error;
      throw new InvalidInputError(`Message ${position}: ${error.message}`, { position, cause: error });
    }
  });
}

function toWire(message: BaseMessage, answered: ReadonlySet<unknown>, options: WireOptions): ChatMessage {
  switch (roleOf(message)) {
    case "user":
      return { role: "user", content: userContent(message, options) };
    case "system":
      return { role: "system", content: textContent(message, "a system message") };
    case "assistant":
      return assistantMessage(message as AIMessage, answered, options);
    case "tool":
      return toolMessage(message as ToolMessage);
    default:
      throw new InvalidInputError(
        `A message of type "${message.type}"${statedRole(message)} has no role at SiliconFlow. Use a human, AI, system or tool message.`,
      );
  }
}

/** `undefined` for what the service has no role for: function messages, and marks like `RemoveMessage`. */
function roleOf(message: BaseMessage): "user" | "system" | "assistant" | "tool" | undefined {
  switch (message.type as string) {
    case "human":
      return "user";
    case "system":
    case "developer":
      return "system";
    case "ai":
      return "assistant";
    case "tool":
      return "tool";
    case "generic":
      return Object.hasOwn(roles, roleGiven(message)) ? roles[roleGiven(message)] : undefined;
    default:
      return undefined;
  }
}

function roleGiven(message: BaseMessage): string {
  return (message as BaseMessage & { role?: string }).role ?? "";
}

function statedRole(message: BaseMessage): string {
  return roleGiven(message) === "" ? "" : ` and role "${roleGiven(message)}"`;
}

/** The roles of a `ChatMessage`, under all the names that are in use. The service knows no `developer`. */
const roles: Record<string, "user" | "system" | "assistant"> = {
  user: "user",
  human: "user",
  system: "system",
  developer: "system",
  assistant: "assistant",
  ai: "assistant",
};

/** A string where all of it is text: only vision and omni models are documented to take a list. */
function userContent(message: BaseMessage, options: PartOptions): string | ContentPart[] {
  const { content } = message;
  if (typeof content === "string") return content;
  const parts = content.map((block) => toContentPart(asBlock(block), options));
  const texts = parts.map((part) => (part.type === "text" ? (part as { text: string }).text : undefined));
  return texts.includes(undefined) ? parts : texts.join("\n");
}

function textContent(message: BaseMessage, where: string): string {
  const { content } = message;
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) {
    throw new InvalidInputError(`The content of ${where} is neither text nor a list of blocks. Make a string of it.`);
  }
  return content.map((block) => textOf(asBlock(block), where)).join("\n");
}

function textOf(block: ContentBlock, where: string): string {
  if (block.type === "text" || block.type === "text-plain") return asText(block["text"]);
  throw unsupported(block.type, where, "Send text.");
}

function assistantMessage(message: AIMessage, answered: ReadonlySet<unknown>, options: WireOptions): ChatMessage {
  const calls = toolCalls(message, answered);
  const wire: ChatMessage = { role: "assistant", content: assistantText(message) };
  if (sendsReasoning(options.reasoningHistory, calls.length > 0)) {
    const reasoning = reasoningOf(message);
    if (reasoning !== "") wire.reasoning_content = reasoning;
    if (options.signatures) wire["thinking_signatures"] = message.response_metadata["thinking_signatures"];
  }
  if (calls.length > 0) wire.tool_calls = calls;
  return wire;
}

/** Blocks of an answer that are told elsewhere: thoughts by policy, calls by `tool_calls`. */
const toldElsewhere = new Set([
  "reasoning",
  "reasoning_content",
  "thinking",
  "redacted_thinking",
  "tool_call",
  "tool_call_chunk",
  "invalid_tool_call",
  "tool_use",
  "input_json_delta",
  "functionCall",
]);

/** Always a string: some hosts refuse a list here, and null even beside tool calls. */
function assistantText({ content }: AIMessage): string {
  if (typeof content === "string") return content;
  let text = "";
  for (const each of content ?? []) {
    const block = asBlock(each);
    if (toldElsewhere.has(block.type)) continue;
    text += block.type === "refusal" ? asText(block["refusal"]) : textOf(block, "an assistant's message");
  }
  return text;
}

function toolCalls(message: AIMessage, answered: ReadonlySet<unknown>): ToolCall[] {
  const calls: ToolCall[] = [];
  for (const { id, name, args } of message.tool_calls ?? []) {
    if (id === undefined || id === "") {
      throw new InvalidInputError(
        `The call of tool "${name}" has no id, so that no tool result can name it. Give it one.`,
      );
    }
    calls.push({ id, type: "function", function: { name, arguments: JSON.stringify(args ?? {}) } });
  }
  // A call that could not be run goes back only if a result answers it: a result without its call is refused.
  for (const { id, name, args } of message.invalid_tool_calls ?? []) {
    if (id === undefined || !answered.has(id)) continue;
    calls.push({ id, type: "function", function: { name: name ?? "", arguments: args ?? "" } });
  }
  // Other providers' answers may tell their calls by blocks alone. Those that were never run are left out, as above.
  for (const block of Array.isArray(message.content) ? (message.content as ContentBlock[]) : []) {
    if (block?.type !== "tool_use" && block?.type !== "tool_call") continue;
    const {
      id,
      name,
      input,
      args = input,
    } = block as { id?: unknown; name?: unknown; input?: unknown; args?: unknown };
    if (typeof id !== "string" || !answered.has(id) || calls.some((call) => call.id === id)) continue;
    const text = typeof args === "string" ? args : JSON.stringify(args ?? {});
    calls.push({ id, type: "function", function: { name: asText(name), arguments: text } });
  }
  const raw = message.additional_kwargs["tool_calls"];
  // Messages from before `tool_calls` existed hold the wire's own list.
  return calls.length === 0 && Array.isArray(raw) ? (raw as ToolCall[]) : calls;
}

/** The result of a tool is text on this wire. */
function toolMessage(message: ToolMessage): ChatMessage {
  if (!message.tool_call_id) {
    throw new InvalidInputError("The tool message has no tool_call_id. Set it to the id of the call it answers.");
  }
  const content = textContent(message, "a tool's result");
  // Templates of some models stumble over a result without any text.
  return { role: "tool", tool_call_id: message.tool_call_id, content: content === "" ? "(empty result)" : content };
}

function asBlock(block: unknown): ContentBlock {
  if (typeof block === "string") return { type: "text", text: block };
  if (typeof block === "object" && block !== null && typeof (block as ContentBlock).type === "string") {
    return block as ContentBlock;
  }
  throw new InvalidInputError('A content block needs a type, for example { type: "text", text: "…" }.');
}
