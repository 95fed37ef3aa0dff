import { type AIMessage, type AIMessageChunk, type ContentBlock, isAIMessageChunk } from "@langchain/core/messages";
import { readToolCall } from "./tool-calls.js";

/** Reads a message of ours into standard content blocks, for `message.contentBlocks`. */
interface Translator {
  translateContent(message: AIMessage | AIMessageChunk): ContentBlock.Standard[];
  translateContentChunk(message: AIMessage | AIMessageChunk): ContentBlock.Standard[];
}

/** Blocks of one kind get one index: without it, core appends each streamed block instead of merging it. */
const reasoningIndex = "sf-reasoning";
const textIndex = "sf-text";

/**
 * The standard content blocks of an answer: reasoning first, then text, then tool calls.
 *
 * Never reads `message.text`: that getter reads the content blocks, and so would call this function for ever.
 */
export function toContentBlocks(message: AIMessage | AIMessageChunk): ContentBlock.Standard[] {
  const blocks: ContentBlock.Standard[] = [];
  const { content } = message;
  const streaming = isUnfinished(message);

  const reasoning = message.additional_kwargs["reasoning_content"];
  const hasBlocks = Array.isArray(content) && content.some((block) => block.type === "reasoning");
  if (typeof reasoning === "string" && reasoning !== "" && !hasBlocks) {
    blocks.push(streaming ? { type: "reasoning", reasoning, index: reasoningIndex } : { type: "reasoning", reasoning });
  }

  if (typeof content === "string") {
    if (content !== "") {
      blocks.push(streaming ? { type: "text", text: content, index: textIndex } : { type: "text", text: content });
    }
  } else {
    for (const block of content) {
      // Calls are told by the fields of the message, below.
      if (!isToolBlock(block.type)) blocks.push(block as ContentBlock.Standard);
    }
  }

  if (streaming) {
    for (const { id, name, args, index } of message.tool_call_chunks ?? []) {
      blocks.push({
        type: "tool_call_chunk",
        ...(id !== undefined && { id }),
        ...(name !== undefined && { name }),
        ...(args !== undefined && { args }),
        ...(index !== undefined && { index }),
      });
    }
    return blocks;
  }
  for (const { id, name, args } of message.tool_calls ?? []) {
    blocks.push({ type: "tool_call", ...(id !== undefined && { id }), name, args });
  }
  for (const { id, name, args, error } of message.invalid_tool_calls ?? []) {
    blocks.push({
      type: "invalid_tool_call",
      ...(id !== undefined && { id }),
      ...(name !== undefined && { name }),
      ...(args !== undefined && { args }),
      ...(error !== undefined && { error }),
    });
  }
  return blocks;
}

/**
 * Turns the fragments of calls in v1 content into calls, once the answer is complete.
 *
 * @param cut - Whether the token limit ended the answer.
 */
export function settleContentBlocks(content: ContentBlock[], cut: boolean): ContentBlock[] {
  return content.map((block) => {
    if (block.type !== "tool_call_chunk") return block;
    const { id, name, args } = block as ContentBlock.Tools.ToolCallChunk;
    const read = readToolCall({ id, name, args }, cut);
    return "valid" in read ? { ...read.valid, type: "tool_call" } : { ...read.invalid, type: "invalid_tool_call" };
  });
}

function isUnfinished(message: AIMessage | AIMessageChunk): message is AIMessageChunk {
  return "tool_call_chunks" in message && message.response_metadata["finish_reason"] == null;
}

function isToolBlock(type: string): boolean {
  return type === "tool_call" || type === "tool_call_chunk" || type === "invalid_tool_call" || type === "tool_use";
}

/**
 * Enters the translator into core's registry, which has no public door. The map is never made here: core would keep ours
 * and lose its own entries. Without the map, messages are stamped as DeepSeek's, whose shape is the nearest.
 */
function register(): string {
  const holder = globalThis as { lc_block_translators_registry?: Map<string, Translator> };
  const registry = holder.lc_block_translators_registry;
  if (typeof registry?.set !== "function") return "deepseek";
  if (!registry.has("siliconflow")) {
    registry.set("siliconflow", { translateContent: toContentBlocks, translateContentChunk: toContentBlocks });
  }
  return "siliconflow";
}

/**
 * `response_metadata.model_provider` of every message: it is how core finds the translator.
 *
 * Core's messages fill the registry when they are loaded, so they must be loaded before: the use of a value of theirs says so
 * to bundlers as well, which may drop or move an import that is there for its effect alone.
 */
export const modelProvider: string = typeof isAIMessageChunk === "function" ? register() : "deepseek";
