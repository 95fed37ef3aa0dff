import type { ToolCallDelta } from "@langchain-siliconflow/client";
import { isPlainObject, maxArgumentLength } from "./tool-calls.js";

/** One call of a streamed answer, as far as it has arrived. */
interface Slot {
  /** Number of the call in the repaired stream: the service's own where it can be, so that calls stand in its order. */
  index: number;
  /** The id that is shown. */
  id: string;
  /** The id as the service sent it, once it has. */
  wireId: string | undefined;
  name: string | undefined;
  args: string;
  /** Whether id and name were passed on. Fragments wait until the name is known. */
  announced: boolean;
}

/**
 * Numbers the fragments of streamed tool calls so that they merge into the calls that were meant.
 *
 * Services repeat or omit the index, send the id late, twice or as `""`, repeat the name on each fragment, and send
 * arguments as an object. What goes on from here: one index per call, id and name once, arguments as text.
 */
export class StreamToolCalls {
  readonly #slots: Slot[] = [];
  readonly #byIndex = new Map<number, Slot>();
  #last: Slot | undefined;

  /** Whether any call has begun. */
  get any(): boolean {
    return this.#slots.length > 0;
  }

  /** Rewrites the fragments of one chunk in place. Returns those to pass on now. */
  accept(fragments: readonly ToolCallDelta[]): ToolCallDelta[] {
    const ready: ToolCallDelta[] = [];
    for (const fragment of fragments) {
      if (typeof fragment !== "object" || fragment === null) continue;
      const id = nonEmpty(fragment.id);
      const name = nonEmpty(fragment.function?.name);
      let args = asText(fragment.function?.arguments);
      // null and "" are as good as none.
      const index = typeof fragment.index === "number" ? fragment.index : undefined;
      const slot = this.#find(index, id, name) ?? this.#open(index, id);
      if (id !== undefined && slot.wireId === undefined) {
        slot.wireId = id;
        // Not shown yet, so the service's own id can still be the one that is.
        if (!slot.announced && !this.#slots.some((known) => known.id === id)) slot.id = id;
      }
      slot.name ??= name;
      args = args.slice(0, maxArgumentLength - slot.args.length);
      slot.args += args;
      this.#last = slot;

      if (slot.name === undefined) continue;
      if (slot.announced) {
        if (args === "") continue;
        fragment.index = slot.index;
        fragment.id = null;
        fragment.type = null;
        fragment.function = { arguments: args };
        ready.push(fragment);
      } else ready.push(announce(slot, slot.args));
    }
    return ready;
  }

  /**
   * What is still owed when the stream ends: calls whose name never came, and `{}` for calls without arguments.
   *
   * @param cut - Whether the token limit ended the answer: then empty arguments of the last call are no `{}`.
   */
  finish(cut: boolean): ToolCallDelta[] {
    const owed: ToolCallDelta[] = [];
    for (const slot of this.#slots) {
      const empty = slot.args.trim() === "" && !(cut && slot === this.#last) ? "{}" : "";
      if (!slot.announced) owed.push(announce(slot, slot.args + empty));
      else if (empty !== "") owed.push({ index: slot.index, function: { arguments: empty } });
    }
    return owed;
  }

  /** The call a fragment continues, if any. */
  #find(index: number | undefined, id: string | undefined, name: string | undefined): Slot | undefined {
    if (index === undefined) {
      const known = id === undefined ? undefined : this.#slots.find((slot) => slot.wireId === id);
      const pointed = known ?? this.#last;
      return pointed !== undefined && continues(pointed, id, name) ? pointed : undefined;
    }
    const slot = this.#byIndex.get(index);
    if (slot !== undefined) return continues(slot, id, name) ? slot : undefined;
    // An index that moves on while the id stays and no name comes: the same call.
    return id !== undefined && name === undefined ? this.#slots.find((known) => known.wireId === id) : undefined;
  }

  /** The index of the wire, unless another call has it; then the next one after all. */
  #number(wireIndex: number | undefined): number {
    const taken = this.#slots.map(({ index }) => index);
    if (wireIndex !== undefined && wireIndex < maxIndex && !taken.includes(wireIndex)) return wireIndex;
    return Math.max(-1, ...taken) + 1;
  }

  #open(wireIndex: number | undefined, id: string | undefined): Slot {
    // Results find their call by id: two calls with one id would both get the first result.
    const taken = id !== undefined && this.#slots.some((slot) => slot.id === id);
    const slot: Slot = {
      index: this.#number(wireIndex),
      id: id === undefined || taken ? makeToolCallId() : id,
      wireId: id,
      name: undefined,
      args: "",
      announced: false,
    };
    this.#slots.push(slot);
    if (wireIndex !== undefined) this.#byIndex.set(wireIndex, slot);
    return slot;
  }
}

/** More calls than any answer has: what is beyond is no number to count with. */
const maxIndex = 1000;

/** Whether a fragment that points at a call belongs to it, or starts another one in its place. */
function continues(slot: Slot, id: string | undefined, name: string | undefined): boolean {
  const identified = id !== undefined && slot.wireId !== undefined;
  if (identified && id !== slot.wireId) return false;
  if (name === undefined || slot.name === undefined) return true;
  if (name !== slot.name) return false;
  if (identified) return true;
  // The name once more and no id to tell: a repetition while the arguments are open, another call once they are complete.
  return !isCompleteObject(slot.args);
}

function announce(slot: Slot, args: string): ToolCallDelta {
  slot.announced = true;
  return { index: slot.index, id: slot.id, type: "function", function: { name: slot.name ?? "", arguments: args } };
}

/** An id for a call that came without one. The service takes any string back. */
export function makeToolCallId(): string {
  return `call_${crypto.randomUUID().replaceAll("-", "")}`;
}

/** Arguments are documented as a JSON string; an object is one that somebody has parsed already. */
export function asText(args: unknown): string {
  if (typeof args === "string") return args;
  if (args === undefined || args === null) return "";
  try {
    return JSON.stringify(args);
  } catch {
    // Not JSON, and so no call that could be run.
    return "(nested too deeply to be written)";
  }
}

export function nonEmpty(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function isCompleteObject(text: string): boolean {
  if (!text.trimEnd().endsWith("}")) return false;
  try {
    return isPlainObject(JSON.parse(text));
  } catch {
    return false;
  }
}
