import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionRequest,
  RequestOptions,
  SiliconFlowClient,
  Timeouts,
  Usage,
} from "@langchain-siliconflow/client";
import { InvalidInputError } from "@langchain-siliconflow/client";
import type { CallbackManagerForLLMRun } from "@langchain/core/callbacks/manager";
import type { BaseLanguageModelInput } from "@langchain/core/language_models/base";
import type { LangSmithParams } from "@langchain/core/language_models/chat_models";
import type { ChatModelStreamEvent } from "@langchain/core/language_models/event";
import type { ModelProfile } from "@langchain/core/language_models/profile";
import type { Serialized } from "@langchain/core/load/serializable";
import type { AIMessageChunk, BaseMessage, MessageContent } from "@langchain/core/messages";
import type { ChatGenerationChunk, ChatResult } from "@langchain/core/outputs";
import type { RunnableConfig } from "@langchain/core/runnables";
import { ChatOpenAICompletions, type OpenAIClient, type OpenAICoreRequestOptions } from "@langchain/openai";
import { buildRequest, type ChatSiliconFlowCallOptions, type ReasoningEffort } from "./call-options.js";
import { type ChatSiliconFlowFields, readFields } from "./chat-fields.js";
import { acquireSlot, holdSlot } from "./concurrency.js";
import { markForLangChain } from "./langchain-errors.js";
import { messagesToWire } from "./messages-to-wire.js";
import { lookUpModel } from "./model-profiles.js";
import { repairCompletion } from "./repair-completion.js";
import { repairStream, type StreamEnd } from "./repair-stream.js";
import type { ReasoningHistory } from "./reasoning.js";
import { secretName, serializableFields, withOwnSecret, withoutPrivateOptions } from "./serialization.js";
import { settleEvent } from "./stream-events.js";
import { estimateTokens } from "./usage.js";
import { toChatResult, toGenerationChunk, toTokenUsage } from "./wire-to-messages.js";

/** What the three entry points carry past the base class to the one place where requests are sent. */
interface Call {
  messages: readonly BaseMessage[];
  options: Partial<ChatSiliconFlowCallOptions>;
  end: StreamEnd;
  /** Fires when the reader of a stream has left. */
  left: AbortSignal | undefined;
}

/** Symbols as keys: they reach neither JSON nor a cache key nor a trace. */
const callKey = Symbol("siliconflow.call");
const leftKey = Symbol("siliconflow.left");

type Carrier = { [callKey]?: Call; [leftKey]?: AbortSignal };

type WireParams = Omit<OpenAIClient.Chat.Completions.ChatCompletionCreateParams, "messages">;

/**
 * SiliconFlow chat models.
 *
 * Thoughts of reasoning models are in `message.contentBlocks` as `{ type: "reasoning" }`, and in
 * `message.additional_kwargs.reasoning_content`, whichever way the answer is asked for.
 *
 * @example
 * ```ts
 * const model = new ChatSiliconFlow({ model: "Qwen/Qwen3-8B", enableThinking: true });
 * for await (const chunk of await model.stream("Which is larger, 9.11 or 9.9?")) process.stdout.write(chunk.text);
 * ```
 *
 * @throws {@link InvalidInputError} for options and messages that cannot work; the client's errors for what happens on the way.
 * @see https://docs.siliconflow.cn/cn/api-reference/chat-completions/chat-completions
 */
export class ChatSiliconFlow extends ChatOpenAICompletions<ChatSiliconFlowCallOptions> {
  static override lc_name(): string {
    return "ChatSiliconFlow";
  }

  topK?: number;
  minP?: number;
  seed?: number;
  enableThinking?: boolean;
  thinkingBudget?: number;
  reasoningEffort?: ReasoningEffort;
  reasoningHistory: ReasoningHistory;
  /** Retries of the client, `undefined` for its default. LangChain's caller never retries here. */
  readonly maxRetries: number | undefined;
  readonly timeouts: Timeouts | undefined;
  readonly baseURL: string | undefined;
  readonly region: string | undefined;

  // A private field: the base class has public ones that are printed, traced and written out.
  readonly #client: SiliconFlowClient;
  readonly #profile: ModelProfile | undefined;
  readonly #maxConcurrency: number;

