import { InvalidInputError } from "../errors.js";
import type { RequestOptions } from "../options.js";
import { parseAnswer } from "../answer.js";
import type { Transport } from "../transport.js";
import type { Traced, Usage } from "./chat-wire.js";
import { requireModel } from "./require.js";

/**
 * An embeddings request, field by field as documented. Unknown fields are passed on.
 *
 * @see https://docs.siliconflow.cn/cn/api-reference/embeddings/create-embeddings
 */
export interface EmbeddingsRequest {
  /** Id as `models.list` has it, e.g. `"BAAI/bge-m3"`. */
  model: string;
  /** Texts, or contents for models that take images. How many go into one request depends on the model. */
  input: string | (string | { text: string } | { image: string })[] | { text: string } | { image: string };
  /** How vectors travel: numbers, or the bytes of little-endian 4-byte floats in base64. */
  encoding_format?: "float" | "base64";
  /** Only for models that can shorten their vectors; others refuse it. */
  dimensions?: number;
  [field: string]: unknown;
}

/** Rows as received: they may be out of order, and `embedding` may be of either format whatever was asked. */
export interface EmbeddingsResponse extends Traced {
  object: string;
  model: string;
  /** One row per input: `index` says which. */
  data: { object?: string; index: number; embedding: number[] | string }[];
  /** What the request cost. */
  usage?: Partial<Usage>;
  [field: string]: unknown;
}

/** `/embeddings`. */
export class Embeddings {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * Turns texts into vectors, in one request.
   *
   * @throws {@link PayloadTooLargeError} when the list is longer than the service takes at once.
   * @throws {@link ContextLengthError} when a text is longer than the model takes, and the service says so.
   * @see https://docs.siliconflow.cn/cn/api-reference/embeddings/create-embeddings
   */
  async create(request: EmbeddingsRequest, options?: RequestOptions): Promise<EmbeddingsResponse> {
    requireModel(request);
    if (request.input === undefined) throw new InvalidInputError("input must be a text or a list of texts.");
    const call = { method: "POST", path: "/embeddings", body: request, stream: false, options } as const;
    return await this.#transport.send(
      call,
      (text, response, exchange) =>
        parseAnswer(text, response, exchange, (value) => Array.isArray(value["data"])) as EmbeddingsResponse,
    );
  }
}
