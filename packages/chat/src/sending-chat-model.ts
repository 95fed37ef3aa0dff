import type {
  ChatCompletion,
  ChatCompletionRequest,
  MessagesRequest,
  RequestOptions,
  Usage,
} from "@langchain-siliconflow/client";
import { InvalidInputError } from "@langchain-siliconflow/client";
import { requestOptionsOf, type ClientFor } from "@langchain-siliconflow/client/adapter";
import { CallbackManager, type CallbackManagerForLLMRun } from "@langchain/core/callbacks/manager";
import type { BaseLanguageModelInput, StructuredOutputMethodOptions } from "@langchain/core/language_models/base";
import type { ChatModelStreamEvent } from "@langchain/core/language_models/event";
import { convertOpenAICompletionsStream } from "@langchain/core/language_models/openai_completions_stream";
import type { AIMessage, AIMessageChunk, BaseMessage } from "@langchain/core/messages";
import type { ChatGeneration, ChatGenerationChunk, ChatResult, LLMResult } from "@langchain/core/outputs";
import { ensureConfig, type Runnable } from "@langchain/core/runnables";
import type { IterableReadableStream } from "@langchain/core/utils/stream";
import { ChatOpenAICompletions, type OpenAIClient, type OpenAICoreRequestOptions } from "@langchain/openai";
import { BatchedChatSiliconFlow } from "./batch/batched-chat.js";
import type { BatchOptions } from "./batch/options.js";
import { asChunks, slotKey, type SlotCarrier } from "./batch/slot.js";
import type { ChatSiliconFlowCallOptions } from "./call-options.js";
import { acquireSlot, holdSlot } from "./concurrency.js";
import { markForLangChain } from "./langchain-errors.js";
import { createWithFallback, streamWithFallback } from "./json-mode-fallback.js";
import { leavable } from "./leavable.js";
import { toChatChunks, toChatCompletion } from "./messages-api-answer.js";
import { toMessagesRequest } from "./messages-api-request.js";
import { MessageStream } from "./message-stream.js";
import { messagesToWire } from "./messages-to-wire.js";
import { lookUpModel } from "./model-profiles.js";
import { repairCompletion } from "./repair-completion.js";
import { openStream } from "./open-stream.js";
import { repairStream, type ChunkSource, type RepairedStream, type StreamEnd } from "./repair-stream.js";
import { toRequestOptions } from "./request-options.js";
import type { ReasoningHistory } from "./reasoning.js";
import type { AnswerObject, OutputSchema } from "./structured-output.js";
import { completeMessage, completeStreamEvents, settleEvent } from "./stream-events.js";
import { toChatResult, toGenerationChunk, toTokenUsage } from "./wire-to-messages.js";

/** What the entry points carry past the base class to the one place where requests are sent. */
interface Call {
  messages: readonly BaseMessage[];
  options: Partial<ChatSiliconFlowCallOptions> & SlotCarrier;
  end: StreamEnd;
  /** Fires when the reader of a stream has left. */
  left: AbortSignal | undefined;
}

/** The endpoint that is asked: chat completions, or the Anthropic-compatible messages. */
export type Api = "chat" | "messages";

/** What is sent where neither the user nor the model's profile names a limit: the figure of the service's own example. */
const defaultMaxTokens = 8192;

/** Symbols as keys: they reach neither JSON nor a cache key nor a trace. */
const callKey = Symbol("siliconflow.call");
const leftKey = Symbol("siliconflow.left");

type Carrier = { [callKey]?: Call; [leftKey]?: AbortSignal };

/**
 * The half of {@link ChatSiliconFlow} that sends: every way of asking (invoke, stream, events) meets in
 * `completionWithRetry`, where our client sends the request and the answer is repaired. The SDK of the base class is never made.
 */
export abstract class SendingChatModel extends ChatOpenAICompletions<ChatSiliconFlowCallOptions> {
  static {
    completeStreamEvents(this.prototype);
  }

  /** When earlier thoughts are sent back, unless a call says otherwise. */
  reasoningHistory: ReasoningHistory;
  /** The endpoint that is asked. */
  readonly api: Api;

  // A private field: the base class has public ones that are printed, traced and written out.
  readonly #client: ClientFor<"chat">;
  readonly #requestOptions: RequestOptions;
  readonly #maxConcurrency: number;

  constructor(
    fields: object,
    sending: {
      client: ClientFor<"chat">;
      /** Added to each request, where the client is shared. */
      requestOptions: RequestOptions;
      maxConcurrency: number;
      reasoningHistory: ReasoningHistory;
      api: Api;
    },
  ) {
    const { client, requestOptions, maxConcurrency, reasoningHistory, api } = sending;
    super({
      ...fields,
      ...(maxConcurrency !== Infinity && { maxConcurrency }),
      // Both are given so that the base class looks for neither in OpenAI's environment variables.
      apiKey: "unused",
      configuration: { baseURL: client.baseURL },
      // One owner of retries: the client.
      maxRetries: 0,
      onFailedAttempt: (error: unknown) => {
        throw error;
      },
    });
    // From OPENAI_ORGANIZATION, whatever is passed.
    delete this.organization;
    this.clientConfig = { apiKey: "unused", baseURL: client.baseURL };
    this.#client = client;
    this.#requestOptions = requestOptions;
    this.#maxConcurrency = maxConcurrency;
    this.reasoningHistory = reasoningHistory;
    this.api = api;
  }

