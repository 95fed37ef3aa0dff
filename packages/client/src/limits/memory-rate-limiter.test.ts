import { describe, expect, test } from "vitest";
import { clockOption } from "../clock.js";
import { InvalidInputError, RateLimitError } from "../errors.js";
import { failureOf } from "../failure-of.js";
import { settled, VirtualClock } from "../virtual-clock.js";
import type { RateLimiterOptions } from "./limits.js";
import { MemoryRateLimiter } from "./memory-rate-limiter.js";
import { mostWithin, rateHeld } from "./reckoning.js";

const model = "BAAI/bge-m3";
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

function setUp(options: RateLimiterOptions, seed = 1) {
  const time = new VirtualClock(seed);
  const limiter = new MemoryRateLimiter({ ...options, [clockOption]: time } as RateLimiterOptions);
  /** Asks, and notes when it was let go. */
  const ask = (tokens = 1, more: { images?: number; model?: string; signal?: AbortSignal } = {}) => {
    const asked = { at: undefined as number | undefined, lease: limiter.acquire({ model, tokens, ...more }) };
    asked.lease.then(
      () => (asked.at = time.now()),
      () => {},
    );
    return asked;
  };
  return { time, limiter, ask };
}

describe("windows of the service, wherever they lie", () => {
  // Each seed is another load, another way to the service and another phase of its windows.
  test.each([1, 2, 3, 4, 5, 6])(
    "hold no more requests than the limit, and nearly that many (seed %i)",
    async (seed) => {
      const limit = 5 + Math.floor(new VirtualClock(seed).random() * 2000);
      const { time, limiter } = setUp({ requestsPerMinute: limit }, seed);
      const arrivals: { at: number; amount: number }[] = [];
      let sent = 0;
      const calls = Array.from({ length: Math.ceil(limit * 3.5) }, async (_, index) => {
        // Some come at once, some later, but always faster than they may go.
        const delay = time.random() < 0.5 ? 0 : time.random() * minuteMs;
        await new Promise<void>((resolve) => void time.after(delay, resolve));
        const lease = await limiter.acquire({ model, tokens: 1 });
        sent += 1;
        arrivals.push({ at: time.now() + 20 + time.random() * 900, amount: 1 });
        if (index % 2 === 0) lease.settle({ tokens: 1 });
        else void time.after(time.random() * 5000, () => lease.settle({ tokens: 1 }));
      });
      await time.pass(5 * minuteMs);
      await Promise.all(calls);

      expect(sent).toBe(calls.length);
      expect(mostWithin(arrivals, minuteMs)).toBeLessThanOrEqual(limit);
      for (let trial = 0; trial < 20; trial += 1)
        expect(mostInFixed(arrivals, time.random() * minuteMs)).toBeLessThanOrEqual(limit);
      expect(rateHeld(arrivals, limit, minuteMs)).toBeGreaterThanOrEqual(0.95);
      expect(time.timers).toBe(0);
    },
  );

  test.each([1, 2, 3, 4])("hold no more tokens than the limit, though estimates are wrong (seed %i)", async (seed) => {
    const limit = 50_000;
    const { time, limiter } = setUp({ tokensPerMinute: limit }, seed);
    const spent: { at: number; amount: number }[] = [];
    let refused = 0;
    const over = new AbortController();
    const caller = async () => {
      while (!over.signal.aborted) {
        const prompt = 20 + Math.floor(time.random() * 200);
        // Off by up to a third, and the answer is anyone's guess.
        const lease = await limiter.acquire({ model, tokens: Math.round(prompt * (0.7 + time.random() * 0.6)) });
        await sleep(time, time.random() * 300);
        const sum = spent.reduce((total, { at, amount }) => (at > time.now() - minuteMs ? total + amount : total), 0);
        if (sum + prompt > limit) refused += 1;
        spent.push({ at: time.now(), amount: prompt });
        await sleep(time, time.random() * 700);
        const answer = Math.floor(time.random() * 400);
        spent.push({ at: time.now(), amount: answer });
        await sleep(time, time.random() * 50);
        lease.settle({ tokens: prompt + answer });
      }
    };
    for (let index = 0; index < 40; index += 1) void caller();
    await time.pass(4 * minuteMs);
    over.abort();
    expect(refused).toBe(0);
    // An answer longer than any before it is let in, and made up for afterwards.
    expect(mostWithin(spent, minuteMs)).toBeLessThanOrEqual(limit * 1.01);
    expect(rateHeld(spent, limit, minuteMs)).toBeGreaterThanOrEqual(0.95);
  });
});

