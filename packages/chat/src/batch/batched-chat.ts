import {
  InvalidInputError,
  PartialFailureError,
  type ChatCompletion,
  type ChatCompletionRequest,
  type RequestOptions,
} from "@langchain-siliconflow/client";
import type { BaseLanguageModelInput, StructuredOutputMethodOptions } from "@langchain/core/language_models/base";
import type { BindToolsInput } from "@langchain/core/language_models/chat_models";
import type { AIMessage } from "@langchain/core/messages";
import { Runnable, type RunnableBatchOptions } from "@langchain/core/runnables";
import type { ChatSiliconFlowCallOptions } from "../call-options.js";
import { markForLangChain } from "../langchain-errors.js";
import { repairCompletion } from "../repair-completion.js";
import type { AnswerObject, OutputSchema } from "../structured-output.js";
import { toChatResult } from "../wire-to-messages.js";
import { isPlainObject } from "../tool-calls.js";
import { Collector } from "./collector.js";
import { lineOf, positionOf, type Line } from "./lines.js";
import { batchSettings, type BatchOptions, type BatchSettings } from "./options.js";
import { byCustomId, missing, readRows, type Outcome } from "./results.js";
import type { BatchClient } from "./part.js";
import { BatchRun, type SubmittedPart } from "./run.js";
import { slotKey, type SlotCarrier } from "./slot.js";
import { stateOf, type BatchState } from "./state.js";

type CallOptions = Partial<ChatSiliconFlowCallOptions>;

/** The model behind: what a batch takes of it. */
export interface BatchableModel {
  invoke(input: BaseLanguageModelInput, options?: CallOptions & SlotCarrier): Promise<AIMessage>;
  requestOf(input: BaseLanguageModelInput, options: CallOptions): ChatCompletionRequest;
  structuredOutputOf<T extends AnswerObject>(
    asked: Runnable<BaseLanguageModelInput, AIMessage, ChatSiliconFlowCallOptions>,
    schema: OutputSchema<T>,
    config?: StructuredOutputMethodOptions<boolean>,
  ): Runnable<BaseLanguageModelInput, T>;
}

/** Batches that are under way, in plain JSON: another process can {@link BatchedChatSiliconFlow.collect} them. */
export interface BatchHandle {
  /** Of this format. */
  version: 1;
  /** How many inputs there were. */
  inputs: number;
  /** One for each file of lines, in the order of the inputs. */
  batches: SubmittedPart[];
}

/**
 * A chat model whose requests run as batches of the service: at half the price, within hours, apart from the rate limits.
 * Made by {@link ChatSiliconFlow.viaBatch}.
 *
 * Each run is written down step by step in `state`: the same call made again, by this process or the next, goes on where the
 * last one was, and pays for nothing twice.
 *
 * @example
 * ```ts compile-only
 * import { ChatSiliconFlow } from "@langchain-siliconflow/chat";
 *
 * const model = new ChatSiliconFlow({ model: "deepseek-ai/DeepSeek-V3" });
 * const overnight = model.viaBatch({ state: "runs/summaries" });
 * const messages = await overnight.batch(["Summarise: …", "Summarise: …"]);
 * ```
 *
 * @see https://docs.siliconflow.cn/cn/userguide/guides/batch
 */
export class BatchedChatSiliconFlow extends Runnable<BaseLanguageModelInput, AIMessage, ChatSiliconFlowCallOptions> {
  static override lc_name(): string {
    return "BatchedChatSiliconFlow";
  }

  override lc_namespace = ["langchain", "chat_models", "siliconflow"];

  readonly #model: BatchableModel;
  readonly #client: BatchClient;
  readonly #requestOptions: RequestOptions;
  readonly #state: BatchState;
  readonly #settings: BatchSettings;

  /** @internal */
  constructor(model: BatchableModel, client: object, requestOptions: RequestOptions, options: BatchOptions) {
    super();
    this.#model = model;
    this.#client = batchClient(client);
    this.#requestOptions = requestOptions;
    this.#state = stateOf(options?.state);
    this.#settings = batchSettings(options);
  }

  /** One input by a batch of one line. */
  override async invoke(input: BaseLanguageModelInput, options?: CallOptions): Promise<AIMessage> {
    const [answer] = await this.batch([input], options, { returnExceptions: true });
    if (answer instanceof Error) throw answer;
    return answer!;
  }

