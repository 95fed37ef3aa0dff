import type { AIMessage, AIMessageChunk, UsageMetadata } from "@langchain/core/messages";
import { inspect } from "node:util";
import type { Case } from "./cases.ts";
import type { Json } from "./healthy.ts";
import { join, judgeWhole, latestOf, type ReadCall, type ReadChoice, type Verdict } from "./oracle.ts";
import type { Outcome } from "./ours.ts";

type Complete = Extract<Verdict, { complete: true }>;

/** What the two readers disagree on; `undefined` when they agree. */
export function disagreement(verdict: Verdict, outcome: Outcome, { asked }: Case): string | undefined {
  if ("error" in outcome) {
    if (!verdict.complete) return undefined;
    return `complete, but ours: ${String(outcome.error)}`;
  }
  if (!verdict.complete) return `damaged (${verdict.why}), but ours is complete`;
  if ("chunks" in outcome) {
    if (verdict.chunks.length > 0) return difference("chunks", verdict.chunks, outcome.chunks);
    // A message that came in one piece says that it has ended by its last event.
    // A stream has no order of choices but that of their index.
    const choices = verdict.choices.toSorted((one, other) => one.index - other.index);
    return difference(
      "choices",
      asked.endpoint === "messages" ? choices : ended(choices),
      join(outcome.chunks, asked).choices,
    );
  }
  if ("answer" in outcome) {
    const own = judgeWhole(outcome.answer, asked);
    if (!own.complete) return `ours is no answer: ${own.why}`;
    const settled = (choices: ReadChoice[]) => (asked.endpoint === "messages" ? choices.map(withInputs) : choices);
    return (
      difference("choices", settled(verdict.choices), settled(own.choices)) ??
      difference("usage", verdict.usage, own.usage)
    );
  }
  if ("text" in outcome) return difference("text", verdict.choices[0]!.text, outcome.text);
  return difference("message", expected(verdict, asked.endpoint), seen(outcome.message));
}

/** What came in one piece has ended, also where it does not say why. */
function ended(choices: ReadChoice[]): ReadChoice[] {
  return choices.map((choice) => ({ ...choice, finish: choice.finish ?? "stop" }));
}

/** Arguments of `/messages` are values, and none are `{}`: only what is no value stays the text it was. */
function withInputs(choice: ReadChoice): ReadChoice {
  return { ...choice, calls: choice.calls.map((call) => ({ ...call, args: respelled(call.args) })) };
}

function respelled(args: string): string {
  try {
    const value: unknown = JSON.parse(args);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return args;
    return JSON.stringify(value);
  } catch {
    return args === "" ? "{}" : args;
  }
}

const shown = { depth: 10, breakLength: Infinity };

function difference(what: string, theirs: unknown, ours: unknown): string | undefined {
  if (isSame(theirs, ours)) return undefined;
  return `${what} differ:\n  oracle ${inspect(theirs, shown)}\n  ours   ${inspect(ours, shown)}`;
}

/** Whether two values say the same, where missing and `undefined` are one. Without recursion: answers may be nested deeply. */
function isSame(one: unknown, other: unknown): boolean {
  const pairs = [[one, other]];
  for (let pair = pairs.pop(); pair !== undefined; pair = pairs.pop()) {
    const [left, right] = pair;
    if (Object.is(left, right) || (left === 0 && right === 0)) continue;
    if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
    if (Array.isArray(left) !== Array.isArray(right)) return false;
    for (const name of new Set([...Object.keys(left), ...Object.keys(right)]))
      pairs.push([(left as Json)[name], (right as Json)[name]]);
  }
  return true;
}

// What LangChain shows of an answer.

function seen(message: AIMessage | AIMessageChunk): Json {
  const { response_metadata, additional_kwargs } = message;
  // The union of the two classes has a type for it that nothing fits.
  const usage = message.usage_metadata as UsageMetadata | undefined;
  return {
    text: message.text,
    reasoning: (additional_kwargs["reasoning_content"] as string | undefined) ?? "",
    calls: (message.tool_calls ?? []).map(({ name, args }) => ({ name, args })),
    invalid: (message.invalid_tool_calls ?? []).map(({ name, args }) => ({ name, args })),
    blocks: message.contentBlocks.map(({ type }) => type),
    finish: response_metadata["finish_reason"],
    logprobs: (response_metadata["logprobs"] as { content?: unknown } | undefined)?.content ?? [],
    usage: usage && [usage.input_tokens, usage.output_tokens, usage.total_tokens],
  };
}

