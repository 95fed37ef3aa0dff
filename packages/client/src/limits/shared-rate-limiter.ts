import { clockOf, type Clock } from "../clock.js";
import { InvalidInputError } from "../errors.js";
import type { AcquireRequest, Lease, RateLimiter } from "../rate-limiter.js";
import { checkLimits, type LimitTable, type RateLimiterOptions } from "./limits.js";
import { SharedModel } from "./shared-model.js";
import { StoreLink, type RateLimitStore } from "./store-link.js";

/** What a {@link SharedRateLimiter} takes: the limits of the account, and where they are counted. */
export interface SharedRateLimiterOptions extends RateLimiterOptions {
  /** A limiter of `rate-limiter-flexible` with a prefix of its own for each account. Its client stays yours to close. */
  store: RateLimitStore;
  /**
   * What this process may use of the account's limits while the store is down or slow, as a part of what was free when
   * it was last heard. From 0 to 1; with n processes, 1/n keeps all of them together within the limits.
   * @defaultValue 0.25
   */
  localShare?: number | undefined;
}

/**
 * Keeps the requests of several processes, on one machine or many, within one account's limits: as
 * {@link MemoryRateLimiter} does it for one, with the counts in a store that they share.
 *
 * The clocks of the machines must agree to half a second (NTP does). While the store is down or takes longer than
 * three seconds, each process uses its `localShare` and asks every two seconds whether the store is back; what was used
 * meanwhile is then written to it. A 429 that one process gets holds back all of them. What is larger than the local
 * share waits for the store.
 *
 * @example
 * ```ts compile-only
 * import { SharedRateLimiter, SiliconFlowClient } from "@langchain-siliconflow/client";
 * import { Redis } from "ioredis";
 * import { RateLimiterRedis } from "rate-limiter-flexible";
 *
 * const storeClient = new Redis({ enableOfflineQueue: false });
 * storeClient.on("error", () => {}); // the limiter goes on without
 * // points and duration are asked for by RateLimiterRedis, and used by nobody here
 * const store = new RateLimiterRedis({ storeClient, keyPrefix: "siliconflow-account-1", points: 1, duration: 60 });
 * const limiter = new SharedRateLimiter({ store, localShare: 0.25, requestsPerMinute: 2000, tokensPerMinute: 500_000 });
 * const client = new SiliconFlowClient({ limiter });
 * ```
 *
 * @throws {@link InvalidInputError} for an option that cannot work.
 * @see https://github.com/animir/node-rate-limiter-flexible
 */
export class SharedRateLimiter implements RateLimiter {
  readonly #table: LimitTable;
  readonly #localShare: number;
  readonly #waitForHoursAndDays: boolean;
  readonly #clock: Clock;
  readonly #link: StoreLink;
  readonly #models = new Map<string, SharedModel>();

  constructor(options: SharedRateLimiterOptions) {
    const { store, localShare = 0.25, ...limits } = options ?? {};
    if (!["penalty", "reward", "get"].every((method) => typeof store?.[method as keyof RateLimitStore] === "function"))
      throw new InvalidInputError("store must be a limiter of rate-limiter-flexible, such as a RateLimiterRedis.");
    if (!(localShare >= 0 && localShare <= 1)) throw new InvalidInputError("localShare must be a number from 0 to 1.");
    this.#table = checkLimits(limits);
    this.#localShare = localShare;
    this.#waitForHoursAndDays = limits.waitForHoursAndDays ?? false;
    const clock = clockOf(options);
    // Processes can compare no other clock than that of the wall.
    this.#clock = { ...clock, now: () => clock.date() };
    this.#link = new StoreLink(store, this.#clock, async () => {
      await Promise.all(Array.from(this.#models.values(), (model) => model.writeBack()));
    });
  }

  /**
   * Resolves when the request may go out.
   *
   * @throws {@link InvalidInputError} with reason `"neverFits"` for a request that is larger than a whole limit,
   * {@link RateLimitError} (of our own: `attempts` is 0) when a limit per hour or day is used up,
   * the signal's reason when it is aborted. Never what the store throws.
   */
  acquire(request: AcquireRequest): Promise<Lease> {
    let model = this.#models.get(request.model);
    if (model === undefined) {
      model = new SharedModel(request.model, this.#table.of(request.model), {
        link: this.#link,
        localShare: this.#localShare,
        clock: this.#clock,
        waitForHoursAndDays: this.#waitForHoursAndDays,
      });
      this.#models.set(request.model, model);
    }
    return model.line.join(request);
  }
}
