import { parseAnswer } from "../answer.js";
import { InvalidResponseError, JobFailedError } from "../errors.js";
import type { RequestOptions } from "../options.js";
import { waitFor, type WaitOptions } from "../polling.js";
import type { Transport } from "../transport.js";
import type { Traced } from "./chat-wire.js";
import { isObject } from "./fields.js";
import { hasAddress } from "./images.js";
import { requireModel, requireText } from "./require.js";

/**
 * A video to make. Unknown fields are passed on.
 *
 * @see https://docs.siliconflow.cn/cn/api-reference/videos/videos_submit
 */
export interface VideoRequest {
  /** Id as `models.list` has it, e.g. `"Wan-AI/Wan2.2-T2V-A14B"`. */
  model: string;
  /** What is to be seen. */
  prompt: string;
  /** `"1280x720"`, `"720x1280"` or `"960x960"`. */
  image_size: string;
  /** What is not to be seen. */
  negative_prompt?: string;
  /** The first picture, for models that make a video of one: `data:image/png;base64,…`, on the China site also an address. */
  image?: string;
  /** The same seed, the same video. @defaultValue random */
  seed?: number;
  [field: string]: unknown;
}

/** A video that was asked for. */
export interface SubmittedVideo extends Traced {
  /** What `status` and `wait` take. */
  requestId: string;
  [field: string]: unknown;
}

/** How far a video is. Its addresses expire, after ten minutes by one page of the service and an hour by another: fetch it at once. */
export interface VideoStatus extends Traced {
  /** `"InQueue"`, `"InProgress"`, `"Succeed"` or `"Failed"`; others are taken for progress. */
  status: string;
  /** Why it failed. */
  reason?: string | null;
  /** May be missing or empty before the end. */
  results?: {
    videos?: { url: string; [field: string]: unknown }[] | null;
    timings?: { inference?: number; [field: string]: unknown } | null;
    seed?: number;
    [field: string]: unknown;
  } | null;
  [field: string]: unknown;
}

/** `/video/submit` and `/video/status`. */
export class Videos {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * Asks for a video, which takes minutes: `wait` for it. Sent again only where it is certain that it was not begun, for each is paid.
   *
   * @example
   * ```ts compile-only
   * import { SiliconFlowClient } from "@langchain-siliconflow/client";
   *
   * const client = new SiliconFlowClient();
   * const video = await client.videos.submit({
   *   model: "Wan-AI/Wan2.2-T2V-A14B",
   *   prompt: "waves roll ashore",
   *   image_size: "1280x720",
   * });
   * const { results } = await client.videos.wait(video, { timeouts: { totalMs: 900_000 } });
   * console.log(results?.videos?.[0]?.url); // fetch it at once, with `assets.download`
   * ```
   *
   * @throws {@link InvalidInputError} without a prompt or a size.
   * @see https://docs.siliconflow.cn/cn/api-reference/videos/videos_submit
   */
  async submit(request: VideoRequest, options?: RequestOptions): Promise<SubmittedVideo> {
    requireModel(request);
    requireText(request.prompt, "prompt must say what is to be seen");
    requireText(request.image_size, 'image_size must be a size such as "1280x720"');
    const call = { method: "POST", path: "/video/submit", body: request, stream: false, once: true, options } as const;
    return await this.#transport.send(
      call,
      (text, response, exchange) =>
        parseAnswer(text, response, exchange, ({ requestId }) => isId(requestId)) as unknown as SubmittedVideo,
    );
  }

  /**
   * How far a video is.
   *
   * @param video - its `requestId`, or what `submit` returned
   * @see https://docs.siliconflow.cn/cn/api-reference/videos/get_videos_status
   */
  async status(video: string | { requestId: string }, options?: RequestOptions): Promise<VideoStatus> {
    const requestId = idOf(video);
    const call = { method: "POST", path: "/video/status", body: { requestId }, stream: false, options } as const;
    return await this.#transport.send(
      call,
      (text, response, exchange) => parseAnswer(text, response, exchange, isStatus) as unknown as VideoStatus,
    );
  }

  /**
   * Looks at a video until it is made: after 2 s, then each time half as long again, up to every 10 s.
   * A look that fails does not end the wait, unless none could succeed.
   *
   * @param video - its `requestId`, or what `submit` returned
   * @throws {@link JobFailedError} when the service could not make it, with its reason.
   * @throws {@link TimeoutError} after `timeouts.totalMs`. The video goes on: wait again with the same id.
   * @see https://docs.siliconflow.cn/cn/api-reference/videos/get_videos_status
   */
  async wait(video: string | { requestId: string }, options: WaitOptions<VideoStatus> = {}): Promise<VideoStatus> {
    const requestId = idOf(video);
    const last = await waitFor(
      this.#transport,
      options,
      { firstMs: 2_000, longestMs: 10_000 },
      (each) => this.status(requestId, each),
      ({ status }) => status === "Succeed" || status === "Failed",
    );
    const { traceId } = last;
    if (last.status === "Failed") {
      const why = typeof last.reason === "string" ? this.#transport.quote(last.reason) : "";
      const message = why ? `The video could not be made: ${why}` : "The video could not be made.";
      throw new JobFailedError(message, { id: requestId, status: last.status, job: last, traceId });
    }
    const { videos } = last.results ?? {};
    if (!Array.isArray(videos) || videos.length === 0 || !videos.every(hasAddress))
      throw new InvalidResponseError("The video is said to be made, but not where it is.", { traceId });
    return last;
  }
}

function idOf(video: string | { requestId: string }): string {
  const requestId = typeof video === "string" ? video : video?.requestId;
  requireText(requestId, "requestId must be that of a video, as videos.submit returned it");
  return requestId;
}

function isId(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}

function isStatus({ status, results }: Record<string, unknown>): boolean {
  return isId(status) && (results === undefined || results === null || isObject(results));
}
