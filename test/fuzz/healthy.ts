import type { Asked } from "./oracle.ts";
import type { Random } from "./random.ts";

/** Answers as the service gives them, in all the forms that are known of it. */

export type Json = Record<string, unknown>;
/** What the `data:` of an event holds; a string as it is. */
export type Payload = Json | string;

const words = [
  "Lima",
  " is",
  " the capital",
  ".",
  "\n\n",
  "深度求索",
  "，",
  "你好",
  "🦊",
  "👩‍👩‍👧",
  " data: x",
  '"quoted"',
  "back\\slash",
  "\u2028",
  "{",
  "é",
  "\u0000",
  "\uD83D",
  " ",
];
const tools = ["lookup_stock", "now", "天气"];
const argumentTexts = [
  '{"sku": "A-17"}',
  "{}",
  '{"城市":"利马","days":[1,2,{"x":null}]}',
  '{"quote":"\\"}{"}',
  '{"n":',
  "",
  "null",
  '"x"',
];

function phrase(random: Random, longest = 6): string {
  let text = "";
  for (let count = random.below(longest); count > 0; count -= 1) text += random.pick(words);
  // Rarely a long one; bounded, for a million of these are read.
  return random.chance(0.002) ? text + "长".repeat(random.below(30_000)) : text;
}

/** In pieces of any size, cut between code units. */
function pieces(random: Random, text: string, most = 4): string[] {
  const parts: string[] = [];
  let rest = text;
  while (parts.length < most - 1 && rest.length > 0 && random.chance(0.7)) {
    const length = 1 + random.below(rest.length);
    parts.push(rest.slice(0, length));
    rest = rest.slice(length);
  }
  return rest === "" ? parts : [...parts, rest];
}

const id = (random: Random): string =>
  `019c4f${random
    .below(2 ** 32)
    .toString(16)
    .padStart(8, "0")}`;

function usageOf(random: Random, completion: number): Json {
  const prompt = 10 + random.below(50);
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    ...(random.chance(0.5) && { completion_tokens_details: { reasoning_tokens: random.below(completion + 1) } }),
    ...(random.chance(0.3) && { prompt_tokens_details: { cached_tokens: random.below(10) } }),
    ...(random.chance(0.3) && { prompt_cache_hit_tokens: random.below(10), prompt_cache_miss_tokens: 3 }),
  };
}

function callsOf(random: Random): { id: string; name: string; args: string }[] {
  if (random.chance(0.65)) return [];
  return Array.from({ length: 1 + random.below(3) }, () => ({
    id: id(random),
    name: random.pick(tools),
    args: random.pick(argumentTexts),
  }));
}

const logprobsOf = (random: Random, token: string): Json => ({
  content: [{ token, logprob: -random.next(), bytes: null, top_logprobs: [] }],
});

export function chatStream(random: Random, { choices }: Asked): Payload[] {
  const head = { id: id(random), object: "chat.completion.chunk", created: 1_790_000_000, model: "Qwen/Qwen3-8B" };
  /** How a field looks that has nothing to say. */
  const idle = random.pick<Json>([{ idle: null }, { idle: "" }, {}]);
  const filled = (field: string, value: unknown): Json => ({ [field]: value });
  const none = (field: string): Json => ("idle" in idle ? filled(field, idle["idle"]) : {});
  const roles = random.pick(["first", "all", "never"]);
  const counting = random.pick(["each", "last", "never"]);
  const noFinish = random.pick<Json>([{ finish_reason: null }, {}, { finish_reason: "" }]);
  const withLogprobs = random.chance(0.15);

  const threads = Array.from({ length: choices }, (_, index) => {
    const deltas: Json[] = [{ content: "", ...none("reasoning_content") }];
    const say = (delta: Json): void => void deltas.push(delta);
    for (const piece of pieces(random, random.chance(0.5) ? phrase(random) : ""))
      say({ ...none("content"), reasoning_content: piece });
    for (const piece of pieces(random, phrase(random, 12), 6)) say({ content: piece, ...none("reasoning_content") });
    const calls = callsOf(random);
    for (const delta of interleave(
      random,
      calls.map((call, number) => fragments(random, call, number)),
    ))
      say({ ...none("content"), ...none("reasoning_content"), tool_calls: delta });
    const reason = calls.length > 0 ? "tool_calls" : random.pick(["stop", "stop", "eos", "length", "content_filter"]);
    return [
      ...deltas.map((delta, position) => ({
        index,
        delta: roles === "all" || (roles === "first" && position === 0) ? { ...delta, role: "assistant" } : delta,
        ...(withLogprobs && typeof delta["content"] === "string" && { logprobs: logprobsOf(random, delta["content"]) }),
        ...noFinish,
      })),
      { index, delta: { content: "", ...none("reasoning_content") }, finish_reason: reason },
    ];
  });

  let completion = 0;
  const chunks: Payload[] = interleave(
    random,
    threads.map((thread) => thread.map((choice) => [choice])),
  ).map((list) => ({
    ...head,
    choices: choices === 1 && random.chance(0.1) ? list.map((choice) => ({ ...choice, index: null })) : list,
    system_fingerprint: "",
    ...(counting === "each" ? { usage: usageOf(random, (completion += 2)) } : none("usage")),
  }));
  if (counting === "last") chunks.push({ ...head, choices: [], usage: usageOf(random, 20) });
  if (random.chance(0.85)) chunks.push("[DONE]");
  return chunks;
}

