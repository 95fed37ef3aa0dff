import { PNG } from "pngjs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
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

const kolors = { model: "Kwai-Kolors/Kolors", image_size: "256x192", prompt: "a red circle", seed: 1 };

async function send(fields: object): Promise<Response> {
  return fetch(`${emulator.url}/images/generations`, {
    method: "POST",
    headers: { authorization: `Bearer ${emulator.apiKey}` },
    body: JSON.stringify(fields),
  });
}

interface Answer {
  images: { url: string }[];
  timings: { inference: number };
  seed: number;
}

/** The files that a request gets, from their links. */
async function files(fields: object): Promise<Buffer[]> {
  const response = await send(fields);
  const body = await response.text();
  expect(response.status, body).toBe(200);
  const { images } = JSON.parse(body) as Answer;
  return Promise.all(images.map(async ({ url }) => Buffer.from(await (await fetch(url)).arrayBuffer())));
}

async function pixels(fields: object): Promise<PNG> {
  return PNG.sync.read((await files(fields))[0]!);
}

/** How much of a picture has about a colour. */
function share({ data }: PNG, [r, g, b]: readonly [number, number, number]): number {
  let alike = 0;
  for (let at = 0; at < data.length; at += 4) {
    if (Math.abs(data[at]! - r) + Math.abs(data[at + 1]! - g) + Math.abs(data[at + 2]! - b) < 30) alike += 1;
  }
  return alike / (data.length / 4);
}
const red = [214, 40, 40] as const;
const blue = [36, 92, 214] as const;

/** A picture of one colour, as a data URL. */
function plain(width: number, height: number, colour: readonly number[]): string {
  const picture = new PNG({ width, height });
  for (let at = 0; at < picture.data.length; at += 4) picture.data.set([...colour, 255], at);
  return `data:image/png;base64,${PNG.sync.write(picture).toString("base64")}`;
}

describe("a picture", () => {
  test("comes in the documented answer, at a link that needs no key and ends after an hour", async () => {
    const answer = (await (await send(kolors)).json()) as Answer;
    expect(answer).toEqual({
      images: [{ url: expect.stringMatching(/\/outputs\/[0-9a-f]{32}\.png\?Expires=\d+$/) as string }],
      timings: { inference: expect.any(Number) as number },
      seed: 1,
    });
    const response = await fetch(answer.images[0]!.url);
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "image/png"]);
    emulator.advance(3_600_000);
    expect((await fetch(answer.images[0]!.url)).status).toBe(403);
  });

  test("has the size asked for and shows what the prompt names", async () => {
    const circle = await pixels(kolors);
    expect([circle.width, circle.height]).toEqual([256, 192]);
    expect(share(circle, red)).toBeGreaterThan(0.1);
    expect(share(circle, blue)).toBe(0);
    expect(share(await pixels({ ...kolors, prompt: "蓝色的圆形" }), blue)).toBeGreaterThan(0.1);
    expect(share(await pixels({ ...kolors, prompt: "a star on a blue background" }), blue)).toBeGreaterThan(0.02);
  });

  test("is the same for the same model, prompt and seed, and another for another", async () => {
    const [one] = await files(kolors);
    expect(await files(kolors)).toEqual([one]);
    for (const other of [{ seed: 2 }, { prompt: "a red square" }, { model: "Tongyi-MAI/Z-Image" }]) {
      expect(await files({ ...kolors, ...other })).not.toEqual([one]);
    }
  });

  test("has a seed of its own when none is asked for", async () => {
    const { seed: _seed, ...unseeded } = kolors;
    const seeds = await Promise.all([1, 2, 3].map(async () => ((await (await send(unseeded)).json()) as Answer).seed));
    expect(new Set(seeds).size).toBe(3);
    expect(seeds.every((seed) => Number.isInteger(seed) && seed >= 0 && seed <= 9_999_999_999)).toBe(true);
  });

  test("comes up to four times at once, each time another, where the model takes batch_size", async () => {
    const made = await files({ ...kolors, batch_size: 3 });
    expect(new Set(made.map((file) => file.toString("base64"))).size).toBe(3);
    expect(await files({ ...kolors, model: "Tongyi-MAI/Z-Image", batch_size: 3 })).toHaveLength(1);
  });

  test("is a JPEG where output_format says so, or any format as the quirk says", async () => {
    const flux = { model: "black-forest-labs/FLUX.2-pro", prompt: "a red circle" };
    const starts = async (fields: object) => (await files(fields))[0]!.subarray(0, 12).toString("latin1");
    expect(await starts(flux)).toContain("PNG");
    expect(await starts({ ...flux, output_format: "jpeg" })).toContain("\xff\xd8\xff");
    await restart({ quirks: { imageFormat: "webp" } });
    expect(await starts(kolors)).toMatch(/^RIFF.{4}WEBP$/s);
    expect(await starts({ ...flux, output_format: "png" })).toContain("PNG");
  });
});

describe("sizes", () => {
  const size = async (fields: object) => {
    const { width, height } = await pixels({ prompt: "a red circle", ...fields });
    return `${width}x${height}`;
  };

  test("follow each model's own fields", async () => {
    expect(await size({ model: "black-forest-labs/FLUX.2-flex" })).toBe("512x512");
    expect(await size({ model: "black-forest-labs/FLUX-1.1-pro", width: 256, height: 320 })).toBe("256x320");
    expect(await size({ model: "black-forest-labs/FLUX-1.1-pro-Ultra", aspect_ratio: "16:9" })).toBe("1360x768");
    expect(await size({ model: "Qwen/Qwen-Image", image_size: "1664x928" })).toBe("1664x928");
  });

  test("of an edit are those of the first picture", async () => {
    const image = plain(200, 100, [10, 200, 10]);
    expect(await size({ model: "Qwen/Qwen-Image-Edit", image, image_size: "1328x1328" })).toBe("200x100");
  });
});

