import { InvalidInputError, isSiliconFlowError } from "./errors.js";
import { ownOptions, type RequestOptions } from "./options.js";
import { quietly } from "./quietly.js";
import type { Transport } from "./transport.js";

/** How to wait for a job. `timeouts.totalMs` is for the whole wait; the other limits are for each look. */
export interface WaitOptions<Job> extends RequestOptions {
  /** Between two looks, in milliseconds: above 0, a day at most. @defaultValue a little at first, longer later; see the method */
  pollIntervalMs?: number | undefined;
  /** Told of the job as each look finds it. What it throws is ignored. */
  onProgress?: ((job: Job) => void) | undefined;
}

/** How often to look where nobody says: each time a half later, up to the longest. */
export interface Pace {
  firstMs: number;
  longestMs: number;
}

/** More than what timers can hold would mean no wait at all: a look each millisecond. */
const longestIntervalMs = 86_400_000;

/** For so long looks may fail in a row. A job does not end because nobody can see it. */
const longestBlindMs = 3_600_000;

/**
 * Looks at a job until `isOver` says that it has come to its end, and returns it as it was last seen.
 *
 * @throws what a look failed of, when another could not succeed
 */
export async function waitFor<Job>(
  transport: Transport,
  options: WaitOptions<Job>,
  pace: Pace,
  look: (options: RequestOptions) => Promise<Job>,
  isOver: (job: Job) => boolean,
): Promise<Job> {
  const { pollIntervalMs, onProgress, signal, timeouts, ...rest } = ownOptions(options);
  const isInterval = typeof pollIntervalMs === "number" && pollIntervalMs > 0 && pollIntervalMs <= longestIntervalMs;
  if (pollIntervalMs !== undefined && !isInterval)
    throw new InvalidInputError("pollIntervalMs must be a number of milliseconds above 0, a day at most.");
  const { deadline, ended } = transport.patience(signal, timeouts);
  // Of the whole wait, not of a look.
  const each = { ...rest, timeouts: { ...timeouts, totalMs: Infinity }, signal: ended };
  let delayMs = pollIntervalMs ?? pace.firstMs;
  let blindSince: number | undefined;
  try {
    for (;;) {
      try {
        deadline.throwIfStopped();
        const job = await deadline.race(look(each));
        blindSince = undefined;
        quietly(() => onProgress?.(job));
        if (isOver(job)) return job;
      } catch (error) {
        if (deadline.stopped || !isPassing(error)) throw error;
        blindSince ??= performance.now();
        if (performance.now() - blindSince > longestBlindMs) throw error;
      }
      await deadline.sleep(delayMs);
      if (pollIntervalMs === undefined) delayMs = Math.min(pace.longestMs, delayMs * 1.5);
    }
  } finally {
    deadline.end();
  }
}

function isPassing(error: unknown): boolean {
  return isSiliconFlowError(error) && error.retryable;
}
