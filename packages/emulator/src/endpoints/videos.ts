import { randomInt } from "node:crypto";
import { fieldsOf, modelOf, oneOf, optionalInteger, optionalText } from "../fields.js";
import { promptIn } from "../image-request.js";
import { givenPicture } from "../looking.js";
import { invalid, json } from "../reply.js";
import type { Endpoint } from "../router.js";

const sizes = ["1280x720", "720x1280", "960x960"];

/** `POST /video/submit`: begins a film. */
export const submitVideo: Endpoint = async ({ body }, service) => {
  const { models, limits, videos, nextId } = service;
  const fields = fieldsOf(body);
  const model = modelOf(fields, ["text-to-video", "image-to-video"], models);
  const prompt = promptIn(fields, true);
  const size = optionalText(fields, "image_size");
  if (size === undefined) throw invalid("Field required");
  if (!sizes.includes(size)) throw invalid(oneOf(sizes));
  optionalText(fields, "negative_prompt", 0);
  const seed = optionalInteger(fields, "seed", Number.MIN_SAFE_INTEGER) ?? randomInt(10_000_000_000);
  const image = optionalText(fields, "image");
  const animates = model.kind === "image-to-video";
  if (animates && image === undefined) throw invalid("Field required");
  // Where it has no meaning it is read and left alone.
  const given = animates ? await givenPicture(image!, service) : undefined;
  if (animates && given === undefined) throw invalid();
  limits.admit(model.id, 0);

  const requestId = nextId();
  const [width = 0, height = 0] = size.split("x").map(Number);
  videos.submit(requestId, { model: model.id, prompt, seed, size: { width, height }, given: given ? [given] : [] });
  return json({ requestId });
};

/** `POST /video/status`: how far a film has come, and where it lies. */
export const videoStatus: Endpoint = async ({ body }, { videos, settings }) => {
  const id = optionalText(fieldsOf(body), "requestId");
  if (id === undefined) throw invalid("Field required");
  const state = await videos.state(id);
  if (state === undefined) throw invalid();
  if (state.status === "Succeed") {
    const { url, seed, inference } = state;
    return json({
      status: "Succeed",
      reason: "",
      results: { videos: [{ url }], timings: { inference }, seed },
    });
  }
  const empty = { videos: [], timings: { inference: 0 }, seed: 0 };
  return json({
    status: state.status,
    reason: state.status === "Failed" ? state.reason : "",
    results: settings.quirks.videoPending === "null" ? null : empty,
  });
};
