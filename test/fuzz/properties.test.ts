import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Case } from "./cases.ts";
import { disagreement } from "./compare.ts";
import type { Json } from "./healthy.ts";
import type { ReadCall, Verdict } from "./oracle.ts";
import { read, readersByFetch, ways } from "./ours.ts";

/** The same examples each time; a failure names its seed and path, which replay it. */
const settings = { seed: 20_260_101, numRuns: 60 };

/** An answer as its author means it, before any wire. */
interface Meant {
  reasoning: string[];
  text: string[];
  calls: { name: string; args: string[] }[];
}

const piece = fc.string({
  unit: fc.constantFrom("a", " ", "\n", "深", "🦊", '"', "\\", "{", "data: ", "\u2028"),
  maxLength: 8,
});
const meant: fc.Arbitrary<Meant> = fc.record({
  reasoning: fc.array(piece, { maxLength: 3 }),
  text: fc.array(piece, { maxLength: 4 }),
  calls: fc.array(
    fc.record({
      name: fc.constantFrom("lookup_stock", "now", "天气"),
      args: fc.constantFrom(
        ["{", '"sku":"', 'A-17"', "}"],
        ["{}"],
        ['{"城市":', '["利马"]', "}"],
        ['{"n":1}'],
        ["{", '"broken'],
      ),
    }),
    { maxLength: 3 },
  ),
});

const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
const counts = { input_tokens: 10, output_tokens: 5 };

/** Draws choices from fast-check's numbers, so that a failure shrinks with them. */
class Choices {
  readonly #numbers: readonly number[];
  #next = 0;

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }

  of<T>(options: readonly T[]): T {
    const number = this.#numbers[this.#next++ % this.#numbers.length] ?? 0;
    return options[number % options.length]!;
  }
}

const choices = fc.array(fc.nat(1000), { minLength: 1, maxLength: 40 }).map((numbers) => new Choices(numbers));

/** A field that has nothing to say, in one of its three forms. */
const idle = (pick: Choices, field: string): Json => pick.of<Json>([{ [field]: null }, { [field]: "" }, {}]);
const callId = (position: number): string => `call_${position}`;

/** The pieces of all calls, each call's in its own order, otherwise in any. */
function fragments(calls: Meant["calls"], pick: Choices): Json[] {
  const queues = calls.map(({ name, args }, index) => [
    {
      index,
      id: callId(index),
      type: "function",
      function: { name, ...pick.of<Json>([{ arguments: "" }, { arguments: null }, {}]) },
    },
    ...args.map((piece) => ({
      index,
      ...idle(pick, "id"),
      ...pick.of<Json>([{ type: null }, { type: "" }, { type: "function" }, {}]),
      function: { ...idle(pick, "name"), arguments: piece },
    })),
  ]);
  const merged: Json[] = [];
  for (let left = queues; left.length > 0; left = left.filter((queue) => queue.length > 0)) {
    merged.push(pick.of(left).shift()!);
  }
  return merged;
}

function chatEvents({ reasoning, text, calls }: Meant, pick: Choices): Json[] {
  const deltas: Json[] = [
    { ...idle(pick, "content"), ...idle(pick, "reasoning_content"), role: "assistant" },
    ...reasoning.map((said) => ({ ...idle(pick, "content"), reasoning_content: said })),
    ...text.map((said) => ({ content: said, ...idle(pick, "reasoning_content") })),
    ...fragments(calls, pick).map((call) => ({
      ...idle(pick, "content"),
      ...idle(pick, "reasoning_content"),
      tool_calls: [call],
    })),
  ];
  const counted = pick.of(["each", "last", "trailing"]);
  const chunk = (choice: Json, last: boolean): Json => ({
    ...pick.of<Json>([{ id: "019c", object: "chat.completion.chunk", model: "m" }, { id: "019c" }]),
    choices: [{ ...pick.of<Json>([{ index: 0 }, {}, { index: null }]), ...choice }],
    ...(counted === "each" || (counted === "last" && last) ? { usage } : idle(pick, "usage")),
  });
  return [
    ...deltas.map((delta) =>
      chunk(
        {
          delta: { ...delta, ...pick.of<Json>([{ role: "assistant" }, { role: null }, {}]) },
          ...idle(pick, "finish_reason"),
        },
        false,
      ),
    ),
    chunk({ delta: pick.of<Json>([{ content: "" }, {}, { content: null }]), finish_reason: "stop" }, true),
    ...(counted === "trailing" ? [{ choices: [], usage }] : []),
  ];
}

