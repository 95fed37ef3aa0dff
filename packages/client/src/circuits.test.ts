import { beforeEach, describe, expect, test } from "vitest";
import type { Pass } from "./circuit.js";
import { Circuits } from "./circuits.js";
import { Deadline } from "./deadline.js";
import {
  BadRequestError,
  ConnectionError,
  RateLimitError,
  ServiceUnavailableError,
  TimeoutError,
  type SiliconFlowError,
} from "./errors.js";
import { settled, VirtualClock } from "./virtual-clock.js";

const down = new ServiceUnavailableError("503 busy.", {
  status: 503,
  code: 50505,
  reason: "overloaded",
  retryable: true,
});
const refused = new ConnectionError("h refused.", { reason: "refused", retryable: true });
const limits = { connectMs: 1000, firstByteMs: 1000, idleMs: 1000, totalMs: Infinity };

let clock: VirtualClock;
let circuits: Circuits;
let waits: { reason: string; delayMs: number }[];

beforeEach(() => {
  clock = new VirtualClock();
  // Intervals without jitter.
  clock.random = () => 1;
  circuits = new Circuits(clock, "h");
  waits = [];
});

/** Attempts that set out just now, and before all others. */
const recent: Pass = { number: Infinity, waited: 0 };
const ancient: Pass = { number: 0, waited: 0 };

function fail(times: number, error: SiliconFlowError = down, connected = true): void {
  for (let time = 0; time < times; time += 1) circuits.failed("m", error, connected, recent);
}

interface Outcome {
  at: number;
  pass?: Pass;
  error?: SiliconFlowError;
}

/** Calls that come at once, and what becomes of each. */
function arrive(count: number, most = 4, model = "m", signal?: AbortSignal): Outcome[] {
  const outcomes: Outcome[] = [];
  for (let call = 0; call < count; call += 1) {
    const deadline = new Deadline(signal, limits, false, clock);
    circuits
      .pass(model, most, deadline, (event) => waits.push(event))
      .then(
        (pass) => outcomes.push({ at: clock.now(), pass }),
        (error: SiliconFlowError) => outcomes.push({ at: clock.now(), error }),
      )
      .finally(() => deadline.end());
  }
  return outcomes;
}

/** Calls that come now and are probes, each after the interval of the one before. */
async function passes(count: number): Promise<Pass[]> {
  const outcomes = arrive(count, 99);
  while (outcomes.length < count) await clock.pass(100);
  return outcomes.map(({ pass }) => pass!);
}

