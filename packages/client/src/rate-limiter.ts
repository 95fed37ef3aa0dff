import type { RateLimitError } from "./errors.js";

/**
 * Holds requests back until they fit into the account's limits.
 *
 * An interface, so that several processes can share one account's limits.
 */
export interface RateLimiter {
  /**
   * Resolves when the request may go out. `tokens` is an estimate; the lease is told the real figure.
   * What it rejects with ends the call, as it is.
   */
  acquire(request: { model: string; tokens: number; images?: number; signal?: AbortSignal }): Promise<Lease>;
}

/** The right to send one request. `settle` is called once, at the end. */
export interface Lease {
  /** What the request really used; 0 when it failed. */
  settle(usage: { tokens: number }): void;
  /** The service refused the request for a limit. Called before `settle`. `retryAfterMs`: what the service asked for, if it did. */
  penalize(hit: { limit: RateLimitError["limit"]; retryAfterMs?: number }): void;
}
