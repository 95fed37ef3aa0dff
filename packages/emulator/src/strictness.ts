import { isFields, type Fields } from "./fields.js";
import type { EndpointName } from "./journal.js";
import type { Quirks } from "./quirks.js";
import { documentedBody, invalid, Refusal } from "./reply.js";

const documentedSubTypes = new Set([
  "chat",
  "embedding",
  "reranker",
  "text-to-image",
  "image-to-image",
  "speech-to-text",
  "text-to-video",
]);

/** Refuses what only some habits of the service refuse. @throws {@link Refusal} as the service words it */
export function refuseByHabit(
  name: EndpointName,
  body: unknown,
  query: URLSearchParams,
  quirks: Required<Quirks>,
): void {
  if (name !== "models" && name !== "account" && name !== "outputs" && quirks.balance !== "enough") {
    throw new Refusal(Number(quirks.balance), documentedBody(402));
  }
  const isGone = (name === "account" || name === "completions") && quirks[name] === "gone";
  if (isGone) throw new Refusal(404, documentedBody(404));

  const fields = isFields(body) ? body : {};
  if (name === "chat") refuseInChat(fields, quirks);
  if (name === "chat" || name === "messages" || name === "completions") {
    const { max_tokens: most } = fields;
    if (typeof most === "number" && most > quirks.maxTokensCeiling) {
      throw invalid(`max_tokens (${most}) must be less than or equal to ${quirks.maxTokensCeiling}.`);
    }
  }
  if (name === "messages" && quirks.messagesMaxTokens === "required" && fields["max_tokens"] === undefined) {
    throw invalid("Field required");
  }
  const subType = name === "models" ? query.get("sub_type") : null;
  if (subType !== null && quirks.subTypes === "documented" && !documentedSubTypes.has(subType)) throw invalid();
}

function refuseInChat(fields: Fields, quirks: Required<Quirks>): void {
  const { reasoning_effort: effort, top_k: topK, tool_choice: choice, response_format: format } = fields;
  if (quirks.reasoningEffort === "refused" && effort !== undefined) {
    throw invalid("Value error, current model does not support parameter `reasoning_effort`.");
  }
  if (typeof topK === "number" && topK > quirks.topKCeiling) {
    throw invalid(`Input should be less than or equal to ${quirks.topKCeiling}`);
  }
  const isKnownChoice = choice === undefined || choice === "auto" || choice === "none";
  if (quirks.toolChoices === "auto and none" && !isKnownChoice) {
    throw invalid("tool_choice is one of the strings that should be ['none', 'auto']");
  }
  const type = isFields(format) ? format["type"] : undefined;
  if (type === "json_schema" && quirks.jsonSchema === "refused") {
    throw invalid("Input should be 'text' or 'json_object'");
  }
  if ((type === "json_object" || type === "json_schema") && quirks.jsonMode === "refused") {
    throw new Refusal(400, { code: 20024, message: "Json mode is not supported for this model.", data: null });
  }
}
