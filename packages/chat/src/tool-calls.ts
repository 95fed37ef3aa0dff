import type { InvalidToolCall, ToolCall, ToolCallChunk } from "@langchain/core/messages/tool";

/** A call as it arrived: arguments are still text. */
export interface RawToolCall {
  id?: string | undefined;
  name?: string | undefined;
  args?: string | undefined;
}

/** The calls of one answer, told apart by whether they can be run. */
export interface ReadToolCalls {
  valid: ToolCall[];
  invalid: InvalidToolCall[];
}

/**
 * Reads one call. Arguments that are not a JSON object, or that the token limit may have cut, make the call invalid:
 * a guess at what the model meant to say must not reach a tool.
 *
 * @param cut - Whether the answer ended because of its token limit.
 */
export function readToolCall(raw: RawToolCall, cut: boolean): { valid: ToolCall } | { invalid: InvalidToolCall } {
  const name = raw.name ?? "";
  const text = raw.args ?? "";
  const id = raw.id === undefined ? {} : { id: raw.id };
  const refuse = (error: string) => ({
    invalid: { type: "invalid_tool_call" as const, ...id, name, args: text, error },
  });

  if (name === "") return refuse("The call names no tool.");
  if (text.trim() === "") {
    if (cut) return refuse("The token limit cut the answer before the arguments.");
    return { valid: { type: "tool_call", ...id, name, args: {} } };
  }
  if (text.length >= maxArgumentLength) return refuse(`The arguments are longer than ${maxArgumentLength} characters.`);
  let args: unknown;
  try {
    args = JSON.parse(text);
  } catch {
    return refuse(cut ? "The token limit cut the arguments short." : "The arguments are not valid JSON.");
  }
  const unfit = whyUnfit(args);
  if (unfit !== undefined) return refuse(unfit);
  return { valid: { type: "tool_call", ...id, name, args: args as Record<string, unknown> } };
}

/** Characters of one call's arguments. More is no call but a model that does not stop: what exceeds it is not even kept. */
export const maxArgumentLength = 1024 * 1024;

/** Levels of nesting in arguments. Far beyond any tool's, and far below what exhausts the stack of whoever walks them. */
const maxArgumentDepth = 100;

/** Why parsed JSON must not reach a tool as its arguments; `undefined` when it may. */
export function whyUnfit(args: unknown): string | undefined {
  if (!isPlainObject(args)) return "The arguments are not a JSON object.";
  return whyUnsafe(args);
}

/** A name that would reach a prototype when a tool copies or merges its arguments, or nesting without end. */
export function whyUnsafe(value: object, levels = maxArgumentDepth): string | undefined {
  if (levels === 0) return `The arguments are nested more than ${maxArgumentDepth} levels deep.`;
  for (const [name, inner] of Object.entries(value)) {
    if (name === "__proto__") return "The arguments hold the name __proto__.";
    if (typeof inner !== "object" || inner === null) continue;
    if (name === "constructor" && Object.hasOwn(inner, "prototype")) return "The arguments hold constructor.prototype.";
    const unsafe = whyUnsafe(inner as object, levels - 1);
    if (unsafe !== undefined) return unsafe;
  }
  return undefined;
}

/** {@link readToolCall} for each call of an answer. */
export function readToolCalls(raw: readonly RawToolCall[], cut: boolean): ReadToolCalls {
  const calls: ReadToolCalls = { valid: [], invalid: [] };
  for (const call of raw) {
    const read = readToolCall(call, cut);
    if ("valid" in read) calls.valid.push(read.valid);
    else calls.invalid.push(read.invalid);
  }
  return calls;
}

/** Puts the fragments of each call together again. They are numbered: `repaired-stream.ts` sees to that. */
export function joinToolCallChunks(chunks: readonly ToolCallChunk[]): ToolCallChunk[] {
  const joined = new Map<number | undefined, ToolCallChunk>();
  for (const chunk of chunks) {
    const known = joined.get(chunk.index);
    if (known === undefined) joined.set(chunk.index, { ...chunk });
    else {
      if (known.id === undefined && chunk.id !== undefined) known.id = chunk.id;
      if (known.name === undefined && chunk.name !== undefined) known.name = chunk.name;
      known.args = (known.args ?? "") + (chunk.args ?? "");
    }
  }
  // A call whose name came late, or never, stands in its place.
  return [...joined.values()].sort((one, other) => (one.index ?? 0) - (other.index ?? 0));
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