describe("waiting", () => {
  test("is in the order of arrival", async () => {
    const { time, ask } = setUp({ tokensPerMinute: 100 });
    const first = ask(60);
    const large = ask(80);
    const small = ask(1);
    await settled();
    (await first.lease).settle({ tokens: 60 });
    await time.pass(30_000);
    expect([large.at, small.at]).toEqual([undefined, undefined]);
    await time.pass(35_000);
    expect(large.at).toBeDefined();
    expect(small.at).toBeDefined();
  });

  test("ends at once with the signal's reason, and those behind move up", async () => {
    const { time, ask } = setUp({ tokensPerMinute: 100 });
    const running = await ask(50).lease;
    const controller = new AbortController();
    const large = ask(80, { signal: controller.signal });
    const small = ask(40);
    await settled();
    controller.abort("mine");
    await expect(large.lease).rejects.toBe("mine");
    await settled();
    expect(small.at).toBe(time.now());
    expect(time.timers).toBe(0);
    running.settle({ tokens: 1 });
  });

  test("of a signal that is aborted already never begins", async () => {
    const { ask, time } = setUp({ requestsPerMinute: 1 });
    await expect(ask(1, { signal: AbortSignal.abort("before") }).lease).rejects.toBe("before");
    expect(ask(1).lease).toBeDefined();
    await settled();
    expect(time.timers).toBe(0);
  });

  test("is announced with its reason when it is long, also to those far behind", async () => {
    const { time, limiter } = setUp({ requestsPerMinute: 10 });
    const heard: { reason: string; delayMs: number }[] = [];
    const asked = Array.from({ length: 25 }, () =>
      limiter.acquire({ model, tokens: 1, onWait: (event) => void heard.push(event) }),
    );
    await settled();
    expect(heard).toHaveLength(15);
    expect(heard[0]).toEqual({ reason: "RPM limit of BAAI/bge-m3", delayMs: expect.any(Number) });
    expect(heard[0]!.delayMs).toBeGreaterThan(59_000);
    expect(heard[14]!.delayMs).toBeGreaterThan(90_000);
    await time.pass(3 * minuteMs);
    await Promise.all(asked);
    expect(heard).toHaveLength(15);
  });

  test("is no business of another model", async () => {
    const { time, ask } = setUp({ requestsPerMinute: 1, models: { "big/one": { requestsPerMinute: 2 }, __proto: {} } });
    ask();
    const [waiting, one, two, other] = [
      ask(),
      ask(1, { model: "big/one" }),
      ask(1, { model: "big/one" }),
      ask(1, { model: "__proto__" }),
    ];
    await settled();
    expect([waiting.at, one.at, two.at, other.at]).toEqual([undefined, time.now(), time.now(), time.now()]);
    await time.pass(2 * minuteMs);
  });

  test("takes no notice of a clock that is set", async () => {
    const { time, ask } = setUp({ requestsPerMinute: 1 });
    (await ask().lease).settle({ tokens: 1 });
    const waiting = ask();
    await settled();
    time.setClock(0);
    await time.pass(59_000);
    expect(waiting.at).toBeUndefined();
    time.setClock(Date.parse("2100-01-01"));
    await time.pass(5000);
    expect(waiting.at).toBeDefined();
  });

  test("leaves no timer of the process behind", async () => {
    const before = process.getActiveResourcesInfo().filter((resource) => resource === "Timeout").length;
    const limiter = new MemoryRateLimiter({ requestsPerMinute: 1 });
    await limiter.acquire({ model, tokens: 1 });
    const controller = new AbortController();
    const waiting = [1, 2, 3].map(() => limiter.acquire({ model, tokens: 1, signal: controller.signal }));
    const failed = Promise.allSettled(waiting);
    await settled();
    const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === "Timeout").length;
    expect(timers()).toBe(before + 1);
    controller.abort();
    expect((await failed).map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(timers()).toBe(before);
  });

  test("spreads a large burst over some seconds, so that it arrives as it was sent", async () => {
    const { time, ask } = setUp({ requestsPerMinute: 6000 });
    const asked = Array.from({ length: 6000 }, () => ask());
    await settled();
    expect(asked.filter(({ at }) => at !== undefined)).toHaveLength(600);
    await time.pass(15_000);
    expect(asked.every(({ at }) => at !== undefined)).toBe(true);
  });
});

