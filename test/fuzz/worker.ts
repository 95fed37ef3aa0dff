/** One of the processes of the fuzz lane: takes batches of case numbers, answers with what came of them. */
import "../guard/loopback-only.mjs";
import { check, emptyTally, type Lines, type Tally } from "./check.ts";
import { readersByFetch, type Way } from "./ours.ts";
import { readersBySocket } from "./socket.ts";

export interface Batch {
  seed: number;
  kind: "stream" | "answer";
  from: number;
  to: number;
}

export type Report = { done: Tally; heap: number } | { hung: string } | { unhandled: string };

const caseLimitMs = 10_000;

const byFetch = readersByFetch();
const bySocket = await readersBySocket();
let running: { name: string; since: number } | undefined;

const report = (message: Report): void => void process.send?.(message);

process.on("unhandledRejection", (reason) =>
  report({ unhandled: String((reason as Error | undefined)?.stack ?? reason) }),
);
setInterval(() => {
  if (running === undefined || performance.now() - running.since < caseLimitMs) return;
  report({ hung: running.name });
  process.disconnect();
}, 1000).unref();

process.on("message", (batch: Batch) => void work(batch));
process.on("disconnect", () => process.exit());
// Who stops the lane stops all of its processes: what is begun is finished first.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});

async function work({ seed, kind, from, to }: Batch): Promise<void> {
  const tally = emptyTally();
  for (let number = from; number < to; number += 1) {
    running = { name: `--seed ${seed} --${kind} ${number}`, since: performance.now() };
    await check({ seed, number, kind }, readingsOf(kind, number), tally);
  }
  running = undefined;
  globalThis.gc?.();
  report({ done: tally, heap: process.memoryUsage().heapUsed });
}

/** Every case in the way it was made for; a share in the others, through LangChain, and over sockets. */
function readingsOf(kind: Batch["kind"], number: number): { way: Way; lines: Lines }[] {
  const [way, other]: Way[] =
    kind === "stream" ? ["client stream", "client create"] : ["client create", "client stream"];
  const readings: { way: Way; lines: Lines }[] = [{ way: way!, lines: byFetch }];
  if (number % 5 === 0) readings.push({ way: other!, lines: byFetch });
  if (number % 10 === 1) readings.push({ way: "model stream", lines: byFetch });
  if (number % 10 === 2) readings.push({ way: "model invoke", lines: byFetch });
  if (number % 50 === 3) readings.push({ way: way!, lines: bySocket });
  if (number % 100 === 4) readings.push({ way: number % 200 === 4 ? "model stream" : "model invoke", lines: bySocket });
  return readings;
}
