import { InvalidInputError } from "@langchain-siliconflow/client";
import { refuseUnknownOptions } from "@langchain-siliconflow/client/adapter";
import type { BatchState } from "./state.js";

/** How far a run has come. */
export interface BatchProgress {
  /** Lines in all batches that this run has looked at so far. A line that is asked again counts again. */
  total: number;
  /** Lines that the service says it answered. */
  completed: number;
  /** Lines that it says failed. */
  failed: number;
  /** One entry for each batch, with the status in the service's word. */
  batches: { id: string; status: string; lines: number }[];
}

/** How {@link ChatSiliconFlow.viaBatch} runs. */
export interface BatchOptions {
  /**
   * What keeps a killed run from paying twice: the path of a folder, or a store of texts. A run with the same inputs, model and
   * state goes on where the last one was, and one that is complete is answered from it. Answers lie in it in clear.
   */
  state: string | BatchState;
  /** Whole hours the service may take, 24 to 336. @defaultValue 24 */
  completionWindowHours?: number;
  /** Most lines in a batch, 1 to 5000. Smaller batches are done sooner. @defaultValue 5000 */
  maxLines?: number;
  /** Most bytes in a batch's file, 1 to 1,000,000,000. @defaultValue 1,000,000,000 */
  maxBytes?: number;
  /**
   * How many more batches may be made for lines that were not answered, expired, or failed with 429 or 5xx. Lines that were
   * refused for what they say are not asked again. 0 to 100. @defaultValue 2
   */
  resubmissions?: number;
  /** Between two looks at a batch, in milliseconds, above 0. @defaultValue 5 seconds at first, longer later, at most a minute */
  pollIntervalMs?: number;
  /** `totalMs`: most milliseconds to wait for one batch; it goes on without you. @defaultValue none */
  timeouts?: { totalMs?: number };
  /** Whether batches are cancelled when the call is aborted. What was answered by then is paid. @defaultValue false */
  cancelOnAbort?: boolean;
  /** Notes for the service's list of batches: 15 at most, names of 64 characters, texts of 512. @defaultValue none */
  metadata?: Record<string, string>;
  /** Told at each look at a batch. What it throws is ignored. */
  onProgress?(progress: BatchProgress): void;
}

/** Options with their defaults. */
export type BatchSettings = Required<Omit<BatchOptions, "state" | "pollIntervalMs" | "onProgress">> &
  Pick<BatchOptions, "pollIntervalMs" | "onProgress">;

const known = {
  state: true,
  completionWindowHours: true,
  maxLines: true,
  maxBytes: true,
  resubmissions: true,
  pollIntervalMs: true,
  timeouts: true,
  cancelOnAbort: true,
  metadata: true,
  onProgress: true,
} as const;

/** Fills in the defaults. @throws {@link InvalidInputError} for what cannot work */
export function batchSettings(options: BatchOptions): BatchSettings {
  refuseUnknownOptions("viaBatch", options, known);
  const settings: BatchSettings = {
    completionWindowHours: whole("completionWindowHours", options.completionWindowHours ?? 24, 24, 336),
    maxLines: whole("maxLines", options.maxLines ?? 5000, 1, 5000),
    // The service says 1 GB, which has two readings: this is the smaller.
    maxBytes: whole("maxBytes", options.maxBytes ?? 1_000_000_000, 1, 1_000_000_000),
    resubmissions: whole("resubmissions", options.resubmissions ?? 2, 0, 100),
    timeouts: options.timeouts ?? {},
    cancelOnAbort: options.cancelOnAbort ?? false,
    metadata: options.metadata ?? {},
  };
  if (Object.keys(settings.metadata).length > 15) throw new InvalidInputError("metadata takes at most 15 notes.");
  if (options.pollIntervalMs !== undefined) settings.pollIntervalMs = options.pollIntervalMs;
  if (options.onProgress !== undefined) settings.onProgress = options.onProgress.bind(options);
  return settings;
}

function whole(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new InvalidInputError(`${name} of viaBatch must be a whole number from ${least} to ${most}.`);
}