describe("a request larger than a whole limit", () => {
  test.each([
    [{ tokensPerMinute: 100 }, 101, 0, /101 tokens.*100 tokens per minute.*max_tokens/],
    [{ tokensPerDay: 100 }, 101, 0, /100 tokens per day/],
    [{ imagesPerMinute: 2 }, 1, 3, /3 images.*2 images per minute/],
  ])("of %j fails at once and says what to do", async (options, tokens, images, message) => {
    const { ask } = setUp(options);
    const failure = await failureOf(ask(tokens, { images }).lease);
    expect(failure).toBeInstanceOf(InvalidInputError);
    expect(failure).toMatchObject({ reason: "neverFits", retryable: false, attempts: 0 });
    expect(failure.message).toMatch(message);
  });

  test("is one that fits exactly not", async () => {
    const { ask, time } = setUp({ tokensPerMinute: 100 });
    const asked = ask(100);
    await settled();
    expect(asked.at).toBe(time.now());
  });
});

describe("a limit per hour or day that is used up", () => {
  test("fails at once, and says when there is room", async () => {
    const { ask, time } = setUp({ requestsPerHour: 2 });
    ask();
    ask();
    await settled();
    const failure = await failureOf(ask().lease);
    expect(failure).toBeInstanceOf(RateLimitError);
    expect(failure).toMatchObject({ limit: "RPH", status: 429, attempts: 0, retryable: false, reason: "rateLimit" });
    const inMs = (failure as RateLimitError).retryAt!.getTime() - time.date();
    expect(inMs).toBeGreaterThan(hourMs);
    expect(inMs).toBeLessThan(hourMs * 1.01);
    expect(failure.message).toMatch(/2 requests per hour .* nothing was sent/);
    await time.pass(hourMs * 1.01);
    const later = ask();
    await settled();
    expect(later.at).toBe(time.now());
  });

  test("fails those who wait for a minute too, when it turns out", async () => {
    const { ask, time } = setUp({ requestsPerMinute: 1, requestsPerDay: 1 });
    ask();
    const failures = await Promise.all([1, 2, 3].map(() => failureOf(ask().lease)));
    expect(failures.map((failure) => (failure as RateLimitError).limit)).toEqual(["RPD", "RPD", "RPD"]);
    expect(time.timers).toBe(0);
  });

  test("is waited for where that takes less than a minute", async () => {
    const { ask, time } = setUp({ requestsPerHour: 1 });
    ask();
    await time.pass(hourMs - 20_000);
    const asked = ask();
    await time.pass(minuteMs);
    expect(asked.at).toBeDefined();
  });

  test("parks the line with waitForHoursAndDays", async () => {
    const { ask, time } = setUp({ tokensPerDay: 10, imagesPerDay: 1, waitForHoursAndDays: true });
    (await ask(10, { images: 1 }).lease).settle({ tokens: 10 });
    const asked = ask(1, { images: 1 });
    await time.pass(24 * hourMs);
    expect(asked.at).toBeUndefined();
    await time.pass(hourMs);
    expect(asked.at).toBeDefined();
    expect(time.timers).toBe(0);
  });
});

