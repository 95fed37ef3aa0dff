import { audioFile, sampleRates, type AudioFormat } from "../audio/audio-file.js";
import { namedSpeaker, sampledSpeaker, speak, voiceNames, type Speaker, type Turn } from "../audio/speaking.js";
import type { HostedModel } from "../catalog.js";
import {
  fieldsOf,
  modelOf,
  oneOf,
  optionalBoolean,
  optionalInteger,
  optionalNumber,
  requiredText,
  type Fields,
} from "../fields.js";
import { quantize } from "../audio/samples.js";
import { invalid } from "../reply.js";
import type { Endpoint, Service } from "../router.js";
import { countTokens } from "../tokens.js";

const longestInput = 128_000;
/** Of MOSS-TTSD: what goes in and what may come out. */
const mostTokens = 32_768;
const pieceBytes = 8192;

const commonFields = ["model", "input", "voice", "response_format", "sample_rate", "stream", "speed", "gain"];
/** What else a model takes: the schemas allow no other field. Of a model that is not here, nothing was published. */
const ownFields: Readonly<Record<string, readonly string[]>> = {
  "fnlp/MOSS-TTSD-v0.5": ["references", "max_tokens"],
  "FunAudioLLM/CosyVoice2-0.5B": ["references"],
  "fishaudio/fish-speech-1.5": [],
};

/** `POST /audio/speech`: a text as audio. */
export const speech: Endpoint = async ({ body }, service) => {
  const { models, settings, limits } = service;
  const fields = fieldsOf(body);
  const model = modelOf(fields, "text-to-speech", models);
  const allowed = ownFields[model.id];
  const unknown = Object.keys(fields).find((name) => allowed && ![...commonFields, ...allowed].includes(name));
  if (unknown !== undefined) throw invalid("Extra inputs are not permitted");

  const input = requiredText(fields, "input", longestInput);
  const format = formatOf(fields);
  const rate = rateOf(fields, format, service);
  const speed = optionalNumber(fields, "speed", 0.25, 4) ?? 1;
  const gain = optionalNumber(fields, "gain", -10, 10) ?? 0;
  const streams = optionalBoolean(fields, "stream") ?? true;
  const tokens = countTokens(input);
  const maxTokens = optionalInteger(fields, "max_tokens", 1);
  if (maxTokens !== undefined && tokens + maxTokens > mostTokens) {
    throw invalid(`length of input and max_tokens must be less than ${mostTokens}.`);
  }
  const turns = turnsOf(input, model.id, speakersOf(fields, model, service));
  if (turns.length === 0) throw invalid("input has nothing to be spoken");
  limits.admit(model.id, tokens);

  const samples = quantize(await speak(turns, { speed, rate, program: settings.speech === "auto" }), gain);
  const bytes = await audioFile(samples, rate, format, turns.map(({ text }) => text).join(" "));
  return { status: 200, headers: { "content-type": typeOf(format, service) }, body: streams ? pieces(bytes) : bytes };
};

function formatOf(fields: Fields): AudioFormat {
  const format = fields["response_format"] ?? "mp3";
  if (format === "mp3" || format === "opus" || format === "wav" || format === "pcm") return format;
  throw invalid(oneOf(["mp3", "opus", "wav", "pcm"]));
}

function rateOf(fields: Fields, format: AudioFormat, { settings }: Service): number {
  const rates: readonly number[] = sampleRates[format];
  const rate = optionalNumber(fields, "sample_rate", 1);
  if (rate === undefined) return format === "opus" ? 48_000 : settings.quirks.speechRate;
  if (rates.includes(rate)) return rate;
  throw invalid(`sample_rate of ${format} should be ${rates.join(", ")}`);
}

/** Who speaks first, and who answers in a dialogue. */
function speakersOf(fields: Fields, model: HostedModel, { voices }: Service): [Speaker, Speaker] {
  const voice = fields["voice"] ?? "";
  if (typeof voice !== "string") throw invalid("Input should be a valid string");
  const references = referencesOf(fields);
  if (references.length > 0) {
    if (voice !== "") throw invalid("voice and references cannot be used together");
    const [one, two] = references.map(sampledSpeaker);
    return [one!, two ?? otherThan(one!)];
  }
  if (voice === "") throw invalid("Field required: voice");
  const name = voiceNames.find((candidate) => voice === `${model.id}:${candidate}`);
  const uploaded = voices.get(voice);
  const speaker = name ? namedSpeaker(name) : uploaded?.model === model.id ? uploaded.speaker : undefined;
  if (!speaker) throw invalid("Invalid voice");
  return [speaker, otherThan(speaker)];
}

/** What is told apart in references: the samples of the voices. */
function referencesOf(fields: Fields): string[] {
  const references = fields["references"] ?? [];
  if (!Array.isArray(references)) throw invalid("Input should be a valid list");
  return references.map((reference: unknown) => {
    const { audio, text } = fieldsOf(reference);
    if (typeof audio !== "string" || !/^(https?:\/\/.|data:audio\/[\w.+-]+;base64,.)/i.test(audio)) {
      throw invalid("references.audio should be a URL or data:audio/<type>;base64,…");
    }
    if (typeof text !== "string") throw invalid("Field required: references.text");
    return audio;
  });
}

/** Someone whom nobody takes for the speaker. */
function otherThan({ pitch }: Speaker): Speaker {
  return namedSpeaker(pitch > 155 ? "benjamin" : "claire");
}

/** Who says what, without instructions and markers, which nobody speaks. */
function turnsOf(input: string, model: string, [one, two]: [Speaker, Speaker]): Turn[] {
  const plain = (text: string) => text.replaceAll(/[\s\p{Cc}]+/gu, " ").trim();
  if (model === "FunAudioLLM/CosyVoice2-0.5B") {
    const spoken = input.split(endOfPrompt).at(-1)!;
    const text = plain(spoken.replaceAll(/\[(laughter|breath)\]/g, " "));
    return text === "" ? [] : [{ speaker: one, text }];
  }
  if (model !== "fnlp/MOSS-TTSD-v0.5") return plain(input) === "" ? [] : [{ speaker: one, text: plain(input) }];
  // The parts that a split by a group leaves: text, mark, text, mark, text, …
  const parts = input.split(/\[(S[12])\]/);
  const turns: Turn[] = [];
  for (let index = 0; index < parts.length; index += 2) {
    const text = plain(parts[index]!);
    if (text !== "") turns.push({ speaker: parts[index - 1] === "S2" ? two : one, text });
  }
  return turns;
}

const endOfPrompt = "<|endofprompt|>";

/** The documents list three types, and other ones in other years. */
function typeOf(format: AudioFormat, { settings }: Service): string {
  if (settings.quirks.speechType !== "format") return settings.quirks.speechType;
  return format === "wav" || format === "opus" ? `audio/${format}` : "application/audio";
}

function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}
