import type { HostedModel } from "./catalog.js";
import { thinksUnasked, type ChatMessage, type ChatRequest, type Tool } from "./chat-request.js";
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
import { invalid } from "./reply.js";
import type { Service } from "./router.js";

/** Reads and checks the body of `POST /messages`, as what chat would have asked. @throws {@link Refusal} as the service words it. */
export function messagesRequestOf(body: unknown, { models, settings }: Service): ChatRequest {
  const fields = fieldsOf(body);
  const model = modelOf(fields, "chat", models);
  optionalNumber(fields, "temperature", 0, 2);
  optionalNumber(fields, "top_p", 0.1, 1);
  optionalNumber(fields, "top_k", 0, 50);
  const given = listOf(fields["messages"]);
  if (given.length === 0) throw invalid("List should have at least 1 item after validation");
  const most = settings.quirks.maxMessages;
  if (given.length > most)
    throw invalid(`List should have at most ${most} items after validation, not ${given.length}`);
  return {
    model,
    messages: [...systemOf(fields["system"] ?? undefined), ...given.flatMap((turn) => turnOf(turn, model))],
    stream: optionalBoolean(fields, "stream") ?? false,
    maxTokens: optionalInteger(fields, "max_tokens", 1) ?? Infinity,
    stop: stopSequencesOf(fields["stop_sequences"] ?? undefined),
    choices: 1,
    // The documents name no field for it: models think as they do by default.
    thinks: thinksUnasked(model, settings.quirks),
    thinkingBudget: 4096,
    ...toolsOf(fields, model),
    jsonOutput: undefined,
  };
}

function systemOf(given: unknown): ChatMessage[] {
  if (given === undefined) return [];
  if (typeof given === "string") return [spoken("system", given)];
  const texts = listOf(given).map((block) => {
    if (!isFields(block) || block["type"] !== "text") throw invalid("Input should be 'text'");
    const text = stringOf(block["text"]);
    if (text === "") throw invalid("String should have at least 1 character");
    return text;
  });
  return [spoken("system", texts.join("\n"))];
}

/** One turn: what it says, with the results of tools before it as messages of their own. */
function turnOf(given: unknown, model: HostedModel): ChatMessage[] {
  if (!isFields(given)) throw invalid("Input should be a valid dictionary");
  const { role, content } = given;
  if (role === undefined || content === undefined) throw invalid("Field required");
  if (role !== "user" && role !== "assistant" && role !== "system") {
    throw invalid("Input should be 'user', 'assistant' or 'system'");
  }
  if (typeof content === "string") return [spoken(role, content)];
  const results: ChatMessage[] = [];
  const texts: string[] = [];
  const toolCalls = new Map<string, string>();
  const media: MediaPart[] = [];
  for (const block of listOf(content)) {
    if (!isFields(block) || typeof block["type"] !== "string") throw invalid("Field required");
    const { type } = block;
    if (type === "text") texts.push(stringOf(block["text"]));
    else if (type === "thinking" && role === "assistant") stringOf(block["thinking"]);
    else if (type === "tool_use" && role === "assistant") {
      // An object, unlike chat's JSON text: a string here is a client's mistake worth finding.
      if (!isFields(block["input"])) throw invalid("Input should be a valid dictionary");
      toolCalls.set(stringOf(block["id"]), stringOf(block["name"]));
    } else if (type === "tool_result" && role === "user") {
      results.push({
        ...spoken("tool", resultText(block["content"] ?? "")),
        toolCallId: stringOf(block["tool_use_id"]),
      });
    } else if (type === "image" && role === "user") {
      const url = imageUrl(block["source"]);
      if (!model.vision) throw invalid();
      media.push({ kind: "image", url });
    } else throw invalid(`Input tag '${type}' found using 'type' does not match any of the expected tags`);
  }
  const said = { ...spoken(role, texts.join("\n")), toolCalls, media };
  return results.length > 0 && texts.length + media.length === 0 ? results : [...results, said];
}

function spoken(role: ChatMessage["role"], text: string): ChatMessage {
  return { role, text, media: [], toolCalls: new Map(), toolCallId: undefined };
}

function resultText(given: unknown): string {
  if (typeof given === "string") return given;
  return listOf(given)
    .map((block) => stringOf(isFields(block) ? block["text"] : undefined))
    .join("\n");
}

function imageUrl(source: unknown): string {
  if (!isFields(source)) throw invalid("Field required");
  if (source["type"] === "url") return stringOf(source["url"]);
  if (source["type"] !== "base64") throw invalid("Input should be 'base64' or 'url'");
  const data = stringOf(source["data"]);
  const type = stringOf(source["media_type"]);
  if (!type.startsWith("image/")) throw invalid();
  return `data:${type};base64,${data}`;
}

function stopSequencesOf(given: unknown): string[] {
  return given === undefined ? [] : listOf(given).map(stringOf);
}

function toolsOf(fields: Fields, model: HostedModel): Pick<ChatRequest, "tools" | "toolChoice" | "parallelToolCalls"> {
  const given = fields["tools"] ?? undefined;
  if (given === undefined) return { tools: [], toolChoice: "none", parallelToolCalls: true };
  const tools = listOf(given).map(toolOf);
  if (tools.length > 0 && !model.tools) throw invalid("Value error, current model does not support parameter `tools`.");
  const choice = fields["tool_choice"] ?? undefined;
  if (choice !== undefined && !isFields(choice)) throw invalid("Input should be a valid dictionary");
  return {
    tools,
    toolChoice: toolChoiceOf(choice, tools),
    parallelToolCalls: !(choice && optionalBoolean(choice, "disable_parallel_tool_use")),
  };
}

function toolOf(given: unknown): Tool {
  if (!isFields(given)) throw invalid("Input should be a valid dictionary");
  const { name, description, input_schema } = given;
  if (!isFields(input_schema)) throw invalid("Field required");
  if (input_schema["type"] !== "object") throw invalid("Input should be 'object'");
  return {
    name: stringOf(name),
    description: typeof description === "string" ? description : "",
    parameters: input_schema,
  };
}

function toolChoiceOf(choice: Fields | undefined, tools: Tool[]): ChatRequest["toolChoice"] {
  switch (choice?.["type"]) {
    case undefined:
      if (choice) throw invalid("Field required");
      return "auto";
    case "auto":
    case "none":
      return choice!["type"] as "auto" | "none";
    case "any":
      return "required";
    case "tool": {
      const name = stringOf(choice!["name"]);
      if (!tools.some((tool) => tool.name === name)) throw invalid();
      return { name };
    }
    default:
      throw invalid("Input should be 'auto', 'any', 'tool' or 'none'");
  }
}

function listOf(given: unknown): unknown[] {
  if (given === undefined) throw invalid("Field required");
  if (!Array.isArray(given)) throw invalid("Input should be a valid list");
  return given;
}

function stringOf(given: unknown): string {
  if (given === undefined) throw invalid("Field required");
  if (typeof given !== "string") throw invalid("Input should be a valid string");
  return given;
}
