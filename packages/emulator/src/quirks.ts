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
  /** Whether there is money left; 402 and 403 refuse everything but the list of models and the account. @defaultValue "enough" */
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

/** What each quirk may be, the usual first: what most captures show. `"number"` is any whole one from 1. */
const quirkValues: {
  readonly [Name in keyof Quirks]-?: readonly [Required<Quirks>[Name], ...(Required<Quirks>[Name] | "number")[]];
} = {
  role: ["first", "every"],
  toolName: ["empty", "absent"],
  idleField: ["null", "empty", "absent"],
  trailingUsage: [false, true],
  maxTokensCountThoughts: [false, true],
  maxMessages: [Infinity, "number"],
  rerankShape: ["B", "A"],
  messagesEnd: ["both", "message_stop", "[DONE]"],
  errorBodies: ["string", "bare", "object"],
  batchOutput: ["url", "id"],
  batchErrors: ["response", "error"],
  imageFormat: ["png", "jpeg", "webp"],
  videoOutcome: ["succeed", "fail"],
  videoPending: ["empty", "null"],
  videoLife: ["1 hour", "10 minutes"],
  speechType: ["format", "application/audio", "application/octet-stream"],
  speechRate: [32_000, 44_100],
  voiceModels: ["CosyVoice2", "any"],
  voiceList: ["result", "results"],
  maxTokensCeiling: [Infinity, "number"],
  thinksByDefault: [true, false],
  thinkingBudgetCeiling: [32_768, 65_536],
  reasoningEffort: ["taken", "refused"],
  topKCeiling: [100, 50],
  toolChoices: ["any", "auto and none"],
  jsonSchema: ["taken", "refused"],
  jsonMode: ["catalogue", "refused"],
  completions: ["served", "gone"],
  messagesMaxTokens: ["optional", "required"],
  streamUsage: ["every", "last"],
  usageShape: ["details", "counts"],
  naturalEnd: ["stop", "eos"],
  balance: ["enough", "402", "403"],
  overloadCode: [50_505, 50_603],
  retryAfter: ["absent", "sent"],
  rerankOrder: ["score", "index"],
  dimensionsElsewhere: ["refused", "ignored"],
  base64Order: ["little", "big"],
  voiceDeleted: ["text", "nothing", "object"],
  subTypes: ["every", "documented"],
  batchBegins: ["in_queue", "validating"],
  uploadDate: ["createdAt", "created_at"],
  account: ["served", "gone"],
};

/**
 * Quirks with what is usual filled in.
 *
 * @throws TypeError for a name that does not exist, RangeError for a value that it does not take: a test that means to turn
 * a quirk would prove nothing.
 */
export function quirksFrom(given: Quirks = {}): Required<Quirks> {
  const quirks = Object.fromEntries(Object.entries(quirkValues).map(([name, [usual]]) => [name, usual]));
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const values: readonly unknown[] | undefined = Object.hasOwn(quirkValues, name)
      ? quirkValues[name as keyof Quirks]
      : undefined;
    if (values === undefined) throw new TypeError(`quirks has no ${name}, but ${Object.keys(quirkValues).join(", ")}.`);
    const isNumber = values.includes("number") && Number.isInteger(value) && value > 0;
    if (!isNumber && (value === "number" || !values.includes(value))) {
      const takes = values.map((each) => (each === "number" ? "a whole number from 1" : shown(each))).join(", ");
      throw new RangeError(`quirks.${name} takes ${takes}, not ${shown(value)}.`);
    }
    quirks[name] = value;
  }
  return quirks as unknown as Required<Quirks>; // Made of the table, which names every quirk.
}

function shown(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
