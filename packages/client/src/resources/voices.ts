import { isErrorBody, parseAnswer } from "../answer.js";
import { InvalidInputError, InvalidResponseError } from "../errors.js";
import { formOf } from "../multipart.js";
import type { RequestOptions } from "../options.js";
import type { Transport } from "../transport.js";
import { openUpload, type FileSource } from "../upload.js";
import type { Traced } from "./chat-wire.js";
import { isObject } from "./fields.js";
import { requireModel, requireText } from "./require.js";
import { wavSeconds } from "./wav.js";

/**
 * A voice to imitate: a sample of it, as `file` or as `audio`. Unknown fields are passed on.
 *
 * @see https://docs.siliconflow.cn/cn/api-reference/audio/upload-voice
 */
export interface VoiceUpload {
  /** The model that is to speak with it, e.g. `"FunAudioLLM/CosyVoice2-0.5B"`. */
  model: string;
  /** What the voice is to be called. */
  customName: string;
  /** What is said in the sample, word for word. */
  text: string;
  /** The sample: mp3, wav, pcm or opus, 8 to 10 s long, under 30 s. */
  file?: FileSource;
  /** What the file is called, for a stream or a Blob without a name. @defaultValue that of the file */
  filename?: string;
  /** The sample as `data:audio/mpeg;base64,…`, in place of `file`. */
  audio?: string;
  [field: string]: unknown;
}

/** A voice that can be spoken with. */
export interface UploadedVoice extends Traced {
  /** What `speech` takes as `voice`. */
  uri: string;
  [field: string]: unknown;
}

/** The voices of the account. */
export interface VoiceList extends Traced {
  /** One for each voice; `uri` is what `speech` takes as `voice`. */
  results: { model?: string; customName?: string; text?: string; uri: string; [field: string]: unknown }[];
  [field: string]: unknown;
}

/** Larger than half a minute of any of the formats. */
const maxBytes = 50 * 2 ** 20;
const maxSeconds = 30;

/** `/uploads/audio/voice` and `/audio/voice/…`: voices of one's own. */
export class Voices {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * Uploads a sample of a voice. Needs an account that has been verified. Not sent again where it may have succeeded: see `list`.
   *
   * @example
   * ```ts compile-only
   * import { SiliconFlowClient } from "@langchain-siliconflow/client";
   *
   * const client = new SiliconFlowClient();
   * const voice = await client.voices.upload({
   *   model: "FunAudioLLM/CosyVoice2-0.5B",
   *   customName: "night-reader",
   *   text: "Good night, and sleep well.",
   *   file: "sample.mp3",
   * });
   * console.log(voice.uri); // give it to `speech` as `voice`
   * ```
   *
   * @throws {@link InvalidInputError} when the sample is missing, empty, or longer than 30 s, as far as its header tells.
   * @throws {@link PermissionDeniedError} when the account has not been verified.
   * @see https://docs.siliconflow.cn/cn/api-reference/audio/upload-voice
   */
  async upload(request: VoiceUpload, options?: RequestOptions): Promise<UploadedVoice> {
    requireModel(request);
    requireText(request.customName, "customName must be what the voice is to be called");
    requireText(request.text, "text must be what is said in the sample");
    const { file: source, filename, ...fields } = request;
    if ((source === undefined) === (fields.audio === undefined))
      throw new InvalidInputError("Give the sample either as file or as audio.");
    const call = {
      method: "POST",
      path: "/uploads/audio/voice",
      body: fields,
      stream: false,
      once: true,
      options,
    } as const;
    const decode = (text: string, ...rest: Answered): UploadedVoice =>
      parseAnswer(text, ...rest, ({ uri }) => typeof uri === "string" && uri !== "") as unknown as UploadedVoice;
    if (source === undefined) {
      if (typeof fields.audio !== "string" || !/^data:audio\/[\w.+-]+;base64,[\w+/]/.test(fields.audio))
        throw new InvalidInputError('audio must be a text that begins with "data:audio/mpeg;base64," or the like.');
      return await this.#transport.send(call, decode);
    }
    const ifLarger = "Cut it: 8 to 10 s are best.";
    const file = await openUpload(source, { field: "file", filename, maxBytes, ifLarger });
    const seconds = file.blob && (await wavSeconds(file.blob));
    if (seconds !== undefined && seconds > maxSeconds)
      throw new InvalidInputError(`The sample is ${Math.ceil(seconds)} s long and must be under 30 s. ${ifLarger}`, {
        reason: "tooLarge",
      });
    return await this.#transport.send({ ...call, form: formOf(fields, "file", file) }, decode);
  }

  /**
   * The voices that were uploaded.
   *
   * @see https://docs.siliconflow.cn/cn/api-reference/audio/voice-list
   */
  async list(options?: RequestOptions): Promise<VoiceList> {
    const call = { method: "GET", path: "/audio/voice/list", stream: false, options } as const;
    return await this.#transport.send(call, (text, ...rest) => {
      const { result, ...answer } = parseAnswer(text, ...rest, (value) => areVoices(resultsOf(value)));
      // Documented as `results`, seen as `result`.
      return { ...answer, results: answer["results"] ?? result } as VoiceList;
    });
  }

  /**
   * Deletes a voice.
   *
   * @param voice - its uri, as `upload` and `list` have it, or an object with it
   * @see https://docs.siliconflow.cn/cn/api-reference/audio/delete-voice
   */
  async delete(voice: string | { uri: string }, options?: RequestOptions): Promise<UploadedVoice> {
    const uri = typeof voice === "string" ? voice : voice?.uri;
    requireText(uri, "uri must be that of a voice, as voices.list has it");
    const call = { method: "POST", path: "/audio/voice/deletions", body: { uri }, stream: false, options } as const;
    return await this.#transport.send(call, (text, response, exchange) => {
      // What the service says when all went well is not documented: whatever is neither a refusal nor a page will do.
      if (isPage(text)) {
        throw new InvalidResponseError("Not the service but something before it seems to answer; it is not JSON.", {
          reason: "notJson",
          traceId: response.header("x-siliconcloud-trace-id"),
        });
      }
      if (isRefusal(text)) throw exchange.refusal(text, response);
      return { uri };
    });
  }
}

type Answered =
  Parameters<typeof parseAnswer> extends [string, infer Response, infer Exchange, unknown]
    ? [Response, Exchange]
    : never;

function resultsOf({ result, results }: Record<string, unknown>): unknown {
  return results ?? result;
}

function areVoices(value: unknown): boolean {
  return Array.isArray(value) && value.every((voice) => isObject(voice) && typeof voice["uri"] === "string");
}

function isPage(text: string): boolean {
  return text.trimStart().startsWith("<");
}

function isRefusal(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) && isErrorBody(value);
  } catch {
    return false;
  }
}
