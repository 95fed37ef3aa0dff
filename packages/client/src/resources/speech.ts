import { AudioAnswer } from "../audio-answer.js";
import { AudioStream } from "../audio-stream.js";
import { InvalidInputError } from "../errors.js";
import type { RequestOptions } from "../options.js";
import { joined, tooLarge } from "../read-body.js";
import type { Transport } from "../transport.js";
import type { Traced } from "./chat-wire.js";
import { isObject } from "./fields.js";
import { requireModel, requireText } from "./require.js";

/**
 * A text to speak. Unknown fields are passed on; the service documents that it refuses those it does not know.
 *
 * @see https://docs.siliconflow.cn/cn/api-reference/audio/create-speech
 */
export interface SpeechRequest {
  /** Id as `models.list` has it, e.g. `"FunAudioLLM/CosyVoice2-0.5B"`. */
  model: string;
  /** What to say, up to 128,000 characters. It is paid by its UTF-8 bytes. */
  input: string;
  /** `"<model>:alex"` and the like, or the `uri` of a voice that was uploaded. Not beside `references`. */
  voice?: string;
  /** Samples of the voice: each an address or `data:audio/mpeg;base64,…`, with what is said in it. Two for a dialogue. */
  references?: { audio: string; text: string; [field: string]: unknown }[];
  /** @defaultValue `"mp3"` */
  response_format?: "mp3" | "opus" | "wav" | "pcm" | (string & {});
  /** In Hz: 48000 of opus; 32000 or 44100 of mp3; these, 8000, 16000 or 24000 of wav and pcm. Of pcm, give it: the default is not certain. */
  sample_rate?: number;
  /** 0.25 to 4. @defaultValue 1 */
  speed?: number;
  /** In dB, -10 to 10. @defaultValue 0 */
  gain?: number;
  /** Of models that take it. @defaultValue 2048 */
  max_tokens?: number;
  [field: string]: unknown;
}

/** Sound, whole. `traceId` and `attempts` are there for whoever asks; printing does not show them. */
export type SpeechAudio = Uint8Array & Traced;

const formats = ["mp3", "opus", "wav", "pcm"];
const rates: Readonly<Record<string, readonly number[]>> = {
  mp3: [32_000, 44_100],
  opus: [48_000],
  wav: [8_000, 16_000, 24_000, 32_000, 44_100],
  pcm: [8_000, 16_000, 24_000, 32_000, 44_100],
};
const maxCharacters = 128_000;

/** `/audio/speech`. */
export class Speech {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * Speaks a text, and returns the whole sound: `maxResponseBytes` of it at most. Long ones are better streamed.
   *
   * @example
   * ```ts
   * import { SiliconFlowClient } from "@langchain-siliconflow/client";
   *
   * const client = new SiliconFlowClient();
   * const model = "FunAudioLLM/CosyVoice2-0.5B";
   * const sound = await client.speech.create({ model, voice: `${model}:claire`, input: "Good night." });
   * console.log(sound.length);
   * ```
   *
   * @throws {@link InvalidInputError} when fields contradict one another.
   * @throws {@link InvalidResponseError} when the answer is no sound, or not all of it.
   * @see https://docs.siliconflow.cn/cn/api-reference/audio/create-speech
   */
  async create(request: SpeechRequest, options?: RequestOptions): Promise<SpeechAudio> {
    checkRequest(request);
    const call = {
      method: "POST",
      path: "/audio/speech",
      body: { ...request, stream: false },
      stream: false,
      binary: true,
      options,
    } as const;
    const { maxResponseBytes } = this.#transport.options;
    return await this.#transport.receive<SpeechAudio>(call, async (response, exchange) => {
      const answer = await AudioAnswer.begin(response, exchange);
      const pieces: Uint8Array[] = [];
      let length = 0;
      for (let piece = await answer.next(); piece !== null; piece = await answer.next()) {
        pieces.push(piece);
        length += piece.length;
        if (length > maxResponseBytes) throw tooLarge(maxResponseBytes);
      }
      return joined(pieces, length);
    });
  }

  /**
   * Speaks a text, and hands the sound on as it comes, in constant memory. Nothing is sent before the first read.
   *
   * @example
   * ```ts
   * import { createWriteStream } from "node:fs";
   * import { pipeline } from "node:stream/promises";
   * import { SiliconFlowClient } from "@langchain-siliconflow/client";
   *
   * const client = new SiliconFlowClient();
   * const model = "FunAudioLLM/CosyVoice2-0.5B";
   * const sound = client.speech.stream({ model, voice: `${model}:claire`, input: "Good night." });
   * await pipeline(sound, createWriteStream("night.mp3"));
   * ```
   *
   * @throws {@link InvalidInputError} when fields contradict one another; whatever else goes wrong is an error of the stream.
   * @see https://docs.siliconflow.cn/cn/api-reference/audio/create-speech
   */
  stream(request: SpeechRequest, options?: RequestOptions): AudioStream {
    checkRequest(request);
    return new AudioStream(this.#transport, {
      method: "POST",
      path: "/audio/speech",
      body: { ...request, stream: true },
      stream: true,
      binary: true,
      options,
    });
  }
}

function checkRequest(request: SpeechRequest): void {
  requireModel(request);
  const { input, voice, references, response_format: format = "mp3", sample_rate: rate, speed, gain } = request;
  requireText(input, "input must be the text to speak");
  if ([...input].length > maxCharacters)
    throw new InvalidInputError(`input has more than ${maxCharacters} characters. Speak it in parts.`);
  if (voice !== undefined && typeof voice !== "string") throw new InvalidInputError("voice must be a text.");
  if (references !== undefined) {
    if (!Array.isArray(references) || references.length === 0 || !references.every(isReference))
      throw new InvalidInputError("references must be a list of samples, each an object with audio and text.");
    if (voice) throw new InvalidInputError("voice and references exclude each other: leave one of them out.");
  }
  if (!formats.includes(format)) throw new InvalidInputError(`response_format must be one of ${formats.join(", ")}.`);
  const allowed = rates[format]!;
  if (rate !== undefined && !allowed.includes(rate))
    throw new InvalidInputError(`sample_rate of ${format} must be one of ${allowed.join(", ")}.`);
  requireRange(speed, 0.25, 4, "speed");
  requireRange(gain, -10, 10, "gain");
}

function isReference(value: unknown): boolean {
  return isObject(value) && typeof value["audio"] === "string" && typeof value["text"] === "string";
}

function requireRange(value: unknown, least: number, most: number, name: string): void {
  if (value === undefined) return;
  if (!(typeof value === "number" && value >= least && value <= most))
    throw new InvalidInputError(`${name} must be a number from ${least} to ${most}.`);
}
