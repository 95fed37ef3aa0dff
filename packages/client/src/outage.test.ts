import { describe, expect, test } from "vitest";
import { Client } from "./client.js";
import { isSiliconFlowError } from "./errors.js";
import { resolveOptions } from "./options.js";
import { VirtualClock } from "./virtual-clock.js";
import type { Wire, WireRequest, WireResponse } from "./wire.js";

const request = { model: "m", messages: [{ role: "user", content: "1+1?" }] };
const answer = JSON.stringify({
  choices: [{ index: 0, message: { role: "assistant", content: "2" }, finish_reason: "stop" }],
});
const callers = 200;
const latencyMs = 250;

type Health = "healthy" | "refuses" | "is overloaded" | "hangs";

/** A service that takes a quarter of a second, and has its bad times. */
class MoodyWire implements Wire {
  health: Health = "healthy";
  readonly sentAt: number[] = [];
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  async send({ onConnect, attempt }: WireRequest): Promise<WireResponse> {
    const { health } = this;
    this.sentAt.push(this.#clock.now());
    if (health === "refuses") throw Object.assign(new Error("connect"), { code: "ECONNREFUSED" });
    onConnect(false);
    await new Promise<void>((resolve, reject) => {
      attempt.onEnd = () => reject(new Error("aborted"));
      // A limit of the attempt runs on the real clock: in its place the socket is reset.
      const reset = () => reject(Object.assign(new Error("socket"), { code: "ECONNRESET" }));
      if (health === "hangs") this.#clock.after(5_000, reset);
      else this.#clock.after(latencyMs, resolve);
    });
    let rest: Uint8Array | null = Buffer.from(health === "healthy" ? answer : '{"code":50505,"message":"overloaded"}');
    return {
      status: health === "healthy" ? 200 : 503,
      header: () => undefined,
      body: {
        wake: undefined,
        read() {
          const bytes = rest;
          rest = null;
          return bytes;
        },
        cancel() {},
      },
    };
  }

  // Not asked for here.
  download(): never {
    throw new Error("no download");
  }

  async close(): Promise<void> {}
}

class TestClient extends Client {
  constructor(wire: Wire, clock: VirtualClock) {
    super(resolveOptions({ apiKey: "sk-secret", baseURL: "https://siliconflow.test/v1" }), wire, clock);
  }
}

/** Callers who begin a call when the last one has ended, before, in and after an outage. */
async function outage(health: Health, outageMs: number) {
  const clock = new VirtualClock();
  const wire = new MoodyWire(clock);
  const client = new TestClient(wire, clock);
  const calls: { from: number; to: number; error?: unknown }[] = [];
  const until = 3_000 + outageMs + 8_000;
  async function caller(number: number): Promise<void> {
    await new Promise<void>((resolve) => clock.after((number / callers) * latencyMs, resolve));
    while (clock.now() < until) {
      const call: (typeof calls)[number] = { from: clock.now(), to: Infinity };
      calls.push(call);
      await client.chat.create(request).catch((error: unknown) => (call.error = error));
      call.to = clock.now();
    }
  }
  const all = Array.from({ length: callers }, (_, number) => caller(number));
  const healthyMs = 3_000;
  await clock.pass(healthyMs);
  wire.health = health;
  await clock.pass(outageMs);
  wire.health = "healthy";
  await clock.pass(9_000);
  await Promise.all(all);

  const from = healthyMs;
  const to = from + outageMs;
  const inside = (time: number) => time >= from && time < to;
  return {
    failures: calls.filter(({ error }) => error !== undefined),
    requests: wire.sentAt.filter(inside).length,
    calls: calls.filter((call) => call.from < to && call.to >= from).length,
    longestMs: Math.max(...calls.map((call) => call.to - call.from)),
    /** From the end of the outage on, in each tenth of a second. */
    back: Array.from(
      { length: 80 },
      (_, tenth) => wire.sentAt.filter((at) => Math.floor((at - to) / 100) === tenth && at >= to).length,
    ),
  };
}

describe.each<Health>(["refuses", "is overloaded", "hangs"])("a minute in which the service %s", (health) => {
  test("costs it few requests, fails calls for what it is, and ends without a rush", async () => {
    const { failures, requests, calls, longestMs, back } = await outage(health, 60_000);
    // One attempt of each caller, and the probes.
    expect(requests).toBeLessThan(1.3 * callers);
    expect(calls).toBeGreaterThan(callers);
    expect(failures.length).toBeGreaterThan(0);
    for (const { error } of failures) {
      if (!isSiliconFlowError(error)) throw error;
      expect(error.retryable).toBe(true);
      // Of the last probe a call can have been its own.
      if (error.attempts === 0) expect(error.message).toContain("Nothing more was sent: ");
    }
    expect(longestMs).toBeLessThan(health === "hangs" ? 60_000 : 20_000);
    // 80 a tenth are the full rate of the callers.
    const perSecond = (second: number) => back.slice(second * 10, second * 10 + 10).reduce((sum, count) => sum + count);
    expect(perSecond(5)).toBeGreaterThan(700);
    expect(Math.max(...back)).toBeLessThan(160);
  });
});

test.each<Health>(["refuses", "is overloaded"])("two seconds in which the service %s fail no call", async (health) => {
  const { failures, requests } = await outage(health, 2_000);
  expect(failures).toEqual([]);
  expect(requests).toBeLessThan(1.3 * callers);
});