  constructor(model: string, fields?: Omit<ChatSiliconFlowFields, "model" | "modelName">);
  constructor(fields: ChatSiliconFlowFields);
  constructor(modelOrFields: string | ChatSiliconFlowFields, rest?: ChatSiliconFlowFields) {
    const { fields, client, model, stop, maxTokens, timeouts, maxRetries, baseURL } = readFields(modelOrFields, rest);
    const { apiKey: _, configuration: __, client: ___, modelName: ____, stopSequences: _____, ...given } = fields;
    const forBase = {
      ...given,
      model,
      ...(stop !== undefined && { stop }),
      ...(maxTokens !== undefined && { maxTokens }),
      ...(maxRetries !== undefined && { maxRetries }),
      ...(timeouts !== undefined && { timeouts }),
      ...(baseURL !== undefined && { baseURL }),
      ...(fields.client !== undefined && { baseURL: client.baseURL }),
    };
    super({
      ...forBase,
      // Both are given so that the base class looks for neither in OpenAI's environment variables.
      apiKey: "unused",
      configuration: { baseURL: client.baseURL },
      // One owner of retries: the client.
      maxRetries: 0,
      onFailedAttempt: (error: unknown) => {
        throw error;
      },
    } as ConstructorParameters<typeof ChatOpenAICompletions>[0]);

    // From OPENAI_ORGANIZATION, whatever is passed.
    delete this.organization;
    this.clientConfig = { apiKey: "unused", baseURL: client.baseURL };
    this.#client = client;
    this.#profile = fields.profile;
    this.#maxConcurrency = fields.maxConcurrency ?? Infinity;
    assignGiven(this, fields, ["topK", "minP", "seed", "enableThinking", "thinkingBudget", "reasoningEffort"]);
    this.reasoningHistory = fields.reasoningHistory ?? "auto";
    this.maxRetries = maxRetries;
    this.timeouts = timeouts;
    this.baseURL = forBase.baseURL;
    this.region = fields.region;
  }

  override _llmType(): string {
    return "siliconflow";
  }

  override get lc_secrets(): { [key: string]: string } {
    return { apiKey: secretName };
  }

