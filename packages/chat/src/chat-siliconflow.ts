import { InvalidInputError, type ChatCompletionRequest, type Timeouts } from "@langchain-siliconflow/client";
import type { BaseLanguageModelInput, StructuredOutputMethodOptions } from "@langchain/core/language_models/base";
import type { LangSmithParams } from "@langchain/core/language_models/chat_models";
import type { ModelProfile } from "@langchain/core/language_models/profile";
import { assembleStructuredOutputPipeline } from "@langchain/core/language_models/structured_output";
import type { Serialized } from "@langchain/core/load/serializable";
import type { AIMessage, BaseMessage, MessageContent } from "@langchain/core/messages";
import type { Runnable, RunnableConfig } from "@langchain/core/runnables";
import type { ChatOpenAICompletions, OpenAIClient } from "@langchain/openai";
import {
  buildRequest,
  type ChatSiliconFlowCallOptions,
  isKnownToThink,
  modelOf,
  type ReasoningEffort,
  type ToolChoiceWhileThinking,
} from "./call-options.js";
import { type ConfigurableField, configuredOptions } from "./configurable.js";
import { type ChatSiliconFlowFields, readFields } from "./chat-fields.js";
import { lookUpModel } from "./model-profiles.js";
import { StreamingChatModel } from "./streaming-chat-model.js";
import { aliases, secrets, serializableFields, withOwnSecret, withoutPrivateOptions } from "./serialization.js";
import { type AnswerObject, type ModelAbilities, type OutputSchema, structuredOutput } from "./structured-output.js";
import { estimateTokensOf } from "./usage.js";
import { version } from "./version.js";

type WireParams = Omit<OpenAIClient.Chat.Completions.ChatCompletionCreateParams, "messages">;

/**
 * SiliconFlow chat models.
 *
 * Thoughts of reasoning models are in `message.contentBlocks` as `{ type: "reasoning" }`, and in
 * `message.additional_kwargs.reasoning_content`, whichever way the answer is asked for.
 *
 * @example
 * ```ts
 * import { ChatSiliconFlow } from "@langchain-siliconflow/chat";
 *
 * const model = new ChatSiliconFlow({ model: "Qwen/Qwen3-8B", enableThinking: true });
 * for await (const chunk of await model.stream("Which is larger, 9.11 or 9.9?")) process.stdout.write(chunk.text);
 * ```
 *
 * @throws {@link InvalidInputError} for options and messages that cannot work; {@link SiliconFlowError} with reason `"auth"`
 * when there is neither a key nor a `client`; the client's other errors for what happens on the way.
 * @see https://docs.siliconflow.cn/cn/api-reference/chat-completions/chat-completions
 */
export class ChatSiliconFlow extends StreamingChatModel {
  static override lc_name(): string {
    return "ChatSiliconFlow";
  }

  /** How many of the likeliest tokens are considered, as given. */
  topK?: number;
  /** Smallest share of the likeliest token's probability that is considered, as given. */
  minP?: number;
  /** Same seed, same answer, as far as the model can; as given. */
  seed?: number;
  /** Thinking on or off, as given. */
  enableThinking?: boolean;
  /** Most tokens of the chain of thought, as given. */
  thinkingBudget?: number;
  /** How hard to think, as given. */
  reasoningEffort?: ReasoningEffort;
  toolChoiceWhileThinking?: ToolChoiceWhileThinking;
  /** Names that `config.configurable` of a call may set. */
  configurableFields?: ConfigurableField[];
  /** Retries of the client, `undefined` for its default. LangChain's caller never retries here. */
  readonly maxRetries: number | undefined;
  /** Time limits, as given; `undefined` for the client's. */
  readonly timeouts: Timeouts | undefined;
  /** Root of the API, as given, or that of a shared client; `undefined` for that of the region. */
  readonly baseURL: string | undefined;
  /** `"cn"` or `"global"`, as given. */
  readonly region: string | undefined;

