import { parseAnswer } from "../answer.js";
import { InvalidInputError } from "../errors.js";
import type { RequestOptions } from "../options.js";
import { formOf } from "../multipart.js";
import type { Transport } from "../transport.js";
import { openUpload, type FileSource } from "../upload.js";
import type { Traced } from "./chat-wire.js";
import { requireModel } from "./require.js";
import { wavSeconds } from "./wav.js";

/**
 * A recording to write down. Unknown fields are passed on, as fields of the form.
 *
 * @see https://docs.siliconflow.cn/cn/api-reference/audio/create-audio-transcriptions
 */
export interface TranscriptionRequest {
  /** Id as `models.list` has it, e.g. `"FunAudioLLM/SenseVoiceSmall"`. */
  model: string;
  /** The recording: 50 MB and an hour at most. */
  file: FileSource;
  /** What the file is called, for a stream or a Blob without a name. Its ending should be that of its format. @defaultValue that of the file */
  filename?: string;
  [field: string]: unknown;
}

/** What was said. */
export interface Transcription extends Traced {
  /** `""` for silence. Some models mark emotions and noises in it. */
  text: string;
  [field: string]: unknown;
}

/** Of the documented 50 MB, the larger reading. */
const maxBytes = 50 * 2 ** 20;
const maxSeconds = 3600;

/** `/audio/transcriptions`. */
export class Transcriptions {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * Writes down what is said in a recording. Its size is checked before anything is sent (of a stream: while it is sent), and so is
   * its length where it is a WAV file.
   *
   * @example
   * ```ts compile-only
   * import { SiliconFlowClient } from "@langchain-siliconflow/client";
   *
   * const client = new SiliconFlowClient();
   * const { text } = await client.transcriptions.create({ model: "FunAudioLLM/SenseVoiceSmall", file: "meeting.mp3" });
   * ```
   *
   * @throws {@link InvalidInputError} when the file is missing, empty, too large or too long.
   * @see https://docs.siliconflow.cn/cn/api-reference/audio/create-audio-transcriptions
   */
  async create(request: TranscriptionRequest, options?: RequestOptions): Promise<Transcription> {
    requireModel(request);
    const { file: source, filename, ...fields } = request;
    const ifLarger = "Compress it, or cut it into pieces.";
    const file = await openUpload(source, { field: "file", filename, maxBytes, ifLarger });
    const seconds = file.blob && (await wavSeconds(file.blob));
    if (seconds !== undefined && seconds > maxSeconds) {
      throw new InvalidInputError(
        `The recording is ${Math.ceil(seconds / 60)} minutes long; the service takes 60. Cut it into pieces.`,
        { reason: "tooLarge" },
      );
    }
    const call = {
      method: "POST",
      path: "/audio/transcriptions",
      body: fields,
      form: formOf(fields, "file", file),
      stream: false,
      options,
    } as const;
    return await this.#transport.send(
      call,
      (text, response, exchange) =>
        parseAnswer(text, response, exchange, (value) => typeof value["text"] === "string") as unknown as Transcription,
    );
  }
}
