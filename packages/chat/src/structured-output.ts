import { InvalidInputError, InvalidResponseError } from "@langchain-siliconflow/client";
import type { StructuredOutputMethodOptions } from "@langchain/core/language_models/base";
import { createFunctionCallingParser } from "@langchain/core/language_models/structured_output";
import type { AIMessage, BaseMessage } from "@langchain/core/messages";
import type { ToolCall } from "@langchain/core/messages/tool";
import {
  type BaseLLMOutputParser,
  JsonOutputParser,
  OutputParserException,
  parsePartialJson,
} from "@langchain/core/output_parsers";
import { JsonOutputKeyToolsParser } from "@langchain/core/output_parsers/openai_tools";
import type { ChatGeneration, Generation } from "@langchain/core/outputs";
import { toJsonSchema } from "@langchain/core/utils/json_schema";
import { isSerializableSchema, type SerializableSchema } from "@langchain/core/utils/standard_schema";
import { interopSafeParseAsync, type InteropZodType, isInteropZodSchema } from "@langchain/core/utils/types";
import { isKnownToThink, type ToolChoiceWhileThinking } from "./call-options.js";
import { addLangChainCode } from "./langchain-errors.js";
import type { CatalogEntry } from "./model-profiles.js";
import { isPlainObject, whyUnsafe } from "./tool-calls.js";

type StructuredOutputMethod = "functionCalling" | "jsonMode" | "jsonSchema";

/** An object of any shape, interfaces included; in the words of LangChain, whose parsers ask for this type. */
export type AnswerObject = ToolCall["args"];

/** A schema as LangChain takes it: zod 3 or 4, any other standard schema, or JSON Schema. */
export type OutputSchema<T> = InteropZodType<T, unknown> | SerializableSchema<unknown, T> | Record<string, unknown>;

/** What decides how a model is made to answer in a given shape. */
export interface ModelAbilities {
  toolCalling: boolean | undefined;
  enableThinking: boolean | undefined;
  thinking: CatalogEntry["thinking"];
  /** What the caller wants done with a forced tool while the model thinks. */
  toolChoiceWhileThinking: ToolChoiceWhileThinking | undefined;
}

/**
 * The method when none is asked for: a tool call, which nearly every model can do and which is checked against the schema;
 * JSON mode for models that cannot call tools.
 *
 * @throws {@link InvalidInputError} for a method that does not exist.
 */
function chooseMethod(asked: string | undefined, { toolCalling }: ModelAbilities): StructuredOutputMethod {
  if (asked === undefined) return toolCalling === false ? "jsonMode" : "functionCalling";
  if (asked === "functionCalling" || asked === "jsonMode" || asked === "jsonSchema") return asked;
  throw new InvalidInputError(
    `There is no structured output method "${asked}". Use "functionCalling", "jsonMode" or "jsonSchema".`,
  );
}

/**
 * How the tool of a structured answer is asked for: by name, or, where the model is known to think, by `"auto"`.
 * Models that think refuse a forced tool elsewhere; if one does not call the tool, the answer is an error, not nothing.
 */
function chooseToolChoice(name: string, abilities: ModelAbilities): unknown {
  const forced = { type: "function", function: { name } };
  if (abilities.toolChoiceWhileThinking === "forced") return forced;
  return isKnownToThink(abilities.enableThinking, abilities.thinking) ? "auto" : forced;
}

/**
 * How a model is asked for an answer in the shape of a schema, and how that answer is read.
 *
 * @returns `options` are call options of the model. Its content stays a string: the parsers read no blocks.
 */
