import type { ToolCall, ToolCallDelta } from "./resources/chat-wire.js";
import { isObject } from "./resources/fields.js";

/**
 * The calls of an answer, as far as they have arrived.
 *
 * Ids, types and names come once, or again as null or `""`; arguments come in pieces. The index says of which call; some models
 * leave it out, or use one twice: another id or name is another call.
 */
export class ToolCallsSoFar {
  readonly list: ToolCall[] = [];
  readonly #byIndex = new Map<number, ToolCall>();

  add(delta: ToolCallDelta): void {
    const index = delta.index || (delta.index === 0 ? 0 : undefined);
    const id = delta.id || "";
    const name = delta.function?.name || "";
    let call = this.#find(index, id, name);
    if (call === undefined || isAnother(call, id, name)) {
      call = { id: "", type: "function", function: { name: "", arguments: "" } };
      this.list.push(call);
      if (index !== undefined) this.#byIndex.set(index, call);
    }
    call.id ||= id;
    call.function.name ||= name;
    // Not only text, whatever the documents say.
    const args: unknown = delta.function?.arguments;
    if (args) call.function.arguments += typeof args === "string" ? args : JSON.stringify(args);
  }

  #find(index: number | undefined, id: string, name: string): ToolCall | undefined {
    const known = index === undefined ? undefined : this.#byIndex.get(index);
    if (known !== undefined) return known;
    // An index that moves on while the id stays and no name comes: the same call.
    const same =
      id !== "" && (index === undefined || name === "") ? this.list.find((call) => call.id === id) : undefined;
    return same ?? (index === undefined ? this.list.at(-1) : undefined);
  }
}

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
