import type { ChatRequest, Tool } from "./chat-request.js";
import type { Prompt } from "./passages.js";
import { fillSchema } from "./schema-filling.js";
import { termsOf } from "./terms.js";

/** A tool the model wants called. */
export interface ChosenCall {
  name: string;
  arguments: unknown;
}

/** What a tool returned. */
export interface ToolResult {
  name: string;
  text: string;
}

// A word must tell at least this much to decide for a tool: "weather" does, "get" does not.
const telling = 0.4;

/**
 * Which tools a question calls for, with arguments filled from it. Under `auto`: those that share a telling word with the
 * question, or a search tool when there is nothing else to answer from. None once tools have answered, unless the question
 * says what comes then.
 */
export function chooseToolCalls(
  request: Pick<ChatRequest, "tools" | "toolChoice" | "parallelToolCalls">,
  { question, passages }: Prompt,
  results: readonly ToolResult[],
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
  const steps = stepsOf(tools, question);
  if (steps.length > 0) return steps.slice(results.length, results.length + 1).map((step) => callOf(step, results));
  if (results.length > 0) return [];
  if (fitting[0]!.fit === 0) {
    const search = passages.length === 0 && isQuestion(question) ? tools.find(isSearch) : undefined;
    return search ? [call(search, question)] : [];
  }
  const calls = request.parallelToolCalls ? callsByClause(tools, question) : [];
  return calls.length > 1 ? calls : [call(fitting[0]!.tool, question)];
}

interface Step {
  tool: Tool;
  clause: string;
}

/** "Search the notes, then draw a picture of it": one tool after another. Empty when there are not two. */
function stepsOf(tools: readonly Tool[], question: string): Step[] {
  const steps = question.split(/\b(?:then|finally)\b|然后|接着|最后/i).flatMap((clause): Step[] => {
    const [best] = tools
      .map((tool) => ({
        tool,
        clause: clause.replaceAll(/^[\s,;，；。]+|[\s,;，；]+$/g, ""),
        fit: fitOf(tool, clause),
      }))
      .toSorted((one, other) => other.fit - one.fit);
    return best !== undefined && best.fit > 0 ? [best] : [];
  });
  return steps.length > 1 ? steps : [];
}

/** A step that speaks of what was found is given what the first one found. */
function callOf({ tool, clause }: Step, [found]: readonly ToolResult[]): ChosenCall {
  const meansFound = /\b(?:summary|answer|result|found)\b|总结|摘要|答案|结果/i.test(clause);
  return call(tool, found !== undefined && meansFound ? found.text : clause);
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
