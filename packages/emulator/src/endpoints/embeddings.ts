import { endianness } from "node:os";
import type { HostedModel } from "../catalog.js";
import { fieldsOf, modelOf, optionalInteger, type Fields } from "../fields.js";
import type { Quirks } from "../quirks.js";
import { invalid, json, Refusal } from "../reply.js";
import type { Endpoint, Service } from "../router.js";
import { lexicalVector } from "../vectors.js";
import { readText, readVisualContent, type VisualContent } from "../visual-content.js";

/** `POST /embeddings`: one vector per input, in the order of the inputs. */
export const embeddings: Endpoint = async ({ body }, service) => {
  const { models, settings, limits, semantic } = service;
  const fields = fieldsOf(body);
  const model = modelOf(fields, "embedding", models);
  const items = inputsOf(fields["input"]);
  const encoding = fields["encoding_format"] ?? "float";
  if (encoding !== "float" && encoding !== "base64") throw invalid("Input should be 'float' or 'base64'");
  const dimensions = dimensionsOf(fields, model, settings.quirks.dimensionsElsewhere);

  if (items.length > settings.batchCap) {
    const message = `input batch size ${items.length} > maximum allowed batch size ${settings.batchCap}`;
    throw new Refusal(413, { code: 20042, message, data: null });
  }
  const inputs = await Promise.all(items.map((item) => read(item, model, service)));
  const tokens = inputs.map(({ textTokens, imageTokens }) => textTokens + imageTokens);
  if (tokens.some((count) => count > (model.contextTokens ?? Infinity))) throw invalid();
  const total = tokens.reduce((sum, count) => sum + count, 0);
  limits.admit(model.id, total);

  const texts = inputs.map(({ words }) => words);
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

/** `input` is one thing to embed, or a list of them. */
function inputsOf(input: unknown): unknown[] {
  if (input === undefined) throw invalid("Field required");
  const items: unknown[] = Array.isArray(input) ? input : [input];
  if (items.length === 0) throw invalid("List should have at least 1 item after validation");
  return items;
}

/** A text; of the vision model also `{ text }` or `{ image }`. */
async function read(item: unknown, model: HostedModel, service: Service): Promise<VisualContent> {
  const takesImages = model.id === "Qwen/Qwen3-VL-Embedding-8B";
  const content = takesImages ? await readVisualContent(item, service, { video: false }) : readText(item);
  if (content.words === "") throw invalid();
  return content;
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