describe("a circuit", () => {
  test("lets calls through until ten failures in a row", async () => {
    fail(9);
    expect(circuits.holds("m")).toBe(false);
    circuits.succeeded("m", recent);
    fail(9);
    expect(circuits.holds("m")).toBe(false);
    fail(1);
    expect(circuits.holds("m")).toBe(true);
    expect(circuits.holds("another")).toBe(false);
    expect(circuits.holds(undefined)).toBe(false);
  });

  test("is not deceived by answers to what was sent before the failures", () => {
    fail(5);
    circuits.succeeded("m", ancient);
    fail(5);
    circuits.succeeded("m", ancient);
    expect(circuits.holds("m")).toBe(true);
  });

  test("does not open again for what was sent before the recovery and fails only now", async () => {
    fail(10);
    const [probe] = await passes(1);
    circuits.succeeded("m", probe!);
    for (let time = 0; time < 20; time += 1) circuits.failed("m", down, true, ancient);
    expect(circuits.holds("m")).toBe(false);
  });

  test("does not add up failures that lie apart", async () => {
    for (let time = 0; time < 20; time += 1) {
      fail(1);
      await clock.pass(60_001);
    }
    expect(circuits.holds("m")).toBe(false);
  });

  test.each<[string, SiliconFlowError]>([
    ["a bad request", new BadRequestError("400", { status: 400 })],
    ["a limit", new RateLimitError("429", { status: 429, retryable: true })],
    ["a 501", new ServiceUnavailableError("501", { status: 501, retryable: false })],
    ["a certificate", new ConnectionError("tls", { reason: "tls" })],
    ["a body that stalls", new TimeoutError("idle", { phase: "idle", retryable: true })],
    [
      "a host name that does not exist",
      new ConnectionError("dns", {
        reason: "dns",
        retryable: true,
        cause: Object.assign(new Error("x"), { code: "ENOTFOUND" }),
      }),
    ],
  ])("does not count %s", (_, error) => {
    fail(30, error);
    expect(circuits.holds("m")).toBe(false);
  });

  test("holds every model where no connection comes about, and one that is made ends that", () => {
    fail(10, refused, false);
    expect(circuits.holds("another")).toBe(true);
    expect(circuits.holds(undefined)).toBe(true);
    circuits.failed("m", down, true, recent);
    expect(circuits.holds("another")).toBe(false);
  });

  test("lets one call through at a time, at growing intervals of three seconds at most", async () => {
    fail(10);
    const outcomes = arrive(20, 99);
    const probes: number[] = [];
    for (let waited = 0; waited < 15_000; waited += 100) {
      await clock.pass(100);
      for (const { at, pass } of outcomes.splice(0)) {
        probes.push(at);
        circuits.failed("m", down, true, pass!);
      }
    }
    expect(probes).toEqual([500, 1_500, 3_500, 6_500, 9_500, 12_500]);
  });

  test("a probe that hangs does not keep the next one waiting", async () => {
    fail(10);
    const outcomes = arrive(3, 99);
    await clock.pass(1_500);
    expect(outcomes.map(({ at }) => at)).toEqual([500, 1_000, 1_500]);
  });

  test("a call that comes after a quiet time is a probe at once", async () => {
    fail(10);
    await clock.pass(10_000);
    const outcomes = arrive(1);
    await settled();
    expect(outcomes[0]!.pass!.probeOf).toBeDefined();
    expect(clock.timers).toBe(0);
  });

  test("a failed probe is news to each call that waited for it, and the last of so many ends it", async () => {
    fail(10);
    const patient = arrive(1, 99);
    const outcomes = arrive(3, 2);
    await clock.pass(500);
    circuits.failed("m", down, true, patient[0]!.pass!);
    await settled();
    expect(outcomes).toEqual([]);
    await clock.pass(1_000);
    // One of the three is the second probe.
    const [second] = outcomes.splice(0);
    expect(second!.pass).toMatchObject({ waited: 1 });
    circuits.failed("m", down, true, second!.pass!);
    await settled();
    expect(outcomes).toHaveLength(2);
    expect(outcomes[0]!.error).not.toBe(outcomes[1]!.error);
    expect(outcomes[0]!.error).toMatchObject({
      name: "ServiceUnavailableError",
      status: 503,
      code: 50505,
      reason: "overloaded",
      retryable: true,
      message: "503 busy. Nothing more was sent: m has been failing for 2 s.",
    });
    expect(clock.timers).toBe(0);
  });

  test("a probe that was under way before a call came takes nothing from it", async () => {
    fail(10);
    const [early] = [arrive(1)];
    await clock.pass(500);
    const late = arrive(1, 1);
    circuits.failed("m", down, true, early[0]!.pass!);
    await settled();
    expect(late).toEqual([]);
    await clock.pass(1_000);
    expect(late[0]!.pass).toMatchObject({ waited: 0 });
  });

  test.each<[SiliconFlowError, object]>([
    [refused, { name: "ConnectionError", reason: "refused" }],
    [
      new TimeoutError("No connection.", { phase: "connect", retryable: true }),
      { name: "TimeoutError", phase: "connect", reason: "timeout" },
    ],
  ])("says what the outage looks like: %s", async (error, expected) => {
    fail(10, error, false);
    const first = arrive(1, 9);
    const outcomes = arrive(1, 1);
    await clock.pass(500);
    circuits.failed("m", error, false, first[0]!.pass!);
    await settled();
    expect(outcomes[0]!.error).toMatchObject({ ...expected, retryable: true });
    expect(outcomes[0]!.error!.message).toContain("Nothing more was sent: h has been failing");
  });

  test("announces each wait, and for how long", async () => {
    fail(10);
    const outcomes = arrive(2, 9);
    expect(waits).toEqual([
      { reason: "outage of m", delayMs: 500 },
      { reason: "outage of m", delayMs: 500 },
    ]);
    waits = [];
    await clock.pass(500);
    circuits.failed("m", down, true, outcomes[0]!.pass!);
    expect(waits).toEqual([{ reason: "outage of m", delayMs: 1_000 }]);
  });

  test("waits as long as the service asks for, where that is a minute or less", async () => {
    const asking = (retryAfterMs: number) =>
      new ServiceUnavailableError("503", { status: 503, retryable: true, retryAfterMs });
    fail(10, asking(20_000));
    const outcomes = arrive(2, 9);
    await clock.pass(19_999);
    expect(outcomes).toEqual([]);
    await clock.pass(1);
    circuits.failed("m", asking(3_600_000), true, outcomes[0]!.pass!);
    await clock.pass(1_000);
    expect(outcomes).toHaveLength(2);
  });

  test.each<[string, SiliconFlowError]>([
    ["a limit", new RateLimitError("429", { status: 429, retryable: true })],
    ["a refusal", new BadRequestError("400", { status: 400 })],
    ["a certificate", new ConnectionError("tls", { reason: "tls" })],
  ])("is over when a probe meets %s: the others are to meet it too, and not to wait", async (_, error) => {
    fail(10);
    const outcomes = arrive(11);
    await clock.pass(500);
    circuits.failed("m", error, true, outcomes[0]!.pass!);
    await clock.pass(100);
    expect(outcomes).toHaveLength(11);
  });

  test("a call that is aborted leaves at once, and leaves no timer behind", async () => {
    fail(10);
    const controller = new AbortController();
    const outcomes = arrive(2, 4, "m", controller.signal);
    controller.abort("mine");
    await settled();
    expect(outcomes.map(({ error }) => error)).toEqual(["mine", "mine"]);
    expect(clock.timers).toBe(0);
  });
});

