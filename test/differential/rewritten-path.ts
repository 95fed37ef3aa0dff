import { ChatSiliconFlow } from "@langchain-siliconflow/chat";
import { CallbackManager, type CallbackManagerForLLMRun } from "@langchain/core/callbacks/manager";
import type { BaseLanguageModelInput } from "@langchain/core/language_models/base";
import { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { AIMessageChunk, type UsageMetadata } from "@langchain/core/messages";
import type { ChatGenerationChunk } from "@langchain/core/outputs";
import { ensureConfig, type RunnableConfig } from "@langchain/core/runnables";
import { AsyncLocalStorageProviderSingleton } from "@langchain/core/singletons";
import { AsyncGeneratorWithSetup, IterableReadableStream } from "@langchain/core/utils/stream";
import { CorePath, named, type ChatClass } from "./core-path.js";

/** One thing that a path of one's own can get wrong. */
export type Defect =
  | "takes no notice of handlers"
  | "does not tell tokens"
  | "does not wait for the end to be heard"
  | "does not tell the end"
  | "does not tell errors"
  | "swallows errors"
  | "gives a chunk twice"
  | "drops empty chunks"
  | "copies chunks"
  | "goes on changing what was given"
  | "gives no id of the run"
  | "tells tokens before chunks have their id"
  | "makes its own id of the run"
  | "loses the name of the run"
  | "loses tags"
  | "loses the metadata of the call"
  | "loses the metadata of the model"
  | "does not pass handlers on"
  | "loses the parameters of the request"
  | "passes on more options than it should"
  | "tells the last chunk for the answer"
  | "joins chunks at the end"
  | "tells no counts"
  | "takes no notice of an abort"
  | "gives an abort an error of its own"
  | "knows no context"
  | "leaks its context"
  | "reads ahead"
  | "asks late"
  | "gives a plain stream"
  | "reads on when its reader has left"
  | "tells an end when its reader has left"
  | "takes no notice of disableStreaming"
  | "takes no notice of outputVersion"
  | "goes past subclasses";

type Call = Partial<ChatSiliconFlow["ParsedCallOptions"]>;

/**
 * Core's path written down anew, with one defect, or none: what the comparison has to let through, and what it has to find.
 */
export function rewrittenPath(defect?: Defect): ChatClass {
  const has = (name: Defect): boolean => defect === name;

  class Rewritten extends CorePath {
    static {
      named(this);
    }

    override async stream(
      input: BaseLanguageModelInput,
      options?: Call,
    ): Promise<IterableReadableStream<AIMessageChunk>> {
      const config = ensureConfig(options) as RunnableConfig;
      if (has("leaks its context")) {
        const child = { extra: { [Symbol.for("lc:child_config")]: config } };
        AsyncLocalStorageProviderSingleton.getInstance().enterWith(child);
      }
      const generator = this._streamIterator(input, config as Call);
      const setting = { generator, config: has("knows no context") ? {} : config };
      const chunks = new AsyncGeneratorWithSetup(setting as never) as AsyncGeneratorWithSetup<void, AIMessageChunk>;
      if (has("takes no notice of an abort")) Object.assign(chunks, { signal: undefined });
      if (!has("asks late")) await chunks.setup;
      if (has("gives an abort an error of its own")) {
        chunks.next = async () => {
          config.signal?.throwIfAborted();
          return AsyncGeneratorWithSetup.prototype.next.call(chunks).catch((error: Error) => {
            throw config.signal?.aborted ? new Error(error.message) : error;
          });
        };
      }
      if (has("reads on when its reader has left")) {
        chunks.return = async () => {
          for (let left = true; left;) left = !(await chunks.next()).done;
          return { done: true, value: undefined };
        };
      }
      if (has("gives a plain stream")) {
        return ReadableStream.from(chunks as AsyncIterable<AIMessageChunk>) as IterableReadableStream<AIMessageChunk>;
      }
      if (!has("reads ahead")) return IterableReadableStream.fromAsyncGenerator(chunks);
      const pull = async (controller: ReadableStreamDefaultController<AIMessageChunk>) => {
        const { value, done } = await chunks.next();
        if (done) controller.close();
        else controller.enqueue(value);
      };
      return new IterableReadableStream({ pull, cancel: () => void chunks.return() }, { highWaterMark: 4 });
    }

    override async *_streamIterator(input: BaseLanguageModelInput, options?: Call): AsyncGenerator<AIMessageChunk> {
      const outputVersion = options?.outputVersion ?? this.outputVersion;
      const otherwise = this.disableStreaming && !has("takes no notice of disableStreaming");
      if (otherwise || (outputVersion === "v1" && !has("takes no notice of outputVersion"))) {
        return yield* super._streamIterator(input, options);
      }
      const messages = BaseChatModel._convertInputToPromptValue(input).toChatMessages();
      const [config, call] = this._separateRunnableConfigFromCallOptionsCompat(options);
      const params = this._getInvocationParamsForTracing(call);
      const handlers = has("takes no notice of handlers") ? undefined : config.callbacks;
      const passedOn = !has("does not pass handlers on");
      const manager = CallbackManager.configure(
        passedOn ? handlers : undefined,
        passedOn ? this.callbacks : [...(Array.isArray(handlers) ? handlers : []), ...((this.callbacks as []) ?? [])],
        has("loses tags") ? undefined : config.tags,
        this.tags,
        {
          ...(!has("loses the metadata of the call") && config.metadata),
          ...this.getLsParamsWithDefaults(call),
        },
        has("loses the metadata of the model") ? undefined : this.metadata,
        { verbose: this.verbose, tracerInheritableMetadata: this._filterInvocationParamsForTracing(params) },
      );
      const extra = {
        options: has("passes on more options than it should") ? call : this._getCallOptionsForTracing(call, params),
        ...(!has("loses the parameters of the request") && { invocation_params: params }),
        batch_size: 1,
      };
      const started = await manager?.handleChatModelStart(
        this.toJSON(),
        [messages],
        has("makes its own id of the run") ? undefined : config.runId,
        undefined,
        extra,
        undefined,
        undefined,
        has("loses the name of the run") ? undefined : config.runName,
      );
      const run = started?.[0];
      yield* this.#chunks(messages, call, run);
    }

    async *#chunks(
      messages: Parameters<ChatSiliconFlow["_streamResponseChunks"]>[0],
      call: ChatSiliconFlow["ParsedCallOptions"],
      run: CallbackManagerForLLMRun | undefined,
    ): AsyncGenerator<AIMessageChunk> {
      const told = has("does not tell tokens") || has("tells tokens before chunks have their id") ? undefined : run;
      const source = has("goes past subclasses")
        ? ChatSiliconFlow.prototype._streamResponseChunks.call(this, messages, call, told)
        : this._streamResponseChunks(messages, call, told);
      const kept: ChatGenerationChunk[] = [];
      let whole: ChatGenerationChunk | undefined;
      let completed = false;
      try {
        for await (const chunk of source) {
          if (!has("takes no notice of an abort")) call.signal?.throwIfAborted();
          if (has("drops empty chunks") && chunk.text === "") continue;
          const message = chunk.message as AIMessageChunk;
          if (has("tells tokens before chunks have their id")) {
            await run?.handleLLMNewToken(chunk.text, { prompt: 0, completion: 0 }, "", "", [], { chunk });
          }
          if (message.id == null && run !== undefined && !has("gives no id of the run"))
            message._updateId(`run-${run.runId}`);
          message.response_metadata = { ...chunk.generationInfo, ...message.response_metadata };
          yield has("copies chunks") ? message.concat(new AIMessageChunk("")) : message;
          if (has("gives a chunk twice") && whole === undefined) yield message;
          if (has("goes on changing what was given") && whole === undefined) message.content = "changed";
          if (has("joins chunks at the end")) {
            kept.push(chunk);
            continue;
          }
          whole = whole === undefined || has("tells the last chunk for the answer") ? chunk : whole.concat(chunk);
        }
        if (!has("takes no notice of an abort")) call.signal?.throwIfAborted();
        completed = true;
        for (const chunk of kept) whole = whole === undefined ? chunk : whole.concat(chunk);
      } catch (error) {
        completed = true;
        if (!has("does not tell errors")) await run?.handleLLMError(error);
        if (!has("swallows errors")) throw error;
        return;
      } finally {
        if (has("tells an end when its reader has left") && !completed) await run?.handleLLMEnd(answerOf(whole));
      }
      if (has("does not tell the end")) return;
      const heard = run?.handleLLMEnd(answerOf(whole));
      if (!has("does not wait for the end to be heard")) await heard;
    }
  }

  function answerOf(whole: ChatGenerationChunk | undefined): Parameters<CallbackManagerForLLMRun["handleLLMEnd"]>[0] {
    const usage = (whole?.message as { usage_metadata?: UsageMetadata } | undefined)?.usage_metadata;
    // Core gives what it has, which may be nothing at all.
    const generations = [[whole as ChatGenerationChunk]];
    const llmOutput =
      usage === undefined || has("tells no counts")
        ? undefined
        : {
            tokenUsage: {
              promptTokens: usage.input_tokens,
              completionTokens: usage.output_tokens,
              totalTokens: usage.total_tokens,
            },
          };
    return { generations, llmOutput } as Parameters<CallbackManagerForLLMRun["handleLLMEnd"]>[0];
  }

  return Rewritten;
}
