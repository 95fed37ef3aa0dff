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
  temperature?: number;
  /** Nucleus sampling: share of probability that is considered, up to 1. */
  topP?: number;
  /** How many of the likeliest tokens are considered, up to 100. */
  topK?: number;
  /** Smallest share of the likeliest token's probability that is considered, 0 to 1. Qwen3 models only. */
  minP?: number;
  /** Penalty for tokens by how often they occurred, -2 to 2. */
  frequencyPenalty?: number;
  /** Penalty for tokens that occurred at all. Not documented by the service. */
  presencePenalty?: number;
  /** Most tokens of the answer; thoughts are not counted. `-1` for no limit of yours. */
  maxTokens?: number;
  /** Answers per request. More than one cannot be streamed. */
  n?: number;
  /** Same seed, same answer, as far as the model can. Not documented by the service. */
  seed?: number;
  /** Thinking on or off, for models that can do both. */
  enableThinking?: boolean;
  /** Most tokens of the chain of thought, 128 to 32768 for most models. */
  thinkingBudget?: number;
  /** How hard to think, for the models that take it (DeepSeek-V4, GLM-5.2). */
  reasoningEffort?: ReasoningEffort;
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
  model?: string;
  /** When earlier thoughts are sent back. */
  reasoningHistory?: ReasoningHistory;
  /** What becomes of a forced tool while the model thinks. */
  toolChoiceWhileThinking?: ToolChoiceWhileThinking;
  /** Text the answer starts with. */
  prefix?: string;
  /** Text that follows the answer: the model fills the gap after `prefix`. */
  suffix?: string;
  /** Extra headers of this request. */
  headers?: Record<string, string>;
  /** Time limits of this request, in place of the client's. */
  timeouts?: Timeouts;
}

/** Names of the wire that look right as call options. LangChain would drop them without a word. */
const wireNames: Record<string, string> = {
  enable_thinking: "enableThinking",
  thinking_budget: "thinkingBudget",
  reasoning_effort: "reasoningEffort",
  max_tokens: "maxTokens",
  top_p: "topP",
  top_k: "topK",
  min_p: "minP",
  frequency_penalty: "frequencyPenalty",
  presence_penalty: "presencePenalty",
  extra_body: "modelKwargs of the constructor",
  stream: "model.stream()",
};

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
  refuseWireNames(options);
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
  set("stop", options.stop ?? settings.stopSequences);
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

function refuseWireNames(options: object): void {
  for (const name of Object.keys(wireNames)) {
    if ((options as Record<string, unknown>)[name] === undefined) continue;
    throw new InvalidInputError(`The call option "${name}" has no effect here. Use ${wireNames[name]}.`);
  }
}

/** LangChain's `"any"` is OpenAI's `"required"`, and a bare name forces that tool. Anything else goes through as it is. */
function toWireToolChoice(choice: unknown): unknown {
  if (typeof choice !== "string") return choice;
  if (choice === "any" || choice === "required") return "required";
  if (choice === "auto" || choice === "none") return choice;
  return { type: "function", function: { name: choice } };
}
