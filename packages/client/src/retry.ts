import { codeOf, rootCause } from "./connection-error.js";
import type { Clock } from "./deadline.js";
import { ApiError, RateLimitError, TimeoutError, type RateLimitClass, type SiliconFlowError } from "./errors.js";

const firstDelayMs = 500;
const maxDelayMs = 8_000;
/** A longer wait is the caller's decision: the error says when. */
export const maxRetryAfterMs = 60_000;
const minuteMs = 60_000;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** A century: what is further away is no date that a clock can show. */
const longestMs = 36_525 * dayMs;

/** After a window has ended its limit is asked again within this time: not by all in its first moment. */
const spreadMs = 2_000;

/**
 * Milliseconds to wait before another attempt, or `undefined` when there should be none.
 *
 * @param retries how many attempts have been repeated already
 * @param maxRetries how many may be
 */
export function retryDelay(
  error: SiliconFlowError,
  retries: number,
  maxRetries: number,
  clock: Clock,
): number | undefined {
  if (!error.retryable || retries >= maxRetries) return undefined;
  // A name that does not exist rarely comes to exist, but resolvers do err.
  if (retries >= 1 && isUnknownHost(error)) return undefined;

  if (error instanceof ApiError && error.retryAfterMs !== undefined) {
    return error.retryAfterMs <= maxRetryAfterMs ? error.retryAfterMs : undefined;
  }
  // Full jitter: callers that failed together must not come back together.
  const delay = clock.random() * Math.min(maxDelayMs, firstDelayMs * 2 ** retries);
  if (error instanceof RateLimitError && error.retryAt !== undefined) {
    const left = Math.max(0, error.retryAt.getTime() - clock.date());
    // Nobody documents the windows: the first retries may well succeed inside of one. The last must not be lost to it.
    if (retries + 1 < maxRetries) return Math.min(delay, left);
    return Math.min(maxRetryAfterMs, left + clock.random() * spreadMs);
  }
  return delay;
}

/** A name that does not exist, as far as the resolver knows: no outage, but a mistake more often than not. */
export function isUnknownHost(error: SiliconFlowError): boolean {
  return error.reason === "dns" && codeOf(rootCause(error.cause)) === "ENOTFOUND";
}

/**
 * Whether the service cannot have begun what was asked for: the request never reached it, or it said so.
 *
 * @param connected whether there was a connection, as far as the wire knows
 */
export function isUnbegun(error: SiliconFlowError, connected: boolean): boolean {
  if (!connected || error.reason === "dns" || error.reason === "refused" || error.reason === "tls") return true;
  if (error instanceof TimeoutError) return error.phase === "connect";
  return error instanceof ApiError && (error.status === 429 || error.status === 503);
}

/**
 * Whether a retry needs nothing of the budget: a limit whose time is known is waited out by all calls of its model together
 * (the cool-down), so their retries are no storm, and a budget that many of them drew on would fail calls that only had to wait.
 */
export function isPaced(error: SiliconFlowError, delayMs: number): boolean {
  return error instanceof RateLimitError && error.retryAt !== undefined && delayMs > 0;
}

/** Of 200 calls that fail together no more than a quarter are repeated, whatever went well before. */
const maxTenths = 500;

/**
 * Keeps retries a small share of all requests, so that a client does not double the load of a service that is down.
 * Holds 10 from the start; every success adds a tenth, up to 50.
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
    // Bounded, so that a long good day does not pay for a storm of retries.
    if (this.#tenths < maxTenths) this.#tenths += 1;
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
