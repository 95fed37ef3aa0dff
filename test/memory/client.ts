/** One transfer and what it took: started by `run.ts`, which tells it what to do. */
import { createReadStream, createWriteStream } from "node:fs";
import { stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { SiliconFlowClient } from "@langchain-siliconflow/client";
import { SiliconFlowClient as FetchClient } from "@langchain-siliconflow/client/fetch";
import "../guard/loopback-only.mjs";

export interface Task {
  name: string;
  job: "upload path" | "upload stream" | "speech" | "download";
  wire: "undici" | "fetch";
  url: string;
  file: string;
  bytes: number;
}

/** In MiB and seconds. */
export type Report = { before: number; peak: number; seconds: number } | { error: string };

process.on("message", (task: Task) => {
  void perform(task)
    .catch((error: unknown): Report => ({ error: String(error) }))
    .then((report) => process.send!(report, () => process.exit()));
});

async function perform({ job, wire, url, file, bytes }: Task): Promise<Report> {
  const Client = wire === "fetch" ? FetchClient : SiliconFlowClient;
  const client = new Client({ apiKey: "sk-memory", baseURL: url });
  // So that what is loaded with the first request counts as before.
  await client.files.upload({ file: new File(["{}"], "warm.jsonl") });
  const before = peakMebibytes();
  const begun = performance.now();
  if (job === "speech") {
    const target = `${file}.mp3`;
    await pipeline(client.speech.stream({ model: "m", input: "Everything." }), createWriteStream(target));
    expectBytes((await stat(target)).size, bytes, bytes);
  } else if (job === "download") {
    const target = `${file}.mp4`;
    await client.assets.download(new URL("/video.mp4", url).href, { path: target, maxBytes: 2 * bytes });
    expectBytes((await stat(target)).size, bytes, bytes);
  } else {
    const { bytes: got } = await client.files.upload({ file: job === "upload path" ? file : createReadStream(file) });
    // The frame of the form comes on top.
    expectBytes(got ?? 0, bytes, bytes + 1000);
  }
  const seconds = (performance.now() - begun) / 1000;
  await client.close();
  return { before, peak: peakMebibytes(), seconds };
}

function expectBytes(got: number, least: number, most: number): void {
  if (got < least || got > most) throw new Error(`${got} bytes arrived, of ${least}`);
}

function peakMebibytes(): number {
  return Math.round(process.resourceUsage().maxRSS / 1024);
}
