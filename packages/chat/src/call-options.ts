import { InvalidInputError, type ChatCompletionRequest, type Timeouts } from "@langchain-siliconflow/client";
import type { ChatOpenAICompletionsCallOptions } from "@langchain/openai";
import type { ReasoningHistory } from "./reasoning.js";

/** `"low"` and `"medium"` are read as `"high"` by the service, `"xhigh"` as `"max"`. */
export type ReasoningEffort = "low" | "medium" | "high" | "xhigh" | "max";

/**
 * What shapes an answer. The same names in the constructor and per call; a value per call wins. Nothing is sent that was not
 * asked for: many models answer 400 to a thinking option they do not know.
 *
 * @see https://docs.siliconflow.cn/cn/api-reference/chat-completions/chat-completions
 */
export interface SamplingOptions {
  /** Randomness, 0 to 2. */
  temperature?: number | undefined;
  /** Nucleus sampling: share of probability that is considered, up to 1. */
  topP?: number | undefined;
  /** How many of the likeliest tokens are considered, up to 100. */
  topK?: number | undefined;
  /** Smallest share of the likeliest token's probability that is considered, 0 to 1. Qwen3 models only. */
  minP?: number | undefined;
  /** Penalty for tokens by how often they occurred, -2 to 2. */
  frequencyPenalty?: number | undefined;
  /** Penalty for tokens that occurred at all. Not documented by the service. */
  presencePenalty?: number | undefined;
  /** Most tokens of the answer; thoughts are not counted. `-1` for no limit of yours. */
  maxTokens?: number | undefined;
  /** Answers per request. More than one cannot be streamed. */
  n?: number | undefined;
  /** Same seed, same answer, as far as the model can. Not documented by the service. */
  seed?: number;
  /** Thinking on or off, for models that can do both. */
  enableThinking?: boolean | undefined;
  /** Most tokens of the chain of thought, 128 to 32768 for most models. */
  thinkingBudget?: number | undefined;
  /** How hard to think, for the models that take it (DeepSeek-V4, GLM-5.2). */
  reasoningEffort?: ReasoningEffort | undefined;
}

/**
 * What becomes of a forced tool (`tool_choice` by name, `"any"` or `"required"`) while the model is known to think: `"auto"` lets
 * it choose, as models that think refuse a forced tool elsewhere; `"forced"` sends what was asked for.
 */
export type ToolChoiceWhileThinking = "auto" | "forced";

/** Whether a model is known to think in this call: told to, or always. A switch that nobody touched is not known. */
export function isKnownToThink(enableThinking: boolean | undefined, thinking: string | undefined): boolean {
  return enableThinking ?? (thinking === "always" || thinking === "effort");
}

/** Options of one call, beside LangChain's own (`signal`, `timeout`, `callbacks`, …). */
export interface ChatSiliconFlowCallOptions
  extends Omit<ChatOpenAICompletionsCallOptions, "reasoningEffort" | "reasoning" | "seed">, SamplingOptions {
  /** Another model than the constructor's. */
  model?: string | undefined;
  /** When earlier thoughts are sent back. */
  reasoningHistory?: ReasoningHistory | undefined;
  /** What becomes of a forced tool while the model thinks. */
  toolChoiceWhileThinking?: ToolChoiceWhileThinking | undefined;
  /** Text the answer starts with. */
  prefix?: string | undefined;
  /** Text that follows the answer: the model fills the gap after `prefix`. */
  suffix?: string | undefined;
  /** Extra headers of this request. */
  headers?: Record<string, string> | undefined;
  /** Time limits of this request, in place of the client's. */
  timeouts?: Timeouts | undefined;
}

/**
 * Names that look right as call options, and what to use instead. LangChain would drop them without a word. A list, since not
 * every unknown name is a mistake: agents and graphs pass keys of their own.
 */
const misplacedNames = new Map<string, string>([
  ["max_tokens", "maxTokens"],
  ["max_completion_tokens", "maxTokens"],
  ["maxCompletionTokens", "maxTokens"],
  ["stopSequences", "stop"],
  ["stop_sequences", "stop"],
  ["functions", "tools"],
  ["function_call", "tool_choice"],
  ["reasoning", "enableThinking, thinkingBudget or reasoningEffort"],
  ["thinking", "enableThinking, thinkingBudget or reasoningEffort"],
  ["stream", "model.stream()"],
  ["top_logprobs", "topLogprobs of the constructor"],
  ["logit_bias", "logitBias of the constructor"],
]);
for (const name of ["modelName", "user", "logprobs", "topLogprobs", "logitBias", "modelKwargs"]) {
  misplacedNames.set(name, `${name} of the constructor`);
}
for (const name of "extra_body extraBody repetition_penalty chat_template_kwargs service_tier prediction".split(" ")) {
  misplacedNames.set(name, "modelKwargs of the constructor");
}
for (const name of "enableThinking thinkingBudget reasoningEffort topP topK minP frequencyPenalty presencePenalty".split(
  " ",
)) {
  misplacedNames.set(
    name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    name,
  );
}

/** Options that must be finite numbers. JSON would make null of others, or the service guess. */
const numbers = [
  "temperature",
  "topP",
  "topK",
  "minP",
  "frequencyPenalty",
  "presencePenalty",
  "maxTokens",
  "n",
  "seed",
  "thinkingBudget",
] as const;

