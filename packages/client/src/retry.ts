import { codeOf, rootCause } from "./connection-error.js";
import type { Clock } from "./deadline.js";
import { ApiError, RateLimitError, type RateLimitClass, type SiliconFlowError } from "./errors.js";

const firstDelayMs = 500;
const maxDelayMs = 8_000;
/** A longer wait is the caller's decision: the error says when. */
const maxRetryAfterMs = 60_000;
const minuteMs = 60_000;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** A century: what is further away is no date that a clock can show. */
const longestMs = 36_525 * dayMs;

/**
 * Milliseconds to wait before another attempt, or `undefined` when there should be none.
 *
 * @param retries how many attempts have been repeated already
 */
export function retryDelay(error: SiliconFlowError, retries: number, clock: Clock): number | undefined {
  if (!error.retryable) return undefined;
  // A name that does not exist rarely comes to exist, but resolvers do err.
  if (error.reason === "dns" && retries >= 1 && codeOf(rootCause(error.cause)) === "ENOTFOUND") return undefined;

  if (error instanceof ApiError && error.retryAfterMs !== undefined) {
    return error.retryAfterMs <= maxRetryAfterMs ? error.retryAfterMs : undefined;
  }
  // Full jitter: callers that failed together must not come back together.
  const delay = clock.random() * Math.min(maxDelayMs, firstDelayMs * 2 ** retries);
  if (error instanceof RateLimitError && error.retryAt !== undefined) {
    return Math.max(0, Math.min(delay, error.retryAt.getTime() - clock.now()));
  }
  return delay;
}

/**
 * Keeps retries a small share of all requests, so that a client does not double the load of a service that is down.
 * Holds 10 from the start; every success adds a tenth.
 */
export class RetryBudget {
  // Counted in tenths: a sum of 0.1s never quite becomes 1.
  #tenths = 100;

  /** False when the budget is empty. */
  withdraw(): boolean {
    if (this.#tenths < 10) return false;
    this.#tenths -= 10;
    return true;
  }

  deposit(): void {
    // Bounded, so that a long quiet day does not pay for a storm of retries.
    if (this.#tenths < 1_000) this.#tenths += 1;
  }
}

/**
 * Reads `Retry-After`: seconds, or a date that is corrected by the answer's own `Date`, because clocks differ.
 * `undefined` when it is missing or makes no sense.
 */
export function parseRetryAfter(
  value: string | undefined,
  serverDate: string | undefined,
  now: number,
): number | undefined {
  const text = value?.trim();
  if (!text) return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return Math.min(Math.ceil(Number(text) * 1000), longestMs);
  // Date.parse also takes "1e3" or "-5" for years.
  if (!/[a-z]{3}/i.test(text)) return undefined;
  const date = Date.parse(text);
  if (Number.isNaN(date)) return undefined;
  return Math.max(0, date - serverTime(serverDate, now));
}

/** The service's clock where it told us, else ours. */
export function serverTime(serverDate: string | undefined, now: number): number {
  const date = serverDate === undefined ? Number.NaN : Date.parse(serverDate);
  return Number.isNaN(date) ? now : date;
}

/**
 * Milliseconds until a limit of this class is counted anew. The service does not document its windows:
 * whole minutes and hours are assumed, and days of China Standard Time.
 */
export function untilReset(limit: RateLimitClass, serverNow: number): number {
  const window = limit.endsWith("M") ? minuteMs : limit.endsWith("H") ? hourMs : dayMs;
  const offset = window === dayMs ? 8 * hourMs : 0;
  return window - ((serverNow + offset) % window);
}
