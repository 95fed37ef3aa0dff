import type { ToolCall, ToolCallDelta } from "./resources/chat-wire.js";
import { isObject } from "./resources/fields.js";

/**
 * The calls of an answer, as far as they have arrived.
 *
 * Ids, types and names come once, or again as null or `""`; arguments come in pieces. The index says of which call; some models
 * leave it out, or use one twice: another id or name is another call.
 */
export class ToolCallsSoFar {
  readonly #calls: { number: number; call: ToolCall }[] = [];
  readonly #byIndex = new Map<number, ToolCall>();
  #last: ToolCall | undefined;

  /** In the order of the index, whichever came first. */
  get list(): ToolCall[] {
    return this.#calls.toSorted((one, other) => one.number - other.number).map(({ call }) => call);
  }

  add(delta: ToolCallDelta): void {
    const index = delta.index || (delta.index === 0 ? 0 : undefined);
    const id = delta.id || "";
    const name = delta.function?.name || "";
    let call = this.#find(index, id, name);
    if (call === undefined || isAnother(call, id, name)) {
      call = { id: "", type: "function", function: { name: "", arguments: "" } };
      this.#calls.push({ number: this.#number(index), call });
      if (index !== undefined) this.#byIndex.set(index, call);
    }
    this.#last = call;
    call.id ||= id;
    call.function.name ||= name;
    // Not only text, whatever the documents say.
    const args: unknown = delta.function?.arguments;
    if (args) call.function.arguments += typeof args === "string" ? args : JSON.stringify(args);
  }

  /** The index, unless another call has it; then the next one after all. */
  #number(index: number | undefined): number {
    const taken = this.#calls.map(({ number }) => number);
    if (index !== undefined && index < maxIndex && !taken.includes(index)) return index;
    return Math.max(-1, ...taken) + 1;
  }

  #find(index: number | undefined, id: string, name: string): ToolCall | undefined {
    const known = index === undefined ? undefined : this.#byIndex.get(index);
    if (known !== undefined) return known;
    // An index that moves on while the id stays and no name comes: the same call.
    const same =
      id !== "" && (index === undefined || name === "")
        ? this.#calls.find(({ call }) => call.id === id)?.call
        : undefined;
    return same ?? (index === undefined ? this.#last : undefined);
  }
}

/** More calls than any answer has: what is beyond is no number to count with. */
const maxIndex = 1000;

function isAnother(call: ToolCall, id: string, name: string): boolean {
  const named = name !== "" && call.function.name !== "";
  const identified = id !== "" && call.id !== "";
  if ((identified && id !== call.id) || (named && name !== call.function.name)) return true;
  // The name once more and no id to tell: a repetition while the arguments are open, another call once they are complete.
  return named && !identified && isCompleteObject(call.function.arguments);
}

function isCompleteObject(text: string): boolean {
  if (!text.trimEnd().endsWith("}")) return false;
  try {
    return isObject(JSON.parse(text));
  } catch {
    return false;
  }
}
