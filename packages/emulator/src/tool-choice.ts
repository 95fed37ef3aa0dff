import type { ChatRequest, Tool } from "./chat-request.js";
import type { Prompt } from "./passages.js";
import { fillSchema } from "./schema-filling.js";
import { termsOf } from "./terms.js";

/** A tool the model wants called. */
export interface ChosenCall {
  name: string;
  arguments: unknown;
}

// A word must tell at least this much to decide for a tool: "weather" does, "get" does not.
const telling = 0.4;

/**
 * Which tools a question calls for, with arguments filled from it. Under `auto`: those that share a telling word with the
 * question, or a search tool when there is nothing else to answer from; none once tools have answered.
 */
export function chooseToolCalls(
  request: Pick<ChatRequest, "tools" | "toolChoice" | "parallelToolCalls">,
  { question, passages }: Prompt,
  { answered }: { answered: boolean },
): ChosenCall[] {
  const { tools, toolChoice } = request;
  if (tools.length === 0 || toolChoice === "none") return [];
  if (typeof toolChoice === "object") {
    const named = tools.filter((tool) => tool.name === toolChoice.name);
    return named.map((tool) => call(tool, question));
  }

  const fitting = tools
    .map((tool) => ({ tool, fit: fitOf(tool, question) }))
    .toSorted((one, other) => other.fit - one.fit);
  if (toolChoice === "required") return [call(fitting[0]!.tool, question)];
  if (answered) return [];
  if (fitting[0]!.fit === 0) {
    const search = passages.length === 0 && isQuestion(question) ? tools.find(isSearch) : undefined;
    return search ? [call(search, question)] : [];
  }
  const calls = request.parallelToolCalls ? callsByClause(tools, question) : [];
  return calls.length > 1 ? calls : [call(fitting[0]!.tool, question)];
}

/** "The weather in Paris and the time in Tokyo": a part of the sentence for each of two tools. */
function callsByClause(tools: readonly Tool[], question: string): ChosenCall[] {
  const calls = new Map<string, ChosenCall>();
  for (const clause of question.split(/\band\b|[,;，；、]|和|以及/i)) {
    const named = tools
      .map((tool) => ({ tool, fit: overlap(tool.name, clause) }))
      .toSorted((one, other) => other.fit - one.fit)[0]!;
    if (named.fit > 0 && !calls.has(named.tool.name)) calls.set(named.tool.name, call(named.tool, clause.trim()));
  }
  return [...calls.values()];
}

function call(tool: Tool, question: string): ChosenCall {
  return { name: tool.name, arguments: fillSchema(tool.parameters, { text: question, answer: question }) };
}

function fitOf(tool: Tool, question: string): number {
  return 2 * overlap(tool.name, question) + overlap(tool.description, question);
}

/** The weight of the telling terms that two texts share. */
function overlap(text: string, question: string): number {
  const spoken = text.replaceAll(/[_-]/g, " ").replaceAll(/(\p{Ll})(\p{Lu})/gu, "$1 $2");
  const offered = new Set(termsOf(spoken).map((term) => term.text));
  const shared = new Map(
    termsOf(question)
      .filter(({ text: term }) => offered.has(term))
      .map((term) => [term.text, term.weight]),
  );
  return [...shared.values()].filter((weight) => weight >= telling).reduce((sum, weight) => sum + weight, 0);
}

function isSearch(tool: Tool): boolean {
  return /search|retriev|look ?up|query|find|knowledge|检索|搜索|查询|查找/i.test(`${tool.name} ${tool.description}`);
}

function isQuestion(text: string): boolean {
  return /[?？]|^\s*(?:what|who|whom|whose|when|where|which|why|how|is|are|does|do|did|can|tell|explain|find|search|look)\b|什么|谁|哪|怎|如何|多少|为何|查|找|搜/i.test(
    text,
  );
}
