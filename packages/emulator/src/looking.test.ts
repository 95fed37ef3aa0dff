import { PNG } from "pngjs";
import { expect, test } from "vitest";
import type { Picture } from "./pictures/canvas.js";
import { Canvas } from "./pictures/canvas.js";
import { Clock } from "./clock.js";
import { bytesAt, describePicture, sightOf } from "./looking.js";
import { Outputs } from "./outputs.js";
import { encodePicture } from "./pictures/files.js";
import type { Service } from "./router.js";

const picture: Picture = new Canvas(40, 30);
const note = { prompt: 'a "red" circle ]} 红\\', model: "Kwai-Kolors/Kolors", seed: 3, from: ["a cat"] };
const outputs = new Outputs(new Clock());
outputs.origin = "http://127.0.0.1:1";
const service = { outputs } as Service;

test.each(["png", "jpeg", "webp"] as const)("what the emulator wrote into a %s file is read back", async (format) => {
  const bytes = await encodePicture(picture, format, note);
  expect(await describePicture(bytes)).toEqual({
    format,
    width: 40,
    height: 30,
    made: note,
    colours: [{ name: "white", share: 1 }],
  });
  // A prompt as long as a book does not spoil the file.
  const long = await describePicture(await encodePicture(picture, format, { ...note, prompt: "红".repeat(100_000) }));
  expect(long).toMatchObject({ made: { prompt: "红".repeat(4000) }, colours: [{ name: "white" }] });
});

test("of another picture, format, size and main colours are told", async () => {
  const png = new PNG({ width: 60, height: 40 });
  for (let at = 0; at < png.data.length; at += 4)
    png.data.set(at < png.data.length / 4 ? [0, 0, 0, 0] : [40, 90, 220, 255], at);
  const url = `data:image/png;base64,${PNG.sync.write(png).toString("base64")}`;
  expect(await sightOf({ kind: "image", url }, service, false)).toBe(
    "a picture (PNG 60×40), mostly blue 75%, transparent 25%. I cannot tell what it shows.",
  );
  expect(await sightOf({ kind: "image", url }, service, true)).toBe(
    "图片（PNG 60×40），主要颜色：蓝色 75%、透明 25%。我看不出它的内容。",
  );
});

test("a file that is no picture, or only begins like one, is told as what it is", async () => {
  expect(await describePicture(Buffer.from("hello"))).toBeUndefined();
  expect(await describePicture(new Uint8Array())).toBeUndefined();
  const whole = await encodePicture(picture, "png", note);
  expect(await describePicture(whole.subarray(0, 60))).toMatchObject({ width: 40, colours: [] });
  // It claims 60,000 × 60,000 pixels: nobody unpacks that.
  const enormous = Buffer.from(whole);
  enormous.writeUInt32BE(60_000, 16);
  enormous.writeUInt32BE(60_000, 20);
  expect(await describePicture(enormous)).toMatchObject({ width: 60_000, colours: [] });
});

test("only data URLs and the emulator's own links are opened", () => {
  const link = outputs.add("one.png", "image/png", Uint8Array.of(1));
  expect(bytesAt(link, service)).toEqual(Uint8Array.of(1));
  expect(bytesAt("data:image/png;base64,AQ==", service)).toEqual(Buffer.of(1));
  for (const url of ["file:///etc/hostname", "/etc/hostname", "http://127.0.0.1:2/outputs/one.png"]) {
    expect(bytesAt(url, service)).toBeUndefined();
  }
});
