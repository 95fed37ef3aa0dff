import type { PartialCompletion } from "./errors.js";
import { isErrorBody } from "./answer.js";
import { isChunk, type ChatDelta, type ToolCallDelta, type Usage } from "./resources/chat-wire.js";

/** A piece of an answer of choices, of chat or of text. */
interface Piece {
  id?: string;
  created?: number;
  model?: string;
  choices: { index?: number; finish_reason?: string | null; delta?: unknown; text?: unknown }[];
  usage?: Usage | null;
}

/**
 * What has arrived of a streamed answer: its first choice, and whether every choice has finished.
 *
 * Usage is cumulative on every chunk, so the last one counts.
 */
export class CompletionSoFar<Chunk extends Piece> {
  /** Such an answer ends where its stream does. */
  readonly over = false;
  #last: Chunk | undefined;
  #content = "";
  #reasoning = "";
  #finishReason: string | null = null;
  #usage: Usage | undefined;
  readonly #toolCalls = new Map<
    number,
    { id: string; type: "function"; function: { name: string; arguments: string } }
  >();
  // One bit a choice: sets would cost more than the rest of the bookkeeping.
  #seen = 0;
  #finished = 0;

  /** Every choice that began has said why it ended. */
  get whole(): boolean {
    return this.#finished !== 0 && this.#finished === this.#seen;
  }

  get tokens(): number | undefined {
    return this.#usage?.total_tokens;
  }

  /** What every chunk repeats of the answer. */
  protected get head(): { id: string; created: number; model: string } {
    const { id = "", created = 0, model = "" } = this.#last ?? {};
    return { id, created, model };
  }

  read(value: Record<string, unknown>): Chunk | null {
    const chunk = value as unknown as Chunk;
    if (Array.isArray(chunk.choices)) return !value["error"] && isChunk(value) ? chunk : null;
    if (isErrorBody(value) || !chunk.usage) return null;
    chunk.choices = [];
    return chunk;
  }

  add(chunk: Chunk): void {
    this.#last = chunk;
    if (chunk.usage) this.#usage = chunk.usage;
    for (const choice of chunk.choices) {
      const index = choice.index ?? 0;
      const bit = 1 << (index & 31);
      this.#seen |= bit;
      if (choice.finish_reason) this.#finished |= bit;
      if (index !== 0) continue;
      if (choice.finish_reason) this.#finishReason = choice.finish_reason;
      if (typeof choice.text === "string") this.#content += choice.text;
      const delta = choice.delta as ChatDelta | null | undefined;
      if (!delta) continue;
      if (typeof delta.content === "string") this.#content += delta.content;
      if (typeof delta.reasoning_content === "string") this.#reasoning += delta.reasoning_content;
      if (Array.isArray(delta.tool_calls)) for (const call of delta.tool_calls) this.#addToolCall(call);
    }
  }

  partial(): PartialCompletion {
    return {
      content: this.#content,
      reasoning_content: this.#reasoning,
      tool_calls: [...this.#toolCalls.values()],
      finish_reason: this.#finishReason,
      ...(this.#usage !== undefined && { usage: this.#usage }),
    };
  }

  /** Ids, types and names come once, or again as null or ""; arguments come in pieces. */
  #addToolCall(delta: ToolCallDelta): void {
    const index = delta.index ?? Math.max(0, this.#toolCalls.size - 1);
    let call = this.#toolCalls.get(index);
    if (call === undefined)
      this.#toolCalls.set(index, (call = { id: "", type: "function", function: { name: "", arguments: "" } }));
    if (delta.id) call.id = delta.id;
    if (delta.function?.name) call.function.name = delta.function.name;
    if (typeof delta.function?.arguments === "string") call.function.arguments += delta.function.arguments;
  }
}