/** A call in pieces: id, type and name once, or again as null or "" … */
function fragments(random: Random, call: { id: string; name: string; args: string }, number: number): Json[][] {
  const later = random.pick<Json>([{ id: null, type: null }, { id: "", type: "function" }, {}]);
  const name = random.pick<Json>([{ name: "" }, { name: null }, {}, { name: call.name }]);
  // Some hosts have parsed the arguments already.
  const parts = random.chance(0.05) ? [{ sku: "A-17" }] : pieces(random, call.args, 5);
  return [
    [{ index: number, id: call.id, type: "function", function: { name: call.name, arguments: "" } }],
    ...parts.map((args) => [{ index: number, ...later, function: { ...name, arguments: args } }]),
  ];
}

/** Several sequences in one, each in its own order. */
function interleave<T>(random: Random, sequences: readonly (readonly T[])[]): T[] {
  const left = sequences.map((sequence) => [...sequence]).filter((sequence) => sequence.length > 0);
  const merged: T[] = [];
  while (left.length > 0) {
    const position = random.below(left.length);
    merged.push(left[position]!.shift()!);
    if (left[position]!.length === 0) left.splice(position, 1);
  }
  return merged;
}

export function completionStream(random: Random, { choices }: Asked): Payload[] {
  const head = { id: id(random), object: "text_completion", created: 1_790_000_000, model: "Qwen/Qwen2.5-Coder" };
  const counting = random.pick(["each", "last", "never"]);
  const threads = Array.from({ length: choices }, (_, index) => [
    ...pieces(random, phrase(random, 12), 6).map((text) => [{ index, text, finish_reason: null, logprobs: null }]),
    [{ index, text: random.pick(["", "x"]), finish_reason: random.pick(["stop", "length"]) }],
  ]);
  const chunks: Payload[] = interleave(random, threads).map((list, position) => ({
    ...head,
    choices: list,
    ...(counting === "each" && { usage: usageOf(random, position) }),
  }));
  if (counting === "last") chunks.push({ ...head, choices: [], usage: usageOf(random, 20) });
  if (random.chance(0.85)) chunks.push("[DONE]");
  return chunks;
}

