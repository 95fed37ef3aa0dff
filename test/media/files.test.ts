/** The emulator's pictures and films, opened by programs that had no part in making them: libvips, and ffprobe where it is installed. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { startEmulator, type Emulator } from "@langchain-siliconflow/emulator";
import sharp from "sharp";
import { afterEach, expect, test } from "vitest";

const run = promisify(execFile);

let emulator: Emulator | undefined;
afterEach(() => emulator?.close());

async function post<Answer>(path: string, fields: object): Promise<Answer> {
  const response = await fetch(`${emulator!.url}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${emulator!.apiKey}` },
    body: JSON.stringify(fields),
  });
  return (await response.json()) as Answer;
}

async function download(url: string): Promise<Buffer> {
  return Buffer.from(await (await fetch(url)).arrayBuffer());
}

test.each(["png", "jpeg", "webp"] as const)(
  "a %s file opens, with its size, its colours and its note",
  async (format) => {
    emulator = await startEmulator({ quirks: { imageFormat: format } });
    const prompt = "a red circle on a blue background, 红色";
    const { images } = await post<{ images: { url: string }[] }>("/images/generations", {
      model: "Kwai-Kolors/Kolors",
      prompt,
      image_size: "401x300",
      seed: 5,
    });
    const bytes = await download(images[0]!.url);
    const image = sharp(bytes, { failOn: "warning" });
    const { format: found, width, height, exif } = await image.metadata();
    expect([found, width, height]).toEqual([format, 401, 300]);
    if (format === "webp") expect(exif?.toString()).toContain(prompt);

    const { data, info } = await image.removeAlpha().raw().toBuffer({ resolveWithObject: true });
    expect(info.channels).toBe(3);
    const counts = { red: 0, blue: 0 };
    for (let at = 0; at < data.length; at += 3) {
      const [r, g, b] = [data[at]!, data[at + 1]!, data[at + 2]!];
      if (r > 180 && g < 80 && b < 80) counts.red += 1;
      if (b > 110 && r < 90) counts.blue += 1;
    }
    expect(counts.red / (401 * 300)).toBeGreaterThan(0.1);
    expect(counts.blue / (401 * 300)).toBeGreaterThan(0.3);
  },
);

test("pictures of other makers are edited, whatever their form", async () => {
  emulator = await startEmulator();
  const base = sharp({
    create: { width: 90, height: 60, channels: 4, background: { r: 20, g: 200, b: 30, alpha: 1 } },
  });
  const files = {
    "grey PNG": ["png", await base.clone().greyscale().png().toBuffer()],
    "PNG with a palette": ["png", await base.clone().png({ palette: true }).toBuffer()],
    "PNG of 16 bits": ["png", await base.clone().toColourspace("rgb16").png().toBuffer()],
    "interlaced PNG": ["png", await base.clone().png({ progressive: true }).toBuffer()],
    "progressive JPEG": ["jpeg", await base.clone().jpeg({ progressive: true }).toBuffer()],
    "lossless WebP": ["webp", await base.clone().webp({ lossless: true }).toBuffer()],
  } as const;
  for (const [name, [type, file]] of Object.entries(files)) {
    const { images } = await post<{ images?: { url: string }[] }>("/images/generations", {
      model: "Qwen/Qwen-Image-Edit",
      prompt: "a red heart",
      image: `data:image/${type};base64,${file.toString("base64")}`,
    });
    expect(images, name).toHaveLength(1);
    const { width, height } = await sharp(await download(images![0]!.url)).metadata();
    expect([width, height], name).toEqual([90, 60]);
  }
});

test("a film opens, with its size, its length and its codec", async (context) => {
  const installed = await run("ffprobe", ["-version"]).catch(() => undefined);
  if (!installed) context.skip("ffprobe is not installed, so no film was opened: install ffmpeg to test that too");
  emulator = await startEmulator();
  const { requestId } = await post<{ requestId: string }>("/video/submit", {
    model: "Wan-AI/Wan2.2-T2V-A14B",
    prompt: "a red circle",
    image_size: "720x1280",
  });
  emulator.advance(60_000);
  const { results } = await post<{ results: { videos: { url: string }[] } }>("/video/status", { requestId });
  const folder = await mkdtemp(join(tmpdir(), "siliconflow-film-"));
  try {
    const path = join(folder, "film.mp4");
    await writeFile(path, await download(results.videos[0]!.url));
    const entries = "stream=codec_name,pix_fmt,width,height,nb_read_frames,duration:format=format_name";
    const options = ["-v", "warning", "-count_frames", "-show_entries", entries, "-of", "json"];
    const { stdout, stderr } = await run("ffprobe", [...options, path]);
    expect(stderr).toBe("");
    const { streams, format } = JSON.parse(stdout) as { streams: object[]; format: { format_name: string } };
    expect(format.format_name).toContain("mp4");
    expect(streams).toEqual([
      {
        codec_name: "h264",
        pix_fmt: "yuv420p",
        width: 720,
        height: 1280,
        nb_read_frames: "24",
        duration: "2.000000",
      },
    ]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
