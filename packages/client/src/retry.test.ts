import { describe, expect, test } from "vitest";
import type { Clock } from "./clock.js";
import { ConnectionError, RateLimitError, ServiceUnavailableError } from "./errors.js";
import { parseRetryAfter, RetryBudget, retryDelay, untilReset } from "./retry.js";

const noon = Date.parse("2026-11-23T12:00:00Z");

function clock(random: number): Clock {
  return { now: () => noon, date: () => noon, random: () => random, after: () => () => {} };
}

const overloaded = new ServiceUnavailableError("503", { status: 503, retryable: true });

describe("the wait before another attempt", () => {
  test("doubles from half a second and never exceeds eight", () => {
    const longest = [0, 1, 2, 3, 4, 5, 10].map((retries) => retryDelay(overloaded, retries, 20, clock(1)));
    expect(longest).toEqual([500, 1000, 2000, 4000, 8000, 8000, 8000]);
  });

  test("is anything between nothing and that", () => {
    expect(retryDelay(overloaded, 2, 3, clock(0))).toBe(0);
    expect(retryDelay(overloaded, 2, 3, clock(0.25))).toBe(500);
  });

  test("is what the service asks for, up to a minute", () => {
    const asking = (retryAfterMs: number) =>
      new ServiceUnavailableError("503", { status: 503, retryable: true, retryAfterMs });
    expect(retryDelay(asking(0), 0, 3, clock(1))).toBe(0);
    expect(retryDelay(asking(59_000), 0, 3, clock(0))).toBe(59_000);
    expect(retryDelay(asking(60_001), 0, 3, clock(0))).toBeUndefined();
  });

  test("ends with the minute of the limit", () => {
    const limited = new RateLimitError("429", {
      status: 429,
      retryable: true,
      limit: "RPM",
      retryAt: new Date(noon + 300),
    });
    expect(retryDelay(limited, 4, 9, clock(1))).toBe(300);
    expect(retryDelay(limited, 0, 3, clock(0.2))).toBe(100);
  });

  test("is none for what cannot succeed", () => {
    expect(retryDelay(new ConnectionError("tls", { reason: "tls" }), 0, 3, clock(0))).toBeUndefined();
  });

  test("is had once for a host name that does not exist, and as often as others for a resolver that is busy", () => {
    const dns = (code: string) =>
      new ConnectionError("dns", { reason: "dns", retryable: true, cause: Object.assign(new Error(), { code }) });
    expect(retryDelay(dns("ENOTFOUND"), 0, 3, clock(0))).toBe(0);
    expect(retryDelay(dns("ENOTFOUND"), 1, 3, clock(0))).toBeUndefined();
    expect(retryDelay(dns("EAI_AGAIN"), 2, 3, clock(0))).toBe(0);
  });
});

describe("the retry budget", () => {
  test("holds ten retries, and a tenth of one for each success", () => {
    const budget = new RetryBudget();
    const taken = () => {
      let count = 0;
      while (budget.withdraw()) count += 1;
      return count;
    };
    expect(taken()).toBe(10);
    for (let successes = 0; successes < 9; successes += 1) budget.deposit();
    expect(taken()).toBe(0);
    budget.deposit();
    expect(taken()).toBe(1);
    for (let successes = 0; successes < 200; successes += 1) budget.deposit();
    expect(taken()).toBe(20);
  });
});

describe("Retry-After", () => {
  test.each([
    ["0", 0],
    ["7", 7_000],
    ["1.5", 1_500],
    [" 2 ", 2_000],
    ["36000", 36_000_000],
    ["soon", undefined],
    ["-5", undefined],
    ["1e3", undefined],
    ["", undefined],
    [undefined, undefined],
    ["Mon, 23 Nov 2026 12:00:30 GMT", 30_000],
    ["Mon, 23 Nov 2026 11:00:00 GMT", 0],
    ["Mon, 99 Foo 2026 11:00:00 GMT", undefined],
  ])("%j is %j milliseconds", (value, expected) => {
    expect(parseRetryAfter(value, undefined, noon)).toBe(expected);
  });

  test("a date is measured by the service's own clock", () => {
    const hourAhead = "Mon, 23 Nov 2026 13:00:00 GMT";
    expect(parseRetryAfter("Mon, 23 Nov 2026 13:00:20 GMT", hourAhead, noon)).toBe(20_000);
  });
});

test("limits are counted anew with the minute, the hour, and the day in China", () => {
  const time = Date.parse("2026-11-23T15:59:30Z");
  expect(untilReset("RPM", time)).toBe(30_000);
  expect(untilReset("TPM", time)).toBe(30_000);
  expect(untilReset("RPH", time)).toBe(30_000);
  expect(untilReset("RPD", time)).toBe(30_000);
  expect(untilReset("IPD", time + 30_000)).toBe(24 * 3_600_000);
});
