import type { RequestOptions, Timeouts, Usage } from "@langchain-siliconflow/client";
import { connectAdapter, requestOptionsOf, type ClientFor } from "@langchain-siliconflow/client/adapter";
import type { CallbackManagerForLLMRun } from "@langchain/core/callbacks/manager";
import type { BaseLanguageModelInput } from "@langchain/core/language_models/base";
import { BaseLLM } from "@langchain/core/language_models/llms";
import type { Serialized } from "@langchain/core/load/serializable";
import type { MessageContent } from "@langchain/core/messages";
import { type Generation, GenerationChunk, type LLMResult } from "@langchain/core/outputs";
import type { RunnableConfig } from "@langchain/core/runnables";
import { withoutPrototype } from "./chat-fields.js";
import {
  checkCompletionFields,
  completionFields,
  type SiliconFlowCallOptions,
  type SiliconFlowFields,
} from "./completion-fields.js";
import { acquireSlot, holdSlot } from "./concurrency.js";
import { markForLangChain } from "./langchain-errors.js";
import { LeavableItems } from "./leavable-items.js";
import { HiddenHeaders, toRequestOptions } from "./request-options.js";
import { aliases, secrets, withOwnSecret, withoutPrivateOptions } from "./serialization.js";
import { estimateTokensOf } from "./usage.js";
import { sumTokenUsage, toGenerationChunk, toGenerations } from "./wire-to-generations.js";

type CompletionParams = { model: string } & Record<string, unknown>;

const leftKey = Symbol("siliconflow.left");

type Carrier = { [leftKey]?: AbortSignal };

/**
 * SiliconFlow's text completion: text goes in, the text that continues it comes out, or the text that fills the gap before
 * `suffix`. For conversations, tools and thoughts there is {@link ChatSiliconFlow}.
 *
 * The service documents the endpoint by an example only; which models take it changes.
 *
 * @example
 * ```ts
 * import { SiliconFlow } from "@langchain-siliconflow/chat";
 *
 * const model = new SiliconFlow({ model: "Qwen/Qwen3-Coder-30B-A3B-Instruct", maxTokens: 64 });
 * console.log(await model.invoke("def area(r):\n    return ", { suffix: "\n\nprint(area(2))" }));
 * ```
 *
 * @throws {@link InvalidInputError} for options that cannot work; the client's errors for what happens on the way.
 * @see https://docs.siliconflow.cn/en/userguide/guides/fim
 */
export class SiliconFlow extends BaseLLM<SiliconFlowCallOptions> {
  static override lc_name(): string {
    return "SiliconFlow";
  }

  override lc_serializable = true;

  readonly model: string;
  readonly suffix: string | undefined;
  readonly maxTokens: number | undefined;
  readonly temperature: number | undefined;
  readonly topP: number | undefined;
  readonly topK: number | undefined;
  readonly stop: string[] | undefined;
  readonly streaming: boolean;
  readonly maxConcurrency: number | undefined;
  readonly modelKwargs: Record<string, unknown> | undefined;
  readonly maxRetries: number | undefined;
  readonly timeouts: Timeouts | undefined;
  readonly baseURL: string | undefined;
  readonly region: string | undefined;

  readonly #client: ClientFor<"completions">;
  readonly #requestOptions: RequestOptions;

