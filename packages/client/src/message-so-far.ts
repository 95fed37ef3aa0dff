import { isErrorBody } from "./answer.js";
import type { PartialCompletion } from "./errors.js";
import type { Judge } from "./judge.js";
import { count } from "./leases.js";
import { isAbsent, isObject } from "./resources/fields.js";
import {
  eventsFromMessage,
  isEmptyObject,
  isEvent,
  isMessage,
  kindOf,
  type Message,
  type MessageBlock,
  type MessagesUsage,
  type MessageStreamEvent,
} from "./resources/messages-wire.js";
import { TextSoFar } from "./text-so-far.js";

/**
 * What has arrived of a streamed message.
 *
 * Both endings count: a stop reason, which a `[DONE]` may follow, and `message_stop`. Fields decide, not the names of events
 * and deltas: the service documents only the first event.
 */
export class MessageSoFar implements Judge<MessageStreamEvent, Message> {
  readonly isAnswer = isMessage;
  readonly split = eventsFromMessage;

  #message: Partial<Message> | undefined;
  /** By the index of the wire, in order of appearance. */
  readonly #blocks = new Map<number, OpenBlock>();
  /** Of each kind, the block that began last. */
  readonly #latest: { [kind in ReturnType<typeof kindOf>]?: OpenBlock } = {};
  #stopReason: string | null = null;
  #stopSequence: string | null = null;
  #usage: MessagesUsage | undefined;
  #over = false;

  get whole(): boolean {
    return this.#message !== undefined && (this.#over || this.#stopReason !== null);
  }

  get over(): boolean {
    return this.#over;
  }

  get tokens(): number | undefined {
    return this.#usage && count(this.#usage.input_tokens) + count(this.#usage.output_tokens);
  }

  read(value: Record<string, unknown>, name: string | undefined): MessageStreamEvent | null | undefined {
    const type = isAbsent(value["type"]) ? name : value["type"];
    if (type === "error" || !type || typeof type !== "string" || isErrorBody(value)) return null;
    if (type === "ping") return undefined;
    if (!isEvent(value)) return null;
    value["type"] = type;
    return value as MessageStreamEvent;
  }

  add(event: MessageStreamEvent): boolean {
    const { type, message, content_block, delta } = event;
    const index = event.index || 0;
    if (message) {
      // A second one would be mixed into the first.
      if (this.#message !== undefined) return false;
      this.#message = message;
      this.#count(message.usage);
    }
    this.#count(event.usage);
    if (content_block) {
      if (this.#blocks.has(index)) return false;
      this.#begin(index, { ...content_block });
    }
    if (delta) {
      if (!this.#grow(index, delta)) return false;
      if (delta.stop_reason) this.#stopReason = delta.stop_reason;
      if (delta.stop_sequence) this.#stopSequence = delta.stop_sequence;
    }
    if (type === "content_block_stop") {
      const entry = this.#blocks.get(index);
      if (entry !== undefined) entry.ended = true;
    }
    if (type === "message_stop") this.#over = true;
    return true;
  }

  partial(): PartialCompletion {
    const blocks = [...this.#blocks.values()];
    for (const entry of blocks) writeGrown(entry);
    const join = (field: "text" | "thinking"): string =>
      blocks.map(({ block }) => (typeof block[field] === "string" ? block[field] : "")).join("");
    const prompt = count(this.#usage?.input_tokens);
    const completion = count(this.#usage?.output_tokens);
    return {
      content: join("text"),
      reasoning_content: join("thinking"),
      tool_calls: blocks
        .filter(({ block }) => block.type === "tool_use")
        .map(({ block, json }) => ({
          id: block.id ?? "",
          type: "function",
          function: { name: block.name ?? "", arguments: json.text || written(block.input ?? {}) },
        })),
      finish_reason: this.#stopReason,
      ...(this.#usage && {
        usage: {
          ...this.#usage,
          prompt_tokens: prompt,
          completion_tokens: completion,
          total_tokens: prompt + completion,
        },
      }),
    };
  }

  collect(): Message {
    return {
      id: "",
      model: "",
      ...this.#message,
      type: "message",
      role: "assistant",
      content: [...this.#blocks.values()].map((entry) => this.#settled(entry)),
      stop_reason: this.#stopReason,
      stop_sequence: this.#stopSequence,
      ...(this.#usage && { usage: this.#usage }),
    };
  }

  #settled(entry: OpenBlock): MessageBlock {
    writeGrown(entry);
    const { block } = entry;
    const json = entry.json.text;
    if (json !== "") return { ...block, input: parseInput(json) };
    // With `{}` a block begins. Where the limit of tokens ended it there, it does not mean that there are no arguments.
    if (this.#stopReason !== "max_tokens" || !isEmptyObject(block.input)) return block;
    const { input: _, ...rest } = block;
    return rest as MessageBlock;
  }

  #begin(index: number, block: MessageBlock): OpenBlock {
    const entry = { block, grown: {}, json: new TextSoFar(), ended: false };
    this.#blocks.set(index, entry);
    this.#latest[kindOf(block)] = entry;
    return entry;
  }

  /** Counts of input come first, those of output last: what is said later wins. */
  #count(usage: MessagesUsage | null | undefined): void {
    if (isObject(usage)) this.#usage = { ...this.#usage, ...usage };
  }

  /** Returns whether the pieces fit the block, which must be open, of their kind, and the latest of it. */
  #grow(index: number, { text, thinking, signature, partial_json }: NonNullable<MessageStreamEvent["delta"]>): boolean {
    const pieces = { text, thinking: thinking ?? signature, tool_use: partial_json };
    for (const kind of ["text", "thinking", "tool_use"] as const) {
      if (typeof pieces[kind] !== "string") continue;
      let entry = this.#blocks.get(index);
      // A stream may leave out that a block begins.
      if (entry === undefined) entry = this.#begin(index, { type: kind });
      // What was left for another of its kind is over: text that is shown as it comes could not go back to it.
      if (entry.ended || kindOf(entry.block) !== kind || this.#latest[kind] !== entry) return false;
    }
    const entry = this.#blocks.get(index);
    if (entry === undefined) return true;
    const { block } = entry;
    if (text) grown(entry, "text").add(text);
    if (thinking) grown(entry, "thinking").add(thinking);
    if (signature) grown(entry, "signature").add(signature);
    // Arguments come in pieces, or the block began with them.
    if (partial_json && !isAbsent(block.input) && !isEmptyObject(block.input)) return false;
    if (partial_json) entry.json.add(partial_json);
    return true;
  }
}

interface OpenBlock {
  block: MessageBlock;
  /** What is to be written into the block, once somebody looks. */
  grown: { [field in "text" | "thinking" | "signature"]?: TextSoFar };
  /** What has come of a tool's arguments. */
  json: TextSoFar;
  ended: boolean;
}

function grown(entry: OpenBlock, field: keyof OpenBlock["grown"]): TextSoFar {
  return (entry.grown[field] ??= new TextSoFar(entry.block[field] ?? ""));
}

function writeGrown({ block, grown }: OpenBlock): void {
  for (const field of ["text", "thinking", "signature"] as const)
    if (grown[field] !== undefined) block[field] = grown[field].text;
}

/** Arguments that are no object stay the text they are: whoever reads them must see it. */
function parseInput(json: string): unknown {
  try {
    const input: unknown = JSON.parse(json);
    return isObject(input) ? input : json;
  } catch {
    return json;
  }
}

function written(input: unknown): string {
  try {
    return JSON.stringify(input);
  } catch {
    // Parsing goes deeper than writing does.
    return "";
  }
}
