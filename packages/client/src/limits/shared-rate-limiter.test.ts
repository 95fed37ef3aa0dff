import { describe, expect, test } from "vitest";
import { clockOption } from "./clock.js";
import { mostWithin, rateHeld } from "./reckoning.js";
import { SharedRateLimiter, type SharedRateLimiterOptions } from "./shared-rate-limiter.js";
import type { RateLimitStore } from "./store-link.js";
import { VirtualTime } from "./virtual-time.js";

const model = "BAAI/bge-m3";

/** Counts as rate-limiter-flexible does, on virtual time, and can be broken. */
class FakeStore implements RateLimitStore {
  state: "up" | "fails" | "hangs" = "up";
  calls = 0;
  readonly #time: VirtualTime;
  readonly #counters = new Map<string, { points: number; until: number }>();

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  penalty = (key: string, points: number, options: { customDuration: number }) => this.#add(key, points, options);
  reward = (key: string, points: number, options: { customDuration: number }) => this.#add(key, -points, options);

  async get(key: string) {
    await this.#answer();
    const counter = this.#counters.get(key);
    if (counter === undefined || counter.until <= this.#time.date()) return null;
    return { consumedPoints: counter.points, msBeforeNext: counter.until - this.#time.date() };
  }

  /** Sum of the counters whose name contains this. */
  sum(part: string): number {
    let sum = 0;
    for (const [key, { points }] of this.#counters) if (key.includes(part)) sum += points;
    return sum;
  }

  async #add(key: string, points: number, { customDuration }: { customDuration: number }) {
    await this.#answer();
    if (!Number.isInteger(points) || !Number.isInteger(customDuration)) throw new TypeError("whole numbers only");
    const now = this.#time.date();
    const found = this.#counters.get(key);
    const counter = found && found.until > now ? found : { points: 0, until: now + customDuration * 1000 };
    counter.points += points;
    this.#counters.set(key, counter);
    return { consumedPoints: counter.points };
  }

  async #answer(): Promise<void> {
    this.calls += 1;
    if (this.state === "fails") throw new Error("connection refused");
    if (this.state === "hangs") await new Promise(() => {});
    // Not at once: other processes come in between.
    await Promise.resolve();
    await Promise.resolve();
  }
}

function setUp(options: Omit<SharedRateLimiterOptions, "store">, processes = 4, seed = 1) {
  const time = new VirtualTime(seed);
  const store = new FakeStore(time);
  const limiters = Array.from(
    { length: processes },
    () => new SharedRateLimiter({ ...options, store, [clockOption]: time } as SharedRateLimiterOptions),
  );
  return { time, store, limiters };
}

/** Callers that ask again as soon as they were answered. */
function hammer({ time, limiters }: ReturnType<typeof setUp>, callers = 20, tokens: () => number = () => 1) {
  const uses: { at: number; amount: number; from: number }[] = [];
  const ends: number[] = [];
  let over = false;
  limiters.forEach((limiter, from) => {
    for (let caller = 0; caller < callers; caller += 1) {
      const ask = async () => {
        while (!over) {
          const lease = await limiter.acquire({ model, tokens: 100 });
          const amount = tokens();
          await new Promise<void>((resolve) => void time.after(20 + time.random() * 300, resolve));
          uses.push({ at: time.date(), amount, from });
          lease.settle({ tokens: amount });
        }
      };
      ask().catch((error: unknown) => ends.push(Number(error)));
    }
  });
  return { uses, ends, stop: () => (over = true) };
}

describe("several processes", () => {
  test("together keep within the requests of a minute, and use nearly all of them", async () => {
    const limit = 600;
    const all = setUp({ requestsPerMinute: limit });
    const { uses, stop } = hammer(all);
    await all.time.pass(300_000);
    stop();
    expect(mostWithin(uses, 60_000)).toBeLessThanOrEqual(limit);
    expect(rateHeld(uses, limit, 60_000)).toBeGreaterThan(0.95);
    expect(new Set(uses.map(({ from }) => from)).size).toBe(4);
  });

  test("together keep within the tokens of a minute, whose number is known only afterwards", async () => {
    const limit = 60_000;
    const all = setUp({ tokensPerMinute: limit }, 4, 7);
    const { uses, stop } = hammer(all, 20, () => 20 + Math.floor(all.time.random() * 300));
    await all.time.pass(300_000);
    stop();
    const counted = uses.map(({ at, amount }) => ({ at, amount }));
    expect(mostWithin(counted, 60_000)).toBeLessThanOrEqual(limit);
    expect(rateHeld(counted, limit, 60_000)).toBeGreaterThan(0.95);
  });
});
