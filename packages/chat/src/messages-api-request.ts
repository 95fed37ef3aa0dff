import {
  InvalidInputError,
  type ChatCompletionRequest,
  type ChatMessage,
  type ContentPart,
  type MessageBlock,
  type MessageParam,
  type MessagesRequest,
} from "@langchain-siliconflow/client";

/** Where thoughts were signed: so many characters of the thoughts, one signature. In the order of the answer. */
export interface ThinkingSignature {
  length: number;
  signature: string;
}

/** Fields that `/messages` takes by the name they have in chat. */
const sameName = ["temperature", "top_p", "top_k"] as const;
/** Fields that are translated below, or that `/messages` does without. */
const translated = new Set<string>([
  ...sameName,
  "model",
  "messages",
  "stream",
  "stream_options",
  "max_tokens",
  "stop",
  "tools",
  "tool_choice",
  "parallel_tool_calls",
  "prefix",
]);

/** What the rest of the request does not say. */
export interface MessagesApiOptions {
  /** Sent where the request names no limit: the endpoint asks for one. */
  defaultMaxTokens: number;
  /** Fields that are the user's own business: they go through as they are. */
  passedThrough: Record<string, unknown> | undefined;
}

/**
 * A chat request as the Anthropic-compatible endpoint takes it.
 *
 * @throws {@link InvalidInputError} for what that endpoint has no place for; nothing is dropped in silence.
 * @see https://docs.siliconflow.cn/cn/api-reference/chat-completions/messages
 */
export function toMessagesRequest(request: ChatCompletionRequest, options: MessagesApiOptions): MessagesRequest {
  const own = options.passedThrough ?? {};
  for (const name of Object.keys(request)) {
    if (translated.has(name) || name in own) continue;
    // The one answer is what it gives anyway.
    if (name === "n" && request.n === 1) continue;
    throw new InvalidInputError(
      `"${name}" is no field of SiliconFlow's messages endpoint. Leave the option out, or use api: "chat".`,
    );
  }
  const wire: MessagesRequest = {
    ...own,
    model: request.model,
    max_tokens: request.max_tokens ?? options.defaultMaxTokens,
    ...conversation(request.messages, request.prefix),
  };
  for (const name of sameName) if (request[name] !== undefined) wire[name] = request[name];
  if (request.stop != null) wire.stop_sequences = typeof request.stop === "string" ? [request.stop] : request.stop;
  if (request.tools !== undefined) wire.tools = request.tools.map(toTool);
  const choice = toToolChoice(request.tool_choice, request["parallel_tool_calls"]);
  if (choice !== undefined) wire.tool_choice = choice;
  return wire;
}

/** The system messages it begins with become `system`; later ones stay where they are. */
function conversation(
  messages: readonly ChatMessage[],
  prefix: string | undefined,
): Pick<MessagesRequest, "messages" | "system"> {
  const first = messages.findIndex(({ role }) => role !== "system");
  const leading = first === -1 ? messages : messages.slice(0, first);
  const system = leading.map(({ content }) => text(content)).filter((each) => each !== "");
  const turns: MessageParam[] = [];
  for (const message of messages.slice(leading.length)) addTurn(turns, message);
  if (turns.length === 0) {
    throw new InvalidInputError("The messages endpoint needs a message that is not the system's. Add a human message.");
  }
  // An assistant's turn at the end is continued.
  if (prefix !== undefined) turns.push({ role: "assistant", content: prefix });
  return {
    ...(system.length === 1 && { system: system[0]! }),
    ...(system.length > 1 && { system: system.map((each) => ({ type: "text" as const, text: each })) }),
    messages: turns,
  };
}

function addTurn(turns: MessageParam[], message: ChatMessage): void {
  const last = turns.at(-1);
  // The results of an answer's calls stand in the one turn that follows it, before what the user says.
  const results = last?.role === "user" && Array.isArray(last.content) && last.content[0]?.type === "tool_result";
  switch (message.role) {
    case "assistant":
      turns.push({ role: "assistant", content: assistantContent(message) });
      return;
    case "tool": {
      const result = { type: "tool_result", tool_use_id: message.tool_call_id, content: text(message.content) };
      if (results) (last.content as MessageBlock[]).push(result);
      else turns.push({ role: "user", content: [result] });
      return;
    }
    case "system":
      turns.push({ role: "system", content: text(message.content) });
      return;
    default: {
      const content = typeof message.content === "string" ? message.content : message.content.map(toBlock);
      if (!results) turns.push({ role: "user", content });
      else {
        const blocks = typeof content === "string" ? [{ type: "text", text: content }] : content;
        (last.content as MessageBlock[]).push(...blocks);
      }
    }
  }
}

