import { isErrorBody } from "./answer.js";
import type { PartialCompletion } from "./errors.js";
import type { Judge } from "./judge.js";
import {
  eventsFromMessage,
  isMessage,
  type Message,
  type MessageBlock,
  type MessagesUsage,
  type MessageStreamEvent,
} from "./resources/messages-wire.js";

/**
 * What has arrived of a streamed message.
 *
 * Both endings count: a stop reason, which a `[DONE]` may follow, and `message_stop`. Fields decide, not the names of events
 * and deltas: the service documents only the first event.
 */
export class MessageSoFar implements Judge<MessageStreamEvent, Message> {
  readonly isAnswer = isMessage;
  readonly split = eventsFromMessage;

  #message: Partial<Message> = {};
  /** By the index of the wire, in order of appearance. `json` is what has come of a tool's arguments. */
  readonly #blocks = new Map<number, { block: MessageBlock; json: string }>();
  #stopReason: string | null = null;
  #stopSequence: string | null = null;
  #usage: MessagesUsage | undefined;
  #over = false;

  get whole(): boolean {
    return this.#over || this.#stopReason !== null;
  }

  get over(): boolean {
    return this.#over;
  }

  get tokens(): number | undefined {
    return this.#usage && (this.#usage.input_tokens ?? 0) + (this.#usage.output_tokens ?? 0);
  }

  read(value: Record<string, unknown>, name: string | undefined): MessageStreamEvent | null | undefined {
    const type = value["type"] ?? name;
    if (type === "error" || isErrorBody(value) || typeof type !== "string") return null;
    // What an event holds may be missing, but not be something else.
    for (const field of ["message", "content_block", "delta", "usage"]) {
      if (value[field] != null && typeof value[field] !== "object") return null;
    }
    if (type === "ping") return undefined;
    value["type"] = type;
    return value as MessageStreamEvent;
  }

  add(event: MessageStreamEvent): void {
    const { type, index = 0, message, content_block, delta } = event;
    if (message) {
      this.#message = message;
      this.#stop(message);
      this.#count(message.usage);
    }
    this.#count(event.usage);
    if (content_block) this.#blocks.set(index, { block: { ...content_block }, json: "" });
    if (delta) {
      this.#grow(index, delta);
      this.#stop(delta);
    }
    if (type === "message_stop") this.#over = true;
  }

  partial(): PartialCompletion {
    const blocks = [...this.#blocks.values()];
    const join = (field: "text" | "thinking"): string =>
      blocks.map(({ block }) => (typeof block[field] === "string" ? block[field] : "")).join("");
    const { input_tokens = 0, output_tokens = 0 } = this.#usage ?? {};
    return {
      content: join("text"),
      reasoning_content: join("thinking"),
      tool_calls: blocks
        .filter(({ block }) => block.type === "tool_use")
        .map(({ block, json }) => ({
          id: block.id ?? "",
          type: "function",
          function: { name: block.name ?? "", arguments: json || written(block.input ?? {}) },
        })),
      finish_reason: this.#stopReason,
      ...(this.#usage && {
        usage: {
          ...this.#usage,
          prompt_tokens: input_tokens,
          completion_tokens: output_tokens,
          total_tokens: input_tokens + output_tokens,
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
      content: [...this.#blocks.values()].map(({ block, json }) =>
        json === "" ? block : { ...block, input: parseInput(json) },
      ),
      stop_reason: this.#stopReason,
      stop_sequence: this.#stopSequence,
      ...(this.#usage && { usage: this.#usage }),
    };
  }

  #stop({ stop_reason, stop_sequence }: Pick<Partial<Message>, "stop_reason" | "stop_sequence">): void {
    if (stop_reason) this.#stopReason = stop_reason;
    if (stop_sequence) this.#stopSequence = stop_sequence;
  }

  /** Counts of input come first, those of output last: what is said later wins. */
  #count(usage: MessagesUsage | null | undefined): void {
    if (usage) this.#usage = { ...this.#usage, ...usage };
  }

  #grow(index: number, delta: NonNullable<MessageStreamEvent["delta"]>): void {
    const { text, thinking, signature, partial_json } = delta;
    const kind =
      typeof thinking === "string" || typeof signature === "string"
        ? "thinking"
        : typeof partial_json === "string"
          ? "tool_use"
          : "text";
    if (kind === "text" && typeof text !== "string") return;
    let entry = this.#blocks.get(index);
    // A stream may leave out that a block begins.
    if (entry === undefined) this.#blocks.set(index, (entry = { block: { type: kind }, json: "" }));
    const { block } = entry;
    if (typeof text === "string") block.text = (block.text ?? "") + text;
    if (typeof thinking === "string") block.thinking = (block.thinking ?? "") + thinking;
    if (typeof signature === "string") block.signature = (block.signature ?? "") + signature;
    if (typeof partial_json === "string") entry.json += partial_json;
  }
}

/** Arguments that are no JSON stay the text they are: whoever reads them must see it. */
function parseInput(json: string): unknown {
  try {
    return JSON.parse(json);
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
