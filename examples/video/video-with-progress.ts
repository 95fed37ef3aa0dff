/**
 * Make a video: hand in the job, watch it go through the queue, and fetch the file before its link expires.
 *
 *   npm run example video/video-with-progress     offline, against the emulator
 *   npm run example video/video-with-progress "A paper boat in the rain"
 *   SILICONFLOW_API_KEY=sk-… npm run example video/video-with-progress
 *
 * Ctrl-C stops the wait, not the job: `client.videos.wait(requestId)` picks it up again.
 */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SiliconFlowClient } from "langchain-siliconflow";

const [prompt = "A red sailing boat crosses a quiet bay at dawn"] = process.argv.slice(2);
const client = new SiliconFlowClient();
const begun = Date.now();

const { requestId } = await client.videos.submit({
  model: "Wan-AI/Wan2.2-T2V-A14B",
  prompt,
  image_size: "1280x720",
});
console.log(`${prompt}\n  job ${requestId}`);

let shown = "";
const { results } = await client.videos.wait(requestId, {
  timeouts: { totalMs: 20 * 60_000 },
  onProgress: ({ status }) => {
    if (status === shown) return;
    shown = status;
    console.log(`  ${((Date.now() - begun) / 1000).toFixed(1).padStart(5)} s  ${status}`);
  },
});

const path = join(await mkdtemp(join(tmpdir(), "siliconflow-video-")), "video.mp4");
const { size, contentType } = await client.assets.download(results!.videos![0]!.url, { path });
console.log(`  ${path} (${contentType}, ${Math.ceil(size / 1024)} KB)`);