function messagesEvents({ reasoning, text, calls }: Meant, pick: Choices): Json[] {
  const blocks: { begin: Json; deltas: Json[] }[] = [
    { begin: { type: "thinking", ...idle(pick, "thinking") }, deltas: reasoning.map((thinking) => ({ thinking })) },
    {
      begin: { type: "text", ...idle(pick, "text") },
      deltas: text.map((said) => ({ type: "text_delta", text: said })),
    },
    ...calls.map(({ name, args }, position) => ({
      begin: { type: "tool_use", id: callId(position), name, ...pick.of<Json>([{ input: {} }, { input: null }, {}]) },
      deltas: args.map((json) => ({ type: "input_json_delta", partial_json: json })),
    })),
  ];
  return [
    {
      type: "message_start",
      message: { id: "msg_1", model: "m", ...pick.of<Json>([{ content: [] }, {}]), usage: { input_tokens: 10 } },
    },
    ...blocks.flatMap(({ begin, deltas }, index) => [
      { type: "content_block_start", index, content_block: begin },
      ...deltas.map((delta) => ({ type: "content_block_delta", index, delta })),
      { type: "content_block_stop", index },
    ]),
    {
      type: "message_delta",
      delta: { stop_reason: "end_turn", ...idle(pick, "stop_sequence") },
      usage: { output_tokens: 5 },
    },
    ...pick.of<Json[]>([[{ type: "message_stop" }], []]),
  ];
}

function completionsEvents({ text }: Meant, pick: Choices): Json[] {
  return [
    ...text.map((said) => ({
      choices: [{ ...pick.of<Json>([{ index: 0 }, {}]), text: said, ...idle(pick, "finish_reason") }],
    })),
    { choices: [{ index: 0, ...idle(pick, "text"), finish_reason: "stop" }], usage },
  ];
}

const events = { chat: chatEvents, messages: messagesEvents, completions: completionsEvents };
type Endpoint = keyof typeof events;

/** Events as text, with any line ends, comments and a mark, each where it may be. */
function framed(payloads: readonly Json[], pick: Choices): string {
  const lines = payloads.map((payload) => {
    const end = pick.of(["\n", "\r\n", "\r"]);
    const comment = pick.of(["", "", `: keep-alive${end}`, `:${end}${end}`, `id: 7${end}`]);
    return `${comment}data:${pick.of([" ", ""])}${JSON.stringify(payload)}${end}${end}`;
  });
  return pick.of(["", "\uFEFF"]) + lines.join("") + pick.of(["data: [DONE]\n\n", ""]);
}

function verdictOf({ reasoning, text, calls }: Meant, endpoint: Endpoint): Verdict {
  const texts =
    endpoint === "completions"
      ? { reasoning: "", calls: [] }
      : { reasoning: reasoning.join(""), calls: calls.map(asRead) };
  const finish = endpoint === "messages" ? "end_turn" : "stop";
  const choice = { index: 0, text: text.join(""), ...texts, finish, logprobs: [] };
  return { complete: true, chunks: [], choices: [choice], usage: endpoint === "messages" ? counts : usage };
}

const asRead = ({ name, args }: Meant["calls"][number], position: number): ReadCall => ({
  id: callId(position),
  name,
  args: args.join(""),
});

const caseOf = (endpoint: Endpoint, text: string | Uint8Array, reads: number[]): Case => ({
  asked: { endpoint, choices: 1 },
  kind: "stream",
  bytes: Buffer.from(text),
  reads,
});

const { readers, next } = readersByFetch();

async function expectTheSame(verdict: Verdict, answer: Case): Promise<void> {
  for (const way of ways) {
    next(answer);
    const outcome = await read(way, answer, readers);
    expect(disagreement(verdict, outcome, answer), way).toBeUndefined();
  }
}

describe.each(["chat", "messages", "completions"] as const)("an answer of %s is the same message", (endpoint) => {
  test("however its bytes are split, whatever ends its lines, whatever its idle fields are, in whatever order its calls come", async () => {
    expect.hasAssertions();
    await fc.assert(
      fc.asyncProperty(
        meant,
        choices,
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }),
        async (answer, pick, reads) => {
          const text = framed(events[endpoint](answer, pick), pick);
          await expectTheSame(verdictOf(answer, endpoint), caseOf(endpoint, text, reads));
        },
      ),
      settings,
    );
  });

  test("byte by byte", async () => {
    expect.hasAssertions();
    await fc.assert(
      fc.asyncProperty(meant, choices, async (answer, pick) => {
        const text = framed(events[endpoint](answer, pick), pick);
        await expectTheSame(verdictOf(answer, endpoint), caseOf(endpoint, text, [1]));
      }),
      { ...settings, numRuns: 10 },
    );
  });

  test("and none at all where it is cut before it says why it ends", async () => {
    expect.hasAssertions();
    await fc.assert(
      fc.asyncProperty(meant, choices, fc.nat(), fc.integer({ min: 1, max: 200 }), async (answer, pick, at, size) => {
        const bytes = Buffer.from(framed(events[endpoint](answer, pick), pick));
        // The reason is whole with the bracket that closes its event.
        const said = bytes.lastIndexOf(endpoint === "messages" ? '"end_turn"' : '"stop"');
        const cut = bytes.subarray(0, at % bytes.indexOf("}", said));
        await expectTheSame({ complete: false, why: "cut" }, caseOf(endpoint, cut, [size]));
      }),
      settings,
    );
  });
});
