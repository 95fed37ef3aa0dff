import type { ToolCallDelta } from "@langchain-siliconflow/client";
import { asText, ToolCallsSoFar, type CallSoFar } from "@langchain-siliconflow/client/adapter";
import { maxArgumentLength } from "./tool-calls.js";

/**
 * Numbers the fragments of streamed tool calls so that they merge into the calls that were meant.
 *
 * Services repeat or omit the index, send the id late, twice or as `""`, repeat the name on each fragment, and send
 * arguments as an object. What goes on from here: one index per call, id and name once, arguments as text.
 */
export class StreamToolCalls {
  readonly #calls = new ToolCallsSoFar();
  /** How much was passed on of the arguments of each call. Fragments wait until the name is known. */
  readonly #announced = new Map<CallSoFar, number>();
  readonly #ids = new Set<string>();

  /** Whether any call has begun. */
  get any(): boolean {
    return this.#calls.last !== undefined;
  }

  /** Rewrites the fragments of one chunk in place. Returns those to pass on now. */
  accept(fragments: readonly ToolCallDelta[]): ToolCallDelta[] {
    const ready: ToolCallDelta[] = [];
    for (const fragment of fragments) {
      const arrived = this.#calls.add(fragment);
      const { index, call } = arrived;
      const length = this.#announced.get(arrived);
      if (length === undefined) {
        if (call.function.name !== "") ready.push(this.#announce(arrived, call.function.arguments));
        continue;
      }
      const args = asText(fragment.function?.arguments).slice(0, maxArgumentLength - length);
      if (args === "") continue;
      this.#announced.set(arrived, length + args.length);
      fragment.index = index;
      fragment.id = null;
      fragment.type = null;
      fragment.function = { arguments: args };
      ready.push(fragment);
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
    for (const arrived of this.#calls.all) {
      const { index, call } = arrived;
      const args = call.function.arguments;
      const empty = args.trim() === "" && !(cut && arrived === this.#calls.last) ? "{}" : "";
      if (!this.#announced.has(arrived)) owed.push(this.#announce(arrived, args + empty));
      else if (empty !== "") owed.push({ index, function: { arguments: empty } });
    }
    return owed;
  }

  #announce(arrived: CallSoFar, text: string): ToolCallDelta {
    const { index, call } = arrived;
    // Results find their call by id: two calls with one id would both get the first result.
    const id = call.id === "" || this.#ids.has(call.id) ? makeToolCallId() : call.id;
    this.#ids.add(id);
    const args = text.slice(0, maxArgumentLength);
    this.#announced.set(arrived, args.length);
    return { index, id, type: "function", function: { name: call.function.name, arguments: args } };
  }
}

/** An id for a call that came without one. The service takes any string back. */
export function makeToolCallId(): string {
  return `call_${crypto.randomUUID().replaceAll("-", "")}`;
}

export function nonEmpty(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