export function structuredOutput<T extends AnswerObject>(
  schema: OutputSchema<T>,
  config: StructuredOutputMethodOptions<boolean>,
  abilities: ModelAbilities,
): { options: Record<string, unknown>; parser: BaseLLMOutputParser<T> } {
  if (schema === null || (typeof schema !== "object" && typeof schema !== "function")) {
    throw new InvalidInputError("A structured answer needs a schema: zod's, or a JSON Schema object.");
  }
  const { name, strict } = config;
  const method = chooseMethod(config.method, abilities);
  if (method === "jsonMode" && strict !== undefined) {
    throw new InvalidInputError(
      'strict has no meaning for the method "jsonMode", which sends no schema. Leave it out.',
    );
  }
  const tool = toAnswerTool(schema, name);
  const shown = { title: tool.name, ...tool.parameters };

  if (method === "functionCalling") {
    return {
      options: {
        outputVersion: "v0",
        tools: [{ type: "function", function: tool }],
        tool_choice: chooseToolChoice(tool.name, abilities),
        ls_structured_output_format: { kwargs: { method: "function_calling" }, schema: shown },
        ...(strict !== undefined && { strict }),
      },
      parser: createFunctionCallingParser<T>(schema as Record<string, unknown>, tool.name, AnswerToolParser<T>),
    };
  }
  const jsonSchema = { name: tool.name, description: tool.description, schema: tool.parameters, strict };
  return {
    options: {
      outputVersion: "v0",
      response_format:
        method === "jsonMode" ? { type: "json_object" } : { type: "json_schema", json_schema: jsonSchema },
      ls_structured_output_format: {
        kwargs: { method: method === "jsonMode" ? "json_mode" : "json_schema" },
        schema: shown,
      },
    },
    parser: new AnswerJsonParser<T>(schema),
  };
}

/** The tool whose arguments are the answer. OpenAI's `{ name, description, parameters }` is taken as it is. */
function toAnswerTool<T>(
  schema: OutputSchema<T>,
  name: string | undefined,
): { name: string; description?: string; parameters: Record<string, unknown> } {
  const given = schema as Record<string, unknown>;
  const isForeign = isInteropZodSchema(schema) || isSerializableSchema(schema);
  if (!isForeign && typeof given["name"] === "string" && isPlainObject(given["parameters"])) {
    return given as { name: string; parameters: Record<string, unknown> };
  }
  const parameters = toJsonSchema(schema) as Record<string, unknown>;
  const { title, description } = parameters;
  return {
    name: name ?? (!isForeign && typeof title === "string" ? title : "extract"),
    ...(typeof description === "string" && { description }),
    parameters,
  };
}

/** Reads the arguments of the answer's tool call. Streams show them as far as they have come. */
class AnswerToolParser<T extends AnswerObject> extends JsonOutputKeyToolsParser<T> {
  static override lc_name(): string {
    return "AnswerToolParser";
  }

  override async parsePartialResult(generations: ChatGeneration[]): Promise<T> {
    const message = generations[0]?.message;
    // Whole: what a stream ends with must fit the schema as an answer in one piece must.
    if (message !== undefined && finishReasonOf(message) !== undefined) return this.parseResult(generations);
    return super.parsePartialResult(generations);
  }

  override async parseResult(generations: ChatGeneration[]): Promise<T> {
    const message = generations[0]?.message;
    if (message !== undefined) requireCall(message, this.keyName);
    return super.parseResult(generations);
  }

  /** The base class would quote the answer. */
  protected override _validateResult(result: unknown): Promise<T> {
    return validate<T>(this.zodSchema ?? this.serializableSchema ?? {}, result, JSON.stringify(result));
  }
}

/** Without it the base class answers `undefined` where a call is missing or broken. */
function requireCall(message: BaseMessage, name: string): void {
  const { tool_calls, invalid_tool_calls } = message as AIMessage;
  if (tool_calls?.some((call) => call.name === name)) return;
  refuseUnfinished(message);
  const broken = invalid_tool_calls?.find((call) => call.name === name);
  throw unusable(
    broken
      ? `The model called "${name}" with arguments that cannot be read: ${broken.error}`
      : `The model did not call "${name}", so there is no structured answer. Ask for it in the prompt, or use another method.`,
  );
}

/** Reads an answer that is JSON. Streams show it as far as it has come. */
class AnswerJsonParser<T extends AnswerObject> extends JsonOutputParser<T> {
  static override lc_name(): string {
    return "AnswerJsonParser";
  }

  readonly #schema: OutputSchema<T>;

  constructor(schema: OutputSchema<T>) {
    super();
    this.#schema = schema;
  }

