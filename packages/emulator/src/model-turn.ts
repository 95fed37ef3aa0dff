import { answerTo } from "./answering.js";
import type { HostedModel } from "./catalog.js";
import type { Turn, Usage } from "./chat-answer.js";
import type { ChatRequest } from "./chat-request.js";
import { sightOf } from "./looking.js";
import { promptOf } from "./passages.js";
import { invalid } from "./reply.js";
import type { Service } from "./router.js";
import type { ChatAnswer } from "./script.js";
import { isChinese } from "./terms.js";
import { countTokens, splitTokens } from "./tokens.js";

// What a picture, sound or film costs; the published rules start at 256 tokens for a small picture.
const mediaTokens = 256;

/** Lets a prompt in, or refuses it for its length or a rate limit. @throws {@link Refusal} */
export function admitPrompt(prompt: number, { id, contextTokens }: HostedModel, { limits }: Service): void {
  if (contextTokens !== undefined && prompt >= contextTokens) {
    throw invalid(`length of prompt_tokens (${prompt}) must be less than max_seq_len (${contextTokens}).`);
  }
  limits.admit(id, prompt);
}

/** What the model itself says. */
export async function ownTurn(request: ChatRequest, service: Service): Promise<Turn> {
  const { nextId } = service;
  const answer = answerTo(request, await sightsOf(request, service));
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

/** What there is to see where the user last showed something. */
async function sightsOf({ messages }: ChatRequest, service: Service): Promise<string[]> {
  const shown = messages.findLast(({ role, media }) => role === "user" && media.length > 0);
  if (!shown) return [];
  const chinese = isChinese(promptOf(messages).question);
  return Promise.all(shown.media.map((part) => sightOf(part, service, chinese)));
}

/** What a script lets it say. */
export function scriptedTurn(answer: ChatAnswer, { nextId }: Service): Turn {
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

/** How long a prompt is. */
export function promptTokens(request: ChatRequest): number {
  const messages = request.messages.reduce(
    // Four tokens a message frame its role.
    (sum, message) => sum + 4 + countTokens(message.text) + message.media.length * mediaTokens,
    0,
  );
  return messages + (request.tools.length > 0 ? countTokens(JSON.stringify(request.tools)) : 0);
}

/** What an answer cost: the script's figures, or a count. */
export function usageOf(prompt: number, turns: readonly Turn[], scripted: ChatAnswer | undefined): Usage {
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
