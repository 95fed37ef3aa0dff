import type {
  ChatCompletion,
  ChatCompletionRequest,
  MessagesRequest,
  RequestOptions,
} from "@langchain-siliconflow/client";
import { InvalidInputError } from "@langchain-siliconflow/client";
import { requestOptionsOf, type ClientFor } from "@langchain-siliconflow/client/adapter";
import type { BaseLanguageModelInput, StructuredOutputMethodOptions } from "@langchain/core/language_models/base";
import type { AIMessage, BaseMessage } from "@langchain/core/messages";
import type { Runnable } from "@langchain/core/runnables";
import { ChatOpenAICompletions, type OpenAIClient, type OpenAICoreRequestOptions } from "@langchain/openai";
import { BatchedChatSiliconFlow } from "./batch/batched-chat.js";
import type { BatchOptions } from "./batch/options.js";
import { asChunks, slotKey, type SlotCarrier } from "./batch/slot.js";
import type { ChatSiliconFlowCallOptions } from "./call-options.js";
import { acquireSlot, holdSlot } from "./concurrency.js";
import { markForLangChain } from "./langchain-errors.js";
import { createWithFallback, streamWithFallback } from "./json-mode-fallback.js";
import { toChatChunks, toChatCompletion } from "./messages-api-answer.js";
import { toMessagesRequest } from "./messages-api-request.js";
import { messagesToWire } from "./messages-to-wire.js";
import { lookUpModel } from "./model-profiles.js";
import { repairCompletion } from "./repair-completion.js";
import { RepairedStream, type ChunkSource, type StreamEnd } from "./repaired-stream.js";
import { toRequestOptions } from "./request-options.js";
import type { ReasoningHistory } from "./reasoning.js";
import type { AnswerObject, OutputSchema } from "./structured-output.js";

/** What the entry points carry past the base class to the one place where requests are sent. */
export interface Call {
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

/** A symbol as key: it reaches neither JSON nor a cache key nor a trace. */
const callKey = Symbol("siliconflow.call");

type Carrier = { [callKey]?: Call };

/**
 * The half of {@link ChatSiliconFlow} that sends: every way of asking (invoke, stream, events) meets in
 * `completionWithRetry`, where our client sends the request and the answer is repaired. The SDK of the base class is never made.
 */
export abstract class SendingChatModel extends ChatOpenAICompletions<ChatSiliconFlowCallOptions> {
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
    // From OPENAI_ORGANIZATION, whatever is passed. Not deleted: V8 keeps an object that lost a property as a table, in which every field
    // is looked up. The base class's type knows no undefined.
    (this as { organization: string | undefined }).organization = undefined;
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
    return wire.stream ? this.#stream(wire, call, requestOptions) : await this.#create(wire, call, requestOptions);
  }

  /** Sends a request whose answer comes in one piece. */
  protected async answer(call: Call): Promise<ChatCompletion> {
    const carried: OpenAICoreRequestOptions & Carrier = { [callKey]: call };
    const request = {
      ...this.invocationParams(call.options, { streaming: false }),
      stream: false as const,
      messages: [],
    };
    // The repaired answer is the service's own; OpenAI's type is what the signature of the base class says.
    return (await this.completionWithRetry(request, carried)) as unknown as ChatCompletion;
  }

  /** Sends a request whose answer is streamed. */
  protected async open(call: Call): Promise<RepairedStream> {
    const carried: OpenAICoreRequestOptions & Carrier = { [callKey]: call };
    const request = {
      ...this.invocationParams(call.options, { streaming: true }),
      stream: true as const,
      messages: [],
    };
    const chunks = (await this.completionWithRetry(request, carried)) as unknown as ChunkSource;
    // A subclass may answer in its own way.
    return chunks instanceof RepairedStream ? chunks : new RepairedStream(chunks, call.end);
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
    return new RepairedStream(isFree ? open() : holdSlot(this.caller, options.signal, open), call?.end);
  }

  #optionsOf(call: Call | undefined, sdk: OpenAICoreRequestOptions | undefined): RequestOptions {
    return requestOptionsOf(this.#requestOptions, toRequestOptions(call?.options, sdk, call?.left));
  }

  #answer(request: ChatCompletionRequest, options: RequestOptions, call: Call | undefined): Promise<ChatCompletion> {
    const slot = call?.options[slotKey];
    if (slot !== undefined) return slot.ask(request);
    if (this.api === "chat") return this.#client.chat.create(request, options);
    return this.#client.messages.create(this.#toMessages(request), options).then(toChatCompletion);
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
