import {
  type ImageSource,
  InvalidInputError,
  type RequestOptions,
  type RerankRequest,
  type RerankResponse,
} from "@langchain-siliconflow/client";
import {
  abortReason,
  connectAdapter,
  connectionOptions,
  maxContentSize,
  modelId,
  pictureOrText,
  quietly,
  readContent,
  refuseUnknownOptions,
  wholeNumber,
  type AdapterConnection,
  type ClientFor,
  type Content,
} from "@langchain-siliconflow/client/adapter";
import type { Callbacks } from "@langchain/core/callbacks/manager";
import type { DocumentInterface } from "@langchain/core/documents";
import type { ContentBlock } from "@langchain/core/messages";
import { BaseDocumentCompressor } from "@langchain/core/retrievers/document_compressors";
import { AsyncCaller } from "@langchain/core/utils/async_caller";
import { untilAborted } from "./until-aborted.js";
import { readScores, type RerankResult } from "./read-scores.js";
import { withMetadata } from "./with-metadata.js";

/** Options of {@link SiliconFlowRerank}: its own, and in place of a `client` those to make one. Only `model` is required. */
export interface SiliconFlowRerankInput extends AdapterConnection<"rerank"> {
  /** Model id as the service lists it, e.g. `"BAAI/bge-reranker-v2-m3"` or `"Qwen/Qwen3-Reranker-8B"`. */
  model: string;
  /** Results to keep, 1 or more. More than there are documents is no mistake. @defaultValue all of them */
  topN?: number | undefined;
  /** One sentence saying what makes a document relevant. Only the Qwen3 rerankers take it. */
  instruction?: string | undefined;
  /** Results below this score are dropped, after `topN`. Scores of different models cannot be compared. @defaultValue none */
  scoreThreshold?: number | undefined;
  /** Pieces into which the service cuts a long document, 1 or more. Only for `bge-reranker-v2-m3` and `bce-reranker-base_v1`. */
  maxChunksPerDoc?: number | undefined;
  /** Tokens that two neighbouring pieces share, 0 to 80. Only for the same models. */
  overlapTokens?: number | undefined;
  /**
   * The name in a document's `metadata` under which its picture may be: an address, a data URL, base64, bytes or a Blob. A document that has one
   * is ranked by it and not by its text. `false` for none.
   *
   * @defaultValue `"image"` for models with `-VL-` in their id, which take images; else `false`
   */
  imageKey?: string | false | undefined;
  /** Requests under way at once, over all calls of this object. @defaultValue no limit */
  maxConcurrency?: number | undefined;
  /** Told after each answer what it cost. What it throws is ignored: a broken counter must not lose a result. */
  onUsage?: ((usage: RerankUsage) => void) | undefined;
}

const optionNames: Readonly<Record<keyof SiliconFlowRerankInput, true>> = {
  ...connectionOptions,
  model: true,
  topN: true,
  instruction: true,
  scoreThreshold: true,
  maxChunksPerDoc: true,
  overlapTokens: true,
  imageKey: true,
  maxConcurrency: true,
  onUsage: true,
};

/** What one answer cost, as the service counted it. */
export interface RerankUsage {
  /** Model id as it was asked for. */
  model: string;
  /** Tokens of the query and the documents. */
  inputTokens: number;
  /** 0 for a reranker that only scores. */
  outputTokens: number;
  /** Tokens of images, for models that take them. */
  imageTokens: number;
}

/** What each call takes beside the query and the documents. */
export interface RerankOptions {
  /** Stops the call: it rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Results to keep, instead of the constructor's `topN`. */
  topN?: number | undefined;
}

/**
 * A text, or for models that take images, such as `Qwen/Qwen3-VL-Reranker-8B`, a picture: `{ image }`, a content block of LangChain's
 * (`text`, `image` or `image_url`), or a `data:image/…` URL in place of a text. Objects with other fields are sent as they are.
 */
