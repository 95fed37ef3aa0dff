import type { AIMessageChunk } from "@langchain/core/messages";
import type { ChatGenerationChunk } from "@langchain/core/outputs";
import { describe, expect, test } from "vitest";
import { asChunks, asEvents, source, type Event } from "./read-stream.js";
import { RepairedStream, type StreamEnd } from "./repaired-stream.js";
import { toGenerationChunk } from "./wire-to-messages.js";

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
    name: "an index that is empty later on",
    events: [
      [call({ index: 0, id: "a", function: { name: "f", arguments: '{"x"' } })],
      [call({ index: "", function: { arguments: ":1}" } })],
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

  test("calls stand in the order of their index, whichever came first", async () => {
    const message = await asChunks([
      [call({ index: 1, id: "b", function: { name: "g", arguments: "{}" } })],
      [call({ index: 0, id: "a", function: { name: "f", arguments: "{}" } })],
      stop,
    ]);
    expect(message.tool_calls?.map(({ id }) => id)).toEqual(["a", "b"]);
  });

  test("arguments are shown as far as they have come", async () => {
    const end: StreamEnd = {};
    let whole: ChatGenerationChunk | undefined;
    const shown: unknown[] = [];
    const events: Event[] = [
      [call({ index: 0, id: "a", function: { name: "f", arguments: '{"city": "Li' } })],
      [call({ index: 0, function: { arguments: 'ma"}' } })],
      stop,
    ];
    for await (const chunk of new RepairedStream(source(events), end)) {
      const generation = toGenerationChunk(chunk, end);
      whole = whole === undefined ? generation : whole.concat(generation);
      shown.push((whole.message as AIMessageChunk).tool_calls?.[0]?.args);
    }
    expect(shown).toEqual([{ city: "Li" }, { city: "Lima" }, { city: "Lima" }]);
  });
});
