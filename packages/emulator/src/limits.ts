import type { Clock } from "./clock.js";
import { rateLimited, Refusal } from "./reply.js";

/** Limits per model, as the service counts them. */
export interface Limits {
  /** Requests per model in any 60 seconds. @defaultValue none */
  requestsPerMinute?: number;
  /** Tokens per model, prompts and answers together, in any 60 seconds. @defaultValue none */
  tokensPerMinute?: number;
}

/** Counts requests and tokens per model over the last minute of the emulator's clock. */
export class RateLimits {
  readonly #limits: Limits;
  readonly #clock: Clock;
  readonly #spent = new Map<string, { at: number; requests: number; tokens: number }[]>();

  constructor(limits: Limits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Counts a request and its prompt. @throws {@link Refusal} 429 when that would be too much. */
  admit(model: string, tokens: number): void {
    const { requestsPerMinute = Infinity, tokensPerMinute = Infinity } = this.#limits;
    if (requestsPerMinute === Infinity && tokensPerMinute === Infinity) return;
    const recent = this.#recent(model);
    const requests = recent.reduce((sum, entry) => sum + entry.requests, 0);
    if (requests + 1 > requestsPerMinute) throw new Refusal(429, rateLimited("RPM"));
    const spent = recent.reduce((sum, entry) => sum + entry.tokens, 0);
    if (spent + tokens > tokensPerMinute) throw new Refusal(429, rateLimited("TPM"));
    recent.push({ at: this.#clock.now(), requests: 1, tokens });
  }

  /** Counts the tokens of an answer, which are known only now. */
  spend(model: string, tokens: number): void {
    if (this.#limits.tokensPerMinute === undefined) return;
    this.#recent(model).push({ at: this.#clock.now(), requests: 0, tokens });
  }

  clear(): void {
    this.#spent.clear();
  }

  #recent(model: string): { at: number; requests: number; tokens: number }[] {
    const since = this.#clock.now() - 60_000;
    const recent = (this.#spent.get(model) ?? []).filter((entry) => entry.at > since);
    this.#spent.set(model, recent);
    return recent;
  }
}