describe("when the outage is over", () => {
  test("the calls that waited come back few at first, and all within a second", async () => {
    fail(10);
    const outcomes = arrive(201);
    await clock.pass(500);
    outcomes.splice(0);
    circuits.succeeded("m", recent);
    await clock.pass(1_000);
    const steps = new Map<number, number>();
    for (const { at, pass } of outcomes) {
      expect(pass).toMatchObject({ waited: 0 });
      expect(pass!.probeOf).toBeUndefined();
      steps.set(at - 500, (steps.get(at - 500) ?? 0) + 1);
    }
    expect([...steps].slice(0, 4)).toEqual([
      [0, 1],
      [20, 2],
      [40, 3],
      [60, 4],
    ]);
    expect(outcomes).toHaveLength(200);
    expect(Math.max(...steps.values())).toBeLessThanOrEqual(20);
    expect(clock.timers).toBe(0);
  });

  test("new calls do not wait behind them", async () => {
    fail(10);
    arrive(100);
    await clock.pass(500);
    circuits.succeeded("m", recent);
    const fresh = arrive(1);
    await settled();
    expect(fresh).toHaveLength(1);
  });

  test("those not yet released stay where they are when it begins again", async () => {
    fail(10);
    const outcomes = arrive(101, 9);
    await clock.pass(500);
    circuits.succeeded("m", recent);
    await clock.pass(20);
    fail(10);
    const released = outcomes.length;
    await clock.pass(499);
    expect(outcomes).toHaveLength(released);
    await clock.pass(1);
    expect(outcomes).toHaveLength(released + 1);
  });
});
