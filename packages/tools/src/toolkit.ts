import { InvalidInputError } from "@langchain-siliconflow/client";
import {
  connectAdapter,
  connectionOptions,
  refuseUnknownOptions,
  type AdapterConnection,
  type ClientFor,
} from "@langchain-siliconflow/client/adapter";
import { BaseToolkit, type StructuredToolInterface } from "@langchain/core/tools";
import type { ArtifactStore } from "./artifact-store.js";
import { SiliconFlowImageTool, type SiliconFlowImageToolInput } from "./image-tool.js";
import { SiliconFlowSpeechTool, type SiliconFlowSpeechToolInput } from "./speech-tool.js";
import { storeOf } from "./tool-run.js";
import { SiliconFlowTranscriptionTool, type SiliconFlowTranscriptionToolInput } from "./transcription-tool.js";
import { SiliconFlowVideoTool, type SiliconFlowVideoToolInput } from "./video-tool.js";

/** The tools of a {@link SiliconFlowToolkit}, by the word that allows each. */
export type ToolKind = "image" | "speech" | "transcription" | "video";

type MediaClient = ClientFor<"images"> & ClientFor<"speech"> & ClientFor<"transcriptions"> & ClientFor<"videos">;
type Own<Input, Endpoint extends Parameters<typeof connectAdapter>[0]> = Partial<
  Omit<Input, keyof AdapterConnection<Endpoint> | "store">
>;

/** Options of {@link SiliconFlowToolkit}: what is allowed, and in place of a `client` the options to make one. */
export interface SiliconFlowToolkitInput extends Omit<AdapterConnection<"images">, "client"> {
  /** The tools that there are; no other is made. */
  include: readonly ToolKind[];
  /** A client that all of them share. */
  client?: MediaClient | undefined;
  /** One store for all of them, so that each finds what another made. @defaultValue a {@link MemoryArtifactStore} */
  store?: ArtifactStore | undefined;
  /** Options of the image tool. @defaultValue `{ model: "Kwai-Kolors/Kolors", editModel: "Qwen/Qwen-Image-Edit-2509", imageSize: "1024x1024" }` */
  image?: Own<SiliconFlowImageToolInput, "images"> | undefined;
  /** Options of the speech tool. @defaultValue `{ model: "FunAudioLLM/CosyVoice2-0.5B" }` */
  speech?: Own<SiliconFlowSpeechToolInput, "speech"> | undefined;
  /** Options of the transcription tool. @defaultValue `{ model: "FunAudioLLM/SenseVoiceSmall" }` */
  transcription?: Own<SiliconFlowTranscriptionToolInput, "transcriptions"> | undefined;
  /** Options of the video tool. @defaultValue `{ model: "Wan-AI/Wan2.2-T2V-A14B", imageModel: "Wan-AI/Wan2.2-I2V-A14B" }` */
  video?: Own<SiliconFlowVideoToolInput, "videos"> | undefined;
}

const options = {
  ...connectionOptions,
  include: true,
  store: true,
  image: true,
  speech: true,
  transcription: true,
  video: true,
} as const;

/**
 * The tools that are allowed, over one client and one store: each finds what another made.
 *
 * @example
 * ```ts
 * import { SiliconFlowToolkit } from "@langchain-siliconflow/tools";
 *
 * const toolkit = new SiliconFlowToolkit({ include: ["image", "speech"] });
 * console.log(toolkit.tools.map(({ name }) => name)); // [ "make_image", "speak" ]
 * ```
 *
 * @throws {@link InvalidInputError} for a word in `include` that names no tool, or an option that does not exist.
 */
export class SiliconFlowToolkit extends BaseToolkit {
  /** In the order of `include`. */
  readonly tools: StructuredToolInterface[];
  /** Where all of them keep what they make. */
  readonly store: ArtifactStore;

  constructor(fields: SiliconFlowToolkitInput) {
    super();
    const { include, image, speech, transcription, video } = fields ?? {};
    if (!Array.isArray(include) || include.length === 0)
      throw new InvalidInputError(`include must name the tools that are allowed: ${Object.keys(makers).join(", ")}.`);
    refuseUnknownOptions("SiliconFlowToolkit", fields, options);
    const store = storeOf(fields);
    const connected = connectAdapter("images", fields as AdapterConnection<"images">);
    // What was given was checked for all of them by its type; what was made here is a whole client.
    const client = connected.client as MediaClient;
    const shared = { ...connected.requestOptions, client, store };
    this.store = store;
    this.tools = [...new Set<ToolKind>(include)].map((kind) => {
      const make = Object.hasOwn(makers, kind) ? makers[kind] : undefined;
      if (make === undefined)
        throw new InvalidInputError(
          `include has ${JSON.stringify(kind)}, which is none of ${Object.keys(makers).join(", ")}.`,
        );
      return make(shared, { image, speech, transcription, video });
    });
  }
}

type Shared = { client: MediaClient; store: ArtifactStore };
type Chosen = Pick<SiliconFlowToolkitInput, ToolKind>;

const makers: Record<ToolKind, (shared: Shared, chosen: Chosen) => StructuredToolInterface> = {
  image: (shared, { image }) =>
    new SiliconFlowImageTool({
      ...(image?.model === undefined && { editModel: "Qwen/Qwen-Image-Edit-2509", imageSize: "1024x1024" }),
      model: "Kwai-Kolors/Kolors",
      ...image,
      ...shared,
    }),
  speech: (shared, { speech }) =>
    new SiliconFlowSpeechTool({ model: "FunAudioLLM/CosyVoice2-0.5B", ...speech, ...shared }),
  transcription: (shared, { transcription }) =>
    new SiliconFlowTranscriptionTool({ model: "FunAudioLLM/SenseVoiceSmall", ...transcription, ...shared }),
  video: (shared, { video }) =>
    new SiliconFlowVideoTool({
      ...(video?.model === undefined && { imageModel: "Wan-AI/Wan2.2-I2V-A14B" }),
      model: "Wan-AI/Wan2.2-T2V-A14B",
      ...video,
      ...shared,
    }),
};
