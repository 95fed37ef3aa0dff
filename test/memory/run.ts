/**
 * What a gibibyte costs in memory: `npm run memory`. With an argument only the scenarios whose name contains it; `--mebibytes <n>`
 * sets how much is moved. Server and client are processes of their own. The client moves one mebibyte first: growth is the peak of what the
 * system says it holds, over what it held after that.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { generate } from "selfsigned";
import "../guard/loopback-only.mjs";
import type { Report, Task } from "./client.ts";

const { values, positionals } = parseArgs({ options: { mebibytes: { type: "string" } }, allowPositionals: true });
const mebibytes = Number(values.mebibytes ?? 1024);
const only = positionals[0] ?? "";
/** MiB beyond what the process held before, where all memory on the way is the client's own. */
const goal = 32;
/** What has been decrypted comes in small pieces, with buffers of its own: 21 to 31 were measured. */
const secureGoal = 40;
/**
 * Where pieces belong to somebody else: V8 frees the buffers of a stream of Node.js, or of a `fetch`, when it has 64 MiB of them, and
 * what reads or writes beside the client adds its own.
 */
const bound = 160;

interface Scenario extends Pick<Task, "name" | "job" | "wire"> {
  secure?: boolean;
  most: number;
}

const scenarios: Scenario[] = [
  { name: "upload of a path", job: "upload path", wire: "undici", most: goal },
  { name: "upload of a path, TLS", job: "upload path", wire: "undici", secure: true, most: goal },
  { name: "upload of a path, fetch", job: "upload path", wire: "fetch", most: goal },
  { name: "sound saved", job: "sound saved", wire: "undici", most: goal },
  { name: "sound saved, TLS", job: "sound saved", wire: "undici", secure: true, most: secureGoal },
  { name: "video to a file", job: "download", wire: "undici", most: goal },
  { name: "video to a file, TLS", job: "download", wire: "undici", secure: true, most: secureGoal },
  { name: "upload of a stream", job: "upload stream", wire: "undici", most: bound },
  { name: "upload of a stream, fetch", job: "upload stream", wire: "fetch", most: bound },
  { name: "sound piped to a file", job: "sound piped", wire: "undici", most: bound },
  { name: "sound saved, fetch", job: "sound saved", wire: "fetch", most: bound },
  { name: "video to a file, fetch", job: "download", wire: "fetch", most: bound },
  { name: "reference: that stream, only read", job: "read stream", wire: "undici", most: Infinity },
  { name: "reference: undici alone, to a file", job: "download by hand", wire: "undici", most: Infinity },
];

const folder = await mkdtemp(join(tmpdir(), "memory-"));
const { cert, private: key } = await generate([{ name: "commonName", value: "127.0.0.1" }], {
  extensions: [{ name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] }],
});
const certificate = join(folder, "certificate.pem");
await writeFile(certificate, cert);
const environment = { MEBIBYTES: `${mebibytes}`, KEY: key, CERTIFICATE: cert };
const server = fork(new URL("server.ts", import.meta.url), [], { env: { ...process.env, ...environment } });
let failed = false;
try {
  const [{ http, https }] = (await once(server, "message")) as [{ http: string; https: string }];
  const file = join(folder, "lines.jsonl");
  const short = join(folder, "short.jsonl");
  await writeLines(file, mebibytes);
  await writeLines(short, 1);
  console.log(`| ${mebibytes} MiB | before | peak | growth | at most | MiB/s |\n| --- | --- | --- | --- | --- | --- |`);
  for (const scenario of scenarios.filter(({ name }) => name.includes(only))) {
    const { most, secure, ...job } = scenario;
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: certificate };
    const client = fork(new URL("client.ts", import.meta.url), [], { env });
    const ended = once(client, "exit");
    const url = secure ? https : http;
    client.send({ ...job, url, file, short, bytes: mebibytes * 2 ** 20 } satisfies Task);
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
    const tooMuch = peak - before > most;
    failed ||= tooMuch;
    console.log(
      `| ${scenario.name} | ${before} | ${peak} | ${peak - before}${tooMuch ? ", too much" : ""} | ${most === Infinity ? "" : most} | ${Math.round(mebibytes / seconds)} |`,
    );
    await ended;
  }
} finally {
  server.kill();
  await rm(folder, { recursive: true });
}
process.exitCode = failed ? 1 : 0;

/** Four lines a mebibyte: fewer than a batch may have. */
async function writeLines(file: string, mebibytes: number): Promise<void> {
  const line = Buffer.alloc(2 ** 18, "x");
  line[line.length - 1] = 10;
  const piece = Buffer.concat([line, line, line, line]);
  const handle = await open(file, "w");
  for (let written = 0; written < mebibytes; written += 1) await handle.write(piece);
  await handle.close();
}