describe("tokens", () => {
  test("of answers that nobody has heard yet are taken for many, until the first have ended", async () => {
    const { ask, time } = setUp({ tokensPerMinute: 60_000 });
    const asked = Array.from({ length: 200 }, () => ask(30));
    await time.pass(1000);
    const first = asked.filter(({ at }) => at !== undefined);
    expect(first.length).toBe(57);
    for (const { lease } of first) void lease.then((each) => each.settle({ tokens: 330 }));
    await time.pass(2000);
    // 57 * 330 are used, and those under way are taken for 330 each.
    expect(asked.filter(({ at }) => at !== undefined).length).toBe(Math.floor(59_700 / 330));
  });

  test("are reserved by the estimate, and freed for what was not used", async () => {
    const { ask, time } = setUp({ tokensPerMinute: 100 });
    const lease = await ask(90).lease;
    const waiting = ask(50);
    await settled();
    expect(waiting.at).toBeUndefined();
    lease.settle({ tokens: 40 });
    lease.settle({ tokens: 50_000 });
    await settled();
    expect(waiting.at).toBe(time.now());
  });

  test("count from the end of the answer", async () => {
    const { ask, time } = setUp({ tokensPerMinute: 100 });
    const lease = await ask(100).lease;
    await time.pass(50_000);
    lease.settle({ tokens: 100 });
    const waiting = ask(100);
    await time.pass(59_000);
    expect(waiting.at).toBeUndefined();
    await time.pass(3000);
    expect(waiting.at).toBeDefined();
  });

  test("of answers longer than expected are expected from then on, and forgotten again", async () => {
    const { ask, time } = setUp({ tokensPerMinute: 1000 });
    (await ask(10).lease).settle({ tokens: 400 });
    await settled();
    // 400 are used, 390 more than its estimate are reserved for each.
    const asked = [ask(10), ask(10)];
    await settled();
    expect(asked.map(({ at }) => at !== undefined)).toEqual([true, false]);
    for (const { lease } of asked) void lease.then((each) => each.settle({ tokens: 1 }));
    await time.pass(10 * minuteMs);
    for (let count = 0; count < 1200; count += 1) {
      (await ask(1).lease).settle({ tokens: 1 });
      await time.pass(1000);
    }
    await time.pass(2 * minuteMs);
    const many = Array.from({ length: 90 }, () => ask(10));
    await settled();
    expect(many.every(({ at }) => at !== undefined)).toBe(true);
  });

  test("of a lease that nobody settled are free after a while", async () => {
    const { ask, time } = setUp({ tokensPerMinute: 100 });
    await ask(100).lease;
    await time.pass(16 * minuteMs);
    const asked = ask(100);
    await settled();
    expect(asked.at).toBe(time.now());
  });

  test.each([Number.NaN, -1, Infinity])("of %d are refused", async (tokens) => {
    const { ask } = setUp({});
    expect(await failureOf(ask(tokens).lease)).toMatchObject({ reason: "invalidOption" });
  });
});