  /**
   * One message for each input, in their order.
   *
   * An input that cannot be sent rejects the call before anything is sent. An abort leaves the batches running unless
   * `cancelOnAbort` says otherwise; the same call finds them again.
   *
   * @throws {@link PartialFailureError} when inputs failed: `results` has the others, and `resume()` asks for what is missing.
   * With `returnExceptions` their errors are in the list instead.
   */
  override batch(
    inputs: BaseLanguageModelInput[],
    options?: CallOptions | CallOptions[],
    batchOptions?: RunnableBatchOptions & { returnExceptions?: false },
  ): Promise<AIMessage[]>;
  override batch(
    inputs: BaseLanguageModelInput[],
    options?: CallOptions | CallOptions[],
    batchOptions?: RunnableBatchOptions & { returnExceptions: true },
  ): Promise<(AIMessage | Error)[]>;
  override batch(
    inputs: BaseLanguageModelInput[],
    options?: CallOptions | CallOptions[],
    batchOptions?: RunnableBatchOptions,
  ): Promise<(AIMessage | Error)[]>;
  override async batch(
    inputs: BaseLanguageModelInput[],
    options?: CallOptions | CallOptions[],
    batchOptions: RunnableBatchOptions = {},
  ): Promise<(AIMessage | Error)[]> {
    const configs = this._getOptionsList(options ?? {}, inputs.length);
    const signal = signalOf(configs);
    const answers: (AIMessage | undefined)[] = inputs.map(() => undefined);
    const failures: { position: number; error: Error }[] = [];
    let begun = false;
    const run = this.#newRun();
    const collector = new Collector(inputs.length, {
      lineOf: (position, request) => lineOf(position, request, this.#settings.maxBytes),
      answer: (lines) => run.settle(lines, signal),
      mayBegin: (wrong) => {
        const first = failures[0]?.error ?? wrong;
        if (!begun && !batchOptions.returnExceptions && first !== undefined) throw first;
        begun = true;
      },
    });
    const call = async (input: BaseLanguageModelInput, position: number): Promise<void> => {
      try {
        answers[position] = await this.#model.invoke(input, {
          ...configs[position],
          [slotKey]: collector.slot(position),
        });
      } catch (error) {
        failures.push({ position, error: error as Error });
      } finally {
        collector.ended();
      }
    };
    await Promise.all(inputs.map(call));

