import { isErrorBody } from "./answer.js";
import type { PartialCompletion } from "./errors.js";
import type { ToolCallDelta, Usage } from "./resources/chat-wire.js";
import { isAbsent, isChoice, isObject, textOf } from "./resources/fields.js";
import { TextSoFar } from "./text-so-far.js";
import { ToolCallsSoFar } from "./tool-calls-so-far.js";

/** A piece of an answer of choices, of chat or of text. */
interface Piece {
  id?: string;
  created?: number;
  model?: string;
  choices: { index?: number; finish_reason?: string | null; logprobs?: unknown; [field: string]: unknown }[];
  usage?: Usage | null;
}

/** What a choice adds, whatever the endpoint calls it. */
interface Said {
  content?: unknown;
  reasoning_content?: unknown;
  tool_calls?: ToolCallDelta[] | null;
}

/** One choice of an answer, as far as it has arrived. */
export interface ChoiceSoFar {
  index: number;
  content: string;
  reasoning: string;
  /** Made for the first one: most answers call nothing. */
  calls: ToolCallsSoFar | undefined;
  finishReason: string | null;
  /** Of the tokens, where they were asked for. */
  logprobs: unknown[];
}

/** The same while it grows. */
interface OpenChoice extends Omit<ChoiceSoFar, "content" | "reasoning"> {
  readonly content: TextSoFar;
  readonly reasoning: TextSoFar;
}

/**
 * What has arrived of a streamed answer, and whether every choice of it has finished.
 *
 * Usage is cumulative on every chunk, so the last one counts.
 */
export abstract class CompletionSoFar<Chunk extends Piece> {
  /** Such an answer ends where its stream does. */
  readonly over = false;
  /** How many choices were asked for. */
  protected readonly asked: number;
  #last: Chunk | undefined;
  #usage: Usage | undefined;
  readonly #choices = new Map<number, OpenChoice>();
  /** Choices that have begun, and not said why they ended. */
  #open = 0;

  /** @param asked The request's `n`: a choice beyond it is damage. */
  constructor(asked: unknown) {
    this.asked = typeof asked === "number" && asked > 1 ? asked : 1;
  }

  get whole(): boolean {
    return this.#open === 0 && this.#choices.size > 0;
  }

  get tokens(): number | undefined {
    const total: unknown = this.#usage?.total_tokens;
    return typeof total === "number" ? total : undefined;
  }

  /** What every chunk repeats of the answer. */
  protected get head(): { id: string; created: number; model: string } {
    const { id = "", created = 0, model = "" } = this.#last ?? {};
    return { id, created, model };
  }

  protected get usage(): Usage | undefined {
    return this.#usage;
  }

  /** In the order of the wire's index. */
  protected get choices(): ChoiceSoFar[] {
    return [...this.#choices.values()]
      .sort((one, other) => one.index - other.index)
      .map((choice) => ({ ...choice, content: choice.content.text, reasoning: choice.reasoning.text }));
  }

  /** Whether a choice of a chunk can be put together with others. */
  protected abstract fits(choice: Record<string, unknown>): boolean;
  /** What a choice that fits adds. */
  protected abstract saidBy(choice: Chunk["choices"][number]): Said | null | undefined;

  read(value: Record<string, unknown>): Chunk | null {
    if (isErrorBody(value)) return null;
    const chunk = value as unknown as Chunk;
    const choices: unknown = value["choices"];
    if (isAbsent(choices)) {
      // Counts alone.
      if (!isObject(value["usage"])) return null;
      chunk.choices = [];
      return chunk;
    }
    return this.#areChoices(choices) ? chunk : null;
  }

  add(chunk: Chunk): boolean {
    this.#last = chunk;
    if (isObject(chunk.usage)) this.#usage = chunk.usage;
    for (const piece of chunk.choices) this.#grow(this.#choice(piece.index || 0), piece);
    return true;
  }

  partial(): PartialCompletion {
    const first = this.#choices.get(0);
    return {
      content: first?.content.text ?? "",
      reasoning_content: first?.reasoning.text ?? "",
      tool_calls: first?.calls?.list ?? [],
      finish_reason: first?.finishReason ?? null,
      ...(this.#usage !== undefined && { usage: this.#usage }),
    };
  }

  #areChoices(choices: unknown): boolean {
    if (!Array.isArray(choices)) return false;
    // Nearly all chunks have one choice: the rest is not for them to pay.
    if (
      choices.length > 1 &&
      new Set(choices.map((choice) => (isObject(choice) && choice["index"]) || 0)).size < choices.length
    )
      return false;
    for (const choice of choices as unknown[]) {
      if (!isObject(choice) || !isChoice(choice, this.asked) || !this.fits(choice)) return false;
    }
    return true;
  }

  #choice(index: number): OpenChoice {
    let choice = this.#choices.get(index);
    if (choice === undefined) {
      choice = {
        index,
        content: new TextSoFar(),
        reasoning: new TextSoFar(),
        calls: undefined,
        finishReason: null,
        logprobs: [],
      };
      this.#choices.set(index, choice);
      this.#open += 1;
    }
    return choice;
  }

  #grow(choice: OpenChoice, piece: Chunk["choices"][number]): void {
    if (piece.finish_reason) {
      if (choice.finishReason === null) this.#open -= 1;
      choice.finishReason = piece.finish_reason;
    }
    const { logprobs } = piece;
    if (isObject(logprobs) && Array.isArray(logprobs["content"]))
      for (const entry of logprobs["content"] as unknown[]) choice.logprobs.push(entry);
    const said = this.saidBy(piece);
    if (!said) return;
    if (said.content) choice.content.add(textOf(said.content));
    if (said.reasoning_content) choice.reasoning.add(textOf(said.reasoning_content));
    if (said.tool_calls) for (const call of said.tool_calls) (choice.calls ??= new ToolCallsSoFar()).add(call);
  }
}
