import type { HostedModel } from "./catalog.js";
import {
  fieldsOf,
  isFields,
  modelOf,
  optionalBoolean,
  optionalInteger,
  optionalNumber,
  type Fields,
} from "./fields.js";
import type { MediaPart } from "./looking.js";
import type { Quirks } from "./quirks.js";
import { invalid, Refusal } from "./reply.js";
import type { Service } from "./router.js";

/** One message, its content reduced to what the emulator can read. */
export interface ChatMessage {
  role: "system" | "user" | "assistant" | "tool";
  /** The text parts, joined by line ends. */
  text: string;
  /** The pictures, sounds and films. */
  media: MediaPart[];
  /** Names of the tools an assistant message calls, by the id of the call. */
  toolCalls: ReadonlyMap<string, string>;
  /** Which call a tool message answers. */
  toolCallId: string | undefined;
}

/** A function the model may call. */
export interface Tool {
  name: string;
  description: string;
  /** JSON Schema of the arguments. */
  parameters: Fields;
}

/** A checked chat request. */
export interface ChatRequest {
  model: HostedModel;
  messages: ChatMessage[];
  stream: boolean;
  maxTokens: number;
  stop: string[];
  choices: number;
  thinks: boolean;
  thinkingBudget: number;
  tools: Tool[];
  /** What the model may do with the tools; a name in `{ name }` must be called. */
  toolChoice: "auto" | "none" | "required" | { name: string };
  parallelToolCalls: boolean;
  /** Undefined for plain text; without a schema any object will do. */
  jsonOutput: { schema: Fields | undefined } | undefined;
}

/** Reads and checks the body of `POST /chat/completions`. @throws {@link Refusal} as the service words it. */
export function chatRequestOf(body: unknown, { models, settings }: Service): ChatRequest {
  const fields = fieldsOf(body);
  const model = modelOf(fields, "chat", models);
  checkSampling(fields);
  const messages = messagesOf(fields["messages"], model, settings.quirks.maxMessages);
  return {
    model,
    messages,
    stream: optionalBoolean(fields, "stream") ?? false,
    maxTokens: optionalInteger(fields, "max_tokens", 1) ?? Infinity,
    stop: stopOf(fields["stop"] ?? undefined),
    choices: optionalInteger(fields, "n", 1, 128) ?? 1,
    ...thinkingOf(fields, model, settings.quirks),
    ...toolsOf(fields, model),
    jsonOutput: jsonOutputOf(fields["response_format"] ?? undefined, model),
  };
}

/** Checks what shapes the answer, and then has no effect. */
export function checkSampling(fields: Fields): void {
  optionalNumber(fields, "temperature", 0, 2);
  optionalNumber(fields, "top_p", 0, 1);
  optionalNumber(fields, "top_k", 0, 100);
  optionalNumber(fields, "min_p", 0, 1);
  optionalNumber(fields, "frequency_penalty", -2, 2);
}

function messagesOf(given: unknown, model: HostedModel, most: number): ChatMessage[] {
  if (given === undefined) throw invalid("Field required");
  if (!Array.isArray(given)) throw invalid("Input should be a valid list");
  if (given.length === 0) throw invalid("List should have at least 1 item after validation");
  if (given.length > most)
    throw invalid(`List should have at most ${most} items after validation, not ${given.length}`);
  return given.map((message: unknown) => messageOf(message, model));
}

function messageOf(given: unknown, model: HostedModel): ChatMessage {
  if (!isFields(given)) throw invalid("Input should be a valid dictionary");
  const { role } = given;
  if (role === undefined) throw invalid("Field required");
  if (role !== "system" && role !== "user" && role !== "assistant" && role !== "tool") {
    throw invalid("Input should be 'system', 'user', 'assistant' or 'tool'");
  }
  const toolCalls = role === "assistant" ? calledTools(given["tool_calls"] ?? undefined) : new Map<string, string>();
  const toolCallId = role === "tool" ? given["tool_call_id"] : undefined;
  if (role === "tool" && typeof toolCallId !== "string") throw invalid("Field required");

  const content = given["content"];
  const base: Omit<ChatMessage, "text" | "media"> = {
    role,
    toolCalls,
    toolCallId: typeof toolCallId === "string" ? toolCallId : undefined,
  };
  if (typeof content === "string") return { ...base, text: content, media: [] };
  if (content === null && toolCalls.size > 0) return { ...base, text: "", media: [] };
  if (content === undefined) throw invalid("Field required");
  if (!Array.isArray(content) || role === "tool") throw invalid("Input should be a valid string");
  return { ...base, ...partsOf(content, model) };
}

function partsOf(parts: unknown[], model: HostedModel): Pick<ChatMessage, "text" | "media"> {
  const texts: string[] = [];
  const media: MediaPart[] = [];
  for (const part of parts) {
    const type = isFields(part) ? part["type"] : undefined;
    if (!isFields(part) || typeof type !== "string") throw invalid("Field required");
    if (type === "text") {
      if (typeof part["text"] !== "string") throw invalid("Field required");
      texts.push(part["text"]);
      continue;
    }
    if (type !== "image_url" && type !== "audio_url" && type !== "video_url") {
      throw invalid("Input should be 'text', 'image_url', 'audio_url' or 'video_url'");
    }
    const given = part[type];
    if (!isFields(given) || typeof given["url"] !== "string" || given["url"] === "") throw invalid("Field required");
    if (!model.vision) throw invalid();
    media.push({ kind: kinds[type], url: given["url"] });
  }
  return { text: texts.join("\n"), media };
}

