import {
  InvalidInputError,
  type EmbeddingsRequest,
  type EmbeddingsResponse,
  type RequestOptions,
} from "@langchain-siliconflow/client";
import {
  abortReason,
  connectAdapter,
  connectionOptions,
  modelId,
  quietly,
  refuseUnknownOptions,
  wholeNumber,
  type AdapterConnection,
  type ClientFor,
  type Content,
} from "@langchain-siliconflow/client/adapter";
import { Embeddings } from "@langchain/core/embeddings";
import { ConcurrencyLimit } from "./concurrency.js";
import { checkedTexts, oneText } from "./checked-texts.js";
import { type EmbeddedText, EmbeddingStream } from "./embedding-stream.js";
import { type Asker, EmbeddingRun, type Spent } from "./embedding-run.js";
import { type EmbeddingContent, readContents } from "./contents.js";
import { isInvalidParameter, judge } from "./failures.js";
import { VectorReader } from "./read-vectors.js";

/** Characters of pictures in one request. What the service takes is not published; larger bodies also keep more in memory at once. */
const maxPicturesInRequest = 16 * 2 ** 20;

/** Options of {@link SiliconFlowEmbeddings}: its own, and in place of a `client` those to make one. Only `model` is required. */
export interface SiliconFlowEmbeddingsInput extends AdapterConnection<"embeddings"> {
  /** Model id as the service lists it, e.g. `"BAAI/bge-m3"` or `"Qwen/Qwen3-Embedding-8B"`. */
  model: string;
  /**
   * Numbers per vector. Sent only when given: only the Qwen3 embedding models take it, others refuse the request.
   * Omit for the model's own length.
   */
  dimensions?: number;
  /**
   * Texts per request, 1 or more. The service documents 32. A host with a smaller limit answers 413:
   * the batch is then split, and the smaller size used from there on.
   *
   * @defaultValue 32
   */
  batchSize?: number;
  /**
   * Requests under way at once, over all calls of this object. Halved after a 429, and grown back as answers arrive.
   *
   * @defaultValue 16
   */
  maxConcurrency?: number;
  /**
   * How vectors travel. `base64` is about a third of the size of `float` and much faster to read. `auto` asks for base64; when the service
   * refuses that request as invalid (20015) it asks once more for floats, and keeps to them if that helped.
   * Whatever was asked for, both forms are understood.
   *
   * @defaultValue `"auto"`
   */
  encodingFormat?: "auto" | "float" | "base64";
  /**
   * One English sentence saying what a query is for, e.g. `"Given a question, retrieve passages that answer it"`.
   * `embedQuery` then sends `Instruct: {instruction}\nQuery:{text}`, the form the Qwen3 embedding models were trained on;
   * documents are sent as they are. Leave it out for models that know no instructions, such as `BAAI/bge-m3`.
   *
   * @see https://github.com/QwenLM/Qwen3-Embedding
   */
  queryInstruction?: string;
  /**
   * Told once after each call what it cost, also when it failed or was aborted; not when no request was answered.
   * What it throws is ignored: a broken counter must not lose vectors that are paid for.
   */
  onUsage?: (usage: EmbeddingsUsage) => void;
}

const optionNames: Readonly<Record<keyof SiliconFlowEmbeddingsInput, true>> = {
  ...connectionOptions,
  model: true,
  dimensions: true,
  batchSize: true,
  maxConcurrency: true,
  encodingFormat: true,
  queryInstruction: true,
  onUsage: true,
};

/** What one call cost, as the service counted it. */
export interface EmbeddingsUsage {
  /** Model id as it was asked for. */
  model: string;
  /** Tokens of all texts of the call. */
  promptTokens: number;
  /** What is billed; for embeddings usually the same. */
  totalTokens: number;
  /** Requests that were answered. */
  requests: number;
}

/** What each call takes beside its texts. */
export interface EmbedOptions {
  /** Stops the call: it rejects with the signal's reason, and no further request is sent. */
  signal?: AbortSignal | undefined;
}

