import { InvalidInputError, type Timeouts } from "@langchain-siliconflow/client";
import type { AdapterConnection } from "@langchain-siliconflow/client/adapter";
import type { BaseLLMCallOptions, BaseLLMParams } from "@langchain/core/language_models/llms";
import { adviceFor } from "./chat-fields.js";

/** What shapes a completion. The same names in the constructor and per call; a value per call wins. */
export interface CompletionOptions {
  /** Text that follows the gap: the model writes what stands between the prompt and it. */
  suffix?: string | undefined;
  /** Most tokens of the answer. */
  maxTokens?: number | undefined;
  /** Randomness, 0 to 2. */
  temperature?: number | undefined;
  /** Nucleus sampling: share of probability that is considered, up to 1. */
  topP?: number | undefined;
  /** How many of the likeliest tokens are considered. */
  topK?: number | undefined;
}

/** Options of {@link SiliconFlow}: its own and the client's. */
export interface SiliconFlowFields
  extends
    CompletionOptions,
    AdapterConnection<"completions">,
    Omit<BaseLLMParams, "onFailedAttempt" | "maxRetries" | "maxConcurrency"> {
  /** Model id as the service lists it, of a model that can fill in the middle. */
  model: string;
  /** Texts that end the answer. They are not part of it. */
  stop?: string | string[] | undefined;
  /** Whether `invoke` streams beneath the surface, so that callbacks see tokens. @defaultValue false */
  streaming?: boolean | undefined;
  /** Requests under way at once; a stream counts until it ends. @defaultValue no limit */
  maxConcurrency?: number | undefined;
  /** Fields of the request that have no option here. Named options win over them. */
  modelKwargs?: Record<string, unknown> | undefined;
}

/** Options of one call, beside LangChain's own (`signal`, `timeout`, `callbacks`, …). */
export interface SiliconFlowCallOptions extends BaseLLMCallOptions, CompletionOptions {
  /** Extra headers of this request. */
  headers?: Record<string, string> | undefined;
  /** Time limits of this request, in place of the client's. */
  timeouts?: Timeouts | undefined;
  /** Retries of this request, in place of the client's. */
  maxRetries?: number;
}

/** Constructor options that are written out. No headers, no client, no callbacks: they hold secrets or functions. */
export const completionFields = [
  "model",
  "suffix",
  "maxTokens",
  "temperature",
  "topP",
  "topK",
  "stop",
  "streaming",
  "maxConcurrency",
  "modelKwargs",
  "maxRetries",
  "timeouts",
  "baseURL",
  "region",
  "verbose",
  "tags",
  "metadata",
] as const satisfies (keyof SiliconFlowFields)[];

const types = {
  suffix: "string",
  maxTokens: "number",
  temperature: "number",
  topP: "number",
  topK: "number",
  streaming: "boolean",
  maxConcurrency: "number",
  modelKwargs: "object",
} as const;

/** Options of the client and of LangChain: checked by whoever uses them. */
const passedOn = new Set(
  (
    "model stop apiKey baseURL region client configuration headers timeouts maxRetries limiter dispatcher maxResponseBytes " +
    "onRetry onWait cache callbacks callbackManager tags metadata verbose"
  ).split(" "),
);

/** @throws {@link InvalidInputError} for an option that is unknown, missing or of the wrong type. */
export function checkCompletionFields(fields: SiliconFlowFields): void {
  if (typeof fields.model !== "string" || fields.model === "") {
    throw new InvalidInputError(
      'SiliconFlow needs a model, for example { model: "Qwen/Qwen3-Coder-30B-A3B-Instruct" }.',
    );
  }
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined || passedOn.has(name)) continue;
    const expected = (types as Record<string, string>)[name];
    if (expected === undefined) {
      throw new InvalidInputError(
        `SiliconFlow has no option "${name}". ${adviceFor(name, [...Object.keys(types), ...passedOn])}`,
      );
    }
    if (value === null || typeof value !== expected || Number.isNaN(value)) {
      throw new InvalidInputError(`The option ${name} of SiliconFlow must be of type ${expected}.`);
    }
  }
  if (fields.maxConcurrency !== undefined && fields.maxConcurrency < 1) {
    throw new InvalidInputError("The option maxConcurrency of SiliconFlow must be 1 or more.");
  }
  for (const name of ["prompt", "model", "stream"]) {
    if (fields.modelKwargs?.[name] !== undefined) {
      throw new InvalidInputError(`modelKwargs cannot set "${name}": it is set by how the model is made and called.`);
    }
  }
  const { stop } = fields;
  if (stop !== undefined && typeof stop !== "string" && !(Array.isArray(stop) && stop.every(isString))) {
    throw new InvalidInputError("The option stop of SiliconFlow must be a string or a list of strings.");
  }
}

function isString(value: unknown): boolean {
  return typeof value === "string";
}
