import { isPlainObject } from "./tool-calls.js";

/** What is known of one token: by OpenAI's page, for the service's own is silent. */
const fields = ["token", "logprob", "bytes", "top_logprobs"] as const;

/**
 * The probabilities of tokens that a choice holds, or a piece of one; `null` where there are none.
 *
 * Nothing else of them goes on: LangChain puts pieces together field by field and entries by their `index` or `id`, and throws
 * where the same field holds another type.
 */
export function readLogprobs(value: unknown): { content: Record<string, unknown>[] } | null {
  if (!isPlainObject(value) || !Array.isArray(value["content"])) return null;
  const content = (value["content"] as unknown[]).filter(isPlainObject).map((entry) => {
    const read: Record<string, unknown> = {};
    for (const field of fields) if (entry[field] !== undefined) read[field] = entry[field];
    return read;
  });
  return content.length > 0 ? { content } : null;
}
