import { InvalidInputError, type RequestOptions } from "@langchain-siliconflow/client";
import {
  connectAdapter,
  modelId,
  refuseUnknownOptions,
  type AdapterConnection,
  type ClientFor,
} from "@langchain-siliconflow/client/adapter";
import { StructuredTool } from "@langchain/core/tools";
import { z } from "zod";
import { known, type TranscriptionArtifact } from "./artifact.js";
import type { ArtifactStore } from "./artifact-store.js";
import { commonOptions, runTool, storeOf, type CallContext, type MediaToolOptions, type ToolRun } from "./tool-run.js";

/** Options of {@link SiliconFlowTranscriptionTool}: its own, and in place of a `client` those to make one. */
export interface SiliconFlowTranscriptionToolInput extends AdapterConnection<"transcriptions">, MediaToolOptions {
  /** Id of a model that hears, e.g. `"FunAudioLLM/SenseVoiceSmall"`. */
  model: string;
}

const schema = z.object({
  name: z.string().min(1).describe("Name of a recording, exactly as a tool or the user gave it, such as audio-….mp3."),
});

type Schema = typeof schema;
type Arguments = z.output<Schema>;

/**
 * Writes down what is said in a recording that lies in `store`. No path and no address is ever opened: to let a model hear files of
 * yours, put them into the directory of a {@link DirectoryArtifactStore}.
 *
 * The message is the text itself; the {@link TranscriptionArtifact} holds it with its facts.
 *
 * @example
 * ```ts
 * import { MemoryArtifactStore, SiliconFlowSpeechTool, SiliconFlowTranscriptionTool } from "@langchain-siliconflow/tools";
 *
 * const store = new MemoryArtifactStore();
 * const speak = new SiliconFlowSpeechTool({ model: "FunAudioLLM/CosyVoice2-0.5B", store });
 * const hear = new SiliconFlowTranscriptionTool({ model: "FunAudioLLM/SenseVoiceSmall", store });
 * const call = { type: "tool_call", id: "1", name: "speak", args: { text: "Good night." } } as const;
 * const { artifact } = await speak.invoke(call);
 * console.log(await hear.invoke({ name: artifact.name }));
 * ```
 *
 * @throws {@link InvalidInputError} for a bad option, or a name that is not in the store.
 * @throws the client's errors to a program. A model's call (by `ToolCall`) gets a message of status `"error"` instead.
 * @see https://docs.siliconflow.cn/cn/api-reference/audio/create-audio-transcriptions
 */
export class SiliconFlowTranscriptionTool extends StructuredTool<Schema, Arguments, z.input<Schema>, string> {
  static override lc_name(): string {
    return "SiliconFlowTranscriptionTool";
  }

  readonly name: string;
  readonly description: string;
  readonly schema = schema;
  /** Model id. */
  readonly model: string;
  /** Where the recordings are. */
  readonly store: ArtifactStore;
  readonly #client: ClientFor<"transcriptions">;
  readonly #requestOptions: RequestOptions;

  constructor(fields: SiliconFlowTranscriptionToolInput) {
    // Nothing of the fields: LangChain would keep the key among them.
    super({ responseFormat: "content_and_artifact" });
    this.model = modelId("model", fields?.model, "FunAudioLLM/SenseVoiceSmall");
    refuseUnknownOptions("SiliconFlowTranscriptionTool", fields, commonOptions);
    this.name = fields.name ?? "transcribe";
    this.description = fields.description ?? "Writes down what is said in a recording. Returns the text.";
    this.store = storeOf(fields);
    const { client, requestOptions } = connectAdapter("transcriptions", fields);
    this.#client = client;
    this.#requestOptions = requestOptions;
  }

  protected override _call(given: Arguments, ...context: CallContext): Promise<string> {
    return runTool(this.name, context, (run) => this.#hear(given, run));
  }

  async #hear({ name }: Arguments, { signal, progress }: ToolRun): Promise<[string, TranscriptionArtifact]> {
    const { model } = this;
    const file = await this.store.read(name);
    if (!/^(audio|video)\//.test(file.type)) throw new InvalidInputError(`${name} is no recording, but ${file.type}.`);
    await progress("started", { model });
    const request = { model, file, filename: name };
    const { text, traceId } = await this.#client.transcriptions.create(request, { ...this.#requestOptions, signal });
    await progress("done", { name });
    // A message without a word would be taken for a failure.
    const content = text.trim() === "" ? `Nothing is said in ${name}.` : text;
    return [content, { text, name, model, ...known({ traceId }) }];
  }
}
