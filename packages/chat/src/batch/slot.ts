import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionRequest,
  ToolCallDelta,
} from "@langchain-siliconflow/client";

/** Where a call puts its request, when it is to be answered by a batch instead of at once. */
export interface BatchSlot {
  ask(request: ChatCompletionRequest): Promise<ChatCompletion>;
}

/** A symbol as key: it reaches neither JSON nor a cache key nor a trace. */
export const slotKey = Symbol("siliconflow.batch");

/** Options of a call that may carry a slot. */
export type SlotCarrier = { [slotKey]?: BatchSlot };

/** An answer in one piece for whoever reads a stream: a batch cannot stream, and a tracer may ask for nothing else. */
export async function* asChunks(answer: Promise<ChatCompletion>): AsyncGenerator<ChatCompletionChunk> {
  const { choices, usage, ...envelope } = await answer;
  const deltas = (Array.isArray(choices) ? choices : []).map(({ message, ...choice }) => {
    const { tool_calls: calls, ...delta } = message ?? {};
    const tool_calls = calls?.map((call, index): ToolCallDelta => ({ ...call, index }));
    return { ...choice, delta: { ...delta, ...(tool_calls && { tool_calls }) } };
  });
  yield { ...envelope, object: "chat.completion.chunk", choices: deltas, ...(usage && { usage }) };
}
