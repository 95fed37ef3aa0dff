import { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import { BaseCallbackManager, CallbackManager } from "@langchain/core/callbacks/manager";
import { BaseMessage } from "@langchain/core/messages";
import { ChatGenerationChunk } from "@langchain/core/outputs";
import { Runnable } from "@langchain/core/runnables";
import { IterableReadableStream } from "@langchain/core/utils/stream";

/** An id that a caller gives a run, and so the only one that is known beforehand. */
export const givenRunId = "01900000-0000-7000-8000-000000000001";

/** What differs from one run to the next whatever the path. */
const clock = new Set([
  "start_time",
  "end_time",
  "time",
  "_serialized_start_time",
  "timestamp",
  "nodeFirstAttemptTime",
]);
const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const moment = /\d{4}-\d\d-\d\dT[\d:.]+Z|\d{8}T\d{12,}Z/g;

/**
 * Turns all that can be observed of a value into data that can be compared and read: own keys in their order, also hidden ones
 * and symbols; classes; what `JSON.stringify` would see; and which objects are one and the same. Ids become numbers in the
 * order in which they were first seen.
 */
export class Plain {
  readonly #ids = new Map<string, number>();
  readonly #objects = new Map<string, object[]>();

  of(value: unknown, within: readonly object[] = []): unknown {
    if (typeof value === "string") return this.text(value);
    if (value === undefined || typeof value === "bigint" || typeof value === "symbol") return `‹${String(value)}›`;
    if (typeof value === "function") return `‹function ${value.name}›`;
    if (typeof value !== "object" || value === null) return value;
    if (within.includes(value)) return "‹again›";
    const deeper = [...within, value];
    if (value instanceof Date) return "‹date›";
    if (Array.isArray(value)) return value.map((item) => this.of(item, deeper));
    if (value instanceof AbortSignal) return { signal: value.aborted, reason: this.of(value.reason, deeper) };
    if (value instanceof Map || value instanceof Set) return [`‹${nameOf(value)}›`, this.of([...value], deeper)];
    if (value instanceof IterableReadableStream) return "‹stream of core›";
    if (isResult(value)) return { done: value.done, value: this.of(value.value, deeper) };
    if (value instanceof CallbackManager) return this.#manager(value, deeper);
    if (value instanceof BaseCallbackManager) return this.#keys(value, deeper);
    if (value instanceof BaseCallbackHandler) return `‹handler ${this.text(value.name)}›`;
    if (value instanceof Runnable) return `‹runnable ${value.getName()}›`;
    if (value instanceof Error) return this.#error(value, deeper);
    if (value instanceof BaseMessage) return this.#serializable(value, deeper);
    if (value instanceof ChatGenerationChunk) return { same: this.#number(value), ...this.#keys(value, deeper) };
    return this.#keys(value, deeper);
  }

  /** Messages, chunks and errors that were seen, read once more: they may have changed since. */
  again(): unknown[] {
    return [...this.#objects.values()].map((objects) => objects.map((value) => this.of(value)));
  }

  /** Without ids, moments, ports and the places of code. */
  text(text: string): string {
    return (
      text
        .replace(uuid, (id) => {
          if (id === givenRunId) return id;
          if (!this.#ids.has(id)) this.#ids.set(id, this.#ids.size + 1);
          return `‹id ${this.#ids.get(id)}›`;
        })
        .replace(moment, "‹moment›")
        .replace(/\[[\d.]+m?s\]/g, "‹took›")
        .replace(/127\.0\.0\.1:\d+/g, "‹server›")
        // The engine's own words hold the code that failed.
        .replace(/^.* is not a function$/, "‹something› is not a function")
        .replace(/\n+\s+at .*/s, "")
    );
  }

  #keys(value: object, within: readonly object[]): Record<string, unknown> {
    const plain: Record<string, unknown> = {};
    if (Object.getPrototypeOf(value) !== Object.prototype) plain["‹class›"] = classesOf(value);
    const keys = Reflect.ownKeys(value).filter((key) => key !== "stack");
    // The order of keys is what a reader of JSON sees.
    plain["‹keys›"] = keys.map((key) => this.text(String(key)) + flags(value, key)).join(" ");
    for (const key of keys) {
      const name = this.text(String(key));
      if (typeof key === "string" && clock.has(key)) plain[name] = `‹${typeof Reflect.get(value, key)}›`;
      else plain[name] = this.of(Reflect.get(value, key), within);
    }
    return plain;
  }

  #error(error: Error, within: readonly object[]): Record<string, unknown> {
    return { same: this.#number(error), ...this.#keys(error, within), message: this.text(error.message) };
  }

  #serializable(message: BaseMessage, within: readonly object[]): Record<string, unknown> {
    return {
      same: this.#number(message),
      ...this.#keys(message, within),
      "‹lc_id›": message.lc_id,
      "‹text›": message.text,
      "‹blocks›": this.of(message.contentBlocks, within),
      "‹json›": this.text(JSON.stringify(message)),
    };
  }

  #manager(manager: CallbackManager, within: readonly object[]): unknown {
    const { handlers, inheritableHandlers, tags, inheritableTags, metadata, inheritableMetadata } = manager;
    const parent = manager.getParentRunId();
    return this.of(
      { handlers, inheritableHandlers, tags, inheritableTags, metadata, inheritableMetadata, parent },
      within,
    );
  }

  /** Which object of its class this is. */
  #number(value: object): number {
    const seen = this.#objects.get(nameOf(value)) ?? [];
    this.#objects.set(nameOf(value), seen);
    const index = seen.indexOf(value);
    return index < 0 ? seen.push(value) : index + 1;
  }
}

/** What an iterator gives: engines and people write its keys in either order. */
function isResult(value: object): value is IteratorResult<unknown> {
  return Reflect.ownKeys(value).length === 2 && "done" in value && "value" in value;
}

function nameOf(value: object): string {
  return (value.constructor as { name?: string } | undefined)?.name ?? "none";
}

function classesOf(value: object): string {
  const classes = [];
  for (let at: unknown = Object.getPrototypeOf(value); at !== Object.prototype && at !== null;) {
    classes.push(nameOf(at as object));
    at = Object.getPrototypeOf(at);
  }
  return classes.join(" < ");
}

/** What an own property is not, of what assignment makes it. */
function flags(value: object, key: PropertyKey): string {
  const { enumerable, writable, configurable, get } = Object.getOwnPropertyDescriptor(value, key)!;
  if (get !== undefined) return "(getter)";
  return enumerable && writable && configurable ? "" : `(${[enumerable, writable, configurable].map(Number).join("")})`;
}
