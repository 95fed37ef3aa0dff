import {
  InvalidInputError,
  isSiliconFlowError,
  TimeoutError,
  type RequestOptions,
  type VideoRequest,
  type VideoStatus,
} from "@langchain-siliconflow/client";
import {
  connectAdapter,
  modelId,
  refuseUnknownOptions,
  type AdapterConnection,
  type ClientFor,
} from "@langchain-siliconflow/client/adapter";
import { StructuredTool } from "@langchain/core/tools";
import { z } from "zod";
import { known, type MediaArtifact } from "./artifact.js";
import type { ArtifactStore } from "./artifact-store.js";
import { storedPicture } from "./stored-picture.js";
import { commonOptions, runTool, storeOf, type CallContext, type MediaToolOptions, type ToolRun } from "./tool-run.js";

/** Options of {@link SiliconFlowVideoTool}: its own, and in place of a `client` those to make one. */
export interface SiliconFlowVideoToolInput extends AdapterConnection<"videos">, MediaToolOptions {
  /** Id of a model that films words, e.g. `"Wan-AI/Wan2.2-T2V-A14B"`. */
  model: string;
  /** Id of a model that films a picture, e.g. `"Wan-AI/Wan2.2-I2V-A14B"`. @defaultValue `model` */
  imageModel?: string | undefined;
  /** Size where the model asks for none. @defaultValue `"1280x720"` */
  imageSize?: VideoSize | undefined;
  /** How long to wait for a video, in milliseconds. It goes on after that, and can be waited for again. @defaultValue 15 minutes */
  waitMs?: number | undefined;
  /** Between two looks at it, in milliseconds. @defaultValue 2,000 at first, growing to 10,000 */
  pollIntervalMs?: number | undefined;
  /** Further fields of the request, as the service calls them. @defaultValue none */
  modelKwargs?: { [field: string]: unknown } | undefined;
}

const sizes = ["1280x720", "720x1280", "960x960"] as const;

/** Sizes that a video can have. */
export type VideoSize = (typeof sizes)[number];

const schema = z.object({
  prompt: z
    .string()
    .min(1)
    .optional()
    .describe("What happens in the video, in detail: scene, movement, camera. Needed unless requestId is given."),
  size: z.enum(sizes).optional().describe("Width and height in pixels."),
  negativePrompt: z.string().optional().describe("What must not be in the video."),
  seed: z.int().min(0).optional().describe("The same seed and prompt make the same video."),
  image: z
    .string()
    .min(1)
    .optional()
    .describe("Name of a picture that a tool made before, exactly as it was given: the video begins with it."),
  requestId: z
    .string()
    .min(1)
    .optional()
    .describe("Only to go on waiting for a video that was not ready: the id from that answer."),
});

const options = {
  ...commonOptions,
  imageModel: true,
  imageSize: true,
  waitMs: true,
  pollIntervalMs: true,
  modelKwargs: true,
} as const;

type Schema = typeof schema;
type Arguments = z.output<Schema>;

/**
 * Makes a video from words, or from a picture that was made before, and waits for it: minutes.
 *
 * Tells callback handlers how far it is (custom event `siliconflow_progress`). A video that is not ready in time goes on: the model is
 * told its id, and can wait again without a second payment. The file is fetched at once into `store`.
 *
 * @example
 * ```ts compile-only
 * import { DirectoryArtifactStore, SiliconFlowVideoTool } from "@langchain-siliconflow/tools";
 *
 * const store = new DirectoryArtifactStore({ directory: "made" });
 * const film = new SiliconFlowVideoTool({ model: "Wan-AI/Wan2.2-T2V-A14B", store });
 * console.log(await film.invoke({ prompt: "waves roll ashore" }));
 * ```
 *
 * @throws {@link InvalidInputError} for a bad option, or arguments that cannot work.
 * @throws {@link JobFailedError} and the client's other errors to a program. A model's call (by `ToolCall`) gets a message of status `"error"` instead.
 * @see https://docs.siliconflow.cn/cn/api-reference/videos/videos_submit
 */
export class SiliconFlowVideoTool extends StructuredTool<Schema, Arguments, z.input<Schema>, string> {
  static override lc_name(): string {
    return "SiliconFlowVideoTool";
  }

