import { expect, test } from "vitest";
import { Canvas } from "./canvas.js";
import { encodeFilm } from "./film.js";
import { sceneOf } from "./scene.js";

const order = { model: "Wan-AI/Wan2.2-T2V-A14B", prompt: "a red ball", seed: 7, index: 0 };
const note = { ...order, from: [] };

function film(seed: number, given?: Canvas): Promise<Uint8Array> {
  return encodeFilm(sceneOf({ ...order, seed }), { width: 96, height: 64 }, given ? [given] : [], note);
}

test("a film is the same for the same scene, at any time, and another for another", async () => {
  const one = await film(7);
  // The header of a film has seconds.
  await new Promise((resolve) => setTimeout(resolve, 1000 - (Date.now() % 1000)));
  expect(Buffer.compare(await film(7), one)).toBe(0);
  expect(Buffer.compare(await film(8), one)).not.toBe(0);
});

test("films that are made at the same time do not mix", async () => {
  const [one, two] = await Promise.all([film(7), film(8)]);
  expect(Buffer.compare(one, await film(7))).toBe(0);
  expect(Buffer.compare(two, await film(8))).toBe(0);
});

test("a film over a picture shows it", async () => {
  const dark = new Canvas(96, 64);
  dark.gradient([20, 20, 20], [40, 40, 40]);
  expect(Buffer.compare(await film(7, dark), await film(7, new Canvas(96, 64)))).not.toBe(0);
});