  /** Where requests go, for keys of caches. */
  protected get host(): string {
    return this.#client.baseURL;
  }

  /**
   * The same model by way of batches: half the price, answers within hours, no rate limits. Its `batch(inputs)` survives the
   * death of the process: called again, it goes on where it was.
   *
   * @throws {@link InvalidInputError} without `state`, for an option out of range, with `api: "messages"`, and for a shared
   * client that cannot upload.
   * @see https://docs.siliconflow.cn/cn/userguide/guides/batch
   */
  viaBatch(options: BatchOptions): BatchedChatSiliconFlow {
    if (this.api !== "chat") throw new InvalidInputError('Batches run chat completions: viaBatch needs api "chat".');
    return new BatchedChatSiliconFlow(this, this.#client, this.#requestOptions, options);
  }

  /** What `invoke` would send. @internal */
  requestOf(input: BaseLanguageModelInput, given: Partial<ChatSiliconFlowCallOptions>): ChatCompletionRequest {
    const [, options] = this._separateRunnableConfigFromCallOptionsCompat(given);
    const messages = SendingChatModel._convertInputToPromptValue(input).toChatMessages();
    const params = this.invocationParams(options, { streaming: false });
    // The service's own request, which OpenAI's type is not.
    const request = { ...params, messages: [] } as unknown as ChatCompletionRequest;
    this.#fillMessages(request, { messages, options, end: {}, left: undefined });
    return request;
  }

  /** Answers of a runnable around this model, in the shape of a schema. @internal */
  abstract structuredOutputOf<T extends AnswerObject>(
    asked: Runnable<BaseLanguageModelInput, AIMessage, ChatSiliconFlowCallOptions>,
    schema: OutputSchema<T>,
    config?: StructuredOutputMethodOptions<boolean>,
  ): Runnable<BaseLanguageModelInput, T>;

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
    const end: StreamEnd = {};
    const call: OpenAICoreRequestOptions & Carrier = { [callKey]: { messages, options, end, left: undefined } };
    const request = { ...this.invocationParams(options, { streaming: false }), stream: false as const, messages: [] };
    // The repaired answer is the service's own; OpenAI's type is what the signature of the base class says.
    return toChatResult((await this.completionWithRetry(request, call)) as unknown as ChatCompletion, end);
  }

  override async *_streamResponseChunks(
    messages: BaseMessage[],
    options: this["ParsedCallOptions"],
    runManager?: CallbackManagerForLLMRun,
  ): AsyncGenerator<ChatGenerationChunk> {
    const end: StreamEnd = {};
    const left = (options as Carrier)[leftKey];
    const position = { prompt: options.promptIndex ?? 0, completion: 0 };
    let stream: RepairedStream | undefined;
    try {
      stream = await this.#open({ messages, options, end, left });
      for (;;) {
        const chunk = stream.take() ?? (await stream.next()).value;
        if (chunk === undefined) break;
        const generation = toGenerationChunk(chunk, end);
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
    } finally {
      await stream?.return();
    }
  }

  override async *_streamChatModelEvents(
    messages: BaseMessage[],
    options: this["ParsedCallOptions"],
  ): AsyncGenerator<ChatModelStreamEvent> {
    const end: StreamEnd = {};
    const chunks = await this.#open({ messages, options, end, left: undefined });
    // Chunks have more fields than the converter reads.
    const events = convertOpenAICompletionsStream(chunks as Parameters<typeof convertOpenAICompletionsStream>[0], {
      streamUsage: this.streamUsage ?? true,
      provider: this.streamEventProvider,
    });
    for await (const event of events) yield settleEvent(event, end);
  }

  protected override get streamEventProvider(): string {
    return "siliconflow";
  }

  override async _generateUncached(
    ...call: Parameters<ChatOpenAICompletions<ChatSiliconFlowCallOptions>["_generateUncached"]>
  ): Promise<LLMResult> {
    const result = await super._generateUncached(...call);
    // Agents that stream events are given the message that core built from them.
    for (const generations of result.generations) {
      for (const generation of generations as ChatGeneration[]) completeMessage(generation.message);
    }
    return result;
  }

  override stream(
    input: BaseLanguageModelInput,
    options?: Partial<ChatSiliconFlowCallOptions>,
  ): Promise<IterableReadableStream<AIMessageChunk>> {
    return openStream(
      options,
      (config) => this._streamIterator(input, config),
      (config) => this.#isHeard(config),
    );
  }

  override _streamIterator(
    input: BaseLanguageModelInput,
    options?: Partial<ChatSiliconFlowCallOptions>,
  ): AsyncGenerator<AIMessageChunk> {
    const leaving = new AbortController();
    const carried: Partial<ChatSiliconFlowCallOptions> & Carrier = { ...options, [leftKey]: leaving.signal };
    const iterate = () =>
      this.#isHeard(carried) ? super._streamIterator(input, carried) : this.#messages(input, carried);
    return leavable(iterate, leaving);
  }

  /** Whether a run has anyone to tell of, or needs core's own way. */
  #isHeard(options: Partial<ChatSiliconFlowCallOptions>): boolean {
    const own = SendingChatModel.prototype;
    const isOwn =
      this._streamResponseChunks === own._streamResponseChunks && this._streamIterator === own._streamIterator;
    if (!isOwn || this.disableStreaming || (options.outputVersion ?? this.outputVersion) === "v1") return true;
    const { callbacks, tags, metadata } = ensureConfig(options);
    const { verbose } = this;
    const told = CallbackManager.configure(callbacks, this.callbacks, tags, this.tags, metadata, this.metadata, {
      verbose,
    });
    return told !== undefined && told.handlers.length > 0;
  }

