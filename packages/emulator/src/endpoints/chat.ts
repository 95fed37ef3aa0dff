import { completion, completionChunks, cutTurn } from "../chat-answer.js";
import { chatRequestOf } from "../chat-request.js";
import { admitPrompt, ownTurn, promptTokens, scriptedTurn, usageOf } from "../model-turn.js";
import { eventStream } from "../reply.js";
import type { Endpoint } from "../router.js";

/** `POST /chat/completions`: what the script says, or an answer from the passages, tools and schema of the request. */
export const chat: Endpoint = async ({ body, scripted }, service) => {
  if (scripted && "chunks" in scripted) {
    return eventStream(scripted.chunks.map((chunk) => (typeof chunk === "string" ? chunk : JSON.stringify(chunk))));
  }
  const { settings, limits, clock, nextId } = service;
  const request = chatRequestOf(body, service);
  const prompt = promptTokens(request);
  admitPrompt(prompt, request.model, service);

  const turn = cutTurn(
    scripted ? scriptedTurn(scripted, service) : await ownTurn(request, service),
    request,
    settings.quirks.maxTokensCountThoughts,
  );
  if (scripted?.finishReason !== undefined) turn.finishReason = scripted.finishReason;
  const turns = Array.from({ length: request.choices }, () => turn);
  const usage = usageOf(prompt, turns, scripted);
  limits.spend(request.model.id, usage.completion);

  const envelope = { id: nextId(), created: Math.floor(clock.now() / 1000), model: request.model.id };
  if (!request.stream) return completion(envelope, turns, usage, settings.quirks);
  return eventStream(completionChunks(envelope, turns, usage, settings.quirks));
};