export type RerankContent =
  | string
  | { text: string }
  | { image: ImageSource }
  | ContentBlock.Text
  | ContentBlock.Multimodal.Image
  | { [field: string]: unknown };

/** A document to rank: a text, a picture, or a LangChain document, of which its picture is ranked (see `imageKey`), else its text. */
export type RerankInput = RerankContent | DocumentInterface;

/**
 * Reranks documents by how well they answer a query, with SiliconFlow's rerankers.
 *
 * As a document compressor it goes wherever LangChain.js takes one, such as `ContextualCompressionRetriever`; {@link RerankedRetriever}
 * does the same with an abort signal and a choice of what happens on failure. Every index and every score of the answer is checked.
 *
 * @example
 * ```ts
 * import { SiliconFlowRerank } from "@langchain-siliconflow/rerank";
 *
 * const reranker = new SiliconFlowRerank({ model: "BAAI/bge-reranker-v2-m3", topN: 3 });
 * const [best] = await reranker.rerank(["apple", "aeroplane"], "fruit");
 * console.log(best); // { index: 0, relevanceScore: … }
 * ```
 *
 * @throws {@link InvalidInputError} for a bad option, an empty query or an empty document, before anything is sent.
 * @throws {@link SiliconFlowError} with reason `"auth"` when there is neither a key nor a `client`.
 * @throws {@link InvalidResponseError} for an answer whose scores cannot be trusted.
 * @see https://docs.siliconflow.cn/cn/api-reference/rerank/create-rerank
 */
export class SiliconFlowRerank extends BaseDocumentCompressor {
  /** Model id. */
  readonly model: string;
  /** Results to keep; `undefined` for all. */
  readonly topN: number | undefined;
  /** What makes a document relevant. */
  readonly instruction: string | undefined;
  /** Results below are dropped. */
  readonly scoreThreshold: number | undefined;
  /** Pieces into which a long document is cut; `undefined` leaves it to the service. */
  readonly maxChunksPerDoc: number | undefined;
  /** Tokens that two pieces share; `undefined` leaves it to the service. */
  readonly overlapTokens: number | undefined;
  /** Where a document's picture is in its metadata; `false` for nowhere. */
  readonly imageKey: string | false;
  readonly #onUsage: SiliconFlowRerankInput["onUsage"];
  readonly #client: ClientFor<"rerank">;
  readonly #requestOptions: RequestOptions;
  /** Only where requests have to wait for one another: to go through it takes 20 µs. */
  readonly #caller: AsyncCaller | undefined;

  constructor(fields: SiliconFlowRerankInput) {
    super();
    this.model = modelId("model", fields?.model, "BAAI/bge-reranker-v2-m3");
    refuseUnknownOptions("SiliconFlowRerank", fields, optionNames);
    const { instruction, scoreThreshold } = fields;
    if (instruction !== undefined && (typeof instruction !== "string" || instruction === "")) {
      throw new InvalidInputError("instruction must be a sentence.");
    }
    if (scoreThreshold !== undefined && !Number.isFinite(scoreThreshold)) {
      throw new InvalidInputError("scoreThreshold must be a number.");
    }
    this.topN = wholeNumber("topN", fields.topN, 1);
    this.instruction = instruction;
    this.scoreThreshold = scoreThreshold;
    this.maxChunksPerDoc = wholeNumber("maxChunksPerDoc", fields.maxChunksPerDoc, 1);
    this.overlapTokens = wholeNumber("overlapTokens", fields.overlapTokens, 0, 80);
    this.imageKey = fields.imageKey ?? (/-VL-/i.test(fields.model) && "image");
    if (this.imageKey !== false && (typeof this.imageKey !== "string" || this.imageKey === "")) {
      throw new InvalidInputError("imageKey must be a name in the metadata of documents, or false.");
    }
    this.#onUsage = fields.onUsage;
    const maxConcurrency = wholeNumber("maxConcurrency", fields.maxConcurrency, 1);
    // The client owns retries; LangChain's caller would multiply them, and rename the errors.
    if (maxConcurrency !== undefined)
      this.#caller = new AsyncCaller({ maxConcurrency, maxRetries: 0, onFailedAttempt: () => {} });
    const { client, requestOptions } = connectAdapter("rerank", fields);
    this.#client = client;
    this.#requestOptions = requestOptions;
  }

