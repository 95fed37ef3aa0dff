import { fork, type ChildProcess } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { isSiliconFlowError, SiliconFlowClient } from "@langchain-siliconflow/client";

/** `refusing`: nothing listens. `hanging`: requests are taken and never answered. */
export type Health = "healthy" | "failing" | "refusing" | "hanging";

/** What the service's process says: once that it is there, then what it is asked. */
export interface Report {
  port?: number;
  at?: number;
  arrivals?: number[];
}

export interface Plan {
  health: Exclude<Health, "healthy">;
  callers: number;
  healthyMs: number;
  outageMs: number;
  recoveryMs: number;
  /** For each call. */
  totalMs: number;
}

interface CallRecord {
  from: number;
  to: number;
  error?: unknown;
}

/** What an outage did, as counted on both sides. */
export interface Observed {
  /** Attempts that the client made in the outage, connected or not. */
  attempts: number;
  /** Calls that were under way in the outage. */
  calls: number;
  failed: number;
  /** Failures that are not what they should be: typed, and worth another try. */
  odd: unknown[];
  longestMs: number;
  /** From the end of the outage, `Infinity` for never. */
  firstSuccessMs: number;
  /** Until nine tenths of the healthy rate have been reached for half a second. */
  fullRateMs: number;
  /** Requests in the busiest tenth of a second: before the outage, and after it. */
  peakBefore: number;
  peakAfter: number;
  /** Requests at the service, second by second. */
  perSecond: number[];
  outageFrom: number;
  outageTo: number;
}

/** Callers who begin a new call when the last one has ended, before, in and after an outage. */
export async function observe(plan: Plan): Promise<Observed> {
  const service = fork(new URL("./service.ts", import.meta.url), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  try {
    return await drive(plan, service);
  } finally {
    service.kill();
  }
}

async function drive(plan: Plan, service: ChildProcess): Promise<Observed> {
  const heard = async (): Promise<Report> => ((await once(service, "message")) as [Report])[0];
  const tell = (what: Health | "report"): Promise<Report> => {
    const answer = heard();
    service.send(what);
    return answer;
  };
  const { port } = await heard();
  const client = new SiliconFlowClient({
    apiKey: "sk-outage",
    baseURL: `http://127.0.0.1:${port}/v1`,
    timeouts: { connectMs: 1_000, firstByteMs: 2_000, totalMs: plan.totalMs },
  });
  const created: number[] = [];
  const onCreate = () => void created.push(Date.now());
  // What undici is asked to send, whether or not it can connect.
  subscribe("undici:request:create", onCreate);

  const calls: CallRecord[] = [];
  const start = Date.now();
  const until = start + plan.healthyMs + plan.outageMs + plan.recoveryMs;
  const caller = async (number: number): Promise<void> => {
    await sleep((number / plan.callers) * 500);
    while (Date.now() < until) {
      const call: CallRecord = { from: Date.now(), to: Infinity };
      calls.push(call);
      try {
        await client.chat.create({ model: "m", messages: [{ role: "user", content: "1+1?" }] });
      } catch (error) {
        call.error = error;
      }
      call.to = Date.now();
    }
  };
  const all = Promise.all(Array.from({ length: plan.callers }, (_, number) => caller(number)));
  try {
    await sleep(plan.healthyMs);
    const { at: outageFrom = 0 } = await tell(plan.health);
    await sleep(plan.outageMs);
    const { at: outageTo = 0 } = await tell("healthy");
    await all;
    const { arrivals = [] } = await tell("report");
    return weigh(calls, created, arrivals, start, outageFrom, outageTo);
  } finally {
    unsubscribe("undici:request:create", onCreate);
    await client.close();
  }
}

function weigh(
  calls: CallRecord[],
  created: number[],
  arrivals: number[],
  start: number,
  outageFrom: number,
  outageTo: number,
): Observed {
  const between = (times: number[], from: number, to: number) => times.filter((at) => at >= from && at < to).length;
  const inOutage = calls.filter(({ from, to }) => from < outageTo && to >= outageFrom);
  const failures = calls.filter(({ error }) => error !== undefined);
  const successes = calls.filter(({ error }) => error === undefined).map(({ to }) => to);
  const end = Math.max(...calls.map(({ to }) => to));
  // The first second is that in which the callers come.
  const healthyFrom = start + 1_000;
  const healthyRate = between(successes, healthyFrom, outageFrom) / (outageFrom - healthyFrom);

  const firstSuccess = successes.filter((at) => at > outageTo).toSorted((a, b) => a - b)[0] ?? Infinity;
  let fullRateMs = Infinity;
  for (let from = outageTo; from + 500 <= end && fullRateMs === Infinity; from += 100) {
    if (between(successes, from, from + 500) >= 0.9 * 500 * healthyRate) fullRateMs = from - outageTo;
  }
  const peak = (from: number, to: number) => {
    let most = 0;
    for (let at = from; at < to; at += 100) most = Math.max(most, between(arrivals, at, at + 100));
    return most;
  };
  return {
    attempts: between(created, outageFrom, outageTo),
    calls: inOutage.length,
    failed: failures.length,
    odd: failures.map(({ error }) => error).filter((error) => !isExpected(error)),
    longestMs: Math.max(...calls.map(({ from, to }) => to - from)),
    firstSuccessMs: firstSuccess - outageTo,
    fullRateMs,
    peakBefore: peak(healthyFrom, outageFrom),
    peakAfter: peak(outageTo, end),
    perSecond: Array.from({ length: Math.ceil((end - start) / 1000) }, (_, second) =>
      between(arrivals, start + second * 1000, start + second * 1000 + 1000),
    ),
    outageFrom: (outageFrom - start) / 1000,
    outageTo: (outageTo - start) / 1000,
  };
}

/** What a caller can act upon: the outage by its name, or its own deadline. */
function isExpected(error: unknown): boolean {
  return isSiliconFlowError(error) && (error.retryable || error.reason === "timeout");
}
