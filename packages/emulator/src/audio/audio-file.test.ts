import { spawnSync } from "node:child_process";
import CodecParser from "codec-parser";
import { MPEGDecoder } from "mpg123-decoder";
import { OpusDecoder } from "opus-decoder";
import { describe, expect, test } from "vitest";
import { audioFile, sampleRates, type AudioFormat } from "./audio-file.js";
import { listen } from "./listening.js";

const formats = Object.keys(sampleRates) as AudioFormat[];
// The least and the greatest rate of each.
const files = formats.flatMap((format) =>
  Array.from(new Set([sampleRates[format][0], sampleRates[format].at(-1)!]), (rate) => ({ format, rate })),
);
const seconds = 1.25;

/** A tone of 440 Hz, at a quarter of full scale. */
function tone(rate: number): Int16Array<ArrayBuffer> {
  return Int16Array.from({ length: rate * seconds }, (_, at) => 8192 * Math.sin((2 * Math.PI * 440 * at) / rate));
}

/** Samples as other people's decoders see them. */
async function decoded(bytes: Uint8Array, format: AudioFormat): Promise<{ samples: Float32Array; rate: number }> {
  if (format === "mp3") {
    const decoder = new MPEGDecoder();
    await decoder.ready;
    const { channelData, sampleRate, errors } = decoder.decode(bytes);
    decoder.free();
    expect(errors).toEqual([]);
    return { samples: channelData[0]!, rate: sampleRate };
  }
  if (format === "opus") {
    const frames = new CodecParser("audio/ogg", {}).parseAll(bytes);
    const decoder = new OpusDecoder({ channels: 1, preSkip: 312 });
    await decoder.ready;
    // Each page holds one packet, and `data` of a page's frames are its packets.
    const packets = frames.flatMap((page) => ("codecFrames" in page ? page.codecFrames!.map(({ data }) => data) : []));
    const { channelData, sampleRate, errors } = decoder.decodeFrames(packets);
    decoder.free();
    expect(errors).toEqual([]);
    return { samples: channelData[0]!, rate: sampleRate };
  }
  const file = Buffer.from(bytes);
  const pcm = format === "wav" ? file.subarray(file.indexOf("data") + 8) : file;
  const samples = Float32Array.from({ length: pcm.length / 2 }, (_, at) => pcm.readInt16LE(at * 2) / 2 ** 15);
  return { samples, rate: format === "wav" ? file.readUInt32LE(24) : 0 };
}

describe.each(files)("$format at $rate Hz", ({ format, rate }) => {
  test("is decoded by others to the sound that went in", async () => {
    const { samples, rate: found } = await decoded(await audioFile(tone(rate), rate, format, "one tone"), format);
    if (format !== "pcm") expect(found).toBe(rate);
    // mp3 and opus fill their last frame with silence.
    expect(samples.length / rate).toBeGreaterThanOrEqual(seconds - 0.001);
    expect(samples.length / rate).toBeLessThan(seconds + 0.15);
    const middle = samples.subarray(rate * 0.25, rate * 1.25);
    const crossings = middle.reduce(
      (count, value, at) => count + (at > 0 && middle[at - 1]! < 0 && value >= 0 ? 1 : 0),
      0,
    );
    expect(crossings).toBeGreaterThanOrEqual(437);
    expect(crossings).toBeLessThanOrEqual(443);
    const power = middle.reduce((sum, value) => sum + value * value, 0) / middle.length;
    expect(Math.sqrt(power)).toBeCloseTo(0.25 / Math.SQRT2, 1);
  });

  test("says what was spoken, in any script and at any length", async () => {
    for (const text of ["Hello.", "你好，世界！🎉", 'a "quoted" = [S1]\nline', "long ".repeat(20_000).trim()]) {
      const bytes = await audioFile(tone(rate), rate, format, text);
      expect(await listen(bytes)).toMatchObject({ text });
      if (format !== "pcm") expect((await listen(bytes)).seconds).toBeGreaterThan(seconds - 0.1);
    }
  });

  test("is the same for the same sound and text", async () => {
    const [one, two] = [await audioFile(tone(rate), rate, format, "a"), await audioFile(tone(rate), rate, format, "a")];
    expect(Buffer.compare(one, two)).toBe(0);
  });

  test("is what ffprobe says it is", async ({ skip }) => {
    if (spawnSync("ffprobe", ["-version"]).error)
      skip("ffprobe is not installed: the file is opened by libraries only.");
    const bytes = await audioFile(tone(rate), rate, format, "x".repeat(100_000));
    const entries = "stream=codec_name,sample_rate,channels:format=duration";
    // Plain samples have to be told of.
    const plain = format === "pcm" ? ["-f", "s16le", "-ar", String(rate)] : [];
    const { stdout, stderr } = spawnSync(
      "ffprobe",
      ["-v", "error", ...plain, "-show_entries", entries, "-of", "json", "-i", "pipe:0"],
      { input: bytes },
    );
    expect(stderr.toString()).toBe("");
    const { streams } = JSON.parse(stdout.toString()) as { streams: object[] };
    const codec = format === "wav" || format === "pcm" ? "pcm_s16le" : format;
    expect(streams).toEqual([expect.objectContaining({ codec_name: codec, sample_rate: String(rate), channels: 1 })]);
  });
});
