import { json, type Reply } from "./reply.js";
import type { ChatRequest } from "./chat-request.js";
import type { Quirks } from "./quirks.js";

/** A call of a tool as it goes over the wire. */
interface WireToolCall {
  id: string;
  name: string;
  arguments: string;
}

/** One answer of the model, cut into the pieces in which it is streamed. */
export interface Turn {
  reasoning: readonly string[];
  content: readonly string[];
  toolCalls: readonly WireToolCall[];
  finishReason: string;
}

/** Token counts of a whole answer. */
export interface Usage {
  prompt: number;
  completion: number;
  /** Part of `completion`. */
  reasoning: number;
}

/** What every part of one answer repeats. */
export interface Envelope {
  id: string;
  created: number;
  model: string;
}

/** The answer in one piece. */
export function completion(envelope: Envelope, turns: readonly Turn[], usage: Usage, quirks: Required<Quirks>): Reply {
  return json({
    id: envelope.id,
    object: "chat.completion",
    created: envelope.created,
    model: envelope.model,
    choices: turns.map((turn, index) => ({
      index,
      message: {
        role: "assistant",
        content: turn.content.join(""),
        ...(turn.reasoning.length > 0 && { reasoning_content: turn.reasoning.join("") }),
        ...(turn.toolCalls.length > 0 && { tool_calls: turn.toolCalls.map(wireCall) }),
      },
      finish_reason: endOf(turn, quirks),
    })),
    usage: {
      ...wireUsage(usage, quirks),
      ...(quirks.usageShape === "details" && {
        prompt_tokens_details: { cached_tokens: 0 },
        prompt_cache_hit_tokens: 0,
        prompt_cache_miss_tokens: usage.prompt,
      }),
    },
    system_fingerprint: "",
  });
}

/** The answer as payloads of an event stream, the last of which is `[DONE]`. */
export function* completionChunks(
  envelope: Envelope,
  turns: readonly Turn[],
  usage: Usage,
  quirks: Required<Quirks>,
): Generator<string> {
  const running: Usage = { prompt: usage.prompt, completion: 0, reasoning: 0 };
  const steps = turns.reduce((sum, turn) => sum + stepsOf(turn), 0);
  let step = 0;
  // The counts grow with every piece and end exactly at the totals, however those were found.
  const grow = (reasoning: boolean) => {
    step += 1;
    if (reasoning) running.reasoning += 1;
    running.reasoning = Math.min(running.reasoning, usage.reasoning);
    running.completion = Math.max(running.reasoning, Math.floor((usage.completion * step) / steps));
  };
  const chunk = (index: number, delta: Record<string, unknown>, finishReason: string | null) =>
    JSON.stringify({
      id: envelope.id,
      object: "chat.completion.chunk",
      created: envelope.created,
      model: envelope.model,
      choices: [{ index, delta, finish_reason: finishReason }],
      system_fingerprint: "",
      usage: finishReason === null && quirks.streamUsage === "last" ? null : wireUsage(running, quirks),
    });
  const idle = (name: string) =>
    quirks.idleField === "absent" ? {} : { [name]: quirks.idleField === "null" ? null : "" };
  const role = quirks.role === "every" ? { role: "assistant" } : {};

  for (const [index, turn] of turns.entries()) {
    const thinksFirst = turn.reasoning.length > 0;
    const callsOnly = !thinksFirst && turn.content.length === 0 && turn.toolCalls.length > 0;
    if (thinksFirst) {
      yield chunk(index, { ...idle("content"), reasoning_content: "", role: "assistant" }, null);
    } else if (!callsOnly) {
      yield chunk(index, { content: "", ...idle("reasoning_content"), role: "assistant" }, null);
    }
    for (const piece of turn.reasoning) {
      grow(true);
      yield chunk(index, { ...idle("content"), reasoning_content: piece, ...role }, null);
    }
    for (const piece of turn.content) {
      grow(false);
      yield chunk(index, { content: piece, ...idle("reasoning_content"), ...role }, null);
    }
    for (const [position, call] of turn.toolCalls.entries()) {
      const opening = callsOnly && position === 0 ? { role: "assistant" } : role;
      const fragment = (fields: Record<string, unknown>, spoken: object) => ({
        ...idle("content"),
        ...idle("reasoning_content"),
        ...spoken,
        tool_calls: [{ index: position, ...fields }],
      });
      grow(false);
      yield chunk(
        index,
        fragment({ id: call.id, type: "function", function: { name: call.name, arguments: "" } }, opening),
        null,
      );
      for (const piece of argumentPieces(call)) {
        grow(false);
        const name = quirks.toolName === "empty" ? { name: "" } : {};
        yield chunk(index, fragment({ id: null, type: null, function: { ...name, arguments: piece } }, role), null);
      }
    }
    if (index === turns.length - 1) Object.assign(running, usage);
    yield chunk(index, { content: "", ...idle("reasoning_content") }, endOf(turn, quirks));
  }
  if (quirks.trailingUsage) {
    yield JSON.stringify({ ...(JSON.parse(chunk(0, {}, "stop")) as object), choices: [] });
  }
  yield "[DONE]";
}

