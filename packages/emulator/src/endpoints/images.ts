import { randomInt } from "node:crypto";
import type { Picture } from "../pictures/canvas.js";
import { imageRequestOf, type ImageRequest, type Size } from "../image-request.js";
import { givenPicture, type GivenPicture } from "../looking.js";
import { encodePicture } from "../pictures/files.js";
import { invalid, json } from "../reply.js";
import type { Endpoint } from "../router.js";
import { paint, sceneOf } from "../pictures/scene.js";

/** `POST /images/generations`: pictures of what the prompt names, or of the given pictures with it. */
export const images: Endpoint = async ({ body }, service) => {
  const { settings, limits, outputs, nextId } = service;
  const request = imageRequestOf(body, service);
  const given = await Promise.all(request.inputs.map((input) => givenPicture(input, service)));
  if (given.includes(undefined)) throw invalid();
  limits.admit(request.model.id, 0, request.count);

  const started = performance.now();
  // The service chooses a seed at random, so that asking again shows something else.
  const seed = request.seed ?? randomInt(10_000_000_000);
  const format = request.format ?? settings.quirks.imageFormat;
  const made: { url: string }[] = [];
  for (let index = 0; index < request.count; index += 1) {
    const picture = draw(request, seed, index, given as GivenPicture[]);
    const from = given.map((source) => source!.shows);
    const note = { prompt: request.prompt, model: request.model.id, seed, from };
    const bytes = await encodePicture(picture, format, note);
    made.push({ url: outputs.add(`${nextId()}.${format}`, `image/${format}`, bytes) });
  }
  const inference = Math.round(performance.now() - started) / 1000;
  return json({ images: made, timings: { inference }, seed });
};

function draw({ model, prompt, size }: ImageRequest, seed: number, index: number, given: GivenPicture[]): Picture {
  const { width, height } = size ?? sizeLike(given[0]!.picture);
  const scene = sceneOf({ model: model.id, prompt, seed, index });
  const pictures = given.map(({ picture }) => picture);
  return paint(scene, width, height, pictures);
}

/** As large as a given picture, or as the largest that a model makes. */
function sizeLike({ width, height }: Size): Size {
  const scale = Math.min(1, Math.sqrt(2_359_296 / (width * height)));
  const side = (length: number) => Math.max(1, Math.floor(length * scale));
  return { width: side(width), height: side(height) };
}
