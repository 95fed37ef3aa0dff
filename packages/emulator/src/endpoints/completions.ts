import { cutTurn, wireUsage, type Turn, type Usage } from "../chat-answer.js";
import { checkSampling, stopOf } from "../chat-request.js";
import { continuationOf } from "../continuation.js";
import { fieldsOf, modelOf, optionalBoolean, optionalInteger } from "../fields.js";
import { admitPrompt, scriptedTurn, usageOf } from "../model-turn.js";
import type { Quirks } from "../quirks.js";
import { eventStream, invalid, json } from "../reply.js";
import type { Endpoint } from "../router.js";
import { countTokens, splitTokens } from "../tokens.js";

/** `POST /completions`: what the script says, or the text going on as it went on before. */
export const completions: Endpoint = ({ body, scripted }, service) => {
  if (scripted && "chunks" in scripted) {
    return eventStream(scripted.chunks.map((chunk) => (typeof chunk === "string" ? chunk : JSON.stringify(chunk))));
  }
  const { clock, limits, models, nextId, settings } = service;
  const fields = fieldsOf(body);
  const model = modelOf(fields, "chat", models);
  checkSampling(fields);
  const { prompt, suffix = "" } = fields;
  if (prompt === undefined) throw invalid("Field required");
  if (typeof prompt !== "string" || typeof suffix !== "string") throw invalid("Input should be a valid string");
  const tokens = countTokens(prompt) + countTokens(suffix);
  admitPrompt(tokens, model, service);

  const own: Turn = {
    reasoning: [],
    content: scripted ? [] : splitTokens(continuationOf(prompt, suffix)),
    toolCalls: [],
    finishReason: "stop",
  };
  const spoken = scripted ? { ...scriptedTurn(scripted, service), reasoning: [], toolCalls: [] } : own;
  const bounds = {
    maxTokens: optionalInteger(fields, "max_tokens", 1) ?? Infinity,
    stop: stopOf(fields["stop"] ?? undefined),
  };
  const turn = cutTurn(spoken, bounds, false);
  if (scripted?.finishReason !== undefined) turn.finishReason = scripted.finishReason;
  const usage = usageOf(tokens, [turn], scripted);
  limits.spend(model.id, usage.completion);

  const envelope = {
    id: nextId(),
    object: "text_completion",
    created: Math.floor(clock.now() / 1000),
    model: model.id,
  };
  if (!optionalBoolean(fields, "stream")) {
    return json({
      ...envelope,
      choices: [choice(turn.content.join(""), turn.finishReason)],
      usage: wireUsage(usage, settings.quirks),
    });
  }
  return eventStream(chunks(envelope, turn, usage, settings.quirks));
};

function* chunks(envelope: object, turn: Turn, usage: Usage, quirks: Required<Quirks>): Generator<string> {
  const chunk = (text: string, reason: string | null, completion: number) =>
    JSON.stringify({
      ...envelope,
      choices: [choice(text, reason)],
      usage: wireUsage({ ...usage, completion }, quirks),
    });
  for (const [index, piece] of turn.content.entries()) {
    yield chunk(piece, null, Math.floor((usage.completion * (index + 1)) / turn.content.length));
  }
  yield chunk("", turn.finishReason, usage.completion);
  yield "[DONE]";
}

function choice(text: string, finish_reason: string | null) {
  return { index: 0, text, finish_reason, logprobs: null };
}
