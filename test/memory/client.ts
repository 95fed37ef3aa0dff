/** One transfer and what it took: started by `run.ts`, which tells it what to do. */
import { createReadStream, createWriteStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { pipeline } from "node:stream/promises";
import { SiliconFlowClient } from "@langchain-siliconflow/client";
import { SiliconFlowClient as FetchClient } from "@langchain-siliconflow/client/fetch";
import "../guard/loopback-only.mjs";

export interface Task {
  name: string;
  job:
    | "upload path"
    | "upload stream"
    | "read stream"
    | "sound saved"
    | "sound piped"
    | "download"
    | "download by hand";
  wire: "undici" | "fetch";
  url: string;
  file: string;
  /** Lines, as few bytes as there can be. */
  short: string;
  bytes: number;
}

/** In MiB and seconds. */
export type Report = { before: number; peak: number; seconds: number } | { error: string };

process.on("message", (task: Task) => {
  void perform(task)
    .catch((error: unknown): Report => ({ error: String(error) }))
    .then((report) => process.send!(report, () => process.exit()));
});

async function perform(task: Task): Promise<Report> {
  const { wire, url, short } = task;
  const Client = wire === "fetch" ? FetchClient : SiliconFlowClient;
  const client = new Client({ apiKey: "sk-memory", baseURL: url });
  // The same of a mebibyte, so that what is loaded and compiled with the first one counts as before.
  await transfer(client, { ...task, file: short, bytes: 2 ** 20 }, "short");
  await sleep(200);
  const before = process.memoryUsage.rss();
  const highest = process.resourceUsage().maxRSS;
  let peak = before;
  const look = (): void => {
    peak = Math.max(peak, process.memoryUsage.rss());
  };
  const timer = setInterval(look, 50);
  const begun = performance.now();
  await transfer(client, task, "video");
  const seconds = (performance.now() - begun) / 1000;
  clearInterval(timer);
  look();
  // The system sees more than a look every 50 ms, but not whether it was before.
  const { maxRSS } = process.resourceUsage();
  if (maxRSS > highest) peak = Math.max(peak, maxRSS * 1024);
  await client.close();
  const mebibytes = (bytes: number): number => Math.round(bytes / 2 ** 20);
  return { before: mebibytes(before), peak: mebibytes(peak), seconds };
}

async function transfer(client: SiliconFlowClient, { job, url, file, bytes }: Task, video: string): Promise<void> {
  const target = `${file}.got`;
  const input = (bytes > 2 ** 20 ? "Everything. " : "Hm. ").repeat(bytes > 2 ** 20 ? 100 : 1);
  const link = new URL(`/${video}.mp4`, url).href;
  if (job === "upload path" || job === "upload stream") {
    const { bytes: got } = await client.files.upload({ file: job === "upload path" ? file : createReadStream(file) });
    // The frame of the form comes on top.
    return expectBytes(got ?? 0, bytes, bytes + 1000);
  }
  if (job === "read stream") {
    let got = 0;
    for await (const piece of createReadStream(file)) got += (piece as Buffer).length;
    return expectBytes(got, bytes, bytes);
  }
  if (job === "sound saved") await client.speech.stream({ model: "m", input }).save(target);
  if (job === "sound piped") await pipeline(client.speech.stream({ model: "m", input }), createWriteStream(target));
  if (job === "download") await client.assets.download(link, { path: target, maxBytes: 2 * bytes });
  if (job === "download by hand") {
    // What anybody's download with this library does at the least.
    const { request } = await import("undici");
    const handle = await open(target, "w");
    for await (const piece of (await request(link)).body) await handle.write(piece as Buffer);
    await handle.close();
  }
  expectBytes((await stat(target)).size, bytes, bytes);
}

function expectBytes(got: number, least: number, most: number): void {
  if (got < least || got > most) throw new Error(`${got} bytes arrived, of ${least}`);
}
