/**
 * Limits of an account, held by real processes over real stores: `npm run limits`. With an argument only the scenarios
 * whose name contains it; `--seconds <n>` sets how long they run. Everything is counted at the server.
 *
 * Four processes share each account, and one of them is killed on the way. The windows of the server slide, or are fixed at a phase
 * that nobody knows. All scenarios run side by side, each with an account of its own.
 */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { MemoryRateLimiter, SiliconFlowClient } from "@langchain-siliconflow/client";
import { mostWithin, rateHeld } from "../../packages/client/src/limits/reckoning.ts";
import "../guard/loopback-only.mjs";
import { openAccount, type Account, type Use } from "./account.ts";
import type { News, Task } from "./process.ts";
import { startPostgres, startRedis, type Database } from "./stores.ts";

// So that the databases are ended as well.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

const minuteMs = 60_000;
const processes = 4;
/** Less than the quarter that four could take, so that a share is told from the whole. */
const localShare = 0.2;
const { values, positionals } = parseArgs({ options: { seconds: { type: "string" } }, allowPositionals: true });
const only = positionals[0] ?? "";
const seconds = Number(values.seconds ?? 250);

interface Result {
  name: string;
  /** At the server. */
  refused: number;
  rate?: number;
  note: string;
  passed: boolean;
}

interface Scenario {
  name: string;
  store: "redis" | "postgres";
  limits: { requestsPerMinute?: number; tokensPerMinute?: number };
  window: "fixed" | "sliding";
  /** The store is gone for the middle of the run. */
  outage?: boolean;
}

const scenarios: Scenario[] = [];
for (const store of ["redis", "postgres"] as const)
  for (const window of ["fixed", "sliding"] as const) {
    scenarios.push({ name: `${store} ${window} RPM`, store, window, limits: { requestsPerMinute: 600 } });
    scenarios.push({ name: `${store} ${window} TPM`, store, window, limits: { tokensPerMinute: 60_000 } });
  }
scenarios.push({
  name: "store down",
  store: "redis",
  window: "sliding",
  limits: { requestsPerMinute: 600 },
  outage: true,
});

const stores = new Map<"redis" | "postgres" | "mortal", Database>();
const chosen = scenarios.filter(({ name }) => name.includes(only));
const results: Result[] = [];
// A machine that is too busy delays the server, not the limiter: said beside the figures.
const stalls = monitorEventLoopDelay();
stalls.enable();
try {
  for (const { store, outage } of chosen) {
    const name = outage ? "mortal" : store;
    const started = stores.get(name) ?? (await (store === "redis" ? startRedis() : startPostgres()));
    if (started !== undefined) stores.set(name, started);
    else console.error(`SKIPPED: ${store} is not installed here, and what needs it does not run.`);
  }
  const runnable = chosen.filter(({ store, outage }) => stores.has(outage ? "mortal" : store));
  const [shared, list] = await Promise.all([
    runnable.length > 0 ? share(runnable) : [],
    "10,000 requests".includes(only) ? [await longList()] : [],
  ]);
  results.push(...shared, ...list);
} finally {
  await Promise.all(Array.from(stores.values(), (store) => store.close()));
}

console.log(`Longest stall of the server's process: ${(stalls.max / 1e6).toFixed(0)} ms.\n`);
console.log("| scenario | 429s | rate held | | |\n| --- | --- | --- | --- | --- |");
for (const { name, refused, rate, note, passed } of results) {
  const held = rate === undefined ? "" : `${(rate * 100).toFixed(1)} %`;
  console.log(`| ${name} | ${refused} | ${held} | ${note} | ${passed ? "ok" : "FAILED"} |`);
}
if (results.length === 0) throw new Error("Nothing was run.");
process.exitCode = results.every(({ passed }) => passed) ? 0 : 1;

/** Four processes at all these accounts. */
async function share(running: Scenario[]): Promise<Result[]> {
  const accounts = new Map<string, Account>();
  const tasks: Task[] = [];
  for (const { name, store, window, limits, outage } of running) {
    const account = await openAccount({
      ...limits,
      window,
      ...(window === "fixed" && { windowOffsetMs: Math.floor(Math.random() * minuteMs) }),
    });
    accounts.set(name, account);
    if (limits.tokensPerMinute !== undefined) talk(account);
    const { port } = stores.get(outage ? "mortal" : store)!;
    tasks.push({
      name,
      url: account.emulator.url,
      apiKey: account.emulator.apiKey,
      store: { kind: store, port },
      limits,
      localShare,
      callers: 30,
      // Limits are used up in bursts, and not all scenarios are to have theirs at once on one machine.
      afterMs: tasks.length * 6000,
    });
  }

  const spent = new Map<string, Use[]>(running.map(({ name }) => [name, []]));
  const failures = new Map<string, string[]>();
  const children = Array.from({ length: processes }, (_, index) => {
    const from = `process ${index + 1}`;
    const child = fork(new URL("process.ts", import.meta.url), { env: { ...process.env, PROCESS: from } });
    child.on("message", (news) => {
      const told = news as News;
      if (told.kind === "used") spent.get(told.task)?.push({ at: told.at, from, amount: told.tokens });
      else failures.set(told.task, [...(failures.get(told.task) ?? []), told.error]);
    });
    child.send({ tasks });
    return child;
  });

  const outage = { from: 0, until: 0 };
  await pause(seconds * 0.2);
  // Not while its store is down: what it used alone would be known to nobody.
  await end(children[0]!, "SIGKILL");
  await pause(seconds * 0.15);
  outage.from = Date.now();
  await stores.get("mortal")?.kill();
  await pause(seconds * 0.3);
  outage.until = Date.now();
  await stores.get("mortal")?.restart();
  await pause(seconds * 0.35);
  await Promise.all(children.slice(1).map((child) => end(child)));

  await Promise.all(Array.from(accounts.values(), ({ emulator }) => emulator.close()));
  const unhandled = failures.get("*");
  if (unhandled !== undefined) throw new Error(unhandled.join("\n"));
  return running.map((scenario) => {
    const { name, limits } = scenario;
    const { uses, refused } = accounts.get(name)!;
    const counted = limits.tokensPerMinute === undefined ? uses : spent.get(name)!;
    return resultOf(scenario, { counted, refused, errors: failures.get(name) ?? [] }, outage);
  });
}