  readonly #profile: ModelProfile | undefined;

  constructor(model: string, fields?: Omit<ChatSiliconFlowFields, "model" | "modelName">);
  constructor(fields: ChatSiliconFlowFields);
  constructor(modelOrFields: string | ChatSiliconFlowFields, rest?: ChatSiliconFlowFields) {
    const { client, requestOptions, fields, forBase } = readFields(modelOrFields, rest);
    const { maxConcurrency = Infinity, reasoningHistory = "auto", api = "chat" } = fields;
    super(forBase, { client, requestOptions, maxConcurrency, reasoningHistory, api });
    this.#profile = fields.profile;
    assignGiven(this, fields, ["topK", "minP", "seed", "enableThinking", "thinkingBudget", "reasoningEffort"]);
    assignGiven(this, fields, ["toolChoiceWhileThinking", "configurableFields"]);
    this._addVersion("@langchain-siliconflow/chat", version);
    this.maxRetries = forBase.maxRetries;
    this.timeouts = forBase.timeouts;
    this.baseURL = forBase.baseURL;
    this.region = forBase.region;
  }

  override _llmType(): string {
    return "siliconflow";
  }

  override get lc_secrets(): { [key: string]: string } {
    return secrets;
  }

  override get lc_aliases(): Record<string, string> {
    return aliases;
  }

  override get lc_serializable_keys(): string[] {
    return serializableFields;
  }

  override toJSON(): Serialized {
    return withOwnSecret(super.toJSON());
  }

