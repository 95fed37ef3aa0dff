import type { Usage } from "@langchain-siliconflow/client";
import { CallbackManager, type CallbackManagerForLLMRun } from "@langchain/core/callbacks/manager";
import type { BaseLanguageModelInput } from "@langchain/core/language_models/base";
import type { ChatModelStreamEvent } from "@langchain/core/language_models/event";
import { convertOpenAICompletionsStream } from "@langchain/core/language_models/openai_completions_stream";
import { type AIMessageChunk, type BaseMessage, coerceMessageLikeToMessage } from "@langchain/core/messages";
import type { ChatGeneration, ChatGenerationChunk, ChatResult, LLMResult } from "@langchain/core/outputs";
import { ensureConfig } from "@langchain/core/runnables";
import type { IterableReadableStream } from "@langchain/core/utils/stream";
import type { ChatOpenAICompletions } from "@langchain/openai";
import type { ChatSiliconFlowCallOptions } from "./call-options.js";
import { LeavableItems } from "./leavable-items.js";
import { MessageStream } from "./message-stream.js";
import { openStream } from "./open-stream.js";
import type { RepairedStream, StreamEnd } from "./repaired-stream.js";
import { SendingChatModel } from "./sending-chat-model.js";
import { completeMessage, completeStreamEvents, settleEvent } from "./stream-events.js";
import { toUnheardResult } from "./unheard-result.js";
import { toChatResult, toGenerationChunk, toTokenUsage } from "./wire-to-messages.js";

/** A symbol as key: it reaches neither JSON nor a cache key nor a trace. */
const leftKey = Symbol("siliconflow.left");

type UncachedCall = Parameters<ChatOpenAICompletions<ChatSiliconFlowCallOptions>["_generateUncached"]>;

/** Options of a call whose reader may leave. */
type Leavable = Partial<ChatSiliconFlowCallOptions> & { [leftKey]?: AbortSignal };

/**
 * The half of {@link ChatSiliconFlow} that answers: whole, in chunks, and as events. What LangChain sees is what core's own way would
 * show it; the differential tests hold both side by side.
 */
export abstract class StreamingChatModel extends SendingChatModel {
  static {
    completeStreamEvents(this.prototype);
  }

  override stream(
    input: BaseLanguageModelInput,
    options?: Partial<ChatSiliconFlowCallOptions>,
  ): Promise<IterableReadableStream<AIMessageChunk>> {
    return openStream(options, (config) => this._streamIterator(input, config));
  }

  override _streamIterator(
    input: BaseLanguageModelInput,
    options?: Partial<ChatSiliconFlowCallOptions>,
  ): AsyncGenerator<AIMessageChunk> {
    const leaving = new AbortController();
    const carried: Leavable = { ...options, [leftKey]: leaving.signal };
    const iterate = () =>
      this.#isHeard(carried) ? super._streamIterator(input, carried) : this.#messages(input, carried);
    return new LeavableItems(iterate, leaving);
  }

  override async _generate(
    messages: BaseMessage[],
    options: this["ParsedCallOptions"],
    runManager?: CallbackManagerForLLMRun,
  ): Promise<ChatResult> {
    if (this.streaming) return this.#generateByStream(messages, options, runManager);
    const end: StreamEnd = {};
    return toChatResult(await this.answer({ messages, options, end, left: undefined }), end);
  }

  override async *_streamResponseChunks(
    messages: BaseMessage[],
    options: this["ParsedCallOptions"],
    runManager?: CallbackManagerForLLMRun,
  ): AsyncGenerator<ChatGenerationChunk> {
    const end: StreamEnd = {};
    const left = (options as Leavable)[leftKey];
    const position = { prompt: options.promptIndex ?? 0, completion: 0 };
    let stream: RepairedStream | undefined;
    try {
      stream = await this.open({ messages, options, end, left });
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
    const chunks = await this.open({ messages, options, end, left: undefined });
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

  override async _generateUncached(...call: UncachedCall): Promise<LLMResult> {
    const result = this.#isHeardAnswer(...call) ? await super._generateUncached(...call) : await this.#unheard(...call);
    // Agents that stream events are given the message that core built from them.
    for (const generations of result.generations) {
      for (const generation of generations as ChatGeneration[]) completeMessage(generation.message);
    }
    return result;
  }

  /** Whether a run has anyone to tell of, or needs core's own way. */
  #isHeard(options: Partial<ChatSiliconFlowCallOptions>): boolean {
    const own = StreamingChatModel.prototype;
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

  /** The same of a run that answers in one message. */
  #isHeardAnswer(...[messages, options, config, startedRuns]: UncachedCall): boolean {
    const { callbacks, tags, metadata } = config;
    const { verbose } = this;
    if (callbacks || this.callbacks || startedRuns || messages.length !== 1) return true;
    if ((options.outputVersion ?? this.outputVersion) === "v1") return true;
    // Tracers that the environment asks for, and those of the context.
    return (
      CallbackManager.configure(undefined, undefined, tags, this.tags, metadata, this.metadata, { verbose }) !==
      undefined
    );
  }

  async #unheard(...[[messages], options]: UncachedCall): Promise<LLMResult> {
    const answer = await this._generate(messages!.map(coerceMessageLikeToMessage), { ...options, promptIndex: 0 });
    // Core's type says nothing of what the method of ChatOpenAI takes.
    const counts = answer.llmOutput as Parameters<typeof this._combineLLMOutput>[0];
    return toUnheardResult(answer, { ...this._combineLLMOutput(counts) });
  }

  #messages(input: BaseLanguageModelInput, given: Leavable): AsyncGenerator<AIMessageChunk> {
    const end: StreamEnd = {};
    const left = given[leftKey]!;
    const open = async () => {
      const messages = StreamingChatModel._convertInputToPromptValue(input).toChatMessages();
      const [, options] = this._separateRunnableConfigFromCallOptionsCompat(given);
      return this.open({ messages, options, end, left });
    };
    return new MessageStream({ open, end, signal: given.signal, left });
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
}