  constructor(model: string, fields?: Omit<SiliconFlowFields, "model">);
  constructor(fields: SiliconFlowFields);
  constructor(modelOrFields: string | SiliconFlowFields, rest?: Omit<SiliconFlowFields, "model">) {
    const given = withoutPrototype<SiliconFlowFields>(
      typeof modelOrFields === "string" ? { ...rest, model: modelOrFields } : modelOrFields,
    );
    checkCompletionFields(given);
    const { client, requestOptions } = connectAdapter("completions", given);
    const { maxConcurrency, ...fields } = given;
    // The address is all that is left of a shared client, or of a configuration, when the model is written out.
    const baseURL =
      given.baseURL ?? given.configuration?.baseURL ?? (given.client as { baseURL?: string } | undefined)?.baseURL;
    for (const name of ["apiKey", "client", "configuration", "baseURL"] as const) delete fields[name];
    if (baseURL !== undefined) fields.baseURL = baseURL;
    if (typeof given.stop === "string") fields.stop = [given.stop];

    // One owner of retries: the client.
    const onFailedAttempt = (error: unknown): never => {
      throw error;
    };
    super({ ...fields, ...(maxConcurrency !== undefined && { maxConcurrency }), maxRetries: 0, onFailedAttempt });
    // What is written out is what was asked for.
    this.lc_kwargs = Object.fromEntries(
      completionFields
        .map((name) => [name, { ...fields, maxConcurrency }[name]])
        .filter(([, value]) => value !== undefined),
    );
    this.#client = client;
    this.#requestOptions = requestOptions;
    this.model = given.model;
    this.suffix = given.suffix;
    this.maxTokens = given.maxTokens;
    this.temperature = given.temperature;
    this.topP = given.topP;
    this.topK = given.topK;
    this.stop = typeof given.stop === "string" ? [given.stop] : given.stop;
    this.streaming = given.streaming ?? false;
    this.maxConcurrency = given.maxConcurrency;
    this.modelKwargs = given.modelKwargs;
    this.maxRetries = given.maxRetries;
    this.timeouts = given.timeouts;
    this.baseURL = baseURL;
    this.region = given.region;
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

  override toJSON(): Serialized {
    return withOwnSecret(super.toJSON());
  }

  override _identifyingParams(): Record<string, unknown> {
    return { model_name: this.model, base_url: this.baseURL, region: this.region, ...this.invocationParams() };
  }

  override _separateRunnableConfigFromCallOptionsCompat(
    options?: Partial<SiliconFlowCallOptions>,
  ): [RunnableConfig, this["ParsedCallOptions"]] {
    const [config, callOptions] = super._separateRunnableConfigFromCallOptionsCompat(options);
    const { headers } = callOptions;
    if (headers === undefined || headers instanceof HiddenHeaders) return [config, callOptions];
    // What core hands on it also traces; `#optionsOf` takes them out again.
    const hidden = new HiddenHeaders(headers) as unknown as typeof headers;
    return [config, { ...callOptions, headers: hidden }];
  }

  override _getSerializedCacheKeyParametersForCall(
    ...[options]: Parameters<BaseLLM<SiliconFlowCallOptions>["_getSerializedCacheKeyParametersForCall"]>
  ): string {
    return super._getSerializedCacheKeyParametersForCall(withoutPrivateOptions(options));
  }

  /** The request but for its prompt. */
  override invocationParams(options?: Partial<SiliconFlowCallOptions>): CompletionParams {
    const request: CompletionParams = { ...this.modelKwargs, model: this.model };
    const set = (field: string, value: unknown): void => {
      if (value !== undefined && value !== null) request[field] = value;
    };
    set("suffix", options?.suffix ?? this.suffix);
    set("max_tokens", options?.maxTokens ?? this.maxTokens);
    set("temperature", options?.temperature ?? this.temperature);
    set("top_p", options?.topP ?? this.topP);
    set("top_k", options?.topK ?? this.topK);
    set("stop", options?.stop ?? this.stop);
    return request;
  }

  override async _generate(
    prompts: string[],
    options: this["ParsedCallOptions"],
    runManager?: CallbackManagerForLLMRun,
  ): Promise<LLMResult> {
    const answers = await Promise.all(
      prompts.map((prompt, position) =>
        this.streaming ? this.#fromStream(prompt, position, options, runManager) : this.#complete(prompt, options),
      ),
    );
    const usages = answers.flatMap(([first]) => (first?.generationInfo?.["usage"] as Usage | undefined) ?? []);
    return { generations: answers, llmOutput: usages.length > 0 ? { tokenUsage: sumTokenUsage(usages) } : {} };
  }

  override async *_streamResponseChunks(
    prompt: string,
    options: this["ParsedCallOptions"],
    runManager?: CallbackManagerForLLMRun,
    position = 0,
  ): AsyncGenerator<GenerationChunk> {
    const left = (options as Carrier)[leftKey];
    const request = { ...this.invocationParams(options), prompt };
    const requestOptions = this.#optionsOf(options, left);
    const stream = this.#client.completions.stream(request, requestOptions);
    const chunks =
      this.maxConcurrency === undefined ? stream : holdSlot(this.caller, requestOptions.signal, () => stream);
    let usage: Usage | undefined;
    try {
      for await (const chunk of chunks) {
        usage = chunk.usage ?? usage;
        const generation = toGenerationChunk(chunk);
        if (generation === undefined) continue;
        yield generation;
        await runManager?.handleLLMNewToken(
          generation.text,
          { prompt: position, completion: 0 },
          undefined,
          undefined,
          undefined,
          { chunk: generation },
        );
      }
      // Counts are cumulative where they are on every chunk: the last ones, once.
      const { traceId } = stream;
      const generationInfo = { ...(usage && { usage }), ...(traceId !== undefined && { trace_id: traceId }) };
      yield new GenerationChunk({ text: "", generationInfo });
    } catch (error) {
      // Whoever broke off the loop has what they wanted.
      if (left?.aborted && error === left.reason) return;
      throw markForLangChain(error);
    }
  }

  override _streamIterator(
    input: BaseLanguageModelInput,
    options?: Partial<SiliconFlowCallOptions>,
  ): AsyncGenerator<string> {
    const leaving = new AbortController();
    const carried: Partial<SiliconFlowCallOptions> & Carrier = { ...options, [leftKey]: leaving.signal };
    return new LeavableItems(() => super._streamIterator(input, carried), leaving);
  }

  /** An estimate. The tokenizer that LangChain would download is OpenAI's. */
  override async getNumTokens(content: MessageContent): Promise<number> {
    return estimateTokensOf(content);
  }

  async #complete(prompt: string, options: this["ParsedCallOptions"]): Promise<Generation[]> {
    const request = { ...this.invocationParams(options), prompt };
    const requestOptions = this.#optionsOf(options, undefined);
    try {
      if (this.maxConcurrency === undefined) {
        return toGenerations(await this.#client.completions.create(request, requestOptions));
      }
      const free = await acquireSlot(this.caller, requestOptions.signal);
      try {
        return toGenerations(await this.#client.completions.create(request, requestOptions));
      } finally {
        free();
      }
    } catch (error) {
      throw markForLangChain(error);
    }
  }

  async #fromStream(
    prompt: string,
    position: number,
    options: this["ParsedCallOptions"],
    runManager: CallbackManagerForLLMRun | undefined,
  ): Promise<Generation[]> {
    let whole = new GenerationChunk({ text: "" });
    for await (const chunk of this._streamResponseChunks(prompt, options, runManager, position)) {
      whole = whole.concat(chunk);
    }
    return [whole];
  }

  #optionsOf(options: this["ParsedCallOptions"], left: AbortSignal | undefined): RequestOptions {
    const { signal, timeouts, maxRetries } = options;
    const headers = HiddenHeaders.reveal(options.headers);
    const forCall = {
      ...(signal !== undefined && { signal }),
      ...(headers !== undefined && { headers }),
      ...(timeouts !== undefined && { timeouts }),
      ...(maxRetries !== undefined && { maxRetries }),
    };
    return requestOptionsOf(this.#requestOptions, toRequestOptions(forCall, undefined, left));
  }
}
