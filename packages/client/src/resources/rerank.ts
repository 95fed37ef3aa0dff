import { InvalidInputError } from "../errors.js";
import type { RequestOptions } from "../options.js";
import { isErrorBody, parseAnswer } from "../answer.js";
import type { Transport } from "../transport.js";
import type { Traced } from "./chat-wire.js";
import { requireModel } from "./require.js";

/**
 * A rerank request, field by field as documented. Unknown fields are passed on.
 *
 * @see https://docs.siliconflow.cn/cn/api-reference/rerank/create-rerank
 */
export interface RerankRequest {
  /** Id as `models.list` has it, e.g. `"BAAI/bge-reranker-v2-m3"`. */
  model: string;
  /** A text, or an object for models that take images. */
  query: string | Record<string, unknown>;
  /** What to rank, each a text or an object like the query. */
  documents: (string | Record<string, unknown>)[];
  /** Only for models that follow instructions. */
  instruction?: string;
  /** Results to return, 1 or more; all when left out. */
  top_n?: number;
  /** Whether the results repeat their documents. */
  return_documents?: boolean;
  /** Pieces into which a long document is cut, for the models that cut. */
  max_chunks_per_doc?: number;
  /** Tokens that two pieces share, 0 to 80, for the same models. */
  overlap_tokens?: number;
  [field: string]: unknown;
}

/** Both shapes the service is known to answer with: usage in `tokens`, or in `meta.tokens`. */
export interface RerankResponse extends Traced {
  id?: string;
  /** `index` refers to the documents of the request. The order is not promised. */
  results?: { index: number; relevance_score: number; document?: { text?: string } | null }[];
  /** What the request cost, in one shape … */
  tokens?: { input_tokens?: number; output_tokens?: number };
  /** … and in the other. */
  meta?: {
    tokens?: { input_tokens?: number; output_tokens?: number; image_tokens?: number };
    [field: string]: unknown;
  };
  [field: string]: unknown;
}

/** `/rerank`. */
export class Rerank {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * Scores documents by how well they answer a query, in one request.
   *
   * @throws {@link BadRequestError} when the model does not take an option.
   * @see https://docs.siliconflow.cn/cn/api-reference/rerank/create-rerank
   */
  async create(request: RerankRequest, options?: RequestOptions): Promise<RerankResponse> {
    requireModel(request);
    if (request.query === undefined || !Array.isArray(request.documents)) {
      throw new InvalidInputError("query and documents (a list) must be given.");
    }
    const call = { method: "POST", path: "/rerank", body: request, stream: false, options } as const;
    return await this.#transport.send(
      call,
      (text, response, exchange) => parseAnswer(text, response, exchange, isRanking) as RerankResponse,
    );
  }
}

/** No `results` at all means that nothing was found, unless it is an error that is told. */
function isRanking(value: Record<string, unknown>): boolean {
  const { results } = value;
  return Array.isArray(results) || ((results === undefined || results === null) && !isErrorBody(value));
}
