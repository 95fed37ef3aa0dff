import type { ToolCall, ToolCallDelta } from "./resources/chat-wire.js";
import { isObject } from "./resources/fields.js";
import { TextSoFar } from "./text-so-far.js";

/** A call of a streamed answer, as far as it has arrived. */
export interface CallSoFar {
  /** Its place among the calls: the index of the wire, unless another call has it. */
  readonly index: number;
  /** `""` stands for what has not come yet. */
  readonly call: ToolCall;
}

/**
 * The calls of an answer, as far as they have arrived.
 *
 * Ids, types and names come once, or again as null or `""`; arguments come in pieces. The index says of which call; some models
 * leave it out, or use one twice: another id or name is another call.
 */
export class ToolCallsSoFar {
  readonly #calls: OpenCall[] = [];
  /** By the index of the wire, the latest that had it. */
  readonly #byIndex = new Map<number, OpenCall>();
  /** The first of those that have an id. */
  readonly #byId = new Map<string, OpenCall>();
  readonly #taken = new Set<number>();
  /** The place behind all. */
  #end = 0;
  #last: OpenCall | undefined;

  /** In order of arrival. */
  get all(): readonly CallSoFar[] {
    return this.#calls;
  }

  /** In the order of the index, whichever came first. */
  get list(): ToolCall[] {
    return this.#calls
      .toSorted((one, other) => one.index - other.index)
      .map(({ call: { function: called, ...call } }) => ({ ...call, function: { ...called } }));
  }

  /** The call that was spoken of last: the one that a limit of tokens may have cut. */
  get last(): CallSoFar | undefined {
    return this.#last;
  }

  /** Takes a piece in. Returns the call it belongs to, of which it is a part by then. */
  add(delta: ToolCallDelta): CallSoFar {
    const index = typeof delta.index === "number" ? delta.index : undefined;
    const id = delta.id || "";
    const name = delta.function?.name || "";
    let open = this.#find(index, id, name);
    if (open === undefined || isAnother(open, id, name)) open = this.#open(index);
    this.#last = open;

    const { call } = open;
    if (call.id === "" && id !== "") this.#identify(open, id);
    call.function.name ||= name;
    const args = asText(delta.function?.arguments);
    open.args.add(args);
    open.end.pass(args);
    return open;
  }

  #find(index: number | undefined, id: string, name: string): OpenCall | undefined {
    const known = index === undefined ? undefined : this.#byIndex.get(index);
    if (known !== undefined) return known;
    // An index that moves on while the id stays and no name comes: the same call.
    const same = index === undefined || name === "" ? this.#byId.get(id) : undefined;
    return same ?? (index === undefined ? this.#last : undefined);
  }

  #open(wireIndex: number | undefined): OpenCall {
    const free = wireIndex !== undefined && wireIndex < maxIndex && !this.#taken.has(wireIndex);
    const index = free ? wireIndex : this.#end;
    this.#taken.add(index);
    this.#end = Math.max(this.#end, index + 1);
    const args = new TextSoFar();
    const called = {
      name: "",
      // Put together when somebody asks.
      get arguments() {
        return args.text;
      },
    };
    const call: ToolCall = { id: "", type: "function", function: called };
    const open = { index, call, args, end: new ObjectEnd() };
    this.#calls.push(open);
    if (wireIndex !== undefined) this.#byIndex.set(wireIndex, open);
    return open;
  }

  #identify(open: OpenCall, id: string): void {
    open.call.id = id;
    const known = this.#byId.get(id);
    if (known === undefined || open.index < known.index) this.#byId.set(id, open);
  }
}

/** Arguments are documented as JSON text; anything else is some that somebody has parsed already. */
export function asText(value: unknown): string {
  if (typeof value === "string") return value;
  if (value === undefined || value === null) return "";
  try {
    return JSON.stringify(value);
  } catch {
    // Not JSON, and so no call that could be run.
    return "(nested too deeply to be written)";
  }
}

interface OpenCall extends CallSoFar {
  readonly args: TextSoFar;
  readonly end: ObjectEnd;
}

/** More calls than any answer has: what is beyond is no number to count with. */
const maxIndex = 1000;

/** Whether a piece that points at a call starts another one in its place. */
function isAnother({ call, end }: OpenCall, id: string, name: string): boolean {
  const named = name !== "" && call.function.name !== "";
  const identified = id !== "" && call.id !== "";
  if ((identified && id !== call.id) || (named && name !== call.function.name)) return true;
  // The name once more and no id to tell: a repetition while the arguments are open, another call once they are complete.
  return named && !identified && end.isWhole(call.function.arguments);
}

/**
 * Where an object ends that comes in pieces. Each piece is looked at once: parsing all of it after every piece would take
 * ever longer.
 */
class ObjectEnd {
  #depth = 0;
  #quoted = false;
  #escaped = false;
  #over = false;
  #broken = false;

  /** @param text - All pieces so far. */
  isWhole(text: string): boolean {
    if (!this.#over || this.#broken) return false;
    try {
      return isObject(JSON.parse(text));
    } catch {
      this.#broken = true;
      return false;
    }
  }

  pass(piece: string): void {
    if (this.#broken) return;
    for (const char of piece) {
      if (this.#quoted) {
        if (this.#escaped) this.#escaped = false;
        else if (char === "\\") this.#escaped = true;
        else if (char === '"') this.#quoted = false;
      } else if (char === "{" && !this.#over) this.#depth += 1;
      else if (this.#depth > 0) {
        if (char === '"') this.#quoted = true;
        else if (char === "}") this.#over = --this.#depth === 0;
      } else if (char.trim() !== "") {
        this.#broken = true;
        return;
      }
    }
  }
}
