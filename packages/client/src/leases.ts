import type { Deadline } from "./deadline.js";
import type { RateLimitError } from "./errors.js";
import type { OnWait } from "./options.js";
import { quietly } from "./quietly.js";
import type { Lease, RateLimiter } from "./rate-limiter.js";

/** A limiter is the caller's own code: what it throws comes through as it is. */
export class LimiterFailure extends Error {
  constructor(cause: unknown) {
    super("The limiter failed.", { cause });
  }
}

/** Asks the limiter for room, as long as the deadline lets it. */
export async function acquire(
  limiter: RateLimiter,
  model: string,
  tokens: number,
  images: number | undefined,
  deadline: Deadline,
  onWait: OnWait,
): Promise<Lease> {
  const { signal } = deadline.begin(false);
  let acquired: Promise<Lease> | undefined;
  try {
    acquired = Promise.resolve(
      limiter.acquire({ model, tokens, ...(images !== undefined && { images }), signal, onWait }),
    );
    return await deadline.race(acquired);
  } catch (error) {
    // Granted all the same, after the call had ended: given back.
    acquired?.then(
      (lease) => settle(lease, 0),
      () => {},
    );
    throw deadline.stopped ? error : new LimiterFailure(error);
  }
}

export function settle(lease: Lease | undefined, tokens: number | undefined): void {
  // Counts come from outside: what is none must neither empty a budget nor fill it.
  const used = Number.isFinite(tokens) ? Math.max(0, tokens!) : 0;
  if (lease !== undefined) quietly(() => lease.settle({ tokens: used }));
}

export function penalize(lease: Lease | undefined, { limit, retryAfterMs }: RateLimitError): void {
  if (lease !== undefined)
    quietly(() => lease.penalize({ limit, ...(retryAfterMs !== undefined && { retryAfterMs }) }));
}

/** What an answer says it used, in whichever of the service's places. */
export function usedTokens(answer: object): number | undefined {
  const { usage, meta, tokens } = answer as {
    usage?: { total_tokens?: unknown } & TokenPair;
    meta?: { tokens?: TokenPair };
    tokens?: TokenPair;
  };
  if (typeof usage?.total_tokens === "number") return usage.total_tokens;
  const pair = meta?.tokens ?? tokens ?? usage;
  return pair && count(pair.input_tokens) + count(pair.output_tokens);
}

/** What is no number is none: adding it could do anything, down to exhausting the stack. */
export function count(tokens: unknown): number {
  return typeof tokens === "number" && Number.isFinite(tokens) ? tokens : 0;
}

interface TokenPair {
  input_tokens?: unknown;
  output_tokens?: unknown;
}