    failures.sort((a, b) => a.position - b.position);
    if (batchOptions.returnExceptions) {
      const errors = new Map(failures.map(({ position, error }) => [position, error]));
      return answers.map((answer, position) => answer ?? errors.get(position)!);
    }
    if (failures.length === 0) return answers as AIMessage[];
    if (!begun || signal?.aborted) throw failures[0]!.error;
    throw partialFailure(answers, failures, (more) => this.batch(inputs, withSignal(options, more), batchOptions));
  }

  /**
   * Uploads the inputs, asks for their batches, and returns without waiting for them. Called again with the same inputs it
   * returns the same batches.
   *
   * @throws {@link InvalidInputError} for an input that cannot be sent, before anything is sent.
   */
  async submit(inputs: BaseLanguageModelInput[], options?: CallOptions | CallOptions[]): Promise<BatchHandle> {
    const configs = this._getOptionsList(options ?? {}, inputs.length);
    const lines: Line[] = [];
    for (const [position, input] of inputs.entries()) {
      const request = this.#model.requestOf(input, configs[position] ?? {});
      lines.push(await lineOf(position, request, this.#settings.maxBytes));
    }
    const batches = await this.#newRun().submit(lines, signalOf(configs));
    return { version: 1, inputs: inputs.length, batches };
  }

  /**
   * The messages of batches that {@link submit} began, in the order of its inputs; any process may ask. What was not answered
   * is an error here: `batch()` with the same inputs and state asks for it again.
   *
   * @throws {@link PartialFailureError} unless every input was answered.
   */
  async collect(handle: BatchHandle, options: { signal?: AbortSignal } = {}): Promise<AIMessage[]> {
    if (!isHandle(handle)) {
      throw new InvalidInputError("collect() takes what submit() returned, or the same read from JSON.");
    }
    const run = this.#newRun();
    const collected = await Promise.all(handle.batches.map((batch) => run.collect(batch, options.signal)));
    const whole = collected.every((batch) => batch.whole);
    const origin = { client: this.#client, requestOptions: this.#requestOptions };
    const rows = collected.flatMap(({ text }) => readRows(text, origin).rows);
    const outcomes = new Map([...byCustomId(rows)].map(([customId, outcome]) => [positionOf(customId), outcome]));
    const answers: (AIMessage | undefined)[] = [];
    const failures: { position: number; error: Error }[] = [];
    for (let position = 0; position < handle.inputs; position += 1) {
      try {
        answers.push(messageOf(outcomes.get(position) ?? missing(position, whole)));
      } catch (error) {
        answers.push(undefined);
        failures.push({ position, error: error as Error });
      }
    }
    if (failures.length === 0) return answers as AIMessage[];
    throw partialFailure(answers, failures, (signal) => this.collect(handle, signal && { signal }));
  }

  /** The same with tools that the model may call. Calls are in the messages; a batch has no second turn. */
  bindTools(tools: BindToolsInput[], options?: CallOptions): Runnable<BaseLanguageModelInput, AIMessage> {
    return this.withConfig({ ...options, tools } as CallOptions);
  }

  /** Answers in the shape of a schema, as `withStructuredOutput` of the model gives them. */
  withStructuredOutput<T extends AnswerObject = AnswerObject>(
    schema: OutputSchema<T>,
    config?: StructuredOutputMethodOptions<false>,
  ): Runnable<BaseLanguageModelInput, T> {
    return this.#model.structuredOutputOf(this, schema, config);
  }

  #newRun(): BatchRun {
    return new BatchRun({
      client: this.#client,
      requestOptions: this.#requestOptions,
      state: this.#state,
      settings: this.#settings,
    });
  }
}

/** It may come from a file that anybody can write: its keys become names of files, its counts the length of lists. */
function isHandle(value: unknown): value is BatchHandle {
  if (!isPlainObject(value)) return false;
  const { version, inputs, batches } = value;
  if (version !== 1 || !Array.isArray(batches) || !batches.every(isSubmittedPart)) return false;
  return inputs === batches.reduce((sum, { lines }) => sum + lines, 0);
}

function isSubmittedPart(value: unknown): value is SubmittedPart {
  if (!isPlainObject(value)) return false;
  const { key, batchId, lines } = value;
  const isKey = typeof key === "string" && /^[0-9a-f]{32}$/.test(key);
  return isKey && typeof batchId === "string" && Number.isInteger(lines) && Number(lines) > 0 && Number(lines) <= 5000;
}

function messageOf(outcome: Outcome): AIMessage {
  if ("error" in outcome) throw markForLangChain(outcome.error);
  const completion: ChatCompletion = repairCompletion(outcome.completion);
  return toChatResult(completion).generations[0]!.message as AIMessage;
}

function partialFailure(
  answers: (AIMessage | undefined)[],
  failures: { position: number; error: Error }[],
  again: (signal: AbortSignal | undefined) => Promise<(AIMessage | Error)[]>,
): PartialFailureError<AIMessage> {
  return new PartialFailureError<AIMessage>(
    `${failures.length} of ${answers.length} inputs have no answer. The first: ${failures[0]!.error.message}`,
    {
      results: answers,
      failures,
      resume: async (options) => (await again(options?.signal)) as AIMessage[],
      cause: failures[0]!.error,
    },
  );
}

/** A client with what batches need: one that is shared may be older, or somebody's own. */
function batchClient(client: object): BatchClient {
  const { files, batches, assets } = client as Partial<BatchClient>;
  if (files !== undefined && typeof batches?.redact === "function" && assets !== undefined)
    return client as BatchClient;
  throw new InvalidInputError("viaBatch needs a client with files, batches and assets: a SiliconFlowClient has them.");
}

function signalOf(configs: readonly CallOptions[]): AbortSignal | undefined {
  const signals = [...new Set(configs.flatMap(({ signal }) => (signal == null ? [] : [signal])))];
  return signals.length > 1 ? AbortSignal.any(signals) : signals[0];
}

function withSignal(
  options: CallOptions | CallOptions[] | undefined,
  signal: AbortSignal | undefined,
): CallOptions | CallOptions[] | undefined {
  if (signal === undefined) return options;
  return Array.isArray(options) ? options.map((each) => ({ ...each, signal })) : { ...options, signal };
}