  /**
   * New documents, best first, with the score in `metadata.relevanceScore`; ids, metadata and class are kept.
   * The given documents are not changed. No documents make no request.
   *
   * @param _callbacks - Taken because LangChain passes them; a rerank has no run of its own.
   * @param options - Beyond LangChain's interface: `signal` and `topN`.
   */
  override async compressDocuments(
    documents: DocumentInterface[],
    query: RerankContent,
    _callbacks?: Callbacks,
    options?: RerankOptions,
  ): Promise<DocumentInterface[]> {
    if (!Array.isArray(documents)) throw new InvalidInputError("documents must be a list. It comes before the query.");
    // A copy: the caller's list may change while the request is under way.
    const given = [...documents];
    const position = given.findIndex((document) => typeof document !== "object" || document === null);
    if (position !== -1)
      throw new InvalidInputError(`documents[${position}] must be a document; rerank() takes texts.`, { position });
    const results = await this.rerank(given, query, options);
    return results.map(({ index, relevanceScore }) => withMetadata(given[index]!, { relevanceScore }));
  }

  /**
   * The scores alone, best first: `index` is the place of the document in the given list. No documents make no request.
   *
   * @param query - What to look for: a text, or a picture for models that take images.
   * @throws {@link InvalidInputError} for an empty query or document, or a picture for a model known to take text only; `position` is the document's.
   * @throws {@link InvalidResponseError} with reason `"malformed"` or `"badScore"` for an answer that cannot be trusted.
   */
  async rerank(
    documents: readonly RerankInput[],
    query: RerankContent,
    options?: RerankOptions,
  ): Promise<RerankResult[]> {
    const topN = wholeNumber("topN", options?.topN, 1) ?? this.topN;
    if (!Array.isArray(documents)) throw new InvalidInputError("documents must be a list. It comes before the query.");
    if (query === "") throw new InvalidInputError("query must be a text that is not empty.");
    // The caller's list may change while the request is under way.
    const count = documents.length;
    const contents = this.#toTexts(query, documents) ?? (await this.#toWire(query, [...documents]));
    if (count === 0) return [];
    const request: RerankRequest = { model: this.model, ...contents };
    const wanted = Math.min(topN ?? count, count);
    if (topN !== undefined) request.top_n = wanted;
    if (this.instruction !== undefined) request.instruction = this.instruction;
    if (this.maxChunksPerDoc !== undefined) request.max_chunks_per_doc = this.maxChunksPerDoc;
    if (this.overlapTokens !== undefined) request.overlap_tokens = this.overlapTokens;
    const response = await this.#send(request, options?.signal);
    this.#report(response);
    const results = readScores(response, count, wanted);
    const { scoreThreshold } = this;
    if (scoreThreshold === undefined) return results;
    return results.filter(({ relevanceScore }) => relevanceScore >= scoreThreshold);
  }