/**
 * Text embeddings from SiliconFlow.
 *
 * Texts are sent in batches, several at once, and the vectors come back in the order of the texts. Every vector is checked for its place,
 * its length and its numbers; one that cannot be trusted is asked for once more, then it is an error that names the text.
 *
 * A call of several requests of which some fail rejects with a {@link PartialFailureError}: the vectors that arrived are in its `results`,
 * and `resume()` asks only for the missing ones. A call of one request, or one of which nothing arrived, rejects with the error itself.
 *
 * @example
 * ```ts
 * import { SiliconFlowEmbeddings } from "@langchain-siliconflow/embeddings";
 *
 * const embeddings = new SiliconFlowEmbeddings({ model: "BAAI/bge-m3" });
 * const [vector] = await embeddings.embedDocuments(["深度求索"]);
 * console.log(vector);
 * ```
 *
 * @throws {@link InvalidInputError} for a bad option or an empty text, before anything is sent.
 * @throws {@link SiliconFlowError} with reason `"auth"` when there is neither a key nor a `client`.
 * @see https://docs.siliconflow.cn/cn/api-reference/embeddings/create-embeddings
 */
export class SiliconFlowEmbeddings extends Embeddings<number[]> {
  /** Model id. */
  readonly model: string;
  /** Numbers per vector, as given; `undefined` for the model's own length. */
  readonly dimensions: number | undefined;
  /** Texts per request, as given; a smaller limit that the host showed is kept beside it. */
  readonly batchSize: number;
  /** Requests under way at most; how many may be at the moment depends on the 429s met. */
  readonly maxConcurrency: number;
  /** How vectors travel, as given. */
  readonly encodingFormat: "auto" | "float" | "base64";
  /** What queries are for; `undefined` when they are sent as they are. */
  readonly queryInstruction: string | undefined;
  readonly #onUsage: SiliconFlowEmbeddingsInput["onUsage"];
  readonly #client: ClientFor<"embeddings">;
  readonly #requestOptions: RequestOptions;
  readonly #limit: ConcurrencyLimit;
  readonly #asker: Asker<string | Content>;
  #format: "float" | "base64";
  #base64Accepted = false;

  constructor(fields: SiliconFlowEmbeddingsInput) {
    const maxConcurrency = wholeNumber("maxConcurrency", fields?.maxConcurrency, 1) ?? 16;
    super({
      maxConcurrency,
      // The client owns retries; LangChain's caller would multiply them, and rename the errors.
      maxRetries: 0,
      onFailedAttempt: () => {},
    });
    this.model = modelId("model", fields?.model, "BAAI/bge-m3");
    refuseUnknownOptions("SiliconFlowEmbeddings", fields, optionNames);
    const { encodingFormat = "auto" } = fields;
    if (!["auto", "float", "base64"].includes(encodingFormat)) {
      throw new InvalidInputError('encodingFormat must be "auto", "float" or "base64".');
    }
    if (fields.queryInstruction !== undefined && typeof fields.queryInstruction !== "string") {
      throw new InvalidInputError("queryInstruction must be a sentence.");
    }
    this.dimensions = wholeNumber("dimensions", fields.dimensions, 1);
    this.batchSize = wholeNumber("batchSize", fields.batchSize, 1) ?? 32;
    this.maxConcurrency = maxConcurrency;
    this.encodingFormat = encodingFormat;
    this.queryInstruction = fields.queryInstruction;
    this.#onUsage = fields.onUsage;
    this.#format = encodingFormat === "float" ? "float" : "base64";
    this.#limit = new ConcurrencyLimit(maxConcurrency);
    this.#asker = {
      batchSize: this.batchSize,
      concurrency: maxConcurrency,
      maxSize: maxPicturesInRequest,
      sizeOf: (input) => (typeof input === "string" ? 0 : input.size),
      ask: (take, signal) => this.#ask(take, signal),
      report: (spent) => this.#report(spent),
    };
    const { client, requestOptions } = connectAdapter("embeddings", fields, (error) => this.#noteRateLimit(error));
    this.#client = client;
    this.#requestOptions = requestOptions;
  }

