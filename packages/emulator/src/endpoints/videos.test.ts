import { PNG } from "pngjs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { noteIn } from "../pictures/note.js";
import { startEmulator, type Emulator, type EmulatorOptions } from "../index.js";

let emulator: Emulator;
beforeEach(async () => {
  emulator = await startEmulator();
});
afterEach(() => emulator.close());

async function restart(options: EmulatorOptions): Promise<void> {
  await emulator.close();
  emulator = await startEmulator(options);
}

const order = { model: "Wan-AI/Wan2.2-T2V-A14B", prompt: "a red ball", image_size: "960x960", seed: 7 };
const animated = { ...order, model: "Wan-AI/Wan2.2-I2V-A14B" };

async function send(path: string, fields: object): Promise<Response> {
  return fetch(`${emulator.url}/video/${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${emulator.apiKey}` },
    body: JSON.stringify(fields),
  });
}

interface Status {
  status: string;
  reason: string;
  results: { videos: { url: string }[]; timings: { inference: number }; seed: number } | null;
}

async function submit(fields: object = order): Promise<{ requestId: string }> {
  return (await (await send("submit", fields)).json()) as { requestId: string };
}

async function status(job: { requestId: string }): Promise<Status> {
  return (await (await send("status", job)).json()) as Status;
}

/** The file that a job makes. */
async function film(fields: object): Promise<Buffer> {
  const job = await submit(fields);
  emulator.advance(60_000);
  const { results } = await status(job);
  return Buffer.from(await (await fetch(results!.videos[0]!.url)).arrayBuffer());
}

test("a job goes from the queue through progress to success as time passes, and its link ends after an hour", async () => {
  const job = await submit();
  expect(job).toEqual({ requestId: expect.stringMatching(/^[0-9a-f]{32}$/) as string });
  const pending = { reason: "", results: { videos: [], timings: { inference: 0 }, seed: 0 } };
  expect(await status(job)).toEqual({ status: "InQueue", ...pending });
  emulator.advance(2000);
  expect(await status(job)).toEqual({ status: "InProgress", ...pending });
  emulator.advance(4000);
  const done = await status(job);
  expect(done).toEqual({
    status: "Succeed",
    reason: "",
    results: {
      videos: [{ url: expect.stringMatching(/\/outputs\/[0-9a-f]{32}\.mp4\?Expires=\d+$/) as string }],
      timings: { inference: 4 },
      seed: 7,
    },
  });
  expect(await status(job)).toEqual(done);

  const { url } = done.results!.videos[0]!;
  const response = await fetch(url);
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "video/mp4"]);
  emulator.advance(3_500_000);
  expect((await fetch(url)).status).toBe(200);
  emulator.advance(100_000);
  expect((await fetch(url)).status).toBe(403);
});

test("a film of a picture needs one, and says what it was made from", async () => {
  for (const [image, message] of [
    [undefined, "Field required"],
    ["data:image/png;base64,aGVsbG8=", "The parameter is invalid. Please check again."],
  ]) {
    expect(await (await send("submit", { ...animated, image })).json()).toEqual({ code: 20015, message, data: null });
  }
  const picture = new PNG({ width: 64, height: 64 });
  const image = `data:image/png;base64,${PNG.sync.write(picture).toString("base64")}`;
  const { model, prompt, seed } = animated;
  expect(noteIn(await film({ ...animated, image }))).toEqual({ model, prompt, seed, from: ["a picture"] });
});

test.each([
  ["submit", { ...order, prompt: undefined }, "Field required"],
  ["submit", { ...order, image_size: undefined }, "Field required"],
  ["submit", { ...order, image_size: "640x480" }, "Input should be '1280x720', '720x1280' or '960x960'"],
  ["submit", { ...order, seed: 1.5 }, "Input should be a valid integer"],
  ["status", {}, "Field required"],
  ["status", { requestId: "0123" }, "The parameter is invalid. Please check again."],
])("%s of %j is refused", async (path, fields, message) => {
  const response = await send(path, fields);
  expect([response.status, await response.json()]).toEqual([400, { code: 20015, message, data: null }]);
});

test("a model that makes no films is refused", async () => {
  const response = await send("submit", { ...order, model: "Kwai-Kolors/Kolors" });
  expect(await response.json()).toMatchObject({ code: 20012 });
});

test("jobs fail, and results are null before there are any, where the quirks say so", async () => {
  await restart({ quirks: { videoOutcome: "fail", videoPending: "null" } });
  const job = await submit();
  expect(await status(job)).toEqual({ status: "InQueue", reason: "", results: null });
  emulator.advance(60_000);
  expect(await status(job)).toEqual({ status: "Failed", reason: "The emulator was told to fail.", results: null });
});

test("a film's link lives ten minutes where the quirk says so, however late somebody asks", async () => {
  await restart({ quirks: { videoLife: "10 minutes" } });
  const job = await submit();
  emulator.advance(6000 + 500_000);
  const { url } = (await status(job)).results!.videos[0]!;
  expect((await fetch(url)).status).toBe(200);
  emulator.advance(100_000);
  expect((await fetch(url)).status).toBe(403);
});

test("a reset forgets the jobs", async () => {
  const job = await submit();
  emulator.reset();
  expect((await send("status", job)).status).toBe(400);
});
