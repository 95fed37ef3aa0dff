/** 100,000 calls of all kinds, one in ten of which meets a fault: `npm run soak`. `--calls n --seed s` for other ones. */
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import "../guard/loopback-only.mjs";
import { soak, type Soaked } from "./soak.ts";

/** What may be left of 100,000 calls, in bytes: what a cache keeps, not what every call leaves. */
const heapAllowance = 8 * 1024 * 1024;

const { values } = parseArgs({
  options: { calls: { type: "string", default: "100000" }, seed: { type: "string", default: "1" } },
});

if (globalThis.gc === undefined) {
  // The heap is measured after collection, which only a flag makes possible.
  const again = ["--expose-gc", import.meta.filename, ...process.argv.slice(2)];
  process.exitCode = spawnSync(process.execPath, again, { stdio: "inherit" }).status ?? 1;
} else print(await soak({ calls: Number(values.calls), seed: Number(values.seed) }));

function print(soaked: Soaked): void {
  const { calls, requests, sockets, heap, leftOver, unhandled, wrong } = soaked;
  const results = ["right answer", "expected error", "left as meant", "retry budget spent", "wrong"] as const;
  console.log(`| calls | ${results.join(" | ")} |\n| --- |${" --- |".repeat(results.length)}`);
  for (const [kind, counts] of Object.entries(calls))
    console.log(`| ${kind} | ${results.map((result) => counts[result] ?? 0).join(" | ")} |`);
  console.log("\n| fault | calls that met it |\n| --- | --- |");
  for (const [fault, count] of Object.entries(soaked.faults)) console.log(`| ${fault} | ${count} |`);
  const megabytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
  console.log(
    `\nrequests: ${requests.client} by the client's count, ${requests.service} by the service's` +
      ` (and ${requests.uncounted} of callers who left by the clock); retries: ${soaked.retries}`,
  );
  console.log(`sockets: ${sockets.most} at most, ${sockets.left} left`);
  if (heap !== undefined)
    console.log(`heap after collection: ${megabytes(heap.start)} after a tenth, ${megabytes(heap.end)} at the end`);
  console.log(`handles and timers left: ${leftOver.length}, unhandled rejections: ${unhandled.length}`);
  console.log(`${(soaked.elapsedMs / 1000).toFixed(1)} s`);

  const problems = [
    ...wrong,
    ...unhandled,
    ...leftOver.map((name) => `left over: ${name}`),
    ...(requests.client === requests.service ? [] : ["the requests do not add up"]),
    ...(sockets.left === 0 ? [] : ["sockets are left"]),
    ...(heap !== undefined && heap.end - heap.start > heapAllowance ? ["the heap has grown"] : []),
  ];
  for (const problem of problems.slice(0, 20)) console.error(problem);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
