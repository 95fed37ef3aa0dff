import {
  BadRequestError,
  InvalidInputError,
  isSiliconFlowError,
  type ImagesRequest,
  type RequestOptions,
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
import { knownSizes } from "./image-sizes.js";
import { storedPicture } from "./stored-picture.js";
import { commonOptions, runTool, storeOf, type CallContext, type MediaToolOptions, type ToolRun } from "./tool-run.js";

/** Options of {@link SiliconFlowImageTool}: its own, and in place of a `client` those to make one. */
export interface SiliconFlowImageToolInput extends AdapterConnection<"images">, MediaToolOptions {
  /** Id of a model that draws, e.g. `"Kwai-Kolors/Kolors"`. */
  model: string;
  /** Id of the model that changes pictures, e.g. `"Qwen/Qwen-Image-Edit-2509"`. @defaultValue `model` */
  editModel?: string | undefined;
  /**
   * Size where the model asks for none, e.g. `"1024x1024"`. Not sent when a picture is changed.
   *
   * @defaultValue the first that the service recommends for `model`, since some need one; else the service's
   */
  imageSize?: string | undefined;
  /** Further fields of the request, as the service calls them: `{ num_inference_steps: 20 }`. @defaultValue none */
  modelKwargs?: { [field: string]: unknown } | undefined;
}

const fileName = z.string().min(1);

function schemaFor(model: string) {
  const sizes = knownSizes(model);
  return z.object({
    prompt: z
      .string()
      .min(1)
      .describe("What the picture shows, in detail; or, with image, what to change in it. English works best."),
    size: z
      .string()
      .regex(/^\d{2,4}x\d{2,4}$/, 'A size is width and height in pixels, such as "1024x1024".')
      .optional()
      .describe(`Width and height in pixels, such as "1024x1024".${sizes ? ` Known to work: ${sizes}.` : ""}`),
    negativePrompt: z.string().optional().describe("What must not be in the picture."),
    seed: z.int().min(0).max(9_999_999_999).optional().describe("The same seed and prompt make the same picture."),
    image: fileName
      .optional()
      .describe("Name of a picture that a tool made before, exactly as it was given, to change that picture."),
    image2: fileName.optional().describe("Name of a second picture to combine with the first."),
    image3: fileName.optional().describe("Name of a third picture."),
  });
}

const options = { ...commonOptions, editModel: true, imageSize: true, modelKwargs: true } as const;

type Schema = ReturnType<typeof schemaFor>;
type Arguments = z.output<Schema>;

/**
 * Draws a picture from words, or changes one that was made before.
 *
 * The model reads one line with the file's name; the program finds the {@link MediaArtifact} in the message's `artifact`.
 * The picture is fetched at once, for the service's link dies after an hour, and lies in `store`.
 *
 * @example
 * ```ts
 * import { MemoryArtifactStore, SiliconFlowImageTool } from "@langchain-siliconflow/tools";
 *
 * const store = new MemoryArtifactStore();
 * const draw = new SiliconFlowImageTool({ model: "Kwai-Kolors/Kolors", imageSize: "1024x1024", store });
 * console.log(await draw.invoke({ prompt: "a lighthouse in fog" }));
 * ```
 *
 * @throws {@link InvalidInputError} for a bad option, or arguments that cannot work.
 * @throws the client's errors to a program. A model's call (by `ToolCall`) gets a message of status `"error"` instead.
 * @see https://docs.siliconflow.cn/cn/api-reference/images/images-generations
 */
export class SiliconFlowImageTool extends StructuredTool<Schema, Arguments, z.input<Schema>, string> {
  static override lc_name(): string {
    return "SiliconFlowImageTool";
  }

  readonly name: string;
  readonly description: string;
  readonly schema: Schema;
  /** Model id. */
  readonly model: string;
  /** Id of the model that changes pictures. */
  readonly editModel: string;
  /** Where the pictures are. */
  readonly store: ArtifactStore;
  readonly #imageSize: string | undefined;
  readonly #modelKwargs: { [field: string]: unknown };
  readonly #client: ClientFor<"images">;
  readonly #requestOptions: RequestOptions;

  constructor(fields: SiliconFlowImageToolInput) {
    // Nothing of the fields: LangChain would keep the key among them.
    super({ responseFormat: "content_and_artifact" });
    this.model = modelId("model", fields?.model, "Kwai-Kolors/Kolors");
    refuseUnknownOptions("SiliconFlowImageTool", fields, options);
    this.editModel = modelId("editModel", fields.editModel ?? fields.model, "Qwen/Qwen-Image-Edit-2509");
    this.name = fields.name ?? "make_image";
    this.description =
      fields.description ??
      "Makes a picture from a description, or changes a picture that was made before. Returns the name of the file.";
    this.schema = schemaFor(this.model);
    this.store = storeOf(fields);
    this.#imageSize = fields.imageSize ?? knownSizes(this.model)?.split(",", 1)[0];
    this.#modelKwargs = fields.modelKwargs ?? {};
    const { client, requestOptions } = connectAdapter("images", fields);
    this.#client = client;
    this.#requestOptions = requestOptions;
  }

  protected override _call(given: Arguments, ...context: CallContext): Promise<string> {
    return runTool(this.name, context, (run) => this.#make(given, run));
  }

  async #make(given: Arguments, { signal, progress }: ToolRun): Promise<[string, MediaArtifact]> {
    const request = await this.#requestFor(given);
    const { model } = request;
    await progress("started", { model });
    const options = { ...this.#requestOptions, signal };
    const answer = await this.#client.images.generate(request, options).catch((error: unknown) => {
      throw withSizes(error, model);
    });
    const expiresAt = new Date(Date.now() + linkLifeMs).toISOString();
    const { seed, traceId } = answer;
    const { url } = answer.images[0]!; // The client has seen that there is one.
    await progress("downloading", { model });
    const { maxBytes, allowPrivateNetwork } = this.store;
    const { body } = await this.#client.assets.open(url, { signal, maxBytes, allowPrivateNetwork });
    const file = await this.store.save(body, "image");
    await progress("stored", { name: file.name });
    const made = given.image === undefined ? "Made" : `Changed ${given.image} into`;
    const artifact = { ...file, model, ...known({ seed, traceId }), url, expiresAt };
    return [`${made} the picture ${file.name} (${file.mimeType}). The user can see it.`, artifact];
  }

  async #requestFor(given: Arguments): Promise<ImagesRequest & { model: string }> {
    const { prompt, negativePrompt, seed, image, image2, image3 } = given;
    if (image === undefined && (image2 !== undefined || image3 !== undefined))
      throw new InvalidInputError("image2 and image3 are used beside image: name the first picture there.");
    const model = image === undefined ? this.model : this.editModel;
    const size = given.size ?? (image === undefined ? this.#imageSize : undefined);
    const sources = await Promise.all([image, image2, image3].map((name) => name && storedPicture(this.store, name)));
    const first = /FLUX\.1-Kontext-(max|pro)$/i.test(model) ? "input_image" : "image";
    return {
      ...this.#modelKwargs,
      model,
      prompt,
      ...known({ image_size: size, negative_prompt: negativePrompt, seed }),
      ...known({ [first]: sources[0], image2: sources[1], image3: sources[2] }),
    };
  }
}

/** How long a link lives, as the service says of images. */
const linkLifeMs = 3_600_000;

/** The service says that a size is wrong, and not which would be right. */
function withSizes(error: unknown, model: string): unknown {
  const sizes = knownSizes(model);
  if (!isSiliconFlowError(error) || error.name !== "BadRequestError" || sizes === undefined) return error;
  const { status, code, reason, attempts, traceId } = error as BadRequestError; // By its name: it may be of another copy.
  const message = `${error.message} Sizes that ${model} is known to take: ${sizes}.`;
  return new BadRequestError(message, { status, code, reason, attempts, traceId, cause: error });
}