  override async parsePartialResult(generations: ChatGeneration[] | Generation[]): Promise<T | undefined> {
    const message = messageOf(generations);
    if (message !== undefined && finishReasonOf(message) !== undefined) return this.parseResult(generations);
    const text = generations[0]?.text ?? "";
    const start = text.search(/[[{]/);
    return start === -1 ? undefined : ((parsePartialJson(text.slice(start)) as T | null) ?? undefined);
  }

  override async parseResult(generations: ChatGeneration[] | Generation[]): Promise<T> {
    const message = messageOf(generations);
    if (message !== undefined) refuseUnfinished(message);
    return this.parse(generations[0]?.text ?? "");
  }

  override async parse(text: string): Promise<T> {
    let value: unknown;
    try {
      value = readJson(text);
    } catch {
      // What JSON.parse says quotes the answer.
      throw misread("The model's answer is not valid JSON.", text);
    }
    const unsafe = typeof value === "object" && value !== null ? whyUnsafe(value) : undefined;
    if (unsafe !== undefined) throw misread(unsafe, text);
    return validate(this.#schema, value, text);
  }
}

/**
 * The JSON of an answer. Models put a Markdown fence or a sentence around it: what is between the first bracket and the last
 * one is taken as it is, and must be one valid text of JSON; nothing is ever closed or repaired.
 */
function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const start = text.search(/[[{]/);
    const end = Math.max(text.lastIndexOf("}"), text.lastIndexOf("]"));
    for (const candidate of [text.slice(start, end + 1), insideFence(text)]) {
      if (start === -1 || !candidate) continue;
      try {
        return JSON.parse(candidate);
      } catch {
        // The error of the whole text says more.
      }
    }
    throw error;
  }
}

/** What stands between the first two fences, line by line: an expression that does the same can be made slow by blank lines. */
function insideFence(text: string): string | undefined {
  const lines = text.split("\n");
  const open = lines.findIndex((line) => /```(?:json)?$/.test(line.trimEnd()));
  const close = lines.findIndex((line, number) => number > open && line.trimStart().startsWith("```"));
  return open === -1 || close === -1 ? undefined : lines.slice(open + 1, close).join("\n");
}

async function validate<T>(schema: OutputSchema<T>, value: unknown, text: string): Promise<T> {
  if (isInteropZodSchema(schema)) {
    const result = await interopSafeParseAsync(schema as InteropZodType<T>, value);
    if (result.success) return result.data;
    throw misread(`The model's answer does not fit the schema: ${describeIssues(result.error)}`, text);
  }
  if (isSerializableSchema(schema)) {
    const result = await (schema as SerializableSchema<T>)["~standard"].validate(value);
    if (!result.issues) return result.value;
    const issues = result.issues.map((issue) => issue.message).join("; ");
    throw misread(`The model's answer does not fit the schema: ${issues}`, text);
  }
  // Plain JSON Schema is not checked, as in all of LangChain.
  return value as T;
}

/** The answer goes where LangChain's parsers that try again look for it, but not into what is printed of the error. */
function misread(message: string, answer: string): OutputParserException {
  const error = new OutputParserException(message);
  Object.defineProperty(error, "llmOutput", { value: answer, enumerable: false, configurable: true, writable: true });
  return error;
}

/** Issues of zod 3 and 4 alike: where, and what. */
function describeIssues(error: { issues?: readonly unknown[] }): string {
  const issues = (error.issues ?? []) as { path?: readonly unknown[]; message?: string }[];
  return issues.map(({ path = [], message = "invalid" }) => `${path.join(".") || "(root)"}: ${message}`).join("; ");
}

/** Refuses an answer that ended before it was given, and says why it did. */
function refuseUnfinished(message: BaseMessage): void {
  const finishReason = finishReasonOf(message);
  if (message.response_metadata["thinking_only"] === true) {
    throw unusable(
      "The model ended while it was thinking, before it answered. Raise maxTokens, lower thinkingBudget or set enableThinking to false.",
      finishReason === "length" ? "truncated" : "empty",
    );
  }
  if (finishReason === "length") {
    throw unusable("The token limit cut the structured answer short. Raise maxTokens.", "truncated");
  }
  if (message.response_metadata["refusal"] !== undefined || finishReason === "content_filter") {
    throw unusable("The model or a content filter refused to answer. Its words are in response_metadata.refusal.");
  }
}

function unusable(text: string, reason: "malformed" | "truncated" | "empty" = "malformed"): Error {
  return addLangChainCode(new InvalidResponseError(text, { reason }), "OUTPUT_PARSING_FAILURE");
}

function finishReasonOf(message: BaseMessage): string | undefined {
  const reason = message.response_metadata?.["finish_reason"] as unknown;
  return typeof reason === "string" ? reason : undefined;
}

function messageOf(generations: ChatGeneration[] | Generation[]): BaseMessage | undefined {
  const [generation] = generations;
  return generation !== undefined && "message" in generation ? generation.message : undefined;
}
