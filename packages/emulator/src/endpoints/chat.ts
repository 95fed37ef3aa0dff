import { completion, completionChunks, cutTurn, type Turn, type Usage } from "../chat-answer.js";
import { chatRequestOf, type ChatRequest } from "../chat-request.js";
import { answerTo } from "../answering.js";
import { eventStream, invalid } from "../reply.js";
import type { Endpoint, Service } from "../router.js";
import type { ChatAnswer } from "../script.js";
import { countTokens, splitTokens } from "../tokens.js";

// What a picture, sound or film costs; the published rules start at 256 tokens for a small picture.
const mediaTokens = 256;

/** `POST /chat/completions`: what the script says, or an answer from the passages, tools and schema of the request. */
export const chat: Endpoint = ({ body, scripted }, service) => {
  if (scripted && "chunks" in scripted) {
    return eventStream(scripted.chunks.map((chunk) => (typeof chunk === "string" ? chunk : JSON.stringify(chunk))));
  }
  const { settings, limits, clock, nextId } = service;
  const request = chatRequestOf(body, service);
  const prompt = promptTokens(request);
  const { contextTokens } = request.model;
  if (contextTokens !== undefined && prompt >= contextTokens) {
    throw invalid(`length of prompt_tokens (${prompt}) must be less than max_seq_len (${contextTokens}).`);
  }
  limits.admit(request.model.id, prompt);

  const turn = cutTurn(
    scripted ? scriptedTurn(scripted, service) : ownTurn(request, service),
    request,
    settings.quirks.maxTokensCountThoughts,
  );
  if (scripted?.finishReason !== undefined) turn.finishReason = scripted.finishReason;
  const turns = Array.from({ length: request.choices }, () => turn);
  const usage = usageOf(prompt, turns, scripted);
  limits.spend(request.model.id, usage.completion);

  const envelope = { id: nextId(), created: Math.floor(clock.now() / 1000), model: request.model.id };
  if (!request.stream) return completion(envelope, turns, usage);
  return eventStream(completionChunks(envelope, turns, usage, settings.quirks));
};

function ownTurn(request: ChatRequest, { nextId }: Service): Turn {
  const answer = answerTo(request);
  return {
    reasoning: request.thinks ? splitTokens(answer.reasoning).slice(0, request.thinkingBudget) : [],
    content: splitTokens(answer.content),
    toolCalls: answer.toolCalls.map((call) => ({
      id: nextId(),
      name: call.name,
      arguments: JSON.stringify(call.arguments),
    })),
    finishReason: answer.toolCalls.length > 0 ? "tool_calls" : "stop",
  };
}

function scriptedTurn(answer: ChatAnswer, { nextId }: Service): Turn {
  const calls = answer.toolCalls ?? [];
  return {
    reasoning: pieces(answer.reasoning),
    content: pieces(answer.content),
    toolCalls: calls.map((call) => ({
      id: call.id ?? nextId(),
      name: call.name,
      arguments: typeof call.arguments === "string" ? call.arguments : JSON.stringify(call.arguments),
    })),
    finishReason: calls.length > 0 ? "tool_calls" : "stop",
  };
}

function pieces(text: string | readonly string[] = ""): readonly string[] {
  return typeof text === "string" ? splitTokens(text) : text;
}

function promptTokens(request: ChatRequest): number {
  const messages = request.messages.reduce(
    // Four tokens a message frame its role.
    (sum, message) => sum + 4 + countTokens(message.text) + message.mediaParts * mediaTokens,
    0,
  );
  return messages + (request.tools.length > 0 ? countTokens(JSON.stringify(request.tools)) : 0);
}

function usageOf(prompt: number, turns: readonly Turn[], scripted: ChatAnswer | undefined): Usage {
  const count = (texts: readonly string[]) => countTokens(texts.join(""));
  const reasoning = turns.reduce((sum, turn) => sum + count(turn.reasoning), 0);
  const spoken = turns.reduce(
    (sum, turn) => sum + count(turn.content) + count(turn.toolCalls.map((call) => call.name + call.arguments)),
    0,
  );
  const given = scripted?.usage ?? {};
  return {
    prompt: given.prompt_tokens ?? prompt,
    completion: given.completion_tokens ?? reasoning + spoken,
    reasoning: given.reasoning_tokens ?? reasoning,
  };
}
