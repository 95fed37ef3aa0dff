import { fieldsOf, modelOf, optionalBoolean, optionalInteger, type Fields } from "../fields.js";
import { relevanceOf } from "../ranking.js";
import { invalid, json } from "../reply.js";
import type { Endpoint } from "../router.js";
import { countTokens } from "../tokens.js";
import { readText, readVisualContent } from "../visual-content.js";

/** `POST /rerank`: the documents by falling relevance. */
export const rerank: Endpoint = async ({ body }, service) => {
  const { models, settings, limits, nextId } = service;
  const fields = fieldsOf(body);
  const model = modelOf(fields, "reranker", models);
  const read = (value: unknown) =>
    model.id === "Qwen/Qwen3-VL-Reranker-8B" ? readVisualContent(value, service, { video: true }) : readText(value);
  if (fields["query"] === undefined) throw invalid("Field required");
  const query = await read(fields["query"]);
  if (query.words === "") throw invalid("String should have at least 1 character");
  const given = documentsOf(fields);
  const documents = await Promise.all(given.map(read));
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

  // The query is read with each document.
  const imageTokens = documents.reduce((sum, document) => sum + document.imageTokens + query.imageTokens, 0);
  const queryTokens = query.textTokens + countTokens(instruction ?? "");
  const tokens = documents.reduce((sum, document) => sum + document.textTokens + queryTokens, imageTokens);
  limits.admit(model.id, tokens);

  const words = documents.map((document) => document.words);
  const results = relevanceOf(query.words, words)
    .map((score, index) => ({
      index,
      relevance_score: Math.round(score * 1e8) / 1e8,
      ...(returnDocuments && { document: shown(given[index]) }),
    }))
    // Equal scores keep the order of the documents.
    .toSorted((one, other) => other.relevance_score - one.relevance_score)
    .slice(0, topN);
  if (settings.quirks.rerankOrder === "index") results.sort((one, other) => one.index - other.index);
  const id = nextId();
  if (settings.quirks.rerankShape === "A") {
    return json({ id, results, tokens: { input_tokens: tokens, output_tokens: 0 } });
  }
  const counted = { input_tokens: tokens, output_tokens: 0, image_tokens: imageTokens };
  return json({
    id,
    results,
    meta: { tokens: counted, billed_units: { ...counted, search_units: 1, classifications: 0 } },
  });
};

function documentsOf(fields: Fields): unknown[] {
  const given = fields["documents"];
  if (given === undefined) throw invalid("Field required");
  const items: unknown[] = Array.isArray(given) ? given : [given];
  if (items.length === 0) throw invalid("List should have at least 1 item after validation");
  return items;
}

/** A document as an answer repeats it. */
function shown(document: unknown): unknown {
  return typeof document === "string" ? { text: document } : document;
}
