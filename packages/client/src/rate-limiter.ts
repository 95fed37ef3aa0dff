import type { RateLimitError } from "./errors.js";

/** What a request will take of the account's limits. */
export interface AcquireRequest {
  /** Id of the model: the service counts for each one. */
  model: string;
  /** An estimate of prompt and answer together; the lease is told the real figure. */
  tokens: number;
  /** Images that the request makes. @defaultValue 0 */
  images?: number;
  /** Ends the wait: `acquire` then rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Told once when the request has to wait for a second or longer, why, and for about how long. */
  onWait?: (event: { reason: string; delayMs: number }) => void;
}

/**
 * Holds requests back until they fit into the account's limits.
 *
 * An interface, so that several processes can share one account's limits.
 *
 * @see {@link MemoryRateLimiter} for one process, {@link SharedRateLimiter} for several
 */
export interface RateLimiter {
  /**
   * Resolves when the request may go out, and expects it to go out at once.
   * What it rejects with ends the call, as it is.
   */
  acquire(request: AcquireRequest): Promise<Lease>;
}

/** The right to send one request. `settle` is called once, at the end. */
export interface Lease {
  /** What the request really used: the estimate again when its answer did not say, 0 when it failed. */
  settle(usage: { tokens: number }): void;
  /** The service refused the request for a limit. Called before `settle`. `retryAfterMs`: what the service asked for, if it did. */
  penalize(hit: { limit: RateLimitError["limit"]; retryAfterMs?: number }): void;
}
