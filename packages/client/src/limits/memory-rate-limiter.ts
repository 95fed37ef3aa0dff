import { clockOf, type Clock } from "../clock.js";
import type { AcquireRequest, Lease, RateLimiter } from "../rate-limiter.js";
import { checkLimits, type LimitTable, type Need, type RateLimiterOptions } from "./limits.js";
import { ModelLimits } from "./model-limits.js";
import { WaitingLine, type Admission, type Grant, type Waiter } from "./waiting-line.js";

/** 99 % of the rate are left after quick answers, 95.5 % after slow ones. */
const cut = { buckets: 240, marginMs: 100, holdMs: { quick: 10_000, slow: 2500 } };
/** A lease that was never settled holds its tokens back no longer than this. */
const longestLeaseMs = 15 * 60_000;

/**
 * Keeps the requests of one process within the account's limits: requests, tokens and images per minute, hour and day,
 * for each model.
 *
 * No window of the service holds more than the limit, whether it is fixed or slides and whenever it begins, and still
 * 95 % of the rate can be used. Requests wait in the order in which they came. Tokens are reserved by an estimate, and
 * what an answer says it used counts from then on. A 429 that comes all the same (others use the account too) holds the
 * model back for a while and lowers the limit for some minutes; limits that were not given are learnt from it.
 *
 * Share one among all clients of a process.
 *
 * @example
 * ```ts
 * import { MemoryRateLimiter, SiliconFlowClient } from "@langchain-siliconflow/client";
 *
 * const limiter = new MemoryRateLimiter({
 *   requestsPerMinute: 1000,
 *   tokensPerMinute: 50_000,
 *   models: { "BAAI/bge-m3": { requestsPerMinute: 2000, tokensPerMinute: 500_000 } },
 * });
 * const client = new SiliconFlowClient({ limiter });
 * ```
 *
 * @throws {@link InvalidInputError} for a limit that is no whole number from 1.
 * @see https://docs.siliconflow.cn/cn/userguide/rate-limits/rate-limit-and-upgradation
 */
export class MemoryRateLimiter implements RateLimiter {
  readonly #table: LimitTable;
  readonly #waitForHoursAndDays: boolean;
  readonly #clock: Clock;
  readonly #models = new Map<string, ModelInMemory>();

  constructor(options: RateLimiterOptions = {}) {
    this.#table = checkLimits(options);
    this.#waitForHoursAndDays = options.waitForHoursAndDays ?? false;
    this.#clock = clockOf(options);
  }

  /**
   * Resolves when the request may go out.
   *
   * @throws {@link InvalidInputError} with reason `"neverFits"` for a request that is larger than a whole limit,
   * {@link RateLimitError} (of our own: `attempts` is 0) when a limit per hour or day is used up,
   * the signal's reason when it is aborted.
   */
  acquire(request: AcquireRequest): Promise<Lease> {
    let model = this.#models.get(request.model);
    if (model === undefined) {
      const limits = this.#table.of(request.model);
      model = new ModelInMemory(
        new ModelLimits(request.model, limits, cut, this.#clock, this.#waitForHoursAndDays),
        this.#clock,
      );
      this.#models.set(request.model, model);
    }
    return model.line.join(request);
  }
}

/** Counts of one model. */
class ModelInMemory {
  readonly line: WaitingLine;
  readonly #limits: ModelLimits;
  readonly #clock: Clock;
  /** Requests under way, the oldest first. */
  readonly #open = new Map<Grant, { sentAt: number; countedAt: number; need: Need }>();

  constructor(limits: ModelLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
    this.line = new WaitingLine(limits, (line) => this.#admit(line), clock);
  }

  #admit(line: Iterable<Waiter>): Admission {
    this.#forgetLost();
    const granted: [Waiter, Grant][] = [];
    for (const waiter of line) {
      const wait = this.#limits.wait(waiter.need);
      if (wait !== undefined) return { granted, wait };
      granted.push([waiter, this.#grant(waiter)]);
    }
    return { granted, wait: undefined };
  }

  #grant(waiter: Waiter): Grant {
    const { need, estimate } = waiter;
    const sentAt = this.#clock.now();
    this.#reserve(need, 1);
    const countedAt = sentAt + this.#limits.holdMs;
    this.#count(need, countedAt, 1);
    for (const budget of this.#limits.budgets) budget.sent(need[budget.class.unit], sentAt);
    const grant: Grant = {
      settle: ({ tokens }) => {
        if (this.#end(grant)) this.#use(tokens, estimate, this.#clock.now() - sentAt);
      },
      penalize: ({ limit, retryAfterMs }) => {
        this.#limits.reached(limit, retryAfterMs, need, sentAt);
        this.line.look();
      },
      cancel: () => {
        if (this.#end(grant)) this.#count(need, Math.min(this.#clock.now(), countedAt), -1);
      },
    };
    this.#open.set(grant, { sentAt, countedAt, need });
    return grant;
  }

  /** Whether it was still under way. */
  #end(grant: Grant): boolean {
    const open = this.#open.get(grant);
    if (open === undefined) return false;
    this.#open.delete(grant);
    this.#reserve(open.need, -1);
    const now = this.#clock.now();
    if (now < open.countedAt) {
      this.#count(open.need, open.countedAt, -1);
      this.#count(open.need, now, 1);
    }
    // After whatever else the caller does with it now.
    queueMicrotask(() => this.line.look());
    return true;
  }

  #use(tokens: number, estimate: number, durationMs: number): void {
    const used = Number.isFinite(tokens) && tokens > 0 ? Math.ceil(tokens) : 0;
    this.#limits.learn(estimate, used, durationMs);
    const now = this.#clock.now();
    for (const budget of this.#limits.budgets)
      if (budget.class.unit === "tokens") budget.used.add(budget.used.indexAt(now), used);
  }

  /** Tokens, until it is known how many they are. */
  #reserve(need: Need, sign: 1 | -1): void {
    for (const budget of this.#limits.budgets)
      if (budget.class.unit === "tokens") budget.reserved += sign * need.tokens;
  }

  /** Everything but tokens. */
  #count(need: Need, at: number, sign: 1 | -1): void {
    for (const { class: limitClass, used } of this.#limits.budgets)
      if (limitClass.unit !== "tokens") used.add(used.indexAt(at), sign * need[limitClass.unit]);
  }

  #forgetLost(): void {
    const now = this.#clock.now();
    for (const [grant, { sentAt }] of this.#open) {
      if (now - sentAt < longestLeaseMs) return;
      this.#end(grant);
    }
  }
}