  /** Nearly all lists are of texts, which go as they are. To look at each of a thousand as at a picture takes as long as the rest of the call. */
  #toTexts(query: RerankContent, given: readonly RerankInput[]): RerankContents | undefined {
    const question = textOf(query, this.imageKey);
    if (question === undefined) return undefined;
    const documents: string[] = [];
    for (let position = 0; position < given.length; position += 1) {
      const text = textOf(given[position], this.imageKey);
      if (text === undefined) return undefined;
      documents.push(text);
    }
    return { query: question, documents };
  }

  async #toWire(query: RerankContent, given: RerankInput[]): Promise<RerankContents> {
    const asked = await this.#read(query, "query");
    const contents = await Promise.all(
      given.map((document, position) => this.#read(document, `documents[${position}]`, position)),
    );
    if ([asked, ...contents].reduce((sum, { size }) => sum + size, 0) > maxContentSize) {
      const message =
        "The pictures are together larger than a request can be. Rank fewer at once, or give their addresses.";
      throw new InvalidInputError(message, { reason: "tooLarge" });
    }
    return {
      query: await asked.toWire(),
      documents: await Promise.all(contents.map((content) => content.toWire())),
    };
  }

  async #read(given: unknown, place: string, position?: number): Promise<Content> {
    const content = await readContent(contentOf(given, this.imageKey), place, position);
    const { text } = content;
    if (!textModels.has(this.model)) return content;
    // Objects, even those of a text, are documented only for models that take images.
    if (text !== undefined) return { ...content, toWire: () => text };
    throw new InvalidInputError(
      `${place} is more than a text, but ${this.model} takes text only. Choose a model that takes images, such as "Qwen/Qwen3-VL-Reranker-8B".`,
      position === undefined ? {} : { position },
    );
  }

  async #send(request: RerankRequest, signal: AbortSignal | undefined): Promise<RerankResponse> {
    if (signal?.aborted) throw abortReason(signal);
    const caller = this.#caller;
    if (caller === undefined) return this.#create(request, signal);
    const answer = caller.call(async () => {
      // Errors travel through LangChain's caller as values: it would wrap those that are not Errors. When the signal fired while this
      // waited for its turn, the client sends nothing.
      try {
        return { response: await this.#create(request, signal) };
      } catch (error) {
        return { error };
      }
    });
    const outcome = await untilAborted(answer, signal);
    if ("error" in outcome) throw outcome.error;
    return outcome.response;
  }

  #create(request: RerankRequest, signal: AbortSignal | undefined): Promise<RerankResponse> {
    return this.#client.rerank.create(request, { ...this.#requestOptions, signal });
  }

  #report({ meta, tokens }: RerankResponse): void {
    const onUsage = this.#onUsage;
    const used = meta?.tokens ?? tokens;
    if (onUsage === undefined || used === undefined || used === null) return;
    const { input_tokens, output_tokens, image_tokens }: { [name: string]: unknown } = { ...used };
    const usage = {
      model: this.model,
      inputTokens: count(input_tokens),
      outputTokens: count(output_tokens),
      imageTokens: count(image_tokens),
    };
    quietly(() => onUsage(usage));
  }
}

type RerankContents = Pick<RerankRequest, "query" | "documents">;

/** Those the service documents as ranking text alone. Whatever is not here may take images: that is the service's to say. */
const textModels = new Set([
  "BAAI/bge-reranker-v2-m3",
  "Pro/BAAI/bge-reranker-v2-m3",
  "netease-youdao/bce-reranker-base_v1",
  "Qwen/Qwen3-Reranker-0.6B",
  "Qwen/Qwen3-Reranker-4B",
  "Qwen/Qwen3-Reranker-8B",
]);

/** What of a document is ranked. */
function contentOf(given: unknown, imageKey: string | false): unknown {
  if (typeof given === "string") return pictureOrText(given);
  if (typeof given !== "object" || given === null || !("pageContent" in given)) return given;
  const { pageContent, metadata } = given as Partial<DocumentInterface>;
  const image: unknown = imageKey === false ? undefined : metadata?.[imageKey];
  if (image !== undefined && image !== null) return { image };
  return typeof pageContent === "string" ? pictureOrText(pageContent) : { text: pageContent };
}

/** The text of what is nothing else; `undefined` for what has to be looked at. */
function textOf(given: unknown, imageKey: string | false): string | undefined {
  const content = contentOf(given, imageKey);
  return typeof content === "string" && content !== "" ? content : undefined;
}

function count(tokens: unknown): number {
  return typeof tokens === "number" && Number.isFinite(tokens) ? tokens : 0;
}
