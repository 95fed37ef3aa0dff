import type { HostedModel } from "./catalog.js";
import {
  fieldsOf,
  modelOf,
  oneOf,
  optionalBoolean,
  optionalInteger,
  optionalNumber,
  optionalText,
  type Fields,
} from "./fields.js";
import { invalid } from "./reply.js";
import type { Service } from "./router.js";

/** A checked request for pictures. */
export interface ImageRequest {
  model: HostedModel;
  prompt: string;
  /** Undefined when the service is to choose one. */
  seed: number | undefined;
  /** How many pictures. */
  count: number;
  /** Undefined for an edit: as large as the first picture given. */
  size: Size | undefined;
  /** Undefined: as the model usually does. */
  format: "png" | "jpeg" | undefined;
  /** Data URLs, addresses or bare base64 of the pictures to start from. */
  inputs: string[];
}

/** Pixels. */
export interface Size {
  width: number;
  height: number;
}

/** What a model takes beyond the fields that all take. */
interface Habits {
  /** `image_size` values; the first is the default. */
  sizes?: readonly string[];
  /** Refuses every other size. */
  onlySizes?: boolean;
  sizeRequired?: boolean;
  /** Takes `width` and `height` instead. */
  sides?: boolean;
  /** Takes `aspect_ratio`. */
  ratios?: boolean;
  /** Takes `batch_size`. */
  batches?: boolean;
  /** Takes `output_format`. */
  formats?: boolean;
  /** Most inference steps; undefined where the field has no meaning. */
  mostSteps?: number;
  stepsRequired?: boolean;
  /** Fields that hold pictures. */
  inputs?: readonly string[];
  inputRequired?: boolean;
}

const kolorsSizes = ["1024x1024", "960x1280", "768x1024", "720x1440", "720x1280"];
const qwenSizes = ["1328x1328", "1664x928", "928x1664", "1472x1140", "1140x1472", "1584x1056", "1056x1584"];
const flux2: Habits = {
  sizes: ["512x512", "768x1024", "1024x768", "576x1024", "1024x576"],
  onlySizes: true,
  formats: true,
};
const kontext: Habits = { ratios: true, formats: true, inputs: ["input_image"], inputRequired: true };
const schnellSizes = ["1024x1024", "512x1024", "768x512", "768x1024", "1024x576", "576x1024"];
const qwenEdit: Habits = { batches: true, inputs: ["image"], inputRequired: true };

// A model without a schema in the documents takes what the Chinese schema, one for all, takes.
const unlisted: Habits = { sizes: ["1024x1024"], inputs: ["image"] };
const habits: Readonly<Record<string, Habits>> = {
  "Kwai-Kolors/Kolors": { sizes: kolorsSizes, sizeRequired: true, batches: true, inputs: ["image"] },
  "Qwen/Qwen-Image": { sizes: qwenSizes, batches: true, inputs: ["image"] },
  "Qwen/Qwen-Image-Edit": qwenEdit,
  "Qwen/Qwen-Image-Edit-2509": { ...qwenEdit, inputs: ["image", "image2", "image3"] },
  "Tongyi-MAI/Z-Image-Turbo": { sizes: ["512x512", "768x1024", "1024x576", "576x1024"] },
  "black-forest-labs/FLUX.2-pro": flux2,
  "black-forest-labs/FLUX.2-flex": { ...flux2, mostSteps: 50 },
  "black-forest-labs/FLUX.1-Kontext-max": kontext,
  "black-forest-labs/FLUX.1-Kontext-pro": kontext,
  "black-forest-labs/FLUX.1-Kontext-dev": { inputs: ["image"], inputRequired: true },
  "black-forest-labs/FLUX-1.1-pro": { sides: true, formats: true, inputs: ["image_prompt"] },
  "black-forest-labs/FLUX-1.1-pro-Ultra": {
    sizes: ["1024x1024"],
    ratios: true,
    batches: true,
    formats: true,
    inputs: ["image_prompt"],
  },
  "black-forest-labs/FLUX.1-schnell": { sizes: schnellSizes, onlySizes: true, sizeRequired: true },
  "black-forest-labs/FLUX.1-dev": { sizes: kolorsSizes, sizeRequired: true, mostSteps: 30, stepsRequired: true },
};