describe("an edit", () => {
  const edit = { model: "Qwen/Qwen-Image-Edit-2509", prompt: "add a red heart", seed: 1 };
  const green = [10, 200, 10] as const;
  const yellow = [250, 240, 20] as const;

  test("shows the given picture and what was added", async () => {
    const made = await pixels({ ...edit, image: plain(200, 150, green) });
    expect(share(made, green)).toBeGreaterThan(0.5);
    expect(share(made, red)).toBeGreaterThan(0.02);
  });

  test("takes up to three pictures, side by side", async () => {
    const [image, image2, image3] = [green, yellow, blue].map((colour) => plain(120, 120, colour));
    const made = await pixels({ ...edit, image, image2, image3 });
    for (const colour of [green, yellow, blue]) expect(share(made, colour)).toBeGreaterThan(0.15);
    // The older model takes one, and leaves the others alone.
    expect(share(await pixels({ ...edit, model: "Qwen/Qwen-Image-Edit", image, image2 }), yellow)).toBe(0);
  });

  test("takes a link of the emulator's, and stands in for an address elsewhere without opening it", async () => {
    const { images } = (await (await send({ ...kolors, prompt: "a blue square" })).json()) as Answer;
    expect(share(await pixels({ ...edit, image: images[0]!.url }), blue)).toBeGreaterThan(0.1);
    expect((await send({ ...edit, image: "http://127.0.0.1:1/nothing.png" })).status).toBe(200);
  });

  test.each([
    ["without a picture", {}, "Field required"],
    ["of an empty text", { image: "" }, "String should have at least 1 character"],
    ["of what is no picture", { image: "data:image/png;base64,aGVsbG8=" }, undefined],
    ["of a path", { image: "/etc/hostname" }, undefined],
    ["of a broken file", { image: plain(50, 50, [1, 2, 3]).slice(0, -40) }, undefined],
  ])("%s is refused", async (_name, fields, message = "The parameter is invalid. Please check again.") => {
    const response = await send({ ...edit, ...fields });
    expect([response.status, await response.json()]).toEqual([400, { code: 20015, message, data: null }]);
  });
});

test.each([
  ["no prompt", { prompt: undefined }, "Field required"],
  ["no image_size where it is required", { image_size: undefined }, "Field required"],
  ["a size that is no size", { image_size: "large" }, "String should match pattern '^\\d+x\\d+$'"],
  ["a size beyond what is made", { image_size: "4096x4096" }, "The parameter is invalid. Please check again."],
  [
    "a size that the model does not list",
    { model: "black-forest-labs/FLUX.1-schnell", image_size: "100x100" },
    "Input should be '1024x1024', '512x1024', '768x512', '768x1024', '1024x576' or '576x1024'",
  ],
  ["five at once", { batch_size: 5 }, "Input should be less than or equal to 4"],
  ["a seed beyond ten digits", { seed: 10_000_000_000 }, "Input should be less than or equal to 9999999999"],
  ["a seed in a text", { seed: "1" }, "Input should be a valid integer"],
  ["101 steps", { num_inference_steps: 101 }, "Input should be less than or equal to 100"],
  [
    "51 steps where 50 are the most",
    { model: "black-forest-labs/FLUX.2-flex", image_size: undefined, num_inference_steps: 51 },
    "Input should be less than or equal to 50",
  ],
  ["no steps where they are required", { model: "black-forest-labs/FLUX.1-dev" }, "Field required"],
  ["guidance above 20", { guidance_scale: 20.5 }, "Input should be less than or equal to 20"],
  ["cfg below 0.1", { cfg: 0 }, "Input should be greater than or equal to 0.1"],
  ["a width off the grid", { model: "black-forest-labs/FLUX-1.1-pro", width: 257 }, "Input should be a multiple of 32"],
  [
    "an extreme ratio",
    { model: "black-forest-labs/FLUX-1.1-pro-Ultra", image_size: undefined, aspect_ratio: "4:1" },
    "Input should be an aspect ratio between 21:9 and 9:21",
  ],
  [
    "a format that is not made",
    { model: "black-forest-labs/FLUX-1.1-pro", output_format: "webp" },
    "Input should be 'png' or 'jpeg'",
  ],
])("%s is refused", async (_name, fields, message) => {
  const response = await send({ ...kolors, ...fields });
  expect([response.status, await response.json()]).toEqual([400, { code: 20015, message, data: null }]);
});

test("a model of another kind is refused", async () => {
  const response = await send({ ...kolors, model: "Qwen/Qwen3-8B" });
  expect([response.status, await response.json()]).toMatchObject([400, { code: 20012 }]);
});

test("pictures are counted, not requests, and for each model", async () => {
  await restart({ limits: { imagesPerMinute: 3, imagesPerDay: 4 } });
  const ask = async (fields: object) => {
    const response = await send({ ...kolors, image_size: "64x64", ...fields });
    const body = (await response.json()) as { message?: string };
    return [response.status, /Details:(\w+) limit reached/.exec(body.message ?? "")?.[1]];
  };
  expect(await ask({ batch_size: 2 })).toEqual([200, undefined]);
  expect(await ask({ batch_size: 2 })).toEqual([429, "IPM"]);
  expect(await ask({})).toEqual([200, undefined]);
  expect(await ask({ model: "Tongyi-MAI/Z-Image" })).toEqual([200, undefined]);
  emulator.advance(60_000);
  expect(await ask({})).toEqual([200, undefined]);
  expect(await ask({})).toEqual([429, "IPD"]);
});