  /**
   * One vector per text, in the same order. An empty list makes no request. Texts are sent as they are, line breaks and
   * outer spaces included; only an empty text is refused.
   *
   * @throws {@link PartialFailureError} when some requests of several failed.
   * @throws {@link InvalidResponseError} for a vector that could not be trusted twice; its `position` is the text's.
   */
  async embedDocuments(texts: string[], options?: EmbedOptions): Promise<number[][]> {
    return this.#embed(checkedTexts(texts, "texts"), "texts", options);
  }

  /**
   * The same for more texts than there is memory for: their vectors one after another, in the order of the texts, which may come from
   * a file, a database, or another stream. Up to `maxConcurrency` requests run ahead of the consumer, and no more texts than these take
   * (`maxConcurrency` × `batchSize`, by default 512) are read before their vectors are taken. Leaving the loop, or `return()` at any moment,
   * closes the source and the requests.
   *
   * When a request fails for good, the source is closed, what was asked for is waited for, and what precedes the failure is handed out. Then the loop
   * throws a {@link PartialFailureError}: its `results` hold what arrived beyond, each at its text's place, with gaps for what was handed out before, and
   * `resume()` asks for the texts that were read and have no vector. `results.length` is how many texts were read: begin there with the others.
   * When nothing arrived at all, it is the error itself. What the source throws comes through, after the vectors of all texts before.
   *
   * @example
   * ```ts
   * import { SiliconFlowEmbeddings } from "@langchain-siliconflow/embeddings";
   *
   * async function* lines() {
   *   for (let line = 1; line <= 1000; line++) yield `Line number ${line}`;
   * }
   * const embeddings = new SiliconFlowEmbeddings({ model: "BAAI/bge-m3" });
   * for await (const { index, text, vector } of embeddings.embedStream(lines())) {
   *   if (index % 100 === 0) console.log(index, text, vector.length);
   * }
   * ```
   *
   * @throws {@link InvalidInputError} for an empty text, after the vectors of all texts before; `position` is its place.
   * @throws {@link PartialFailureError} when a request failed after vectors had arrived.
   */
  embedStream(
    texts: Iterable<string> | AsyncIterable<string>,
    options?: EmbedOptions,
  ): AsyncGenerator<EmbeddedText, void, undefined> {
    const given: unknown = texts;
    const isList = typeof given === "object" && given !== null;
    if (!isList || !(Symbol.asyncIterator in given || Symbol.iterator in given))
      throw new InvalidInputError(
        `texts must be a list, a generator or another source of many texts.${oneText(given)}`,
      );
    return new EmbeddingStream(this.#asker, texts, new VectorReader(this.dimensions), options?.signal).vectors();
  }

  /**
   * The vector of a query: the text as it is, or behind `queryInstruction`.
   *
   * @throws {@link InvalidResponseError} for a vector that could not be trusted twice.
   */
  async embedQuery(text: string, options?: EmbedOptions): Promise<number[]> {
    checkedTexts([text], "query");
    const query = this.queryInstruction ? `Instruct: ${this.queryInstruction}\nQuery:${text}` : text;
    const [vector] = await this.#embed([query], "query", options);
    return vector!;
  }

  /**
   * One vector per text or picture, in the same order, all in one space: for models that take images, such as
   * `Qwen/Qwen3-VL-Embedding-8B`. Texts find pictures, and pictures find pictures. A request holds `batchSize` contents at most, and 16 MB
   * of pictures; addresses of pictures must be reachable for the service. The texts are sent without `queryInstruction`.
   *
   * @example
   * ```ts
   * import { SiliconFlowEmbeddings } from "@langchain-siliconflow/embeddings";
   *
   * const embeddings = new SiliconFlowEmbeddings({ model: "Qwen/Qwen3-VL-Embedding-8B" });
   * const [lighthouse, words] = await embeddings.embedContents([
   *   { image: "https://example.com/lighthouse.jpg" },
   *   "a lighthouse in fog",
   * ]);
   * console.log(lighthouse, words);
   * ```
   *
   * @throws {@link InvalidInputError} for a content that cannot be sent, or an image for a model known to take text only; `position` says which.
   * @throws {@link PartialFailureError} when some requests of several failed.
   * @throws {@link InvalidResponseError} for a vector that could not be trusted twice; its `position` is the content's.
   */
  async embedContents(contents: readonly EmbeddingContent[], options?: EmbedOptions): Promise<number[][]> {
    const read = await readContents(contents, this.model);
    if (options?.signal?.aborted) throw abortReason(options.signal);
    return this.#embed(read, "contents", options);
  }

  async #embed(inputs: (string | Content)[], name: string, options: EmbedOptions | undefined): Promise<number[][]> {
    if (inputs.length === 0) return [];
    // A copy: the caller's list may change while requests are under way.
    return new EmbeddingRun(this.#asker, [...inputs], name, new VectorReader(this.dimensions)).complete(
      options?.signal,
    );
  }