/** What a scenario came to: of requests as the server counted them, of tokens as the answers did. */
function resultOf(
  { name, limits, outage: down }: Scenario,
  { counted, refused, errors }: { counted: Use[]; refused: number; errors: string[] },
  outage: { from: number; until: number },
): Result {
  const limit = limits.requestsPerMinute ?? limits.tokensPerMinute!;
  const firstError = errors.length > 0 ? `; ${errors.length} errors, first: ${errors[0]}` : "";
  const clean = refused === 0 && errors.length === 0;
  if (down) {
    const meanwhile = counted.filter(({ at }) => at > outage.from + 1000 && at < outage.until);
    const mostOf = (process: string): number =>
      mostWithin(
        meanwhile.filter(({ from }) => from === process),
        minuteMs,
      );
    const most = Math.max(...Array.from(new Set(meanwhile.map(({ from }) => from)), mostOf)) / limit;
    return {
      name,
      refused,
      note: `at most ${(most * 100).toFixed(1)} % a process in any minute, ${localShare * 100} % allowed${firstError}`,
      passed: clean && most > 0 && most <= localShare,
    };
  }
  const unit = limits.tokensPerMinute === undefined ? "requests" : "tokens";
  const total = counted.reduce((sum, { amount }) => sum + amount, 0);
  const rate = rateHeld(counted, limit, minuteMs);
  return {
    name,
    refused,
    rate,
    note: `${total} ${unit} at ${limit} a minute; most in any minute ${mostWithin(counted, minuteMs)}${firstError}`,
    passed: clean && rate >= 0.95,
  };
}

/** 10,000 embeddings asked for at twice the allowed rate, by one process. */
async function longList(): Promise<Result> {
  const limit = 2000;
  const account = await openAccount({ requestsPerMinute: limit });
  const { emulator } = account;
  const limiter = new MemoryRateLimiter({ requestsPerMinute: limit });
  const client = new SiliconFlowClient({ baseURL: emulator.url, apiKey: emulator.apiKey, limiter, maxRetries: 0 });
  const seen = new Map<string, number>();
  const note = (request: { body: unknown }): undefined => {
    const { input } = request.body as { input: string };
    seen.set(input, (seen.get(input) ?? 0) + 1);
  };
  emulator.script([note]);

  const errors: unknown[] = [];
  const calls: Promise<boolean>[] = [];
  const started = Date.now();
  while (calls.length < 10_000) {
    const due = Math.min(10_000, ((Date.now() - started) / minuteMs) * 2 * limit);
    while (calls.length < due) {
      const call = client.embeddings.create({ model: "BAAI/bge-m3", input: `text ${calls.length}` });
      const failed = (error: unknown) => {
        errors.push(error);
        return false;
      };
      calls.push(call.then(({ data }) => data.length === 1, failed));
    }
    await pause(0.02);
  }
  const completed = (await Promise.all(calls)).filter(Boolean).length;
  await client.close();
  await emulator.close();
  const doubled = [...seen.values()].filter((times) => times > 1).length;
  const rate = rateHeld(account.uses, limit, minuteMs);
  return {
    name: "10,000 requests at twice the rate",
    refused: account.refused,
    rate,
    note: `${completed} answered, ${seen.size} seen by the server, ${doubled} of them twice${errors.length > 0 ? `; first error: ${String(errors[0])}` : ""}`,
    passed: account.refused === 0 && completed === 10_000 && seen.size === 10_000 && doubled === 0 && rate >= 0.95,
  };
}

/** Answers of a length that no prompt tells, streamed over a while. */
function talk({ emulator }: Account): void {
  const line = () => {
    emulator.script([line]);
    const piece = "word ".repeat(5 + Math.floor(Math.random() * 35));
    return { content: Array.from({ length: 10 }, () => piece) };
  };
  emulator.script([line]);
  emulator.fault({ endpoint: "chat", times: Infinity, dripMs: 40 });
}

async function end(child: ChildProcess, signal?: "SIGKILL"): Promise<void> {
  const gone = once(child, "exit");
  if (signal !== undefined) child.kill(signal);
  else child.send("stop");
  await gone;
}

function pause(length: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, length * 1000));
}
