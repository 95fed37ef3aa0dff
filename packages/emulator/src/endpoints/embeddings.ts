import { endianness } from "node:os";
import type { HostedModel } from "../catalog.js";
import { fieldsOf, isFields, modelOf, optionalInteger, type Fields } from "../fields.js";
import type { Quirks } from "../options.js";
import { invalid, json, Refusal } from "../reply.js";
import type { Endpoint } from "../router.js";
import { countTokens } from "../tokens.js";
import { lexicalVector } from "../vectors.js";

/** `POST /embeddings`: one vector per text, in the order of the texts. */
export const embeddings: Endpoint = async ({ body }, { models, settings, limits, semantic }) => {
  const fields = fieldsOf(body);
  const model = modelOf(fields, "embedding", models);
  const texts = textsOf(fields["input"], model);
  const encoding = fields["encoding_format"] ?? "float";
  if (encoding !== "float" && encoding !== "base64") throw invalid("Input should be 'float' or 'base64'");
  const dimensions = dimensionsOf(fields, model, settings.quirks.dimensionsElsewhere);

  if (texts.length > settings.batchCap) {
    const message = `input batch size ${texts.length} > maximum allowed batch size ${settings.batchCap}`;
    throw new Refusal(413, { code: 20042, message, data: null });
  }
  const tokens = texts.map(countTokens);
  if (tokens.some((count) => count > (model.contextTokens ?? Infinity))) throw invalid();
  const total = tokens.reduce((sum, count) => sum + count, 0);
  limits.admit(model.id, total);

  const vectors =
    model.semantic && semantic
      ? await semantic(texts)
      : texts.map((text) => lexicalVector(text, { model: model.id, seed: settings.seed, dimensions }));
  return json({
    object: "list",
    model: model.id,
    data: vectors.map((vector, index) => ({
      object: "embedding",
      index,
      embedding: encoding === "base64" ? base64(vector, settings.quirks.base64Order) : decimals(vector),
    })),
    usage: { prompt_tokens: total, completion_tokens: 0, total_tokens: total },
  });
};

/** The texts of `input`: a string or a list of them; on the vision model also `{ text }` and `{ image }`. */
function textsOf(input: unknown, model: HostedModel): string[] {
  if (input === undefined) throw invalid("Field required");
  const items: unknown[] = Array.isArray(input) ? input : [input];
  if (items.length === 0) throw invalid("List should have at least 1 item after validation");
  return items.map((item) => {
    let text = item;
    if (isFields(item) && model.id === "Qwen/Qwen3-VL-Embedding-8B") {
      // Nobody looks at the picture: an image is the text of its address.
      text = item["text"] ?? item["image"];
    }
    if (typeof text !== "string") throw invalid("Input should be a valid string");
    if (text === "") throw invalid();
    return text;
  });
}

function dimensionsOf(fields: Fields, model: HostedModel, elsewhere: Quirks["dimensionsElsewhere"]): number {
  const dimensions = optionalInteger(fields, "dimensions", 1);
  const isElsewhere = model.dimensions.length === 0;
  if (dimensions === undefined || (isElsewhere && elsewhere === "ignored")) return model.defaultDimensions;
  if (!model.dimensions.includes(dimensions)) throw invalid();
  return dimensions;
}

/** float32, in the byte order that is wanted. */
function base64(vector: Float32Array, order: Quirks["base64Order"]): string {
  const bytes = Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
  return ((endianness() === "LE") === (order === "little") ? bytes : Buffer.from(bytes).swap32()).toString("base64");
}

/** Eight decimals: the digits beyond are the noise of a float32 read as a double. */
function decimals(vector: Float32Array): number[] {
  const numbers: number[] = [];
  for (const value of vector) numbers.push(value === 0 ? 0 : Math.round(value * 1e8) / 1e8);
  return numbers;
}
