/**
 * What a gibibyte costs in memory: `npm run memory`. With an argument only the scenarios whose name contains it; `--mebibytes <n>`
 * sets how much is moved. Server and client are processes of their own; the client's peak is what the system says of it.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import "../guard/loopback-only.mjs";
import type { Report, Task } from "./client.ts";

const { values, positionals } = parseArgs({ options: { mebibytes: { type: "string" } }, allowPositionals: true });
const mebibytes = Number(values.mebibytes ?? 1024);
const only = positionals[0] ?? "";
/** Beyond what the process held before: buffers on both sides of a socket, and garbage that nobody has collected yet. */
const mostGrowth = 128;

const scenarios: Omit<Task, "url" | "file" | "bytes">[] = [
  { name: "upload of a path", job: "upload path", wire: "undici" },
  { name: "upload of a path, fetch", job: "upload path", wire: "fetch" },
  { name: "upload of a stream", job: "upload stream", wire: "undici" },
  { name: "upload of a stream, fetch", job: "upload stream", wire: "fetch" },
  { name: "sound to a file", job: "speech", wire: "undici" },
  { name: "sound to a file, fetch", job: "speech", wire: "fetch" },
  { name: "video to a file", job: "download", wire: "undici" },
  { name: "video to a file, fetch", job: "download", wire: "fetch" },
];

const folder = await mkdtemp(join(tmpdir(), "memory-"));
const server = fork(new URL("server.ts", import.meta.url), [], { env: { ...process.env, MEBIBYTES: `${mebibytes}` } });
let failed = false;
try {
  const [url] = (await once(server, "message")) as [string];
  const file = join(folder, "lines.jsonl");
  await writeLines(file);
  console.log(`| ${mebibytes} MiB | before | peak | growth | MiB/s |\n| --- | --- | --- | --- | --- |`);
  for (const scenario of scenarios.filter(({ name }) => name.includes(only))) {
    const client = fork(new URL("client.ts", import.meta.url));
    const ended = once(client, "exit");
    client.send({ ...scenario, url, file, bytes: mebibytes * 2 ** 20 } satisfies Task);
    const report = await Promise.race([
      once(client, "message").then(([message]) => message as Report),
      ended.then(() => undefined),
    ]);
    if (report === undefined || "error" in report) {
      failed = true;
      console.log(`| ${scenario.name} | failed: ${report?.error ?? "the process ended"} |`);
      continue;
    }
    const { before, peak, seconds } = report;
    const tooMuch = peak - before > mostGrowth;
    failed ||= tooMuch;
    console.log(
      `| ${scenario.name} | ${before} | ${peak} | ${peak - before}${tooMuch ? `, more than ${mostGrowth}` : ""} | ${Math.round(mebibytes / seconds)} |`,
    );
    await ended;
  }
} finally {
  server.kill();
  await rm(folder, { recursive: true });
}
process.exitCode = failed ? 1 : 0;

/** Four lines a mebibyte: fewer than a batch may have. */
async function writeLines(file: string): Promise<void> {
  const line = Buffer.alloc(2 ** 18, "x");
  line[line.length - 1] = 10;
  const piece = Buffer.concat([line, line, line, line]);
  const handle = await open(file, "w");
  for (let written = 0; written < mebibytes; written += 1) await handle.write(piece);
  await handle.close();
}