  readonly name: string;
  readonly description: string;
  readonly schema = schema;
  /** Model id. */
  readonly model: string;
  /** Id of the model that films a picture. */
  readonly imageModel: string;
  /** Where the videos are. */
  readonly store: ArtifactStore;
  readonly #imageSize: VideoSize;
  readonly #waitMs: number;
  readonly #pollIntervalMs: number | undefined;
  readonly #modelKwargs: { [field: string]: unknown };
  readonly #client: ClientFor<"videos">;
  readonly #requestOptions: RequestOptions;

  constructor(fields: SiliconFlowVideoToolInput) {
    // Nothing of the fields: LangChain would keep the key among them.
    super({ responseFormat: "content_and_artifact" });
    this.model = modelId("model", fields?.model, "Wan-AI/Wan2.2-T2V-A14B");
    refuseUnknownOptions("SiliconFlowVideoTool", fields, options);
    this.imageModel = modelId("imageModel", fields.imageModel ?? fields.model, "Wan-AI/Wan2.2-I2V-A14B");
    this.name = fields.name ?? "make_video";
    this.description =
      fields.description ??
      "Makes a short video from a description, or from a picture that was made before. Takes minutes. Returns the name of the file.";
    this.store = storeOf(fields);
    this.#imageSize = fields.imageSize ?? "1280x720";
    this.#waitMs = fields.waitMs ?? 900_000;
    this.#pollIntervalMs = fields.pollIntervalMs;
    this.#modelKwargs = fields.modelKwargs ?? {};
    if (!(this.#waitMs > 0)) throw new InvalidInputError("waitMs must be a number of milliseconds above 0.");
    const { client, requestOptions } = connectAdapter("videos", fields);
    this.#client = client;
    this.#requestOptions = requestOptions;
  }

  protected override _call(given: Arguments, ...context: CallContext): Promise<string> {
    return runTool(this.name, context, (run) => this.#make(given, run));
  }

  async #make(given: Arguments, run: ToolRun): Promise<[string, MediaArtifact]> {
    const { signal, progress } = run;
    const model = given.image === undefined ? this.model : this.imageModel;
    const requestId = given.requestId ?? (await this.#submit(given, model, run));
    const { results, traceId } = await this.#wait(requestId, run);
    const expiresAt = new Date(Date.now() + linkLifeMs).toISOString();
    const { url } = results!.videos![0]!; // The client has seen that there is one.
    await progress("downloading", { requestId });
    const { maxBytes, allowPrivateNetwork } = this.store;
    const { body } = await this.#client.assets.open(url, { signal, maxBytes, allowPrivateNetwork });
    const file = await this.store.save(body, "video");
    await progress("stored", { requestId, name: file.name });
    const artifact = { ...file, model, ...known({ seed: results!.seed, traceId }), url, expiresAt };
    return [`Made the video ${file.name} (${file.mimeType}). The user can see it.`, artifact];
  }

  async #submit(given: Arguments, model: string, { signal, progress }: ToolRun): Promise<string> {
    const { prompt, size, negativePrompt, seed, image } = given;
    if (prompt === undefined) throw new InvalidInputError("prompt is missing: say what happens in the video.");
    const picture = image && (await storedPicture(this.store, image));
    const request: VideoRequest = {
      ...this.#modelKwargs,
      model,
      prompt,
      image_size: size ?? this.#imageSize,
      ...known({ negative_prompt: negativePrompt, seed, image: picture }),
    };
    const { requestId } = await this.#client.videos.submit(request, { ...this.#requestOptions, signal });
    await progress("submitted", { model, requestId });
    return requestId;
  }

  async #wait(requestId: string, { signal, progress }: ToolRun): Promise<VideoStatus> {
    try {
      return await this.#client.videos.wait(requestId, {
        ...this.#requestOptions,
        timeouts: { ...this.#requestOptions.timeouts, totalMs: this.#waitMs },
        signal,
        pollIntervalMs: this.#pollIntervalMs,
        onProgress: ({ status }) => void progress(status, { requestId }),
      });
    } catch (error) {
      if (!isSiliconFlowError(error) || error.reason !== "timeout" || signal?.aborted) throw error;
      const message = `The video was not ready within ${this.#waitMs} ms. It goes on: call again with requestId ${JSON.stringify(requestId)} alone.`;
      throw new TimeoutError(message, { phase: "total", retryable: true, cause: error });
    }
  }
}

/** How long a link lives at least: the service's pages say ten minutes here and an hour there. */
const linkLifeMs = 600_000;