describe("a 429", () => {
  test("holds back all requests for the model, and others in the same moment change nothing", async () => {
    const { ask, time } = setUp({ requestsPerMinute: 100 });
    const leases = await Promise.all([ask().lease, ask().lease, ask().lease]);
    await time.pass(100);
    for (const lease of leases) lease.penalize({ limit: "RPM" });
    const [waiting, other] = [ask(), ask(1, { model: "other" })];
    await time.pass(9000);
    expect([waiting.at !== undefined, other.at !== undefined]).toEqual([false, true]);
    await time.pass(1100);
    expect(waiting.at).toBeDefined();
  });

  test("is obeyed for as long as it asks", async () => {
    const { ask, time } = setUp({});
    (await ask().lease).penalize({ limit: undefined, retryAfterMs: 3000 });
    const waiting = ask();
    await time.pass(2900);
    expect(waiting.at).toBeUndefined();
    await time.pass(200);
    expect(waiting.at).toBeDefined();
  });

  test("after another waits longer each time, up to a window", async () => {
    const { ask, time } = setUp({ requestsPerMinute: 100 });
    const waits: number[] = [];
    for (let count = 0; count < 5; count += 1) {
      const lease = await ask().lease;
      await time.pass(10);
      lease.penalize({ limit: "RPM" });
      const from = time.now();
      const next = ask();
      await time.pass(61_000);
      waits.push(next.at! - from);
    }
    expect(waits.map((wait) => Math.round(wait / 1000))).toEqual([10, 20, 40, 60, 60]);
  });

  test("lowers a limit that was given a little, until it has grown back", async () => {
    const { ask, time } = setUp({ requestsPerMinute: 100 });
    (await ask().lease).penalize({ limit: "RPM", retryAfterMs: 1 });
    await time.pass(minuteMs);
    const count = async () => {
      const asked = Array.from({ length: 100 }, () => ask());
      await settled();
      const sent = asked.filter(({ at }) => at !== undefined).length;
      await time.pass(5 * minuteMs);
      return sent;
    };
    expect(await count()).toBeLessThan(100);
    expect(await count()).toBe(100);
  });

  test("teaches a limit that was not given, from what was used before it", async () => {
    const { ask, time } = setUp({});
    const leases = await Promise.all(Array.from({ length: 101 }, () => ask().lease));
    leases[100]!.penalize({ limit: "RPM" });
    await time.pass(2 * minuteMs);
    const asked = Array.from({ length: 150 }, () => ask());
    await settled();
    const sent = asked.filter(({ at }) => at !== undefined).length;
    expect(sent).toBeGreaterThanOrEqual(100);
    expect(sent).toBeLessThan(130);
    await time.pass(5 * minuteMs);
    expect(asked.every(({ at }) => at !== undefined)).toBe(true);
  });

  test("teaches nothing when this process has used nearly nothing: others did", async () => {
    const { ask, time } = setUp({});
    (await ask().lease).penalize({ limit: "RPM" });
    await time.pass(2 * minuteMs);
    const asked = Array.from({ length: 150 }, () => ask());
    await settled();
    expect(asked.every(({ at }) => at !== undefined)).toBe(true);
  });

  test("for a day fails what follows, until it is worth another try", async () => {
    const { ask, time } = setUp({});
    const lease = await ask().lease;
    lease.penalize({ limit: "RPD" });
    const failure = await failureOf(ask().lease);
    expect(failure).toMatchObject({ name: "RateLimitError", limit: "RPD", attempts: 0 });
    // Noon in Greenwich: four hours before the day ends in China.
    const inMs = (failure as RateLimitError).retryAt!.getTime() - time.date();
    expect(inMs).toBeGreaterThan(3.9 * hourMs);
    expect(inMs).toBeLessThanOrEqual(4 * hourMs);
    await time.pass(inMs + 1);
    const later = ask();
    await settled();
    expect(later.at).toBeDefined();
  });
});

describe("options that cannot work", () => {
  test.each([
    [{ requestsPerMinute: 0 }, /^requestsPerMinute must be a whole number from 1, not 0/],
    [{ tokensPerDay: 1.5 }, /^tokensPerDay/],
    [{ models: { "a/b": { imagesPerMinute: -1 } } }, /^models\["a\/b"\]\.imagesPerMinute/],
    [{ waitForHoursAndDays: "yes" as unknown as boolean }, /^waitForHoursAndDays/],
    [null as unknown as object, /object of limits/],
  ])("are named: %j", (options, message) => {
    expect(() => new MemoryRateLimiter(options)).toThrow(InvalidInputError);
    expect(() => new MemoryRateLimiter(options)).toThrow(message);
  });
});

function sleep(time: VirtualClock, milliseconds: number): Promise<void> {
  return new Promise((resolve) => void time.after(milliseconds, resolve));
}

function mostInFixed(uses: readonly { at: number; amount: number }[], phaseMs: number): number {
  const windows = new Map<number, number>();
  for (const { at, amount } of uses) {
    const index = Math.floor((at - phaseMs) / minuteMs);
    windows.set(index, (windows.get(index) ?? 0) + amount);
  }
  return Math.max(...windows.values());
}
