/** Bytes as the service sends them, written out by hand so that they share nothing with the code under test. */

export const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };

type Delta = Record<string, unknown>;

/** One event of a stream, with the envelope every chunk carries. */
export function event(delta: Delta, finish: string | null = null, more: Record<string, unknown> = {}): string {
  const choices = [{ index: 0, delta, finish_reason: finish }];
  return `data: ${JSON.stringify({ id: "019c4f2101", object: "chat.completion.chunk", created: 1790000010, model: "Qwen/Qwen3-8B", choices, system_fingerprint: "", usage, ...more })}\n\n`;
}

export const text = (content: string): string => event({ content, reasoning_content: null });
export const thought = (reasoning: string): string => event({ content: null, reasoning_content: reasoning });
export const finish = (reason = "stop"): string => event({ content: "", reasoning_content: null }, reason);
export const first = event({ content: "", reasoning_content: null, role: "assistant" });
export const done = "data: [DONE]\n\n";

/** A fragment of one tool call. */
export const tool = (call: Record<string, unknown>): string =>
  event({ content: null, reasoning_content: null, tool_calls: [call] });

export const sse = { "content-type": "text/event-stream" };

/** A whole answer to a request that did not ask for a stream. */
export function completion(message: Record<string, unknown>, finish_reason = "stop"): string {
  const choices = [{ index: 0, message: { role: "assistant", ...message }, finish_reason }];
  return JSON.stringify({
    id: "019c4f20a1",
    object: "chat.completion",
    created: 1790000000,
    model: "Qwen/Qwen3-8B",
    choices,
    usage,
    system_fingerprint: "",
  });
}

/** Rows of an embeddings answer: `[1, 2]` is one vector; an object replaces fields of its row. */
export function vectors(rows: readonly (readonly unknown[] | Record<string, unknown>)[]): string {
  const data = rows.map((row, index) =>
    Array.isArray(row)
      ? { object: "embedding", index, embedding: row }
      : { object: "embedding", index, embedding: [1, 2], ...row },
  );
  return JSON.stringify({
    object: "list",
    model: "BAAI/bge-m3",
    data,
    usage: { prompt_tokens: 5, completion_tokens: 0, total_tokens: 5 },
  });
}

export function ranking(results: unknown): string {
  return JSON.stringify({ id: "019c4f3300", results, tokens: { input_tokens: 18, output_tokens: 0 } });
}

/** The error body of the service. */
export const failure = (code: number, message: string): string => JSON.stringify({ code, message, data: null });

/** A 429 as documented: no code, and the limit named in the text only. */
export const limited = (limit: string): string =>
  JSON.stringify({ message: `Request was rejected due to rate limiting. Details:${limit} limit reached.`, data: null });
