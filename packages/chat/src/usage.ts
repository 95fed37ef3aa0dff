import type { Usage } from "@langchain-siliconflow/client";
import type { MessageContent, UsageMetadata } from "@langchain/core/messages";

/**
 * The service's counts under LangChain's names.
 *
 * Both detail objects are always there, as core leaves them after merging chunks, so that every view of an answer is equal.
 */
export function toUsageMetadata(usage: Usage): UsageMetadata {
  const input = count(usage.prompt_tokens);
  const output = count(usage.completion_tokens);
  const cached: unknown = usage.prompt_tokens_details?.cached_tokens ?? usage.prompt_cache_hit_tokens;
  const reasoning: unknown = usage.completion_tokens_details?.reasoning_tokens;
  return {
    input_tokens: input,
    output_tokens: output,
    total_tokens: isCount(usage.total_tokens) ? usage.total_tokens : input + output,
    input_token_details: isCount(cached) ? { cache_read: cached } : {},
    output_token_details: isCount(reasoning) ? { reasoning } : {},
  };
}

/** Only the three basic counters are documented as certain, and even they come from outside. */
function count(tokens: number | null | undefined): number {
  return isCount(tokens) ? tokens : 0;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/** Han, kana, hangul and full-width forms: scripts whose characters cost more of a token than a Latin letter. */
const dense = /[\u2E80-\u9FFF\uAC00-\uD7AF\uF900-\uFAFF\uFF00-\uFFEF\u{20000}-\u{3FFFF}]/gu;

/** Tokens of a text, estimated without a tokenizer: 0.6 a Chinese character, 0.3 any other. */
function estimateTokens(text: string): number {
  const wide = text.match(dense)?.length ?? 0;
  return Math.ceil(wide * 0.6 + (text.length - wide) * 0.3);
}

/** The same of a message's content: of its text. */
export function estimateTokensOf(content: MessageContent): number {
  if (typeof content === "string") return estimateTokens(content);
  return estimateTokens(content.map((block) => (block.type === "text" ? String(block["text"]) : "")).join(""));
}