/** The model's own settings, as far as they are sent. */
export interface RequestSettings extends SamplingOptions {
  model: string;
  stopSequences?: string[] | undefined;
  logprobs?: boolean | undefined;
  topLogprobs?: number | undefined;
  logitBias?: Record<string, number> | undefined;
  user?: string | undefined;
  modelKwargs?: Record<string, unknown> | undefined;
  streamUsage?: boolean;
}

/** What the base class has converted already. */
export interface ConvertedOptions {
  tools: unknown[] | undefined;
  responseFormat: ChatCompletionRequest["response_format"];
  /** A forced tool is to be a mere offer, as the model thinks. */
  offersOnly: boolean;
  streaming: boolean;
}

/**
 * The request but for its messages. A value per call beats the constructor's, and a named option beats `modelKwargs`.
 *
 * @throws {@link InvalidInputError} for an option that would be ignored.
 */
export function buildRequest(
  settings: RequestSettings,
  options: Partial<ChatSiliconFlowCallOptions>,
  converted: ConvertedOptions,
): Omit<ChatCompletionRequest, "messages"> {
  checkOptions(options);
  checkTools(converted.tools);
  const maxTokens = options.maxTokens ?? settings.maxTokens;
  const model = modelOf(settings, options);
  const toolChoice = toWireToolChoice(options.tool_choice);
  const request: Omit<ChatCompletionRequest, "messages"> = { ...settings.modelKwargs, model };
  // One assignment a field, so that nothing but what was asked for is a key of the request.
  const set = (field: string, value: unknown): void => {
    if (value !== undefined && value !== null) request[field] = value;
  };
  set("temperature", options.temperature ?? settings.temperature);
  set("top_p", options.topP ?? settings.topP);
  set("top_k", options.topK ?? settings.topK);
  set("min_p", options.minP ?? settings.minP);
  set("frequency_penalty", options.frequencyPenalty ?? settings.frequencyPenalty);
  set("presence_penalty", options.presencePenalty ?? settings.presencePenalty);
  set("max_tokens", maxTokens === -1 ? undefined : maxTokens);
  const stop = options.stop ?? settings.stopSequences;
  // The service takes one to four texts; none at all is what LangChain's own calls say with an empty list.
  set("stop", stop?.length === 0 ? undefined : stop);
  set("n", options.n ?? settings.n);
  set("seed", options.seed ?? settings.seed);
  set("logprobs", settings.logprobs);
  set("top_logprobs", settings.topLogprobs);
  set("logit_bias", settings.logitBias);
  set("user", settings.user);
  set("enable_thinking", options.enableThinking ?? settings.enableThinking);
  set("thinking_budget", options.thinkingBudget ?? settings.thinkingBudget);
  set("reasoning_effort", options.reasoningEffort ?? settings.reasoningEffort);
  set("prefix", options.prefix);
  set("suffix", options.suffix);
  set("response_format", converted.responseFormat);
  set("tools", converted.tools?.length ? converted.tools : undefined);
  set("tool_choice", converted.offersOnly && toolChoice !== "none" ? toolChoice && "auto" : toolChoice);
  set("parallel_tool_calls", options.parallel_tool_calls);
  if (converted.streaming) {
    request["stream"] = true;
    set(
      "stream_options",
      options.stream_options ?? (settings.streamUsage === false ? undefined : { include_usage: true }),
    );
  }
  return request;
}

/** The model of one call. @throws {@link InvalidInputError} when it is no id. */
export function modelOf(settings: { model: string }, { model }: { model?: unknown } = {}): string {
  if (model === undefined) return settings.model;
  if (typeof model === "string" && model !== "") return model;
  throw new InvalidInputError('The call option "model" must be the id of a model.');
}

function checkOptions(options: Partial<ChatSiliconFlowCallOptions>): void {
  for (const [name, value] of Object.entries(options)) {
    const advice = value === undefined ? undefined : misplacedNames.get(name);
    if (advice !== undefined) {
      throw new InvalidInputError(`The call option "${name}" has no effect here. Use ${advice}.`);
    }
  }
  for (const name of numbers) {
    const value: unknown = options[name];
    if (value == null || Number.isFinite(value)) continue;
    throw new InvalidInputError(`The call option ${name} must be a finite number.`);
  }
  if (options.enableThinking != null && typeof options.enableThinking !== "boolean") {
    throw new InvalidInputError("The call option enableThinking must be true or false.");
  }
  checkReasoningHistory(options.reasoningHistory);
}

/** The service takes functions only, each with a name. */
function checkTools(tools: readonly unknown[] = []): void {
  for (const [position, tool] of tools.entries()) {
    const { type, function: described } = (tool ?? {}) as { type?: unknown; function?: { name?: unknown } };
    if (type === "function" && typeof described?.name === "string" && described.name !== "") continue;
    throw new InvalidInputError(
      `Tool ${position} is not a function with a name, which is all that SiliconFlow takes. Give tool(), a StructuredTool, or { type: "function", function: { name, description, parameters } }.`,
    );
  }
}

/** @throws {@link InvalidInputError} for a policy that does not exist. */
export function checkReasoningHistory(policy: unknown): void {
  if (policy === undefined || policy === "auto" || policy === "always" || policy === "never") return;
  throw new InvalidInputError('The option reasoningHistory of ChatSiliconFlow must be "auto", "always" or "never".');
}

/** LangChain's `"any"` is OpenAI's `"required"`, and a bare name forces that tool. Anything else goes through as it is. */
function toWireToolChoice(choice: unknown): unknown {
  if (typeof choice !== "string") return choice;
  if (choice === "any" || choice === "required") return "required";
  if (choice === "auto" || choice === "none") return choice;
  return { type: "function", function: { name: choice } };
}