export function messageStream(random: Random): Payload[] {
  const events: Payload[] = [
    {
      type: "message_start",
      message: {
        id: `msg_${id(random)}`,
        type: "message",
        role: "assistant",
        model: "Pro/zai-org/GLM-4.7",
        content: [],
        ...(random.chance(0.5) && { stop_reason: null, stop_sequence: null }),
        usage: { input_tokens: 6, ...(random.chance(0.3) && { cache_read_input_tokens: 2 }) },
      },
    },
  ];
  const blocks = blocksOf(random);
  for (const [index, block] of blocks.entries()) {
    const { type } = block as { type: string };
    const empty =
      type === "tool_use" ? { ...block, input: {} } : type === "text" ? { type, text: "" } : { type, thinking: "" };
    // A block may come in one piece.
    const whole = random.chance(0.1);
    if (whole || random.chance(0.9))
      events.push({ type: "content_block_start", index, content_block: whole ? block : empty });
    else if (type === "tool_use") events.push({ type: "content_block_start", index, content_block: empty });
    if (!whole) for (const delta of deltasOf(random, block)) events.push({ type: "content_block_delta", index, delta });
    if (random.chance(0.1)) events.push({ type: "ping" });
    if (random.chance(0.95)) events.push({ type: "content_block_stop", index });
  }
  const ending = random.below(4);
  const reason = random.pick(["end_turn", "max_tokens", "tool_use", "stop_sequence", "refusal"]);
  if (ending !== 0) {
    const delta = { stop_reason: reason, stop_sequence: reason === "stop_sequence" ? "END" : null };
    events.push({ type: "message_delta", delta, usage: { output_tokens: 20 } });
  }
  if (ending !== 1) events.push({ type: "message_stop" });
  if (random.chance(0.6)) events.push("[DONE]");
  return events;
}

function blocksOf(random: Random): Json[] {
  const blocks: Json[] = [];
  if (random.chance(0.5)) blocks.push({ type: "thinking", thinking: phrase(random), signature: "c2ln" });
  if (random.chance(0.8)) blocks.push({ type: "text", text: phrase(random, 12) });
  for (const { id: call, name } of callsOf(random))
    blocks.push({
      type: "tool_use",
      id: call,
      name,
      input: random.pick<Json>([{}, { sku: "A-17" }, { 城市: ["利马"] }]),
    });
  return blocks;
}

function deltasOf(random: Random, block: Json): Json[] {
  if (block["type"] === "text")
    return pieces(random, block["text"] as string, 5).map((text) => ({ type: "text_delta", text }));
  if (block["type"] === "tool_use") {
    const json = random.chance(0.9) ? JSON.stringify(block["input"]) : random.pick(argumentTexts);
    return pieces(random, json).map((partial_json) => ({ type: "input_json_delta", partial_json }));
  }
  return [
    ...pieces(random, block["thinking"] as string, 5).map((thinking) => ({ type: "thinking_delta", thinking })),
    { type: "signature_delta", signature: block["signature"] },
  ];
}

export function chatAnswer(random: Random, { choices }: Asked): Json {
  const none = random.pick<Json>([{ reasoning_content: null }, { reasoning_content: "" }, {}]);
  return {
    id: id(random),
    object: "chat.completion",
    created: 1_790_000_000,
    model: "Qwen/Qwen3-8B",
    choices: Array.from({ length: choices }, (_, index) => {
      const calls = callsOf(random).map(({ id: call, name, args }) => ({
        id: call,
        type: "function",
        function: { name, arguments: random.chance(0.05) ? { sku: "A-17" } : args },
      }));
      const content = phrase(random, 12);
      const logprobs = random.chance(0.15) && { logprobs: logprobsOf(random, content) };
      return {
        index,
        message: {
          role: "assistant",
          content: content === "" ? random.pick(["", null]) : content,
          ...(random.chance(0.5) ? { reasoning_content: phrase(random) } : none),
          ...(calls.length > 0 && { tool_calls: calls }),
        },
        ...logprobs,
        finish_reason: calls.length > 0 ? "tool_calls" : random.pick(["stop", "eos", "length"]),
      };
    }),
    ...(random.chance(0.9) && { usage: usageOf(random, 20) }),
    system_fingerprint: "",
  };
}

export function completionAnswer(random: Random, { choices }: Asked): Json {
  return {
    id: id(random),
    object: "text_completion",
    created: 1_790_000_000,
    model: "Qwen/Qwen2.5-Coder",
    choices: Array.from({ length: choices }, (_, index) => ({
      index,
      text: phrase(random, 12),
      finish_reason: random.pick(["stop", "length"]),
      logprobs: null,
    })),
    usage: usageOf(random, 20),
  };
}

export function messageAnswer(random: Random): Json {
  return {
    id: `msg_${id(random)}`,
    type: "message",
    role: "assistant",
    model: "Pro/zai-org/GLM-4.7",
    content: blocksOf(random),
    stop_reason: random.pick(["end_turn", "max_tokens", "tool_use", "refusal"]),
    stop_sequence: null,
    usage: { input_tokens: 6, output_tokens: 21 },
  };
}
