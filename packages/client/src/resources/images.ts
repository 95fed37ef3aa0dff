import { parseAnswer } from "../answer.js";
import { InvalidInputError } from "../errors.js";
import type { RequestOptions } from "../options.js";
import type { Transport } from "../transport.js";
import type { Traced } from "./chat-wire.js";
import { isObject } from "./fields.js";
import { requireModel } from "./require.js";

/**
 * A request for images: the fields of the China site, and those of single models of the international one. Which of them a model takes
 * is the model's business. Unknown fields are passed on.
 *
 * @see https://docs.siliconflow.cn/cn/api-reference/images/images-generations
 */
export interface ImagesRequest {
  /** Id as `models.list` has it, e.g. `"Kwai-Kolors/Kolors"`. */
  model: string;
  /** What to draw, or what to change. */
  prompt?: string;
  /** What not to draw. */
  negative_prompt?: string;
  /** Width and height in pixels, `"1024x1024"`. Each model has its list. */
  image_size?: string;
  /** Images to make, 1 to 4, of models that make several. @defaultValue 1 */
  batch_size?: number;
  /** 0 to 9999999999: the same seed, the same picture. @defaultValue random */
  seed?: number;
  /** 1 to 100. @defaultValue 20 */
  num_inference_steps?: number;
  /** How closely to follow the prompt, 0 to 20. @defaultValue 7.5 */
  guidance_scale?: number;
  /** Of the Qwen-Image family, 0.1 to 20: above 1 to draw text. */
  cfg?: number;
  /** The image to change: an address, or `data:image/png;base64,…`. */
  image?: string;
  /** A second one, of models that combine several. */
  image2?: string;
  /** A third one. */
  image3?: string;
  /** The image to change, as FLUX.1 Kontext calls it. */
  input_image?: string;
  /** Of FLUX 1.1: an image to start from, in base64. */
  image_prompt?: string;
  /** `"16:9"`, where a model takes it in place of a size. */
  aspect_ratio?: string;
  /** Where a model lets it be chosen. */
  output_format?: "png" | "jpeg";
  [field: string]: unknown;
}

/** Where the images are. The addresses expire after an hour: fetch them at once. */
export interface ImagesResponse extends Traced {
  /** One for each image that was made. */
  images: { url: string; [field: string]: unknown }[];
  /** In seconds, as far as is known. */
  timings?: { inference?: number; [field: string]: unknown } | null;
  /** With which the same picture comes again. */
  seed?: number;
  [field: string]: unknown;
}

/** `/images/generations`. */
export class Images {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * Draws images, or changes one.
   *
   * @example
   * ```ts
   * import { SiliconFlowClient } from "@langchain-siliconflow/client";
   *
   * const client = new SiliconFlowClient();
   * const { images, seed } = await client.images.generate({
   *   model: "Kwai-Kolors/Kolors",
   *   prompt: "a lighthouse in fog",
   *   image_size: "1024x1024",
   * });
   * console.log(images.length, seed);
   * ```
   *
   * @throws {@link BadRequestError} when the model does not take a field, or a value.
   * @throws {@link RateLimitError} when a limit of the account, of images per minute for example, holds after the retries.
   * @see https://docs.siliconflow.cn/cn/api-reference/images/images-generations
   */
  async generate(request: ImagesRequest, options?: RequestOptions): Promise<ImagesResponse> {
    requireModel(request);
    const { batch_size: images = 1 } = request;
    if (!Number.isInteger(images) || images < 1 || images > 4)
      throw new InvalidInputError("batch_size must be a whole number from 1 to 4.");
    const call = {
      method: "POST",
      path: "/images/generations",
      body: request,
      stream: false,
      images,
      options,
    } as const;
    return await this.#transport.send(
      call,
      (text, response, exchange) => parseAnswer(text, response, exchange, isAlbum) as unknown as ImagesResponse,
    );
  }
}

function isAlbum({ images }: Record<string, unknown>): boolean {
  return Array.isArray(images) && images.length > 0 && images.every(hasAddress);
}

/** An image or a video that can be fetched. */
export function hasAddress(value: unknown): boolean {
  return isObject(value) && typeof value["url"] === "string" && value["url"] !== "";
}
