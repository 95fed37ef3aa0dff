import { describe, expect, test } from "vitest";
import { clockOption } from "../clock.js";
import { VirtualClock } from "../virtual-clock.js";
import { mostWithin, rateHeld } from "./reckoning.js";
import { SharedRateLimiter, type SharedRateLimiterOptions } from "./shared-rate-limiter.js";
import type { RateLimitStore } from "./store-link.js";

const model = "BAAI/bge-m3";
const minuteMs = 60_000;

/** Counts as rate-limiter-flexible does, on virtual time, and can be broken. */
class FakeStore implements RateLimitStore {
  state: "up" | "fails" | "hangs" = "up";
  calls = 0;
  /** Longest way of a question, and of its answer, in milliseconds: some overtake others. */
  wayMs = 0;
  /** How long a counter is not read, in milliseconds. */
  readMs = (_key: string): number => 0;
  readonly #time: VirtualClock;
  readonly #counters = new Map<string, { points: number; until: number }>();

  constructor(time: VirtualClock) {
    this.#time = time;
  }

  penalty = (key: string, points: number, options: { customDuration: number }) => this.#add(key, points, options);
  reward = (key: string, points: number, options: { customDuration: number }) => this.#add(key, -points, options);

  async get(key: string) {
    await this.#answer();
    const readMs = this.readMs(key);
    if (readMs > 0) await sleep(this.#time, readMs);
    const counter = this.#counters.get(key);
    if (counter === undefined || counter.until <= this.#time.date()) return this.#onItsWay(null);
    return this.#onItsWay({ consumedPoints: counter.points, msBeforeNext: counter.until - this.#time.date() });
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
    return this.#onItsWay({ consumedPoints: counter.points });
  }

  async #answer(): Promise<void> {
    this.calls += 1;
    if (this.state === "fails") throw new Error("connection refused");
    if (this.state === "hangs") await new Promise(() => {});
    // Not at once: other processes come in between.
    await Promise.resolve();
    await Promise.resolve();
    await this.#onItsWay(undefined);
  }

  async #onItsWay<T>(answer: T): Promise<T> {
    if (this.wayMs > 0) await sleep(this.#time, this.#time.random() * this.wayMs);
    return answer;
  }
}

function setUp(options: Omit<SharedRateLimiterOptions, "store">, processes = 4, seed = 1) {
  const time = new VirtualClock(seed);
  const store = new FakeStore(time);
  const limiters = Array.from(
    { length: processes },
    () => new SharedRateLimiter({ ...options, store, [clockOption]: time } as SharedRateLimiterOptions),
  );
  return { time, store, limiters };
}

interface Use {
  at: number;
  amount: number;
  from: number;
}

/** Callers that ask again as soon as they were answered. */
function hammer({ time, limiters }: ReturnType<typeof setUp>, tokens: () => number = () => 1) {
  const uses: Use[] = [];
  const errors: unknown[] = [];
  const over = new AbortController();
  limiters.forEach((limiter, from) => {
    const ask = async () => {
      while (!over.signal.aborted) {
        const lease = await limiter.acquire({ model, tokens: 100 });
        const amount = tokens();
        await sleep(time, 20 + time.random() * 300);
        uses.push({ at: time.now(), amount, from });
        lease.settle({ tokens: amount });
      }
    };
    for (let caller = 0; caller < 20; caller += 1) ask().catch((error: unknown) => errors.push(error));
  });
  return { uses, errors, stop: () => over.abort() };
}

describe("several processes", () => {
  test.each([1, 2, 3])(
    "together keep within the requests of a minute, and use nearly all of them (seed %i)",
    async (seed) => {
      const limit = 600;
      const all = setUp({ requestsPerMinute: limit }, 4, seed);
      const { uses, stop } = hammer(all);
      await all.time.pass(4 * minuteMs);
      stop();
      expect(mostWithin(uses, minuteMs)).toBeLessThanOrEqual(limit);
      expect(rateHeld(uses, limit, minuteMs)).toBeGreaterThan(0.95);
      expect(new Set(uses.map(({ from }) => from)).size).toBe(4);
    },
  );

  test.each([1, 2, 3])("together keep within tokens, whose number is known only afterwards (seed %i)", async (seed) => {
    const limit = 60_000;
    const all = setUp({ tokensPerMinute: limit }, 4, seed);
    const { uses, stop } = hammer(all, () => 20 + Math.floor(all.time.random() * 300));
    await all.time.pass(4 * minuteMs);
    stop();
    // An answer longer than any before it is let in, and made up for afterwards.
    expect(mostWithin(uses, minuteMs)).toBeLessThanOrEqual(limit * 1.01);
    expect(rateHeld(uses, limit, minuteMs)).toBeGreaterThan(0.95);
  });

  test.each([1, 2, 3])(
    "keep within tokens when what they ask of the store and its answers overtake one another (seed %i)",
    async (seed) => {
      const limit = 60_000;
      const all = setUp({ tokensPerMinute: limit }, 4, seed);
      all.store.wayMs = 30;
      const { uses, stop } = hammer(all, () => 20 + Math.floor(all.time.random() * 300));
      await all.time.pass(4 * minuteMs);
      stop();
      expect(mostWithin(uses, minuteMs)).toBeLessThanOrEqual(limit);
      expect(rateHeld(uses, limit, minuteMs)).toBeGreaterThan(0.94);
    },
  );

  test.each([0, 500, 1500])("know nothing of the length of answers, and one comes %i ms later", async (lateMs) => {
    const limit = 60_000;
    const { time, limiters } = setUp({ tokensPerMinute: limit });
    // Counted when they arrive, all of it.
    const arrivals: Omit<Use, "from">[] = [];
    limiters.forEach((limiter, from) => {
      const ask = async () => {
        if (from === 3) await sleep(time, lateMs);
        for (;;) {
          const lease = await limiter.acquire({ model, tokens: 30 });
          const amount = 80 + Math.floor(time.random() * 300);
          await sleep(time, 5);
          arrivals.push({ at: time.now(), amount });
          await sleep(time, 400 + time.random() * 50);
          lease.settle({ tokens: amount });
        }
      };
      for (let caller = 0; caller < 30; caller += 1) void ask();
    });
    await time.pass(30_000);
    expect(mostWithin(arrivals, minuteMs)).toBeLessThanOrEqual(limit);
    expect(mostWithin(arrivals, minuteMs)).toBeGreaterThan(limit * 0.98);
  });

  test("find what is moved while they read slowly", async () => {
    const { time, store, limiters } = setUp({ requestsPerMinute: 2 }, 2);
    await limiters[0]!.acquire({ model, tokens: 1 });
    await time.pass(740);
    const lease = await limiters[1]!.acquire({ model, tokens: 1 });
    const claimed = String(Math.floor((time.date() + 1750) / 500));
    await time.pass(5);
    // From where it was claimed to where it ended. The other reads there first, and here when it is gone.
    lease.settle({ tokens: 1 });
    store.readMs = (key) => (key.endsWith(claimed) ? 300 : 0);
    await time.pass(15);
    const asked = granted(limiters[0]!, 1);
    await time.pass(50_000);
    expect(asked.count()).toBe(0);
    await time.pass(20_000);
    expect(asked.count()).toBe(1);
  });

  test("count a request from when it goes out, however long its claim took", async () => {
    const { time, store, limiters } = setUp({ requestsPerMinute: 1 }, 1);
    await time.pass(400);
    store.readMs = () => 330;
    let sentAt = Number.NaN;
    void limiters[0]!.acquire({ model, tokens: 1 }).then(async (lease) => {
      sentAt = time.now();
      await sleep(time, 20_000);
      lease.settle({ tokens: 1 });
    });
    await time.pass(2000);
    store.readMs = () => 0;
    await time.pass(20_000);
    const asked = granted(limiters[0]!, 1);
    // Slow answers are counted at the latest so long after they were asked for.
    await time.pass(sentAt + 1750 + minuteMs - time.now());
    expect(asked.count()).toBe(0);
    await time.pass(2500);
    expect(asked.count()).toBe(1);
  });

  test("know what another used before they came", async () => {
    const { time, limiters } = setUp({ requestsPerMinute: 10 }, 2);
    await Promise.all(Array.from({ length: 8 }, () => limiters[0]!.acquire({ model, tokens: 1 })));
    await time.pass(5000);
    const asked = granted(limiters[1]!, 5);
    await time.pass(2000);
    expect(asked.count()).toBe(2);
    await time.pass(minuteMs);
    expect(asked.count()).toBe(5);
  });

  test("use what another gave back", async () => {
    const { time, limiters } = setUp({ tokensPerMinute: 1000 }, 2);
    const lease = await limiters[0]!.acquire({ model, tokens: 1000 });
    const asked = granted(limiters[1]!, 1, 500);
    await time.pass(3000);
    expect(asked.count()).toBe(0);
    lease.settle({ tokens: 10 });
    await time.pass(3000);
    expect(asked.count()).toBe(1);
  });

  test("let a request pass that is larger than a lowered limit, alone", async () => {
    const { time, limiters } = setUp({ tokensPerMinute: 1000 }, 2);
    const lease = await limiters[0]!.acquire({ model, tokens: 100 });
    await time.pass(1000);
    lease.penalize({ limit: "TPM", retryAfterMs: 1000 });
    lease.settle({ tokens: 0 });
    const asked = granted(limiters[0]!, 2, 1000);
    await time.pass(30_000);
    expect(asked.count()).toBe(1);
  });

  test("stand still together when one met a limit", async () => {
    const { time, limiters } = setUp({ requestsPerMinute: 100 }, 2);
    const lease = await limiters[0]!.acquire({ model, tokens: 1 });
    await time.pass(1000);
    lease.penalize({ limit: "RPM", retryAfterMs: 20_000 });
    await time.pass(1000);
    const asked = granted(limiters[1]!, 1);
    await time.pass(17_000);
    expect(asked.count()).toBe(0);
    await time.pass(3000);
    expect(asked.count()).toBe(1);
  });

  test("hear of a day that is used up from each other, and fail at once", async () => {
    const { time, limiters } = setUp({ requestsPerDay: 3 }, 2);
    await Promise.all([1, 2, 3].map(() => limiters[0]!.acquire({ model, tokens: 1 })));
    await time.pass(1500);
    const failure = limiters[1]!.acquire({ model, tokens: 1 });
    await expect(failure).rejects.toMatchObject({ name: "RateLimitError", limit: "RPD", attempts: 0 });
  });
});

describe.each(["fails", "hangs"] as const)("a store that %s", (how) => {
  test("leaves each process its share, and no 429 follows when it is back", async () => {
    const limit = 600;
    const all = setUp({ requestsPerMinute: limit, localShare: 0.2 });
    const { uses, errors, stop } = hammer(all);
    await all.time.pass(100_000);
    all.store.state = how;
    const from = all.time.now();
    await all.time.pass(3 * minuteMs);
    const until = all.time.now();
    all.store.state = "up";
    await all.time.pass(2 * minuteMs);
    stop();

    const alone = uses.filter(({ at }) => at > from + 4000 && at < until);
    for (const each of [0, 1, 2, 3]) {
      const own = alone.filter((use) => use.from === each);
      expect(mostWithin(own, minuteMs)).toBeLessThanOrEqual(0.2 * limit);
      expect(own.length).toBeGreaterThan(2 * 0.2 * limit);
    }
    expect(mostWithin(uses, minuteMs)).toBeLessThanOrEqual(limit);
    expect(uses.filter(({ at }) => at > until + 30_000).length).toBeGreaterThan(0.9 * limit);
    expect(errors).toEqual([]);
  });

  test("is asked every two seconds, not for each request", async () => {
    const all = setUp({ requestsPerMinute: 10_000, localShare: 1 }, 1);
    all.store.state = how;
    const { stop } = hammer(all);
    await all.time.pass(4000);
    all.store.calls = 0;
    await all.time.pass(20_000);
    stop();
    expect(all.store.calls).toBeGreaterThanOrEqual(4);
    expect(all.store.calls).toBeLessThanOrEqual(10);
  });

  test("gets what was used without it, also when nobody asks any more", async () => {
    const { time, store, limiters } = setUp({ requestsPerMinute: 100, tokensPerMinute: 100_000, localShare: 0.5 }, 1);
    store.state = how;
    const leases = Promise.all(Array.from({ length: 30 }, () => limiters[0]!.acquire({ model, tokens: 10 })));
    await time.pass(4000);
    for (const lease of await leases) lease.settle({ tokens: 7 });
    await time.pass(500);
    store.state = "up";
    await time.pass(8000);
    expect([store.sum("RPM"), store.sum("TPM")]).toEqual([30, 210]);
  });

  test("is waited for by what is larger than the share, and by all when there is none", async () => {
    const { time, store, limiters } = setUp({ tokensPerMinute: 1000, localShare: 0.1 }, 1);
    store.state = how;
    const large = granted(limiters[0]!, 1, 500);
    await time.pass(10_000);
    expect(large.count()).toBe(0);
    store.state = "up";
    await time.pass(15_000);
    expect(large.count()).toBe(1);
  });
});

describe("a lease", () => {
  test("settles once, and for what was really used", async () => {
    const { time, store, limiters } = setUp({ tokensPerMinute: 1000, tokensPerDay: 100_000 }, 1);
    const lease = await limiters[0]!.acquire({ model, tokens: 500 });
    // And a fiftieth of the limit for an answer of a length that nobody has heard yet.
    expect(store.sum("TPM")).toBe(520);
    await time.pass(7000);
    lease.settle({ tokens: 120 });
    lease.settle({ tokens: 120 });
    await time.pass(200);
    expect([store.sum("TPM"), store.sum("TPD")]).toEqual([120, 120]);
  });

  test("of a call that ended before it was granted is given back", async () => {
    const { time, store, limiters } = setUp({ requestsPerMinute: 10, tokensPerMinute: 1000 }, 1);
    const controller = new AbortController();
    const call = limiters[0]!.acquire({ model, tokens: 500, signal: controller.signal });
    controller.abort("mine");
    await expect(call).rejects.toBe("mine");
    await time.pass(200);
    expect([store.sum("RPM"), store.sum("TPM")]).toEqual([0, 0]);
  });
});

test("a wall clock that is set back does not stop everything", async () => {
  const { time, limiters } = setUp({ requestsPerMinute: 10 }, 1);
  await Promise.all(Array.from({ length: 10 }, () => limiters[0]!.acquire({ model, tokens: 1 })));
  time.setClock(time.date() - 3_600_000);
  const asked = granted(limiters[0]!, 1);
  await time.pass(2 * minuteMs);
  expect(asked.count()).toBe(1);
});

test("a waiting process is kept alive, one that only asks for its store is not", async () => {
  const { time, store, limiters } = setUp({ requestsPerMinute: 4, localShare: 0.25 }, 1);
  store.state = "fails";
  await limiters[0]!.acquire({ model, tokens: 1 });
  expect(time.timers).toBe(0);
  const controller = new AbortController();
  const waiting = limiters[0]!.acquire({ model, tokens: 1, signal: controller.signal });
  await time.pass(10);
  expect(time.timers).toBe(1);
  controller.abort("mine");
  await expect(waiting).rejects.toBe("mine");
  expect(time.timers).toBe(0);
});

test.each([
  [{ store: {} }, /^store must be a limiter of rate-limiter-flexible/],
  [{ store: undefined }, /^store/],
  [{ localShare: 1.5 }, /^localShare/],
  [{ requestsPerMinute: 0 }, /^requestsPerMinute/],
])("an option that cannot work is named: %j", (options, message) => {
  const store = new FakeStore(new VirtualClock());
  expect(() => new SharedRateLimiter({ store, ...options } as SharedRateLimiterOptions)).toThrow(message);
});

/** Asks so many times, and counts who may go. */
function granted(limiter: SharedRateLimiter, times: number, tokens = 1) {
  let count = 0;
  for (let index = 0; index < times; index += 1) void limiter.acquire({ model, tokens }).then(() => (count += 1));
  return { count: () => count };
}

function sleep(time: VirtualClock, milliseconds: number): Promise<void> {
  return new Promise((resolve) => void time.after(milliseconds, resolve));
}
