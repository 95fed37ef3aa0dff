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

/** A whole answer of the Anthropic-compatible endpoint. */
export function message(content: readonly Record<string, unknown>[], stop_reason = "end_turn"): string {
  return JSON.stringify({
    id: "msg_7Qk2",
    type: "message",
    role: "assistant",
    model: "zai-org/GLM-4.6",
    content,
    stop_reason,
    stop_sequence: null,
    usage: { input_tokens: 10, output_tokens: 5 },
  });
}

const named = (value: { type: string; [field: string]: unknown }): string =>
  `event: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`;

export const messageStart: readonly string[] = [
  named({
    type: "message_start",
    message: {
      id: "msg_7Qk2",
      type: "message",
      role: "assistant",
      model: "zai-org/GLM-4.6",
      content: [],
      usage: { input_tokens: 10 },
    },
  }),
  named({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }),
];
export const messageText = (content: string): string =>
  named({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: content } });
export const toolStart = named({
  type: "content_block_start",
  index: 1,
  content_block: { type: "tool_use", id: "toolu_1", name: "weather", input: {} },
});
export const toolPiece = (partial_json: string): string =>
  named({ type: "content_block_delta", index: 1, delta: { type: "input_json_delta", partial_json } });
export const messageReason = (stop_reason = "end_turn"): string =>
  named({ type: "message_delta", delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: 5 } });

/** A healthy stream of that endpoint, with both endings that are spoken of. */
export const messageStream = (...words: string[]): string[] => [
  ...messageStart,
  ...words.map(messageText),
  named({ type: "content_block_stop", index: 0 }),
  messageReason(),
  named({ type: "message_stop" }),
  done,
];

const textChoice = (content: string, finish_reason: string | null): Record<string, unknown> => ({
  id: "019c4f2f00",
  object: "text_completion",
  created: 1790000100,
  model: "Qwen/Qwen3-Coder-30B-A3B-Instruct",
  choices: [{ index: 0, text: content, finish_reason, logprobs: null }],
  usage,
});
/** A whole answer of the text endpoint … */
export const textCompletion = (content: string): string => JSON.stringify(textChoice(content, "stop"));
/** … and one event of its stream. */
export const textPiece = (content: string, finish_reason: string | null = null): string =>
  `data: ${JSON.stringify(textChoice(content, finish_reason))}\n\n`;
