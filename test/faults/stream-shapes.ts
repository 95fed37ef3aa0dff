import { setTimeout as after } from "node:timers/promises";
import { all, reads, returned, unnoticed, type Case } from "./case.ts";
import type { FaultServer, Reply } from "./fault-server.ts";
import { done, event, finish, first, sse, text, thought, tool, usage } from "./wire.ts";

const endless: Reply = { headers: sse, body: [first, text("Hel")], forever: text("lo") };
const bytes = (source: string): Uint8Array => new TextEncoder().encode(source);
const split = (source: string, size: number): Uint8Array[] => {
  const whole = bytes(source);
  return Array.from({ length: Math.ceil(whole.length / size) }, (_, index) =>
    whole.subarray(index * size, (index + 1) * size),
  );
};
const call = { id: "call_1", type: "function", function: { name: "weather", arguments: '{"city":"Lima"}' } };
const lima = [{ name: "weather", args: { city: "Lima" } }];

export const oddStreams: readonly Case[] = [
  reads(
    35,
    "characters split across packets",
    split(first + thought("深度思考") + text("求索🚀") + finish() + done, 3),
    { text: "求索🚀", reasoning: "深度思考" },
  ),
  ...unnoticed(35, "everything in packets of 3 bytes, late and uneven", all, [], {
    way: { toServer: { latencyMs: 5, jitterMs: 5 }, toClient: { sliceBytes: 3, latencyMs: 5, jitterMs: 5 } },
  }),
  reads(
    35,
    "bytes that are not UTF-8",
    [
      first,
      `data: {"choices":[{"index":0,"delta":{"content":"a`,
      Uint8Array.of(0xff),
      `b"},"finish_reason":null}]}\n\n`,
      finish(),
      done,
    ],
    { text: "a\uFFFDb" },
  ),
  reads(35, "half a character, written as an escape", [first, text("a\ud83db"), finish(), done], { text: "a\ud83db" }),
  reads(36, "a byte order mark", ["\uFEFF", first, text("Hello"), finish(), done], { text: "Hello" }),
  reads(36, "CRLF line ends", [[first, text("Hello"), finish(), done].join("").replaceAll("\n", "\r\n")], {
    text: "Hello",
  }),
  reads(36, "CR line ends", [[first, text("Hello"), finish(), done].join("").replaceAll("\n", "\r")], {
    text: "Hello",
  }),
  reads(
    36,
    "line ends of all kinds, split between CR and LF",
    split(`${first.replaceAll("\n", "\r\n")}${text("Hel").replaceAll("\n", "\r")}${text("lo")}${finish()}${done}`, 1),
    { text: "Hello" },
  ),
  reads(
    36,
    "data on several lines, and other fields",
    [
      first,
      'id: 7\nretry: 10\ndata: {"choices":[{"index":0,\ndata: "delta":{"content":"Hello"},"finish_reason":null}]}\n\n',
      ": a comment\n\n",
      "event: ping\ndata:\n\n",
      finish(),
      done,
    ],
    { text: "Hello" },
  ),
  reads(
    40,
    "cumulative usage on every event",
    [
      first,
      ...["a", "b", "c"].map((each, index) =>
        event({ content: each }, null, {
          usage: { prompt_tokens: 10, completion_tokens: index + 1, total_tokens: 11 + index },
        }),
      ),
      event({ content: "" }, "stop", { usage: { prompt_tokens: 10, completion_tokens: 3, total_tokens: 13 } }),
      done,
    ],
    { text: "abc", usage: { input_tokens: 10, output_tokens: 3, total_tokens: 13 } },
  ),
  reads(
    40,
    "usage in a last event without choices only",
    [
      event({ role: "assistant", content: "a" }, null, { usage: null }),
      event({ content: "" }, "stop", { usage: null }),
      `data: ${JSON.stringify({ choices: [], usage })}\n\n`,
      done,
    ],
    { text: "a", usage: { input_tokens: 10, output_tokens: 5, total_tokens: 15 } },
  ),
  reads(
    41,
    "an empty first thought, and none after it",
    [
      event({ content: null, reasoning_content: "", role: "assistant" }),
      event({ content: "Hello", reasoning_content: "" }),
      finish(),
      done,
    ],
    { text: "Hello", blocks: ["text"] },
  ),
  reads(
    41,
    "thoughts between the words",
    [first, thought("one"), text("A"), thought(" two"), text("B"), finish(), done],
    { text: "AB", reasoning: "one two" },
  ),
  reads(41, "a thought after the words", [first, text("A"), thought("late"), finish(), done], {
    text: "A",
    reasoning: "late",
  }),
  reads(
    42,
    "tool fragments with a null id and an empty name",
    [
      first,
      tool({ index: 0, id: "call_1", type: "function", function: { name: "weather", arguments: "" } }),
      tool({ index: 0, id: null, type: null, function: { name: "", arguments: '{"city":' } }),
      tool({ index: 0, id: "", function: { arguments: '"Lima"}' } }),
      finish("tool_calls"),
      done,
    ],
    { toolCalls: lima, invalidToolCalls: [] },
  ),
  reads(
    42,
    "two tool calls without an index",
    [
      first,
      tool(call),
      tool({ id: "call_2", type: "function", function: { name: "time", arguments: '{"zone":' } }),
      tool({ function: { arguments: '"UTC"}' } }),
      finish("tool_calls"),
      done,
    ],
    { toolCalls: [...lima, { name: "time", args: { zone: "UTC" } }], invalidToolCalls: [] },
  ),
  reads(
    42,
    "two tool calls with the same index",
    [
      first,
      tool({ index: 0, ...call }),
      tool({ index: 0, id: "call_2", type: "function", function: { name: "time", arguments: '{"zone":"UTC"}' } }),
      finish("tool_calls"),
      done,
    ],
    { toolCalls: [...lima, { name: "time", args: { zone: "UTC" } }], invalidToolCalls: [] },
  ),
  reads(
    42,
    "a tool without arguments",
    [
      first,
      tool({ index: 0, id: "call_1", type: "function", function: { name: "now", arguments: "" } }),
      finish("tool_calls"),
      done,
    ],
    { toolCalls: [{ name: "now", args: {} }], invalidToolCalls: [] },
  ),
  reads(
    42,
    "arguments as an object",
    [
      first,
      tool({ index: 0, id: "call_1", type: "function", function: { name: "weather", arguments: { city: "Lima" } } }),
      finish("tool_calls"),
      done,
    ],
    { toolCalls: lima, invalidToolCalls: [] },
  ),
  returned(
    42,
    "arguments as an object",
    { content: "", tool_calls: [{ ...call, function: { name: "weather", arguments: { city: "Lima" } } }] },
    "tool_calls",
    { toolCalls: lima, invalidToolCalls: [] },
  ),
  returned(
    42,
    "arguments that are not JSON",
    { content: "", tool_calls: [{ ...call, function: { name: "weather", arguments: "Lima, please" } }] },
    "tool_calls",
    { toolCalls: [], invalidToolCalls: ["weather"] },
  ),
  reads(
    43,
    "the limit of tokens reached inside the arguments",
    [
      first,
      tool({ index: 0, id: "call_1", type: "function", function: { name: "weather", arguments: '{"city":"Li' } }),
      finish("length"),
      done,
    ],
    { toolCalls: [], invalidToolCalls: ["weather"], finishReason: "length" },
  ),
  returned(
    43,
    "the limit of tokens reached inside the arguments",
    { content: "", tool_calls: [{ ...call, function: { name: "weather", arguments: '{"city":"Li' } }] },
    "length",
    { toolCalls: [], invalidToolCalls: ["weather"], finishReason: "length" },
  ),
  reads(44, "a content filter", [first, text("Hel"), finish("content_filter"), done], {
    text: "Hel",
    finishReason: "content_filter",
  }),
  reads(44, "a finish reason nobody knows", [first, text("Hel"), finish("insufficient_system_resource"), done], {
    text: "Hel",
    finishReason: "insufficient_system_resource",
  }),
  returned(44, "a content filter", { content: "Hel" }, "content_filter", {
    text: "Hel",
    finishReason: "content_filter",
  }),
  {
    row: 45,
    fault: "a reader who leaves the loop closes the connection",
    targets: ["stream"],
    replies: [endless],
    async run({ subject, setup, server }) {
      for await (const piece of subject.read(setup)()) if (piece) break;
      return staysOpen(server);
    },
  },
  {
    row: 45,
    fault: "a reader who aborts gets the reason, and the connection is closed",
    targets: ["stream"],
    replies: [{ ...endless, everyMs: 5 }],
    async run({ subject, setup, server }) {
      const controller = new AbortController();
      const reason = new Error("the reader has gone");
      try {
        for await (const piece of subject.read(setup)(controller.signal)) if (piece) controller.abort(reason);
        return "ends as if it were whole";
      } catch (error) {
        // Others have errors of their own for it.
        if (subject.ours && error !== reason) return `throws ${String(error)}`;
      }
      return staysOpen(server);
    },
  },
  {
    row: 45,
    fault: "a slow reader slows the server down instead of filling the memory",
    targets: ["stream"],
    replies: [{ headers: sse, body: [first, text("Hel")], forever: text("x".repeat(64 * 1024)) }],
    async run({ subject, setup, server }) {
      const iterator = subject.read(setup)()[Symbol.asyncIterator]();
      await iterator.next();
      const taken = await standsStill(() => server.bytesWritten() / 1024 / 1024);
      await iterator.return?.();
      // What the sockets of both ends and one read hold; an unbounded reader takes hundreds.
      return taken < 32 ? undefined : `${Math.round(taken)} MiB are taken before they are read`;
    },
  },
];

/** Nobody may wait for longer than this for a socket that is no longer wanted. */
async function staysOpen(server: FaultServer): Promise<string | undefined> {
  const patience = new AbortController();
  const late = after(2000, "the connection stays open", { signal: patience.signal });
  const outcome = await Promise.race([server.closed, late]);
  patience.abort();
  await late.catch(() => {});
  return outcome ?? undefined;
}

/** A figure that has not changed over several looks, or is far beyond all measure. */
async function standsStill(figure: () => number): Promise<number> {
  let last = -1;
  for (let same = 0; same < 5 && last < 512;) {
    await after(50);
    same = figure() === last ? same + 1 : 0;
    last = figure();
  }
  return last;
}