/** How many deltas a turn has, the first and the last left out. */
function stepsOf(turn: Turn): number {
  const calls = turn.toolCalls.reduce((sum, call) => sum + 1 + argumentPieces(call).length, 0);
  return turn.reasoning.length + turn.content.length + calls;
}

/** Arguments come in several fragments, cut without regard for the JSON in them. */
function argumentPieces(call: WireToolCall): string[] {
  return call.arguments.match(/[^]{1,12}/gu) ?? [];
}

function wireCall(call: WireToolCall): Record<string, unknown> {
  return { id: call.id, type: "function", function: { name: call.name, arguments: call.arguments } };
}

/** Counts as chat and completions tell them. */
export function wireUsage(usage: Usage, { usageShape }: Pick<Quirks, "usageShape">): Record<string, unknown> {
  return {
    prompt_tokens: usage.prompt,
    completion_tokens: usage.completion,
    total_tokens: usage.prompt + usage.completion,
    ...(usageShape === "details" &&
      usage.reasoning > 0 && { completion_tokens_details: { reasoning_tokens: usage.reasoning } }),
  };
}

function endOf({ finishReason }: Turn, { naturalEnd }: Required<Quirks>): string {
  return finishReason === "stop" ? naturalEnd : finishReason;
}

/** Cuts a turn where `max_tokens` or a stop text ends it. */
export function cutTurn(turn: Turn, request: Pick<ChatRequest, "maxTokens" | "stop">, countThoughts: boolean): Turn {
  const stopped = untilStop(turn.content.join(""), request.stop);
  let content: readonly string[] = stopped === undefined ? turn.content : piecesUpTo(turn.content, stopped.length);
  let { reasoning, toolCalls } = turn;
  let finishReason = stopped === undefined ? turn.finishReason : "stop";
  if (stopped !== undefined) toolCalls = [];

  let left = request.maxTokens;
  if (countThoughts) {
    reasoning = reasoning.slice(0, left);
    left -= reasoning.length;
  }
  if (content.length > left || (left <= 0 && (content.length > 0 || toolCalls.length > 0))) {
    content = content.slice(0, Math.max(0, left));
    toolCalls = [];
    finishReason = "length";
  }
  return { reasoning, content, toolCalls, finishReason };
}

/** The text before the first stop, undefined when none occurs. */
function untilStop(text: string, stops: readonly string[]): string | undefined {
  const places = stops.filter((stop) => stop !== "").map((stop) => text.indexOf(stop));
  const first = Math.min(...places.filter((place) => place >= 0), Infinity);
  return first === Infinity ? undefined : text.slice(0, first);
}

function piecesUpTo(pieces: readonly string[], length: number): string[] {
  const kept: string[] = [];
  let left = length;
  for (const piece of pieces) {
    if (left <= 0) break;
    kept.push(piece.slice(0, left));
    left -= piece.length;
  }
  return kept;
}
