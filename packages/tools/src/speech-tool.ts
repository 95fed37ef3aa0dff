import type { RequestOptions, SpeechRequest } from "@langchain-siliconflow/client";
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
import { commonOptions, runTool, storeOf, type CallContext, type MediaToolOptions, type ToolRun } from "./tool-run.js";

/** Options of {@link SiliconFlowSpeechTool}: its own, and in place of a `client` those to make one. */
export interface SiliconFlowSpeechToolInput extends AdapterConnection<"speech">, MediaToolOptions {
  /** Id of a model that speaks, e.g. `"FunAudioLLM/CosyVoice2-0.5B"`. */
  model: string;
  /** Voice where the model asks for none: a name such as `"claire"`, or the `speech:…` of a voice that was uploaded. @defaultValue `"anna"` */
  voice?: string | undefined;
  /** Voices that the model may choose from. @defaultValue the eight of the service */
  voices?: readonly string[] | undefined;
  /** Format of the file. @defaultValue `"mp3"` */
  format?: "mp3" | "wav" | "opus" | undefined;
  /** In Hz: 48000 of opus; 32000 or 44100 of mp3; these, 8000, 16000 or 24000 of wav. @defaultValue the service's */
  sampleRate?: number | undefined;
  /** Further fields of the request, as the service calls them: `{ gain: 3 }`. @defaultValue none */
  modelKwargs?: { [field: string]: unknown } | undefined;
}

const everyVoice = ["alex", "benjamin", "charles", "david", "anna", "bella", "claire", "diana"];

function schemaFor(voices: readonly string[]) {
  return z.object({
    text: z.string().min(1).max(128_000).describe("What to say, word for word: no headings, no Markdown."),
    voice: z
      .enum(voices)
      .optional()
      .describe("Who speaks. Of the usual names alex to david are male, anna to diana female."),
    speed: z.number().min(0.25).max(4).optional().describe("1 is normal; 0.5 half as fast, 2 twice."),
  });
}

const options = {
  ...commonOptions,
  voice: true,
  voices: true,
  format: true,
  sampleRate: true,
  modelKwargs: true,
} as const;

type Schema = ReturnType<typeof schemaFor>;
type Arguments = z.output<Schema>;

/**
 * Speaks a text into a sound file.
 *
 * The model reads one line with the file's name; the program finds the {@link MediaArtifact} in the message's `artifact`.
 * The sound goes to `store` as it comes.
 *
 * @example
 * ```ts
 * import { MemoryArtifactStore, SiliconFlowSpeechTool } from "@langchain-siliconflow/tools";
 *
 * const store = new MemoryArtifactStore();
 * const speak = new SiliconFlowSpeechTool({ model: "FunAudioLLM/CosyVoice2-0.5B", voice: "claire", store });
 * console.log(await speak.invoke({ text: "Good night." }));
 * ```
 *
 * @throws {@link InvalidInputError} for a bad option, or arguments that cannot work.
 * @throws the client's errors to a program. A model's call (by `ToolCall`) gets a message of status `"error"` instead.
 * @see https://docs.siliconflow.cn/cn/api-reference/audio/create-speech
 */
export class SiliconFlowSpeechTool extends StructuredTool<Schema, Arguments, z.input<Schema>, string> {
  static override lc_name(): string {
    return "SiliconFlowSpeechTool";
  }

  readonly name: string;
  readonly description: string;
  readonly schema: Schema;
  /** Model id. */
  readonly model: string;
  /** Voice where the model asks for none. */
  readonly voice: string;
  /** Where the sound files are. */
  readonly store: ArtifactStore;
  readonly #format: "mp3" | "wav" | "opus";
  readonly #sampleRate: number | undefined;
  readonly #modelKwargs: { [field: string]: unknown };
  readonly #client: ClientFor<"speech">;
  readonly #requestOptions: RequestOptions;

  constructor(fields: SiliconFlowSpeechToolInput) {
    // Nothing of the fields: LangChain would keep the key among them.
    super({ responseFormat: "content_and_artifact" });
    this.model = modelId("model", fields?.model, "FunAudioLLM/CosyVoice2-0.5B");
    refuseUnknownOptions("SiliconFlowSpeechTool", fields, options);
    this.voice = fields.voice ?? "anna";
    this.name = fields.name ?? "speak";
    this.description = fields.description ?? "Reads a text aloud into a sound file. Returns the name of the file.";
    this.schema = schemaFor(fields.voices ?? everyVoice);
    this.store = storeOf(fields);
    this.#format = fields.format ?? "mp3";
    this.#sampleRate = fields.sampleRate;
    this.#modelKwargs = fields.modelKwargs ?? {};
    const { client, requestOptions } = connectAdapter("speech", fields);
    this.#client = client;
    this.#requestOptions = requestOptions;
  }

  protected override _call(given: Arguments, ...context: CallContext): Promise<string> {
    return runTool(this.name, context, (run) => this.#make(given, run));
  }

  async #make(given: Arguments, { signal, progress }: ToolRun): Promise<[string, MediaArtifact]> {
    const { model } = this;
    const voice = given.voice ?? this.voice;
    const request: SpeechRequest = {
      ...this.#modelKwargs,
      model,
      input: given.text,
      // A name belongs to its model; the uri of an uploaded voice stands for itself.
      voice: voice.includes(":") ? voice : `${model}:${voice}`,
      response_format: this.#format,
      ...known({ sample_rate: this.#sampleRate, speed: given.speed }),
    };
    await progress("started", { model });
    const sound = this.#client.speech.stream(request, { ...this.#requestOptions, signal });
    const file = await this.store.save(sound, "audio");
    await progress("stored", { name: file.name });
    const { traceId } = sound;
    const artifact = { ...file, model, ...known({ traceId }) };
    return [`Spoke it into ${file.name} (${file.mimeType}). The user can play it.`, artifact];
  }
}