/** Thoughts, then text, then calls: the order in which they were made. */
function assistantContent(message: ChatMessage): string | MessageBlock[] {
  const thoughts = thinkingBlocks(message.reasoning_content ?? "", message["thinking_signatures"]);
  const calls = (message.tool_calls ?? []).map(({ id, function: { name, arguments: args } }): MessageBlock => ({
    type: "tool_use",
    id,
    name,
    input: toInput(args, name),
  }));
  const said = text(message.content);
  if (thoughts.length + calls.length === 0) return said;
  return [...thoughts, ...(said === "" ? [] : [{ type: "text", text: said }]), ...calls];
}

/** Thoughts go back as they came: cut where they were signed. */
function thinkingBlocks(thoughts: string, signed: unknown): MessageBlock[] {
  const blocks: MessageBlock[] = [];
  let rest = thoughts;
  for (const { length, signature } of Array.isArray(signed) ? (signed as ThinkingSignature[]) : []) {
    if (rest === "") break;
    blocks.push({ type: "thinking", thinking: rest.slice(0, length), signature });
    rest = rest.slice(length);
  }
  if (rest !== "") blocks.push({ type: "thinking", thinking: rest });
  return blocks;
}

/** This wire takes arguments as an object only. */
function toInput(args: string, name: string): unknown {
  try {
    const input: unknown = JSON.parse(args === "" ? "{}" : args);
    if (typeof input === "object" && input !== null && !Array.isArray(input)) return input;
  } catch {
    // Said below, without the text.
  }
  throw new InvalidInputError(
    `The arguments of a call of "${name}" are no JSON object, which the messages endpoint cannot be sent. Leave that call and its result out, or use api: "chat".`,
  );
}

function toBlock(part: ContentPart): MessageBlock {
  if (part.type === "text") return { type: "text", text: (part as { text: string }).text };
  if (part.type !== "image_url") {
    throw new InvalidInputError(
      `The messages endpoint takes text and images, not "${part.type}". Use api: "chat" for it.`,
    );
  }
  const { url, detail } = (part as { image_url: { url: string; detail?: string } }).image_url;
  if (detail !== undefined) {
    throw new InvalidInputError('The messages endpoint takes no detail of an image. Leave it out, or use api: "chat".');
  }
  if (!url.startsWith("data:")) return { type: "image", source: { type: "url", url } };
  const [, media_type, data] = /^data:(image\/[^;,]+);base64,(.*)$/s.exec(url) ?? [];
  if (media_type === undefined) {
    throw new InvalidInputError("The messages endpoint takes an image by URL or as base64 of a type image/….");
  }
  return { type: "image", source: { type: "base64", media_type, data } };
}

interface ChatTool {
  name: string;
  description?: string;
  parameters?: Record<string, unknown>;
  strict?: boolean | null;
}

function toTool(tool: unknown): NonNullable<MessagesRequest["tools"]>[number] {
  const { name, description, parameters, strict } = (tool as { function: ChatTool }).function;
  if (strict === true) {
    throw new InvalidInputError('The messages endpoint knows no strict tools. Leave strict out, or use api: "chat".');
  }
  return {
    name,
    ...(description !== undefined && { description }),
    input_schema: { type: "object", ...parameters },
  };
}

function toToolChoice(choice: unknown, parallel: unknown): MessagesRequest["tool_choice"] {
  const single = parallel === false ? { disable_parallel_tool_use: true } : {};
  if (choice === undefined) return parallel === false ? { type: "auto", ...single } : undefined;
  if (choice === "auto") return { type: "auto", ...single };
  if (choice === "required") return { type: "any", ...single };
  if (choice === "none") return { type: "none" };
  const name = (choice as { function?: { name?: unknown } } | null)?.function?.name;
  if (typeof name === "string") return { type: "tool", name, ...single };
  throw new InvalidInputError('tool_choice must be "auto", "any", "none", or the name of a tool.');
}

function text(content: ChatMessage["content"]): string {
  if (typeof content === "string") return content;
  return content.map((part) => (part.type === "text" ? (part as { text: string }).text : "")).join("");
}
