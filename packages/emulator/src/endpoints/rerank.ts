import { fieldsOf, isFields, modelOf, optionalBoolean, optionalInteger, type Fields } from "../fields.js";
import { relevanceOf } from "../ranking.js";
import { invalid, json } from "../reply.js";
import type { Endpoint } from "../router.js";
import { countTokens } from "../tokens.js";

/** `POST /rerank`: the documents by falling relevance. */
export const rerank: Endpoint = ({ body }, { models, settings, limits, nextId }) => {
  const fields = fieldsOf(body);
  const model = modelOf(fields, "reranker", models);
  const seesImages = model.id === "Qwen/Qwen3-VL-Reranker-8B";
  const query = textOf(fields["query"], seesImages);
  if (query === "") throw invalid("String should have at least 1 character");
  const documents = documentsOf(fields, seesImages);
  const topN = optionalInteger(fields, "top_n", 1) ?? documents.length;
  const returnDocuments = optionalBoolean(fields, "return_documents") ?? false;
  // Checked and then unused: a whole document is ranked at once here, as its best part would be.
  optionalInteger(fields, "max_chunks_per_doc", 1);
  optionalInteger(fields, "overlap_tokens", 0, 80);
  const instruction = fields["instruction"] ?? undefined;
  if (instruction !== undefined) {
    if (typeof instruction !== "string") throw invalid("Input should be a valid string");
    if (instruction === "") throw invalid("String should have at least 1 character");
    if (!model.instruction) throw invalid("Value error, current model does not support parameter `instruction`.");
  }

  const queryTokens = countTokens(query) + countTokens(instruction ?? "");
  const tokens = documents.reduce((sum, text) => sum + countTokens(text) + queryTokens, 0);
  limits.admit(model.id, tokens);

  const results = relevanceOf(query, documents)
    .map((score, index) => ({
      index,
      relevance_score: Math.round(score * 1e8) / 1e8,
      ...(returnDocuments && { document: { text: documents[index]! } }),
    }))
    // Equal scores keep the order of the documents.
    .toSorted((one, other) => other.relevance_score - one.relevance_score)
    .slice(0, topN);
  if (settings.quirks.rerankOrder === "index") results.sort((one, other) => one.index - other.index);
  const id = nextId();
  if (settings.quirks.rerankShape === "A") {
    return json({ id, results, tokens: { input_tokens: tokens, output_tokens: 0 } });
  }
  const counted = { input_tokens: tokens, output_tokens: 0, image_tokens: 0 };
  return json({
    id,
    results,
    meta: { tokens: counted, billed_units: { ...counted, search_units: 1, classifications: 0 } },
  });
};

function documentsOf(fields: Fields, seesImages: boolean): string[] {
  const given = fields["documents"];
  if (given === undefined) throw invalid("Field required");
  const items: unknown[] = Array.isArray(given) ? given : [given];
  if (items.length === 0) throw invalid("List should have at least 1 item after validation");
  return items.map((item) => textOf(item, seesImages));
}

function textOf(value: unknown, seesImages: boolean): string {
  if (value === undefined) throw invalid("Field required");
  // Nobody looks at the picture: an image is the text of its address.
  const text = isFields(value) && seesImages ? (value["text"] ?? value["image"] ?? value["video"]) : value;
  if (typeof text !== "string") throw invalid("Input should be a valid string");
  return text;
}
