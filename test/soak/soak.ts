import { SiliconFlowClient } from "@langchain-siliconflow/client";
import { fork } from "node:child_process";
import { once } from "node:events";
import { call, learn, type Result } from "./calls.ts";
import { faults, isCounted, kinds, type Kind, planOf } from "./plan.ts";
import type { Served } from "./service.ts";

/** What came of a soak: every call, every request, and what was left behind. */
export interface Soaked {
  calls: Record<Kind, Partial<Record<Result | "wrong", number>>>;
  /** Calls that met each fault. */
  faults: Record<string, number>;
  /** One line for each wrong end, with the number of the call. */
  wrong: string[];
  retries: number;
  /** Requests by the client's own count, and by the service's: the same. */
  requests: { client: number; service: number; uncounted: number };
  sockets: { most: number; left: number };
  /** After collection, where it can be asked for: when a tenth was done, and at the end. */
  heap: { start: number; end: number } | undefined;
  /** Kinds of handles and timers that were not there before. */
  leftOver: string[];
  unhandled: string[];
  elapsedMs: number;
}

const patience = { maxRetries: 3, timeouts: { firstByteMs: 60_000, idleMs: 60_000 } };

/** Makes so many calls of all kinds, so many at once, one in ten of which meets a fault. */
export async function soak({
  calls,
  seed,
  concurrency = 64,
}: {
  calls: number;
  seed: number;
  concurrency?: number;
}): Promise<Soaked> {
  const service = fork(new URL("service.ts", import.meta.url), [String(seed)], { execArgv: [] });
  const [{ url, apiKey }] = (await once(service, "message")) as [{ url: string; apiKey: string }];
  const before = resources();
  const unhandled: string[] = [];
  const onUnhandled = (error: unknown): void =>
    void unhandled.push(String((error as Error | undefined)?.stack ?? error));
  process.on("unhandledRejection", onUnhandled);

  let retries = 0;
  const client = new SiliconFlowClient({ ...patience, baseURL: url, apiKey, onRetry: () => void (retries += 1) });
  const known = await learn(client);
  const tally = Object.fromEntries(kinds.map((kind) => [kind, {}])) as Soaked["calls"];
  const met: Record<string, number> = Object.fromEntries(Object.keys(faults).map((name) => [name, 0]));
  const wrong: string[] = [];
  let counted = 0;
  let start: number | undefined;
  const started = performance.now();

  let next = 0;
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      for (let number = next++; number < calls; number = next++) {
        if (number === Math.floor(calls / 10)) start = collected();
        const plan = planOf(seed, number);
        if (plan.fault !== undefined) met[plan.fault]! += 1;
        if (isCounted(plan)) counted += 1;
        let result: Result | "wrong";
        try {
          result = await call(plan, client, known);
        } catch (error) {
          result = "wrong";
          const what = `${plan.kind}, ${plan.caller}${plan.fault ? `, ${plan.fault}${plan.always ? " always" : ""}` : ""}`;
          wrong.push(`call ${number} (${what}): ${String(error)}`);
        }
        tally[plan.kind][result] = (tally[plan.kind][result] ?? 0) + 1;
      }
    }),
  );
  const elapsedMs = performance.now() - started;
  await client.close();
  const served = await ask(service);
  const end = collected();
  const leftOver = added(before, resources());
  process.off("unhandledRejection", onUnhandled);
  service.disconnect();
  await once(service, "exit");
  return {
    calls: tally,
    faults: met,
    wrong,
    retries,
    requests: { client: counted + retries, service: served.counted, uncounted: served.others },
    sockets: { most: served.mostConnections, left: served.connections },
    heap: start === undefined || end === undefined ? undefined : { start, end },
    leftOver,
    unhandled,
    elapsedMs,
  };
}

/** Once no connection is left, or after two seconds with those that are. */
async function ask(service: ReturnType<typeof fork>): Promise<Served> {
  for (let tries = 0; ; tries += 1) {
    service.send("How many?");
    const [served] = (await once(service, "message")) as [Served];
    if (served.connections === 0 || tries === 40) return served;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function collected(): number | undefined {
  globalThis.gc?.();
  return globalThis.gc === undefined ? undefined : process.memoryUsage().heapUsed;
}

const resources = (): string[] => process.getActiveResourcesInfo();

function added(before: readonly string[], after: readonly string[]): string[] {
  const left = [...before];
  return after.filter((name) => {
    const position = left.indexOf(name);
    if (position !== -1) left.splice(position, 1);
    return position === -1;
  });
}