  #messages(
    input: BaseLanguageModelInput,
    given: Partial<ChatSiliconFlowCallOptions> & Carrier,
  ): AsyncGenerator<AIMessageChunk> {
    const end: StreamEnd = {};
    const left = given[leftKey]!;
    const open = () => {
      const messages = SendingChatModel._convertInputToPromptValue(input).toChatMessages();
      const [, options] = this._separateRunnableConfigFromCallOptionsCompat(given);
      return this.#open({ messages, options, end, left });
    };
    return new MessageStream({ open: async () => open(), end, signal: given.signal, left });
  }

  /** Sends a request whose answer is streamed. */
  async #open(call: Call): Promise<RepairedStream> {
    const requestOptions: OpenAICoreRequestOptions & Carrier = { [callKey]: call };
    const request = {
      ...this.invocationParams(call.options, { streaming: true }),
      stream: true as const,
      messages: [],
    };
    // What `#stream` makes, by way of the one seam.
    return (await this.completionWithRetry(request, requestOptions)) as unknown as RepairedStream;
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
    const options = this.#optionsOf(call, requestOptions);
    const create = async (): Promise<ChatCompletion> =>
      repairCompletion(await createWithFallback(request, call?.end, (wire) => this.#answer(wire, options, call)));
    try {
      this.#fillMessages(request, call);
      // What waits for a batch holds up nobody.
      if (this.#maxConcurrency === Infinity || call?.options[slotKey]) return await create();
      const free = await acquireSlot(this.caller, options.signal);
      try {
        return await create();
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
  ): RepairedStream {
    if ((request.n ?? 1) > 1) {
      throw new InvalidInputError(
        "Several answers (n > 1) cannot be streamed: LangChain would mix them into one. Use invoke without streaming.",
      );
    }
    this.#fillMessages(request, call);
    const options = this.#optionsOf(call, requestOptions);
    const open = () => streamWithFallback(request, call?.end, (wire) => this.#chunks(wire, options, call));
    const isFree = this.#maxConcurrency === Infinity || call?.options[slotKey] !== undefined;
    return repairStream(isFree ? open() : holdSlot(this.caller, options.signal, open), call?.end);
  }

  #optionsOf(call: Call | undefined, sdk: OpenAICoreRequestOptions | undefined): RequestOptions {
    return requestOptionsOf(this.#requestOptions, toRequestOptions(call?.options, sdk, call?.left));
  }

  async #answer(
    request: ChatCompletionRequest,
    options: RequestOptions,
    call: Call | undefined,
  ): Promise<ChatCompletion> {
    const slot = call?.options[slotKey];
    if (slot !== undefined) return slot.ask(request);
    if (this.api === "chat") return this.#client.chat.create(request, options);
    return toChatCompletion(await this.#client.messages.create(this.#toMessages(request), options));
  }

  /** Nothing is sent before the first chunk is asked for. */
  #chunks(request: ChatCompletionRequest, options: RequestOptions, call: Call | undefined): ChunkSource {
    const slot = call?.options[slotKey];
    if (slot !== undefined) return asChunks(slot.ask(request));
    if (this.api === "chat") return this.#client.chat.stream(request, options);
    return toChatChunks(this.#client.messages.stream(this.#toMessages(request), options), call?.end);
  }

  #toMessages(request: ChatCompletionRequest): MessagesRequest {
    return toMessagesRequest(request, {
      defaultMaxTokens: this.profile.maxOutputTokens ?? defaultMaxTokens,
      passedThrough: this.modelKwargs,
    });
  }

  #fillMessages(request: ChatCompletionRequest, call: Call | undefined): void {
    // Called without the entry points: the messages are the wire's own already.
    if (call === undefined) return;
    const { model } = call.options;
    const acceptsPdf = (): boolean =>
      (model === undefined ? this.profile : lookUpModel(model)?.profile)?.pdfInputs === true;
    request.messages = messagesToWire(call.messages, {
      reasoningHistory: call.options.reasoningHistory ?? this.reasoningHistory,
      signatures: this.api === "messages",
      // Looked up only for a message that holds a PDF.
      get acceptsPdf() {
        return acceptsPdf();
      },
    });
  }
}
