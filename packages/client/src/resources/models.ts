import type { RequestOptions } from "../options.js";
import { parseAnswer } from "../answer.js";
import type { Transport } from "../transport.js";
import type { Traced } from "./chat-wire.js";
import { pathWith } from "./query.js";

/** The models of a site, in the order the service prefers. Fields beside the id are not promised. */
export interface ModelList extends Traced {
  object: string;
  /** `id` is what every request's `model` takes. */
  data: { id: string; object?: string; created?: number; owned_by?: string; [field: string]: unknown }[];
}

/** Which models to list. Left out: all of them. */
export interface ModelQuery {
  /** `text`, `image`, `audio` or `video`. */
  type?: string;
  /** `chat`, `embedding`, `reranker`, `text-to-image`, … */
  sub_type?: string;
}

/** `/models`. */
export class Models {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * Lists the models of this site, all or those of a kind.
   *
   * @see https://docs.siliconflow.cn/cn/api-reference/models/get-model-list
   */
  async list(query: ModelQuery = {}, options?: RequestOptions): Promise<ModelList> {
    const call = { method: "GET", path: pathWith("/models", query), stream: false, options } as const;
    return await this.#transport.send(
      call,
      (text, response, exchange) =>
        parseAnswer(text, response, exchange, (value) => Array.isArray(value["data"])) as unknown as ModelList,
    );
  }
}
