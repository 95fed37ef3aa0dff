import { expect, test } from "vitest";
import { soak } from "./soak.ts";

test(
  "of mixed calls, some of which meet faults, every one is accounted for, and nothing is left",
  { timeout: 60_000 },
  async () => {
    const soaked = await soak({ calls: 600, seed: 2, concurrency: 32 });
    expect(soaked.wrong).toEqual([]);
    expect(soaked.unhandled).toEqual([]);
    expect(soaked.leftOver).toEqual([]);
    expect(soaked.sockets.left).toBe(0);
    expect(soaked.requests.client).toBe(soaked.requests.service);
    // It tests something: faults were met, retried and told.
    const results = Object.values(soaked.calls);
    expect(results.every((counts) => (counts["right answer"] ?? 0) > 0)).toBe(true);
    expect(results.some((counts) => (counts["expected error"] ?? 0) > 0)).toBe(true);
    expect(soaked.retries).toBeGreaterThan(0);
  },
);