  /** What the model can do: the built-in table under the `profile` of the constructor. `{}` for unknown models. */
  override get profile(): ModelProfile {
    return { ...lookUpModel(this.model)?.profile, ...this.#profile };
  }

  override getLsParams(options: this["ParsedCallOptions"]): LangSmithParams {
    const maxTokens = options?.maxTokens ?? this.maxTokens;
    // Exactly these six: LangSmith groups runs by them, and cost tracking knows no others.
    return {
      ls_provider: "siliconflow",
      ls_model_name: modelOf(this, options),
      ls_model_type: "chat",
      ls_temperature: options?.temperature ?? this.temperature,
      ls_max_tokens: maxTokens === -1 ? undefined : maxTokens,
      ls_stop: options?.stop ?? this.stopSequences,
    } as LangSmithParams;
  }

  override _identifyingParams(): ReturnType<ChatOpenAICompletions["_identifyingParams"]> {
    const params = {
      model_name: this.model,
      base_url: this.host,
      ...(this.api !== "chat" && { api: this.api }),
      ...this.invocationParams(),
      // Decides what is sent of a conversation, and so what comes back.
      ...(this.reasoningHistory !== "auto" && { reasoning_history: this.reasoningHistory }),
    };
    // The base class promises its SDK's options as well, among them the key: this is what cache keys are made of.
    return params as unknown as ReturnType<ChatOpenAICompletions["_identifyingParams"]>;
  }

  override _getSerializedCacheKeyParametersForCall(
    options: ChatSiliconFlowCallOptions & { config?: RunnableConfig },
  ): string {
    return super._getSerializedCacheKeyParametersForCall(withoutPrivateOptions(options));
  }

  protected override _getCallOptionsForTracing(
    options: this["ParsedCallOptions"],
    params: ReturnType<this["invocationParams"]>,
  ): this["ParsedCallOptions"] {
    return withoutPrivateOptions(super._getCallOptionsForTracing(options, params));
  }

  /** Values of `config.configurable` join the options of the call, as far as {@link configurableFields} lets them. */
  override _separateRunnableConfigFromCallOptionsCompat(
    options?: Partial<ChatSiliconFlowCallOptions>,
  ): [RunnableConfig, this["ParsedCallOptions"]] {
    const [config, callOptions] = super._separateRunnableConfigFromCallOptionsCompat(options);
    const configured = configuredOptions(this.configurableFields, options?.configurable);
    return [config, { ...configured, ...callOptions }];
  }

  /** The request but for its messages. @internal */
  override invocationParams(options?: this["ParsedCallOptions"], extra?: { streaming?: boolean }): WireParams {
    const strict = options?.strict ?? this.supportsStrictToolCalling;
    const request = buildRequest(this, options ?? {}, {
      tools: options?.tools?.map((tool) =>
        this._convertChatOpenAIToolToCompletionsTool(tool, strict === undefined ? {} : { strict }),
      ),
      responseFormat: this._getResponseFormat(options?.response_format) as ChatCompletionRequest["response_format"],
      offersOnly:
        (options?.toolChoiceWhileThinking ?? this.toolChoiceWhileThinking) === "auto" &&
        isKnownToThink(options?.enableThinking ?? this.enableThinking, lookUpModel(modelOf(this, options))?.thinking),
      streaming: extra?.streaming ?? this.streaming,
    });
    // The service takes fields that OpenAI's type does not know.
    return request as unknown as WireParams;
  }

  /**
   * A model that answers in the shape of a schema: by a tool call, or in JSON mode where the model cannot call tools.
   *
   * An answer that is cut off, lacks the call, or is no JSON is an error; it is never repaired by a guess.
   *
   * @throws {@link InvalidInputError} for a method that does not exist, or `strict` where it has no meaning.
   */
  override withStructuredOutput<T extends AnswerObject = AnswerObject>(
    schema: OutputSchema<T>,
    config?: StructuredOutputMethodOptions<false>,
  ): Runnable<BaseLanguageModelInput, T>;
  override withStructuredOutput<T extends AnswerObject = AnswerObject>(
    schema: OutputSchema<T>,
    config?: StructuredOutputMethodOptions<true>,
  ): Runnable<BaseLanguageModelInput, { raw: BaseMessage; parsed: T }>;
  override withStructuredOutput<T extends AnswerObject = AnswerObject>(
    schema: OutputSchema<T>,
    config: StructuredOutputMethodOptions<boolean> = {},
  ): Runnable<BaseLanguageModelInput, T> | Runnable<BaseLanguageModelInput, { raw: BaseMessage; parsed: T }> {
    return this.structuredOutputOf(this, schema, config);
  }

  /** @internal */
  override structuredOutputOf<T extends AnswerObject = AnswerObject>(
    asked: Runnable<BaseLanguageModelInput, AIMessage, ChatSiliconFlowCallOptions>,
    schema: OutputSchema<T>,
    config: StructuredOutputMethodOptions<boolean> = {},
  ): Runnable<BaseLanguageModelInput, T> {
    const abilities: ModelAbilities = {
      toolCalling: this.profile.toolCalling,
      enableThinking: this.enableThinking,
      thinking: lookUpModel(this.model)?.thinking,
      toolChoiceWhileThinking: this.toolChoiceWhileThinking,
    };
    const { options, parser } = structuredOutput(schema, config, abilities);
    const model = asked.withConfig(options as Partial<ChatSiliconFlowCallOptions>);
    return assembleStructuredOutputPipeline(model, parser, config.includeRaw) as Runnable<BaseLanguageModelInput, T>;
  }

  /** An estimate. The tokenizer that LangChain would download is OpenAI's. */
  override async getNumTokens(content: MessageContent): Promise<number> {
    return estimateTokensOf(content);
  }

  /** @throws {@link InvalidInputError} always: SiliconFlow has no moderation endpoint. */
  override async moderateContent(): Promise<never> {
    throw new InvalidInputError("SiliconFlow has no moderation endpoint. Ask a chat model to judge the text.");
  }
}

function assignGiven<T extends object, K extends keyof T>(
  target: T,
  source: { [P in K]?: T[P] | undefined },
  names: K[],
): void {
  for (const name of names) {
    const value = source[name];
    if (value !== undefined) target[name] = value;
  }
}