const kinds = { image_url: "image", audio_url: "audio", video_url: "video" } as const;

function calledTools(given: unknown): Map<string, string> {
  if (given === undefined) return new Map();
  if (!Array.isArray(given)) throw invalid("Input should be a valid list");
  return new Map(
    given.map((call: unknown) => {
      const target = isFields(call) ? call["function"] : undefined;
      if (!isFields(call) || !isFields(target)) throw invalid("Field required");
      if (typeof call["id"] !== "string" || typeof target["name"] !== "string") throw invalid("Field required");
      // The documents say a JSON string; an object here is a client's mistake worth finding.
      if (typeof target["arguments"] !== "string") throw invalid("Input should be a valid string");
      return [call["id"], target["name"]];
    }),
  );
}

/** The texts that end an answer. */
export function stopOf(given: unknown): string[] {
  if (given === undefined) return [];
  const stops: unknown[] = Array.isArray(given) ? given : [given];
  if (stops.length > 4) throw invalid(`List should have at most 4 items after validation, not ${stops.length}`);
  return stops.map((stop) => {
    if (typeof stop !== "string") throw invalid("Input should be a valid string");
    return stop;
  });
}

function thinkingOf(
  fields: Fields,
  model: HostedModel,
  quirks: Required<Quirks>,
): { thinks: boolean; thinkingBudget: number } {
  const enabled = optionalBoolean(fields, "enable_thinking");
  if (enabled !== undefined && model.thinking !== "toggle" && model.thinking !== "effort") {
    throw invalid("Value error, current model does not support parameter `enable_thinking`.");
  }
  const efforts = ["low", "medium", "high", "max", "xhigh"];
  const effort = fields["reasoning_effort"] ?? undefined;
  if (effort !== undefined && !efforts.includes(effort as string)) throw invalid("Input should be 'high' or 'max'");
  return {
    thinks: thinksUnasked(model, quirks) ? enabled !== false : enabled === true,
    thinkingBudget: optionalInteger(fields, "thinking_budget", 128, quirks.thinkingBudgetCeiling) ?? 4096,
  };
}

/** Whether a model thinks when nothing is said of it. */
export function thinksUnasked(model: HostedModel, quirks: Required<Quirks>): boolean {
  if (model.thinking === "never") return false;
  return quirks.thinksByDefault || model.thinking !== "toggle";
}

function toolsOf(fields: Fields, model: HostedModel): Pick<ChatRequest, "tools" | "toolChoice" | "parallelToolCalls"> {
  const given = fields["tools"] ?? undefined;
  const parallelToolCalls = optionalBoolean(fields, "parallel_tool_calls") ?? true;
  if (given === undefined) return { tools: [], toolChoice: "none", parallelToolCalls };
  if (!Array.isArray(given)) throw invalid("Input should be a valid list");
  if (given.length > 128) throw invalid(`List should have at most 128 items after validation, not ${given.length}`);
  if (given.length > 0 && !model.tools) {
    throw invalid("Value error, current model does not support parameter `tools`.");
  }
  const tools = given.map(toolOf);
  return { tools, toolChoice: toolChoiceOf(fields["tool_choice"] ?? undefined, tools), parallelToolCalls };
}

function toolOf(given: unknown): Tool {
  const target = isFields(given) ? given["function"] : undefined;
  if (!isFields(given) || given["type"] !== "function" || !isFields(target))
    throw invalid("Input should be 'function'");
  const { name, description, parameters } = target;
  if (typeof name !== "string" || !/^[A-Za-z0-9_-]{1,64}$/.test(name)) {
    throw invalid("String should match pattern '^[A-Za-z0-9_-]{1,64}$'");
  }
  return {
    name,
    description: typeof description === "string" ? description : "",
    parameters: isFields(parameters) ? parameters : { type: "object", properties: {} },
  };
}

function toolChoiceOf(given: unknown, tools: Tool[]): ChatRequest["toolChoice"] {
  if (given === undefined) return "auto";
  if (given === "auto" || given === "none" || given === "required") return given;
  const target = isFields(given) ? given["function"] : undefined;
  const name = isFields(target) ? target["name"] : undefined;
  if (typeof name !== "string" || !tools.some((tool) => tool.name === name)) throw invalid();
  return { name };
}

function jsonOutputOf(given: unknown, model: HostedModel): ChatRequest["jsonOutput"] {
  if (given === undefined) return undefined;
  const type = isFields(given) ? given["type"] : undefined;
  if (type === "text") return undefined;
  if (!isFields(given) || (type !== "json_object" && type !== "json_schema")) {
    throw invalid("Input should be 'text', 'json_object' or 'json_schema'");
  }
  if (!model.json)
    throw new Refusal(400, { code: 20024, message: "Json mode is not supported for this model.", data: null });
  if (type === "json_object") return { schema: undefined };
  const wrapper = given["json_schema"];
  if (!isFields(wrapper)) throw invalid("Field required");
  return { schema: isFields(wrapper["schema"]) ? wrapper["schema"] : wrapper };
}
