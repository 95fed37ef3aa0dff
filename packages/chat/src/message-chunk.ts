import { AIMessageChunk, type AIMessageChunkFields } from "@langchain/core/messages";
import { settleContentBlocks } from "./content-blocks.js";
import { joinToolCallChunks, readToolCall } from "./tool-calls.js";

/**
 * A piece of a streamed answer that knows when the answer is complete.
 *
 * Core reads unfinished arguments by closing what is open: right for showing progress, wrong for running a tool. Once the
 * finish reason is there, calls are read strictly, and what is cut or no JSON goes to `invalid_tool_calls`.
 */
export class SiliconFlowMessageChunk extends AIMessageChunk {
  constructor(fields: AIMessageChunkFields) {
    super(fields);
    const finishReason = this.response_metadata["finish_reason"] as unknown;
    if (finishReason == null) return;

    const chunks = this.tool_call_chunks ?? [];
    const invalid = fields.invalid_tool_calls ?? [];
    if (chunks.length > 0) {
      const cut = finishReason === "length";
      const calls = [];
      const valid = [];
      const broken = [];
      for (const chunk of joinToolCallChunks(chunks)) {
        const read = readToolCall(chunk, cut);
        if ("valid" in read) {
          valid.push(chunk);
          calls.push(read.valid);
        } else broken.push(read.invalid);
      }
      this.tool_calls = calls;
      this.invalid_tool_calls = [...invalid, ...broken];
      // A chunk that is stored and revived is read by core again: fragments of a broken call would become a guess there.
      this.tool_call_chunks = valid;
    } else if (invalid.length > 0) this.invalid_tool_calls = [...invalid];
  }

  /** Stored under the name of core's own class, so that any process can revive it. */
  override get lc_id(): string[] {
    return [...this.lc_namespace, "AIMessageChunk"];
  }

  override concat(chunk: AIMessageChunk): this {
    const whole = super.concat(chunk);
    const finishReason = whole.response_metadata["finish_reason"] as unknown;
    if (finishReason == null) return whole;

    // Core does not carry these on. Read only when finished: before that, reading them costs a parse.
    if (this.response_metadata["finish_reason"] != null && this.invalid_tool_calls?.length) {
      whole.invalid_tool_calls = [...this.invalid_tool_calls, ...(whole.invalid_tool_calls ?? [])];
    }
    const { content } = whole;
    if (Array.isArray(content) && content.some((block) => block.type === "tool_call_chunk")) {
      whole.content = settleContentBlocks(content, finishReason === "length");
    }
    return whole;
  }
}
