import { cutTurn, type Turn, type Usage } from "../chat-answer.js";
import { messagesRequestOf } from "../messages-request.js";
import { admitPrompt, ownTurn, promptTokens, scriptedTurn, usageOf } from "../model-turn.js";
import type { Quirks } from "../quirks.js";
import { json, namedEventStream } from "../reply.js";
import type { Endpoint } from "../router.js";

/** `POST /messages`: the same model as chat's, in the shape of Anthropic's API. */
export const messages: Endpoint = async ({ body, scripted }, service) => {
  if (scripted && "chunks" in scripted) return namedEventStream(scripted.chunks);
  const { settings, limits, nextId } = service;
  const request = messagesRequestOf(body, service);
  const prompt = promptTokens(request);
  admitPrompt(prompt, request.model, service);

  const whole = scripted ? scriptedTurn(scripted, service) : await ownTurn(request, service);
  const turn = cutTurn(whole, request, settings.quirks.maxTokensCountThoughts);
  const stop = turn.finishReason === "stop" ? firstOf(request.stop, whole.content.join("")) : null;
  const usage = usageOf(prompt, [turn], scripted);
  limits.spend(request.model.id, usage.completion);

  const id = nextId();
  const head = { id: `msg_${id}`, type: "message", role: "assistant", model: request.model.id };
  const end = {
    stop_reason:
      scripted?.finishReason ?? (stop === null ? (reasons[turn.finishReason] ?? "end_turn") : "stop_sequence"),
    stop_sequence: stop,
  };
  const blocks = blocksOf(turn, id);
  if (!request.stream) {
    return json({ ...head, content: blocks.map(({ block }) => block), ...end, usage: wholeUsage(usage) });
  }
  return namedEventStream(events(head, blocks, end, usage, settings.quirks.messagesEnd));
};

const reasons: Record<string, string> = { stop: "end_turn", length: "max_tokens", tool_calls: "tool_use" };

/** A block of the answer, and the deltas in which it is streamed. */
interface Block {
  block: Record<string, unknown>;
  /** As it is before the first delta. */
  start: Record<string, unknown>;
  deltas: Record<string, unknown>[];
}

function blocksOf(turn: Turn, id: string): Block[] {
  const blocks: Block[] = [];
  if (turn.reasoning.length > 0) {
    const signature = Buffer.from(id).toString("base64");
    blocks.push({
      block: { type: "thinking", thinking: turn.reasoning.join(""), signature },
      start: { type: "thinking", thinking: "", signature: "" },
      deltas: [
        ...turn.reasoning.map((thinking) => ({ type: "thinking_delta", thinking })),
        { type: "signature_delta", signature },
      ],
    });
  }
  if (turn.content.length > 0) {
    blocks.push({
      block: { type: "text", text: turn.content.join("") },
      start: { type: "text", text: "" },
      deltas: turn.content.map((text) => ({ type: "text_delta", text })),
    });
  }
  for (const call of turn.toolCalls) {
    const head = { type: "tool_use", id: call.id, name: call.name };
    blocks.push({
      block: { ...head, input: inputOf(call.arguments) },
      start: { ...head, input: {} },
      deltas: (call.arguments.match(/[^]{1,12}/gu) ?? []).map((partial_json) => ({
        type: "input_json_delta",
        partial_json,
      })),
    });
  }
  return blocks;
}

/** A script may want arguments that are no JSON: they go as the text they are. */
function inputOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function* events(
  head: object,
  blocks: readonly Block[],
  end: object,
  usage: Usage,
  ending: NonNullable<Quirks["messagesEnd"]>,
): Generator<object | string> {
  const message = {
    ...head,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: usage.prompt },
  };
  yield { type: "message_start", message };
  yield { type: "ping" };
  for (const [index, { start, deltas }] of blocks.entries()) {
    yield { type: "content_block_start", index, content_block: start };
    for (const delta of deltas) yield { type: "content_block_delta", index, delta };
    yield { type: "content_block_stop", index };
  }
  yield { type: "message_delta", delta: end, usage: { output_tokens: usage.completion } };
  if (ending !== "[DONE]") yield { type: "message_stop" };
  if (ending !== "message_stop") yield "[DONE]";
}

function wholeUsage(usage: Usage): object {
  return {
    input_tokens: usage.prompt,
    output_tokens: usage.completion,
    cache_read_input_tokens: 0,
    cache_creation_input_tokens: 0,
  };
}

/** The stop text that occurs first, if any does. */
function firstOf(stops: readonly string[], text: string): string | null {
  const found = stops
    .map((stop) => ({ stop, at: text.indexOf(stop) }))
    .filter(({ stop, at }) => stop !== "" && at >= 0)
    .toSorted((one, other) => one.at - other.at);
  return found[0]?.stop ?? null;
}