/** Reads and checks the body of `POST /images/generations`. @throws {@link Refusal} as the service words it. */
export function imageRequestOf(body: unknown, { models }: Service): ImageRequest {
  const fields = fieldsOf(body);
  const model = modelOf(fields, ["text-to-image", "image-to-image"], models);
  const taken = habits[model.id] ?? unlisted;
  // Only FLUX 1.1 is listed without required fields.
  const prompt = promptIn(fields, !model.id.includes("/FLUX-1.1-"));
  optionalText(fields, "negative_prompt", 0);
  if (taken.stepsRequired && fields["num_inference_steps"] === undefined) throw invalid("Field required");
  optionalInteger(fields, "num_inference_steps", 1, taken.mostSteps ?? 100);
  optionalNumber(fields, "guidance_scale", 0, 20);
  optionalNumber(fields, "cfg", 0.1, 20);
  optionalInteger(fields, "safety_tolerance", 0, 6);
  optionalNumber(fields, "image_prompt_strength", 0, 1);
  for (const name of ["prompt_upsampling", "prompt_enhancement", "raw"]) optionalBoolean(fields, name);
  const batch = optionalInteger(fields, "batch_size", 1, 4) ?? 1;
  const inputs = (taken.inputs ?? []).flatMap((name) => optionalText(fields, name) ?? []);
  if (taken.inputRequired && optionalText(fields, taken.inputs![0]!) === undefined) throw invalid("Field required");
  return {
    model,
    prompt,
    seed: optionalInteger(fields, "seed", 0, 9_999_999_999),
    // What a model does not take is read, as the schemas say, and has no effect.
    count: taken.batches ? batch : 1,
    size: sizeOf(fields, taken),
    format: formatOf(fields, taken),
    inputs,
  };
}

/** The prompt of a request. @throws {@link Refusal} when it is missing or no text */
export function promptIn(fields: Fields, required: boolean): string {
  const prompt = optionalText(fields, "prompt");
  if (prompt === undefined && required) throw invalid("Field required");
  return prompt ?? "";
}

function sizeOf(fields: Fields, taken: Habits): Size | undefined {
  if (taken.sides) {
    const side = (name: string, usual: number) => {
      const length = optionalInteger(fields, name, 256, 1440) ?? usual;
      if (length % 32 !== 0) throw invalid("Input should be a multiple of 32");
      return length;
    };
    return { width: side("width", 1024), height: side("height", 768) };
  }
  const size = optionalText(fields, "image_size");
  if (taken.ratios && size === undefined) {
    const ratio = optionalText(fields, "aspect_ratio");
    if (ratio !== undefined) return sizeOfRatio(ratio);
  }
  if (taken.sizes === undefined) return undefined;
  if (size === undefined && taken.sizeRequired) throw invalid("Field required");
  if (size !== undefined && taken.onlySizes && !taken.sizes.includes(size)) throw invalid(oneOf(taken.sizes));
  return pixelsOf(size ?? taken.sizes[0]!);
}

/** Reads `"1024x768"`. @throws {@link Refusal} for another text, and for a size that no model makes */
function pixelsOf(size: string): Size {
  const [, width, height] = (/^(\d{2,4})x(\d{2,4})$/.exec(size) ?? []).map(Number);
  if (width === undefined || height === undefined) throw invalid("String should match pattern '^\\d+x\\d+$'");
  // The bound of FLUX.1-dev, the only one in the documents.
  if (Math.min(width, height) < 64 || width * height > 2_359_296) throw invalid();
  return { width, height };
}

/** About a million pixels in a ratio between 21:9 and 9:21. */
function sizeOfRatio(ratio: string): Size {
  const [, across = 0, down = 0] = (/^(\d{1,2}):(\d{1,2})$/.exec(ratio) ?? []).map(Number);
  const share = across / down;
  if (!(share >= 9 / 21 && share <= 21 / 9)) throw invalid("Input should be an aspect ratio between 21:9 and 9:21");
  const side = (length: number) => Math.round(length / 16) * 16;
  return { width: side(1024 * Math.sqrt(share)), height: side(1024 / Math.sqrt(share)) };
}

function formatOf(fields: Fields, taken: Habits): ImageRequest["format"] {
  const format = taken.formats ? optionalText(fields, "output_format") : undefined;
  if (format === undefined || format === "png" || format === "jpeg") return format;
  throw invalid(oneOf(["png", "jpeg"]));
}
