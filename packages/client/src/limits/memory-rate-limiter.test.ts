import { describe, expect, test } from "vitest";
import { clockOption } from "./clock.js";
import type { RateLimiterOptions } from "./limits.js";
import { MemoryRateLimiter } from "./memory-rate-limiter.js";
import { VirtualTime } from "./virtual-time.js";

const model = "BAAI/bge-m3";

function setUp(options: RateLimiterOptions, seed = 1) {
  const time = new VirtualTime(seed);
  const limiter = new MemoryRateLimiter({ ...options, [clockOption]: time } as RateLimiterOptions);
  return { time, limiter };
}

describe("requests per minute", () => {
  test("go out at once up to the limit, in order, and no window of the service holds more", async () => {
    const limit = 600;
    const { time, limiter } = setUp({ requestsPerMinute: limit });
    const sent: number[] = [];
    const order: number[] = [];
    const all = Array.from({ length: 5 * limit }, async (_, index) => {
      const lease = await limiter.acquire({ model, tokens: 1 });
      order.push(index);
      sent.push(time.now() + time.random() * 800);
      lease.settle({ tokens: 1 });
    });
    await time.pass(400_000);
    await Promise.all(all);
    expect(order).toEqual(all.map((_, index) => index));
    const arrivals = sent.toSorted((a, b) => a - b);
    expect(mostInSliding(arrivals, 60_000)).toBeLessThanOrEqual(limit);
    const periods = arrivals.slice(limit).map((at, index) => at - arrivals[index]!);
    const mean = periods.reduce((sum, each) => sum + each, 0) / periods.length;
    expect(60_000 / mean).toBeGreaterThan(0.95);
    expect(time.timers).toBe(0);
  });
});

function mostInSliding(times: number[], windowMs: number): number {
  let most = 0;
  for (let from = 0, to = 0; to < times.length; to += 1) {
    while (times[to]! - times[from]! >= windowMs) from += 1;
    most = Math.max(most, to - from + 1);
  }
  return most;
}
