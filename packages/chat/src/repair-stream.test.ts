import type { ChatCompletionChunk, Usage } from "@langchain-siliconflow/client";
import { convertOpenAICompletionsStream } from "@langchain/core/language_models/openai_completions_stream";
import { ChatModelStream } from "@langchain/core/language_models/stream";
import type { AIMessage, AIMessageChunk } from "@langchain/core/messages";
import type { ChatGenerationChunk } from "@langchain/core/outputs";
import { describe, expect, test } from "vitest";
import { repairStream, type StreamEnd } from "./repair-stream.js";
import { completeMessage, settleEvent } from "./stream-events.js";
import { toGenerationChunk } from "./wire-to-messages.js";

type Delta = Record<string, unknown> | null;
/** `[delta, finish_reason, usage]`, and for the rest the fields of any chunk. */
type Event = readonly [delta: Delta, finish?: string | null, usage?: unknown];

function usage(completion: number, more: object = {}): Usage {
  return { prompt_tokens: 10, completion_tokens: completion, total_tokens: 10 + completion, ...more };
}

/** Events as the client yields them: each parsed anew, for the repair changes them. */
async function* source(events: readonly Event[], head: object = {}): AsyncGenerator<ChatCompletionChunk> {
  for (const [delta, finish = null, counts = null] of events) {
    const chunk = {
      id: "019c",
      object: "chat.completion.chunk",
      created: 1,
      model: "Qwen/Qwen3-8B",
      ...head,
      choices: [{ index: 0, delta, finish_reason: finish }],
      usage: counts,
    };
    yield JSON.parse(JSON.stringify(chunk)) as ChatCompletionChunk;
  }
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function repaired(events: readonly Event[], head?: object): Promise<ChatCompletionChunk[]> {
  return collect(repairStream(source(events, head)));
}

/** The chunk path: `stream`, events v2, agents that stream messages. */
async function asChunks(events: readonly Event[]): Promise<AIMessageChunk> {
  const end: StreamEnd = {};
  let whole: ChatGenerationChunk | undefined;
  for await (const chunk of repairStream(source(events), end)) {
    const generation = toGenerationChunk(chunk, end);
    whole = whole === undefined ? generation : whole.concat(generation);
  }
  return whole!.message as AIMessageChunk;
}

/** The event path: events v3. */
async function asEvents(events: readonly Event[]): Promise<AIMessage> {
  const end: StreamEnd = {};
  // Chunks have more fields than the converter reads.
  const chunks = repairStream(source(events), end) as Parameters<typeof convertOpenAICompletionsStream>[0];
  async function* settled() {
    for await (const event of convertOpenAICompletionsStream(chunks)) yield settleEvent(event, end);
  }
  return completeMessage(await new ChatModelStream(settled()));
}

const call = (fields: object) => ({ tool_calls: [fields] });
const stop: Event = [{ content: "" }, "tool_calls"];

/** What services send, and the calls that were meant. */
const toolCalls: { name: string; events: readonly Event[]; calls: object[]; invalid?: object[] }[] = [
  {
    name: "id, name and arguments in turn, later fragments with null",
    events: [
      [call({ index: 0, id: "a", type: "function", function: { name: "f", arguments: "" } })],
      [call({ index: 0, id: null, type: null, function: { arguments: '{"x"' } })],
      [call({ index: 0, id: null, type: null, function: { name: null, arguments: ":1}" } })],
      stop,
    ],
    calls: [{ id: "a", name: "f", args: { x: 1 } }],
  },
  {
    name: 'later fragments with id "" and name ""',
    events: [
      [call({ index: 0, id: "a", function: { name: "f", arguments: '{"x"' } })],
      [call({ index: 0, id: "", function: { name: "", arguments: ":1}" } })],
      stop,
    ],
    calls: [{ id: "a", name: "f", args: { x: 1 } }],
  },
  {
    name: "id and name repeated on every fragment",
    events: [
      [call({ index: 0, id: "a", function: { name: "f", arguments: '{"x"' } })],
      [call({ index: 0, id: "a", function: { name: "f", arguments: ":1}" } })],
      stop,
    ],
    calls: [{ id: "a", name: "f", args: { x: 1 } }],
  },
  {
    name: "the name repeated without any id",
    events: [
      [call({ index: 0, id: "a", function: { name: "f", arguments: '{"x"' } })],
      [call({ index: 0, function: { name: "f", arguments: ":1}" } })],
      stop,
    ],
    calls: [{ id: "a", name: "f", args: { x: 1 } }],
  },
  {
    name: "no index, two calls",
    events: [
      [call({ id: "a", function: { name: "f", arguments: '{"x":' } })],
      [call({ function: { arguments: "1}" } })],
      [call({ id: "b", function: { name: "g", arguments: '{"y":' } })],
      [call({ function: { arguments: "2}" } })],
      stop,
    ],
    calls: [
      { id: "a", name: "f", args: { x: 1 } },
      { id: "b", name: "g", args: { y: 2 } },
    ],
  },
  {
    name: "index null, fragments of two calls taking turns by id",
    events: [
      [call({ index: null, id: "a", function: { name: "f", arguments: '{"x":' } })],
      [call({ index: null, id: "b", function: { name: "g", arguments: '{"y":' } })],
      [call({ index: null, id: "a", function: { arguments: "1}" } })],
      [call({ index: null, id: "b", function: { arguments: "2}" } })],
      stop,
    ],
    calls: [
      { id: "a", name: "f", args: { x: 1 } },
      { id: "b", name: "g", args: { y: 2 } },
    ],
  },
  {
    name: "two calls under one index, told apart by id",
    events: [
      [call({ index: 0, id: "a", function: { name: "f", arguments: '{"x":1}' } })],
      [call({ index: 0, id: "b", function: { name: "f", arguments: '{"x":' } })],
      [call({ index: 0, function: { arguments: "2}" } })],
      stop,
    ],
    calls: [
      { id: "a", name: "f", args: { x: 1 } },
      { id: "b", name: "f", args: { x: 2 } },
    ],
  },
  {
    name: "two calls of one tool under one index without ids, told apart by complete arguments",
    events: [
      [call({ index: 0, function: { name: "f", arguments: '{"x":1}' } })],
      [call({ index: 0, function: { name: "f", arguments: '{"x":2}' } })],
      stop,
    ],
    calls: [
      { id: expect.stringMatching(/^call_/), name: "f", args: { x: 1 } },
      { id: expect.stringMatching(/^call_/), name: "f", args: { x: 2 } },
    ],
  },
  {
    name: "indexes that start at 1 and skip",
    events: [
      [call({ index: 1, id: "a", function: { name: "f", arguments: '{"x":1}' } })],
      [call({ index: 3, id: "b", function: { name: "g", arguments: '{"y":2}' } })],
      stop,
    ],
    calls: [
      { id: "a", name: "f", args: { x: 1 } },
      { id: "b", name: "g", args: { y: 2 } },
    ],
  },
  {
    name: "two whole calls in one chunk, without index",
    events: [
      [
        {
          tool_calls: [
            { id: "a", function: { name: "f", arguments: '{"x":1}' } },
            { id: "b", function: { name: "f", arguments: '{"x":2}' } },
          ],
        },
      ],
      stop,
    ],
    calls: [
      { id: "a", name: "f", args: { x: 1 } },
      { id: "b", name: "f", args: { x: 2 } },
    ],
  },
  {
    name: "one id for two calls: the second gets its own, or both would be given the first result",
    events: [
      [call({ index: 0, id: "a", function: { name: "f", arguments: '{"x":1}' } })],
      [call({ index: 1, id: "a", function: { name: "g", arguments: '{"y":2}' } })],
      stop,
    ],
    calls: [
      { id: "a", name: "f", args: { x: 1 } },
      { id: expect.stringMatching(/^call_/), name: "g", args: { y: 2 } },
    ],
  },
  {
    name: "the name comes last",
    events: [
      [call({ index: 0, id: "a", function: { arguments: '{"x":' } })],
      [call({ index: 0, function: { arguments: "1}" } })],
      [call({ index: 0, function: { name: "f" } })],
      stop,
    ],
    calls: [{ id: "a", name: "f", args: { x: 1 } }],
  },
  {
    name: "the id comes late, before the name",
    events: [
      [call({ index: 0, function: { arguments: "{}" } })],
      [call({ index: 0, id: "a", function: { name: "f" } })],
      stop,
    ],
    calls: [{ id: "a", name: "f", args: {} }],
  },
  {
    name: "no id at all",
    events: [[call({ index: 0, function: { name: "f", arguments: "{}" } })], stop],
    calls: [{ id: expect.stringMatching(/^call_[0-9a-f]{32}$/), name: "f", args: {} }],
  },
  ...["", null, undefined, " "].map((nothing) => ({
    name: `no arguments: ${JSON.stringify(nothing)}`,
    events: [[call({ index: 0, id: "a", function: { name: "f", arguments: nothing } })] as Event, stop],
    calls: [{ id: "a", name: "f", args: {} }],
  })),
  {
    name: "arguments as an object",
    events: [[call({ index: 0, id: "a", function: { name: "f", arguments: { x: 1 } } })], stop],
    calls: [{ id: "a", name: "f", args: { x: 1 } }],
  },
  {
    name: "the finish reason in the chunk of the call",
    events: [[call({ index: 0, id: "a", function: { name: "f", arguments: '{"x":1}' } }), "tool_calls"]],
    calls: [{ id: "a", name: "f", args: { x: 1 } }],
  },
  {
    name: "calls, but finish reason stop",
    events: [[call({ index: 0, id: "a", function: { name: "f", arguments: '{"x":1}' } })], [{ content: "" }, "stop"]],
    calls: [{ id: "a", name: "f", args: { x: 1 } }],
  },
  {
    name: "arguments that are no JSON",
    events: [[call({ index: 0, id: "a", function: { name: "f", arguments: '{"x":1' } })], stop],
    calls: [],
    invalid: [{ id: "a", name: "f", args: '{"x":1' }],
  },
  {
    name: "arguments that are JSON, but no object",
    events: [[call({ index: 0, id: "a", function: { name: "f", arguments: "[1]" } })], stop],
    calls: [],
    invalid: [{ id: "a", name: "f", args: "[1]" }],
  },
  {
    name: "objects that were sent as whole and again: no guess which one counts",
    events: [
      [call({ index: 0, id: "a", function: { name: "f", arguments: { x: 1 } } })],
      [call({ index: 0, id: "a", function: { arguments: { x: 1, y: 2 } } })],
      stop,
    ],
    calls: [],
    invalid: [{ id: "a", name: "f", args: '{"x":1}{"x":1,"y":2}' }],
  },
  {
    name: "no name ever",
    events: [[call({ index: 0, id: "a", function: { arguments: "{}" } })], stop],
    calls: [],
    invalid: [{ id: "a", name: "", args: "{}" }],
  },
  {
    name: "the token limit cuts the second call's arguments",
    events: [
      [call({ index: 0, id: "a", function: { name: "f", arguments: "" } })],
      [call({ index: 1, id: "b", function: { name: "g", arguments: '{"y":"lon' } }), "length"],
    ],
    calls: [{ id: "a", name: "f", args: {} }],
    invalid: [{ id: "b", name: "g", args: '{"y":"lon' }],
  },
  {
    name: "the token limit cuts before the arguments",
    events: [[call({ index: 0, id: "a", function: { name: "f", arguments: "" } }), "length"]],
    calls: [],
    invalid: [{ id: "a", name: "f", args: "" }],
  },
  {
    name: "the token limit ends the answer after complete arguments",
    events: [[call({ index: 0, id: "a", function: { name: "f", arguments: '{"x":1}' } }), "length"]],
    calls: [{ id: "a", name: "f", args: { x: 1 } }],
  },
];

describe("streamed tool calls", () => {
  const paths = { chunks: asChunks, events: asEvents };
  for (const [path, read] of Object.entries(paths)) {
    test.each(toolCalls)(`$name (${path})`, async ({ events, calls, invalid = [] }) => {
      const message = await read(events);

      expect(message.tool_calls).toMatchObject(calls);
      expect(message.tool_calls).toHaveLength(calls.length);
      expect(message.invalid_tool_calls).toMatchObject(invalid);
      expect(message.invalid_tool_calls).toHaveLength(invalid.length);
    });
  }

  test("arguments are shown as far as they have come", async () => {
    const end: StreamEnd = {};
    let whole: ChatGenerationChunk | undefined;
    const shown: unknown[] = [];
    const events: Event[] = [
      [call({ index: 0, id: "a", function: { name: "f", arguments: '{"city": "Li' } })],
      [call({ index: 0, function: { arguments: 'ma"}' } })],
      stop,
    ];
    for await (const chunk of repairStream(source(events), end)) {
      const generation = toGenerationChunk(chunk, end);
      whole = whole === undefined ? generation : whole.concat(generation);
      shown.push((whole.message as AIMessageChunk).tool_calls?.[0]?.args);
    }
    expect(shown).toEqual([{ city: "Li" }, { city: "Lima" }, { city: "Lima" }]);
  });
});

describe("counts", () => {
  const details = { completion_tokens_details: { reasoning_tokens: 2 }, prompt_tokens_details: { cached_tokens: 4 } };
  const counts = {
    input_tokens: 10,
    output_tokens: 5,
    total_tokens: 15,
    input_token_details: { cache_read: 4 },
    output_token_details: { reasoning: 2 },
  };
  const cases: { name: string; events: readonly Event[] }[] = [
    {
      name: "cumulative, on every chunk",
      events: [
        [{ content: "a" }, null, usage(1)],
        [{ content: "b" }, null, usage(3)],
        [{ content: "" }, "stop", usage(5, details)],
      ],
    },
    { name: "on the last chunk only", events: [[{ content: "ab" }], [{ content: "" }, "stop", usage(5, details)]] },
    {
      name: "in DeepSeek's way of counting cached tokens",
      events: [
        [{ content: "ab" }],
        [
          { content: "" },
          "stop",
          usage(5, { completion_tokens_details: { reasoning_tokens: 2 }, prompt_cache_hit_tokens: 4 }),
        ],
      ],
    },
  ];

  test.each(cases)("$name", async ({ events }) => {
    const chunk = await asChunks(events);
    const message = await asEvents(events);

    expect(chunk.usage_metadata).toEqual(counts);
    expect(message.usage_metadata).toEqual(counts);
    expect(chunk.response_metadata["usage"]).toMatchObject({
      prompt_tokens: 10,
      completion_tokens: 5,
      total_tokens: 15,
    });
    expect(message.response_metadata["usage"]).toMatchObject({
      prompt_tokens: 10,
      completion_tokens: 5,
      total_tokens: 15,
    });
  });

  test("in a trailing chunk without choices", async () => {
    async function* wire() {
      yield* source([[{ content: "ab" }], [{ content: "" }, "stop"]]);
      yield { id: "019c", choices: [], usage: usage(5, details) } as ChatCompletionChunk;
    }
    const chunks = await collect(repairStream(wire()));

    expect(chunks.map((chunk) => [chunk.choices.length, chunk.usage ?? null])).toEqual([
      [1, null],
      [1, null],
      [0, usage(5, details)],
    ]);
  });

  test("none at all", async () => {
    const chunk = await asChunks([[{ content: "ab" }], [{ content: "" }, "stop"]]);

    expect(chunk.usage_metadata).toBeUndefined();
    expect(chunk.response_metadata).not.toHaveProperty("usage");
  });
});

describe("finish reasons", () => {
  const cases = [
    { name: "once", events: [[{ content: "a" }], [{ content: "" }, "stop"]], reason: "stop" },
    {
      name: "repeated",
      events: [
        [{ content: "a" }, "stop"],
        [{ content: "b" }, "stop"],
      ],
      reason: "stop",
    },
    {
      name: '"" until the last',
      events: [
        [{ content: "a" }, ""],
        [{ content: "" }, "stop"],
      ],
      reason: "stop",
    },
    { name: "eos", events: [[{ content: "a" }], [{ content: "" }, "eos"]], reason: "stop", native: "eos" },
    {
      name: "content_filter",
      events: [[{ content: "a" }], [{ content: "" }, "content_filter"]],
      reason: "content_filter",
    },
    { name: "a word nobody knows", events: [[{ content: "a" }], [{ content: "" }, "weary"]], reason: "weary" },
  ] satisfies { name: string; events: Event[]; reason: string; native?: string }[];

  test.each(cases)("$name", async ({ events, reason, native }) => {
    for (const message of [await asChunks(events), await asEvents(events)]) {
      expect(message.response_metadata["finish_reason"]).toBe(reason);
      expect(message.response_metadata["native_finish_reason"]).toBe(native);
      expect(message.response_metadata["model_name"]).toBe("Qwen/Qwen3-8B");
    }
  });
});

describe("deltas", () => {
  const cases: { name: string; events: readonly Event[]; text: string; reasoning?: string }[] = [
    { name: "no role anywhere", events: [[{ content: "a" }], [{ content: "b" }, "stop"]], text: "ab" },
    { name: 'role ""', events: [[{ role: "", content: "a" }], [{ role: "", content: "b" }, "stop"]], text: "ab" },
    {
      name: "content and thoughts null, missing and empty",
      events: [
        [{ content: null, reasoning_content: "" }],
        [{ reasoning_content: "hm" }],
        [null],
        [{ content: "", reasoning_content: null }],
        [{ content: "ok" }],
        [{ content: "", reasoning_content: null }, "stop"],
      ],
      text: "ok",
      reasoning: "hm",
    },
    {
      name: "thoughts after text",
      events: [
        [{ reasoning_content: "a" }],
        [{ content: "1" }],
        [{ reasoning_content: "b" }],
        [{ content: "2" }, "stop"],
      ],
      text: "12",
      reasoning: "ab",
    },
    { name: "content as a list of parts", events: [[{ content: [{ type: "text", text: "ab" }] }, "stop"]], text: "ab" },
  ];

  test.each(cases)("$name", async ({ events, text, reasoning }) => {
    for (const message of [await asChunks(events), await asEvents(events)]) {
      expect(message.type).toBe("ai");
      expect(message.text).toBe(text);
      expect(message.additional_kwargs["reasoning_content"]).toBe(reasoning);
    }
  });

  test("chunks that say nothing are dropped", async () => {
    const chunks = await repaired([
      [{ content: "", reasoning_content: null, role: "assistant" }],
      [{ content: "a" }],
      [{ content: "" }, "stop"],
    ]);
    expect(chunks.map((chunk) => chunk.choices[0]?.delta?.content)).toEqual(["a", ""]);
  });

  test.each([{ id: "" }, { id: undefined }])(
    "an answer without an id ($id) gets one, the same on every chunk",
    async (head) => {
      const chunks = await repaired([[{ content: "a" }], [{ content: "b" }, "stop", usage(2)]], head);
      const ids = new Set(chunks.map((chunk) => chunk.id));

      expect([...ids]).toEqual([expect.stringMatching(/^siliconflow-/)]);
      expect(await repaired([[{ content: "a" }, "stop"]], head)).not.toMatchObject([{ id: [...ids][0] }]);
    },
  );

  test("an error of the client goes through as it is", async () => {
    const broken = new Error("broken");
    async function* wire() {
      yield* source([[{ content: "a" }]]);
      throw broken;
    }
    await expect(collect(repairStream(wire()))).rejects.toBe(broken);
  });

  test("leaving early closes the source", async () => {
    let closed = false;
    async function* wire() {
      try {
        yield* source([[{ content: "a" }], [{ content: "b" }, "stop"]]);
      } finally {
        closed = true;
      }
    }
    for await (const _ of repairStream(wire())) break;
    expect(closed).toBe(true);
  });
});