const reasons: Json = {
  end_turn: "stop",
  stop_sequence: "stop",
  max_tokens: "length",
  tool_use: "tool_calls",
  refusal: "content_filter",
};

function expected({ choices, usage }: Complete, endpoint: string): Json {
  const { text, reasoning, calls, finish, logprobs } = choices[0]!;
  const messages = endpoint === "messages";
  const reason = finish === null || finish === "eos" ? "stop" : messages ? own(reasons, finish) : finish;
  const cut = reason === "length" ? latestOf(calls) : undefined;
  const told = calls.map((call) => ({ call, args: argumentsOf(call, call === cut) }));
  const valid = told.filter(({ args }) => args !== undefined);
  const invalid = told.filter(({ args }) => args === undefined);
  return {
    text,
    reasoning,
    calls: valid.map(({ call, args }) => ({ name: call.name, args })),
    invalid: invalid.map(({ call }) => ({
      name: call.name,
      // Nothing is said to be `{}`, but not where the limit of tokens may have cut what was to come.
      args: call.args.trim() === "" && call !== cut ? "{}" : call.args,
    })),
    blocks: [
      ...(reasoning === "" ? [] : ["reasoning"]),
      ...(text === "" ? [] : ["text"]),
      ...valid.map(() => "tool_call"),
      ...invalid.map(() => "invalid_tool_call"),
    ],
    finish: reason,
    logprobs: logprobs.flatMap(aboutToken),
    ...(usage && { usage: messages ? messageCounts(usage) : chatCounts(usage) }),
  };
}

/** What is no object is dropped, and so is what an entry holds beyond what is documented of it. */
function aboutToken(entry: unknown): Json[] {
  if (typeof entry !== "object" || entry === null || Array.isArray(entry)) return [];
  const { token, logprob, bytes, top_logprobs } = entry as Json;
  return [{ token, logprob, bytes, top_logprobs }];
}

function own(table: Json, name: string): unknown {
  return Object.hasOwn(table, name) ? table[name] : name;
}

/** A call can be run when it names a tool and its arguments are an object that no one could be hurt by. */
function argumentsOf({ name, args }: ReadCall, cut: boolean): unknown {
  if (name === "") return undefined;
  if (args.trim() === "") return cut ? undefined : {};
  try {
    const value: unknown = JSON.parse(args);
    return typeof value === "object" && value !== null && !Array.isArray(value) && isSafe(value, 100)
      ? value
      : undefined;
  } catch {
    return undefined;
  }
}

function isSafe(value: object, levels: number): boolean {
  if (levels === 0) return false;
  return Object.entries(value).every(
    ([name, inner]) =>
      name !== "__proto__" &&
      !(name === "constructor" && typeof inner === "object" && inner !== null && Object.hasOwn(inner, "prototype")) &&
      (typeof inner !== "object" || inner === null || isSafe(inner as object, levels - 1)),
  );
}

const number = (value: unknown): number => (Number.isFinite(value) ? (value as number) : 0);

function chatCounts({ prompt_tokens, completion_tokens, total_tokens }: Json): number[] {
  const [input, output] = [number(prompt_tokens), number(completion_tokens)];
  return [input, output, Number.isFinite(total_tokens) ? (total_tokens as number) : input + output];
}

/** What came from the cache, and what went into it, is counted beside the input here. */
function messageCounts(usage: Json): number[] {
  const { input_tokens, cache_read_input_tokens, cache_creation_input_tokens, output_tokens } = usage;
  const input = number(input_tokens) + number(cache_read_input_tokens) + number(cache_creation_input_tokens);
  return [input, number(output_tokens), input + number(output_tokens)];
}