  async #ask(
    take: () => (string | Content)[] | undefined,
    signal: AbortSignal | undefined,
  ): Promise<EmbeddingsResponse | undefined> {
    const outcome = await this.#limit.run(
      () =>
        // Errors travel through LangChain's caller as values: it would wrap those that are not Errors.
        this.caller.call(async () => {
          const input = take();
          if (input === undefined) return {};
          try {
            return { response: await this.#create(await toWire(input), signal) };
          } catch (error) {
            return { error };
          }
        }),
      signal,
    );
    if ("error" in outcome) {
      this.#noteRateLimit(outcome.error);
      throw outcome.error;
    }
    if (outcome.response !== undefined) this.#limit.answered();
    return outcome.response;
  }

  async #create(input: WireInput, signal: AbortSignal | undefined): Promise<EmbeddingsResponse> {
    const format = this.#format;
    try {
      const response = await this.#send(input, format, signal);
      if (format === "base64") this.#base64Accepted = true;
      return response;
    } catch (error) {
      // The service does not say which parameter it means. Once base64 was accepted it cannot be that one.
      const mayBeFormat = this.encodingFormat === "auto" && format === "base64" && !this.#base64Accepted;
      if (!mayBeFormat || !isInvalidParameter(error) || signal?.aborted) throw error;
    }
    const response = await this.#send(input, "float", signal);
    this.#format = "float";
    return response;
  }

  async #send(
    input: WireInput,
    format: "float" | "base64",
    signal: AbortSignal | undefined,
  ): Promise<EmbeddingsResponse> {
    const request: EmbeddingsRequest = { model: this.model, input, encoding_format: format };
    if (this.dimensions !== undefined) request.dimensions = this.dimensions;
    return this.#client.embeddings.create(request, { ...this.#requestOptions, signal });
  }

  /** Hears of a 429 from the client's retries, where the client is our own, and else from the error they ended in. */
  #noteRateLimit(error: unknown): void {
    if (judge(error).rateLimited) this.#limit.refused();
  }

  #report(spent: Spent): void {
    const onUsage = this.#onUsage;
    if (onUsage === undefined || spent.requests === 0) return;
    quietly(() => onUsage({ model: this.model, ...spent }));
  }
}

type WireInput = Extract<EmbeddingsRequest["input"], unknown[]>;

async function toWire(inputs: (string | Content)[]): Promise<WireInput> {
  // A promise for each of 32 texts takes 12 µs of a request's 1,700.
  if (inputs.every((input) => typeof input === "string")) return inputs;
  // The contents were read: each is a text, or an object with a text or an image.
  return (await Promise.all(inputs.map((input) => (typeof input === "string" ? input : input.toWire())))) as WireInput;
}