  override get lc_aliases(): Record<string, string> {
    // Core writes `baseURL` as `base_url` and would read that back as `baseUrl`.
    return { baseURL: "base_url" };
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
      ls_model_name: this.model,
      ls_model_type: "chat",
      ls_temperature: options?.temperature ?? this.temperature,
      ls_max_tokens: maxTokens === -1 ? undefined : maxTokens,
      ls_stop: options?.stop ?? this.stopSequences,
    } as LangSmithParams;
  }

  override _identifyingParams(): ReturnType<ChatOpenAICompletions["_identifyingParams"]> {
    const params = { model_name: this.model, base_url: this.#client.baseURL, ...this.invocationParams() };
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

  /** The request but for its messages. @internal */
  override invocationParams(options?: this["ParsedCallOptions"], extra?: { streaming?: boolean }): WireParams {
    const strict = options?.strict ?? this.supportsStrictToolCalling;
    const request = buildRequest(this, options ?? {}, {
      tools: options?.tools?.map((tool) =>
        this._convertChatOpenAIToolToCompletionsTool(tool, strict === undefined ? {} : { strict }),
      ),
      responseFormat: this._getResponseFormat(options?.response_format) as ChatCompletionRequest["response_format"],
      streaming: extra?.streaming ?? this.streaming,
    });
    // The service takes fields that OpenAI's type does not know.
    return request as unknown as WireParams;
  }

  /** The one place where requests are sent, and answers repaired: every way of asking meets here. */
  override completionWithRetry(
    request: OpenAIClient.Chat.ChatCompletionCreateParamsStreaming,
    requestOptions?: OpenAICoreRequestOptions,
  ): Promise<AsyncIterable<OpenAIClient.Chat.Completions.ChatCompletionChunk>>;
  override completionWithRetry(
    request: OpenAIClient.Chat.ChatCompletionCreateParamsNonStreaming,
    requestOptions?: OpenAICoreRequestOptions,
  ): Promise<OpenAIClient.Chat.Completions.ChatCompletion>;
  override async completionWithRetry(
    request: OpenAIClient.Chat.ChatCompletionCreateParams,
    requestOptions?: OpenAICoreRequestOptions & Carrier,
  ): Promise<unknown> {
    const call = requestOptions?.[callKey];
    // OpenAI's request type is narrower than the service's in some fields and wider in others.
    const wire = request as unknown as ChatCompletionRequest;
    return wire.stream ? this.#stream(wire, call, requestOptions) : this.#create(wire, call, requestOptions);
  }

  override async _generate(
    messages: BaseMessage[],
    options: this["ParsedCallOptions"],
    runManager?: CallbackManagerForLLMRun,
  ): Promise<ChatResult> {
    if (this.streaming) return this.#generateByStream(messages, options, runManager);
    const call: OpenAICoreRequestOptions & Carrier = { [callKey]: { messages, options, end: {}, left: undefined } };
    const request = { ...this.invocationParams(options, { streaming: false }), stream: false as const, messages: [] };
    // The repaired answer is the service's own; OpenAI's type is what the signature of the base class says.
    return toChatResult((await this.completionWithRetry(request, call)) as unknown as ChatCompletion);
  }

  override async *_streamResponseChunks(
    messages: BaseMessage[],
    options: this["ParsedCallOptions"],
    runManager?: CallbackManagerForLLMRun,
  ): AsyncGenerator<ChatGenerationChunk> {
    const end: StreamEnd = {};
    const left = (options as Carrier)[leftKey];
    const call: OpenAICoreRequestOptions & Carrier = { [callKey]: { messages, options, end, left } };
    const request = { ...this.invocationParams(options, { streaming: true }), stream: true as const, messages: [] };
    const position = { prompt: options.promptIndex ?? 0, completion: 0 };
    try {
      for await (const chunk of await this.completionWithRetry(request, call)) {
        const generation = toGenerationChunk(chunk as unknown as ChatCompletionChunk, end);
        yield generation;
        if (runManager !== undefined) {
          await runManager.handleLLMNewToken(generation.text, position, undefined, undefined, undefined, {
            chunk: generation,
          });
        }
      }
    } catch (error) {
      // Whoever broke off the loop has what they wanted.
      if (left?.aborted && error === left.reason) return;
      throw error;
    }
  }

  override async *_streamChatModelEvents(
    messages: BaseMessage[],
    options: this["ParsedCallOptions"],
    runManager?: CallbackManagerForLLMRun,
  ): AsyncGenerator<ChatModelStreamEvent> {
    const end: StreamEnd = {};
    const carried: this["ParsedCallOptions"] & Carrier = {
      ...options,
      [callKey]: { messages, options, end, left: undefined },
    };
    // No messages for the base class: its conversion throws at some, and drops audio and video.
    for await (const event of super._streamChatModelEvents([], carried, runManager)) {
      yield settleEvent(event, end);
    }
  }

  protected override get streamEventProvider(): string {
    return "siliconflow";
  }

  override _streamIterator(
    input: BaseLanguageModelInput,
    options?: Partial<ChatSiliconFlowCallOptions>,
  ): AsyncGenerator<AIMessageChunk> {
    const leaving = new AbortController();
    const carried: Partial<ChatSiliconFlowCallOptions> & Carrier = { ...options, [leftKey]: leaving.signal };
    const chunks = super._streamIterator(input, carried);
    return leavable(chunks, leaving);
  }

  /** An estimate. The tokenizer that LangChain would download is OpenAI's. */
  override async getNumTokens(content: MessageContent): Promise<number> {
    if (typeof content === "string") return estimateTokens(content);
    return estimateTokens(content.map((block) => (block.type === "text" ? String(block["text"]) : "")).join(""));
  }

  /** @throws {@link InvalidInputError} always: SiliconFlow has no moderation endpoint. */
  override async moderateContent(): Promise<never> {
    throw new InvalidInputError("SiliconFlow has no moderation endpoint. Ask a chat model to judge the text.");
  }

  /** `invoke` of a model that streams: the chunks in one, with the service's own counts. */
  async #generateByStream(
    messages: BaseMessage[],
    options: this["ParsedCallOptions"],
    runManager: CallbackManagerForLLMRun | undefined,
  ): Promise<ChatResult> {
    let whole: ChatGenerationChunk | undefined;
    for await (const chunk of this._streamResponseChunks(messages, options, runManager)) {
      whole = whole === undefined ? chunk : whole.concat(chunk);
    }
    const usage = whole?.message.response_metadata["usage"] as Usage | undefined;
    return {
      generations: whole === undefined ? [] : [whole],
      llmOutput: usage ? { tokenUsage: toTokenUsage(usage) } : {},
    };
  }

  async #create(
    request: ChatCompletionRequest,
    call: Call | undefined,
    requestOptions: OpenAICoreRequestOptions | undefined,
  ): Promise<ChatCompletion> {
    const options = readRequestOptions(call, requestOptions);
    try {
      this.#fillMessages(request, call);
      if (this.#maxConcurrency === Infinity) {
        return repairCompletion(await this.#client.chat.create(request, options));
      }
      const free = await acquireSlot(this.caller, options.signal);
      try {
        return repairCompletion(await this.#client.chat.create(request, options));
      } finally {
        free();
      }
    } catch (error) {
      throw markForLangChain(error);
    }
  }

  #stream(
    request: ChatCompletionRequest,
    call: Call | undefined,
    requestOptions: OpenAICoreRequestOptions | undefined,
  ): AsyncGenerator<ChatCompletionChunk, void, undefined> {
    if ((request.n ?? 1) > 1) {
      throw new InvalidInputError(
        "Several answers (n > 1) cannot be streamed: LangChain would mix them into one. Use invoke without streaming.",
      );
    }
    this.#fillMessages(request, call);
    const options = readRequestOptions(call, requestOptions);
    const open = (): AsyncIterable<ChatCompletionChunk> =>
      repairStream(this.#client.chat.stream(request, options), call?.end);
    return this.#maxConcurrency === Infinity
      ? repairStream(this.#client.chat.stream(request, options), call?.end)
      : holdSlot(this.caller, options.signal, open);
  }

  #fillMessages(request: ChatCompletionRequest, call: Call | undefined): void {
    // Called without the entry points: the messages are the wire's own already.
    if (call === undefined) return;
    request.messages = messagesToWire(call.messages, {
      reasoningHistory: call.options.reasoningHistory ?? this.reasoningHistory,
      acceptsPdf: this.profile.pdfInputs === true,
    });
  }
}

/** Both shapes of request options: LangChain's call options, and ChatOpenAI's nested `options` with its SDK's. */
function readRequestOptions(call: Call | undefined, sdk: OpenAICoreRequestOptions | undefined): RequestOptions {
  const { signal, headers, timeouts, maxRetries, options: nested } = call?.options ?? {};
  const merged = { ...plain(sdk?.headers), ...plain(nested?.headers), ...headers };
  const retries = maxRetries ?? nested?.maxRetries ?? sdk?.maxRetries;
  const timeout = nested?.timeout ?? sdk?.timeout;
  const heard = [signal, nested?.signal, sdk?.signal, call?.left].filter((each) => each != null);
  const [first] = heard;
  return {
    ...(first !== undefined && { signal: heard.length === 1 ? first : AbortSignal.any(heard) }),
    ...(Object.keys(merged).length > 0 && { headers: merged }),
    ...((timeouts ?? timeout) !== undefined && { timeouts: timeouts ?? { firstByteMs: timeout! } }),
    ...(retries !== undefined && { maxRetries: retries }),
  };
}

function plain(headers: OpenAICoreRequestOptions["headers"]): Record<string, string> {
  if (headers == null) return {};
  const entries = Symbol.iterator in headers ? [...headers] : Object.entries(headers);
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}

/**
 * The same chunks, but leaving the loop is heard at once. A plain generator queues `return()` behind the `next()` that
 * is waiting for the network, and LangChain always has one waiting.
 */
function leavable<T>(chunks: AsyncGenerator<T>, leaving: AbortController): AsyncGenerator<T> {
  const leave = (): void => leaving.abort(new DOMException("The reader left the stream.", "AbortError"));
  const left: AsyncGenerator<T> = {
    next: () => chunks.next(),
    return(value) {
      leave();
      return chunks.return(value);
    },
    throw(error) {
      leave();
      return chunks.throw(error);
    },
    [Symbol.asyncIterator]: () => left,
    async [Symbol.asyncDispose]() {
      await left.return(undefined);
    },
  };
  return left;
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
