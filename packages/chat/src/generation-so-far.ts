import type { AIMessageChunk } from "@langchain/core/messages";
import { ChatGenerationChunk } from "@langchain/core/outputs";
import { SiliconFlowMessageChunk } from "./message-chunk.js";

/**
 * The first chunk of a stream, of which core makes the whole answer: it adds each chunk to all before it, for the end of the run.
 *
 * Adding one by core's own way builds a new message each time. Here what is alike is joined as text, and made a message where
 * something else follows.
 */
export class GenerationSoFar extends ChatGenerationChunk {
  #whole: ChatGenerationChunk;
  #run: Run | undefined;

  constructor(first: ChatGenerationChunk) {
    super(first);
    this.#whole = first;
  }

  /** Adds a chunk, to this one and not to a copy: core, the only one to see it, keeps no other. */
  override concat(chunk: ChatGenerationChunk): this {
    const piece = pieceOf(chunk);
    if (piece !== undefined && this.#run?.kind === piece.kind && this.#run.index === piece.index) {
      this.#run.text += piece.text;
    } else {
      this.#joinRun();
      if (piece === undefined) this.#whole = this.#whole.concat(chunk);
      else this.#run = { first: chunk, ...piece };
    }
    return this;
  }

  /** Becomes the whole of what was added. */
  settle(): void {
    this.#joinRun();
    const { text, generationInfo, message } = this.#whole;
    this.text = text;
    if (generationInfo !== undefined) this.generationInfo = generationInfo;
    this.message = message;
  }

  #joinRun(): void {
    if (this.#run === undefined) return;
    this.#whole = this.#whole.concat(joined(this.#run));
    this.#run = undefined;
  }
}

/** A chunk that adds nothing but text to one field. */
interface Piece {
  kind: "content" | "reasoning" | "arguments";
  /** Of the call that the arguments belong to. */
  index: number | undefined;
  text: string;
}

/** Pieces of one kind that follow one another, told by the first. */
interface Run extends Piece {
  first: ChatGenerationChunk;
}

/** Of a chunk as it is now: whoever was given it may have changed it. */
function pieceOf({ message, generationInfo }: ChatGenerationChunk): Piece | undefined {
  const {
    content,
    additional_kwargs: added,
    response_metadata: metadata,
    usage_metadata,
    tool_call_chunks,
  } = message as AIMessageChunk;
  if (typeof content !== "string" || usage_metadata !== undefined) return undefined;
  for (const key in metadata) if (key !== "model_provider") return undefined;
  for (const key in generationInfo) if (key !== undefined) return undefined;
  let reasoning: unknown;
  for (const key in added) {
    if (key !== "reasoning_content") return undefined;
    reasoning = added[key];
  }
  const [call] = tool_call_chunks ?? [];
  if (call !== undefined) {
    const { index, args } = call;
    if (content !== "" || reasoning !== undefined || tool_call_chunks!.length > 1) return undefined;
    if (call.id !== undefined || call.name !== undefined || args === undefined || index === undefined) return undefined;
    return { kind: "arguments", index, text: args };
  }
  if (reasoning === undefined) return { kind: "content", index: undefined, text: content };
  return content === "" && typeof reasoning === "string"
    ? { kind: "reasoning", index: undefined, text: reasoning }
    : undefined;
}

/** The pieces of a run as one chunk, which adds what all of them would add. */
function joined({ first, kind, text }: Run): ChatGenerationChunk {
  const { id, response_metadata, tool_call_chunks } = first.message as AIMessageChunk;
  const message = new SiliconFlowMessageChunk({
    content: kind === "content" ? text : "",
    additional_kwargs: kind === "reasoning" ? { reasoning_content: text } : {},
    response_metadata,
    ...(kind === "arguments" && { tool_call_chunks: [{ ...tool_call_chunks![0]!, args: text }] }),
    ...(id !== undefined && { id }),
  });
  return new ChatGenerationChunk({ message, text: kind === "content" ? text : "", generationInfo: {} });
}
