import { broken, every, healthy, partial, reads, refused, streams, takesAtMost, unnoticed, type Case } from "./case.ts";
import type { Reply } from "./fault-server.ts";
import {
  done,
  failure,
  finish,
  first,
  messageReason,
  messageStart,
  messageStream,
  messageText,
  sse,
  text,
  textPiece,
  thought,
  tool,
  toolPiece,
  toolStart,
} from "./wire.ts";

type Stream = (typeof streams)[number];

/** The same answer in the words of each endpoint. */
const dialects: Record<Stream, { opening: readonly string[]; word: (content: string) => string; end: string }> = {
  stream: { opening: [first], word: text, end: finish() },
  fetchStream: { opening: [first], word: text, end: finish() },
  messagesStream: { opening: messageStart, word: messageText, end: messageReason() },
  completeStream: { opening: [textPiece("")], word: textPiece, end: textPiece("", "stop") },
};

const quiet = { quiet: true } as const;
const comment = ": keep-alive\n\n";
const trace = { traceId: "trace-of-the-server" };

/** The ways of dying under HTTP 200 that all streams share. None of them may end as a success. */
function deaths(target: Stream): Case[] {
  const { opening, word, end } = dialects[target];
  const targets = [target];
  const begun = [...opening, word("Hel")];
  const after = (
    row: number,
    fault: string,
    ending: string[],
    throws: object,
    more: Partial<Case> & Reply = {},
  ): Case => {
    const { then, forever, everyMs, times, ...rest } = more;
    const reply: Reply = { headers: sse, body: [...begun, ...ending], ...(then && { then }) };
    if (forever !== undefined) Object.assign(reply, { forever, everyMs, times });
    return { row, fault, targets, replies: [reply], throws: { ...partial("Hel"), ...throws }, requests: 1, ...rest };
  };
  const cut = { name: "StreamError", reason: "truncated", ...trace };
  const failed = { name: "StreamError", ...trace };
  return [
    ...unnoticed(23, "reset before the first token", targets, [{ headers: sse, then: "reset" }]),
    after(24, "reset after the first token", [], { name: "StreamError", reason: "reset", ...trace }, { then: "reset" }),
    ...unnoticed(25, "silence before the first token", targets, [{ headers: sse, then: "open" }], quiet),
    after(26, "silence between tokens", [], { name: "TimeoutError", phase: "idle" }, { then: "open", ...quiet }),
    ...[comment, `${comment}event: ping\ndata:\n\n`].map((forever): Case => ({
      row: 27,
      fault: forever === comment ? "nothing but comments" : "nothing but comments and pings",
      targets,
      replies: [{ headers: sse, forever, everyMs: 20 }],
      throws: { name: "TimeoutError", phase: "firstByte" },
      requests: 1,
      maxRetries: 0,
      ...quiet,
    })),
    after(
      27,
      "nothing but comments after the first token",
      [],
      { name: "TimeoutError", phase: "idle" },
      { forever: comment, everyMs: 20, ...quiet },
    ),
    after(28, "the end without a finish reason and without [DONE]", [], cut),
    after(28, "[DONE] without a finish reason", [done], cut),
    after(28, "the connection closed in the middle of the body", [], failed, { then: "close" }),
    reads(29, "a finish reason, but no [DONE]", [...begun, end], { text: "Hel" }, { targets }),
    reads(
      30,
      "more data after [DONE]",
      [...begun, end, done, word(" more"), "data: {broken\n\n"],
      { text: "Hel" },
      { targets },
    ),
    after(31, "an error as a raw line of JSON", [`${failure(60000, "upstream went away")}\n\n`], failed, {
      says: /upstream went away/,
    }),
    after(
      32,
      "an error as a data event",
      [`data: ${failure(50505, "Model service overloaded.")}\n\n`],
      { ...failed, reason: "overloaded" },
      { says: /overloaded/ },
    ),
    after(33, "an error envelope", ['data: {"error":{"message":"the model crashed","code":500}}\n\n'], failed, {
      says: /the model crashed/,
    }),
    after(33, "an event named error", ['event: error\ndata: {"message":"the model crashed"}\n\n'], failed, {
      says: /the model crashed/,
    }),
    after(
      34,
      "JSON cut in the middle of an event",
      ['data: {"type":"content_block_delta","choices":[{"text":"a secret plan\n\n', end, done],
      { ...failed, reason: "malformed" },
      { hides: /secret plan/ },
    ),
    {
      row: 37,
      fault: "one line of 64 MiB, from the start",
      targets,
      replies: [{ headers: sse, body: "data: ", forever: "x".repeat(256 * 1024), times: 256 }],
      throws: { name: "InvalidResponseError", reason: "tooLarge" },
      requests: 1,
      check: takesAtMost(40),
      alone: true,
    },
    after(
      37,
      "one line of 64 MiB, after the first token",
      ['data: {"choices":[{"delta":{"content":"'],
      { name: "StreamError", reason: "tooLarge" },
      { forever: "x".repeat(256 * 1024), times: 256, check: takesAtMost(40), alone: true },
    ),
    after(
      22,
      "a stream beyond the limit of size",
      [],
      // How much of the text was taken before the limit depends on the packets.
      { name: "StreamError", reason: "tooLarge", partial: {} },
      {
        forever: word("lo".repeat(8192)),
        maxBytes: 256 * 1024,
        check: takesAtMost(40),
        oursOnly: "it has no limit of size",
      },
    ),
  ];
}

export const dyingStreams: readonly Case[] = [
  ...streams.flatMap(deaths),
  refused(
    23,
    "every connection is reset before the first byte",
    {},
    { reason: "reset", retryable: true, attempts: 2 },
    { way: { toClient: { resetAfterBytes: 0 } }, maxRetries: 1, requests: 2 },
  ),
  ...unnoticed(29, "the connection is closed long after the answer", streams, [], {
    way: { toClient: { slowCloseMs: 400 } },
  }),
  ...unnoticed(
    23,
    "reset before the first byte",
    every.filter((target) => !streams.some((name) => name === target)),
    [{ then: "reset" }],
  ),
  ...unnoticed(23, "reset before the first byte of sound", ["speakStream"], [{ then: "reset" }]),
  ...(
    [
      [24, "a reset after the first bytes of sound", { then: "reset" }, { reason: "reset" }],
      [26, "silence between bytes of sound", { then: "open" }, { name: "TimeoutError", phase: "idle" }],
      [28, "sound that ends without its end", { then: "close" }, { reason: "truncated" }],
      [28, "less sound than announced", { headers: { "content-length": "9" }, then: "close" }, { reason: "truncated" }],
    ] as const
  ).map(
    // What has been handed on cannot be taken back.
    ([row, fault, reply, throws]): Case => ({
      row,
      fault,
      targets: ["speakStream"],
      replies: [{ body: Uint8Array.of(0xff, 0xfb, 0), ...reply }, healthy.speakStream],
      throws,
      requests: 1,
      quiet: true,
    }),
  ),
  broken(
    26,
    "silence between tokens, after a thought",
    [first, thought("Let me"), text("Hel")],
    { name: "TimeoutError", phase: "idle", ...partial("Hel", { reasoning_content: "Let me" }) },
    { then: "open", quiet: true },
  ),
  broken(
    28,
    "the end in the middle of a tool call",
    [first, tool({ index: 0, id: "call_1", type: "function", function: { name: "weather", arguments: '{"ci' } })],
    {
      name: "StreamError",
      reason: "truncated",
      ...partial("", { tool_calls: [{ function: { name: "weather", arguments: '{"ci' } }] }),
    },
  ),
  broken(
    28,
    "the end in the middle of a tool call",
    [...messageStart, toolStart, toolPiece('{"ci')],
    { reason: "truncated", ...partial("", { tool_calls: [{ function: { name: "weather", arguments: '{"ci' } }] }) },
    { targets: ["messagesStream"] },
  ),
  reads(
    29,
    "message_stop, but no [DONE]",
    messageStream("Hello").slice(0, -1),
    { text: "Hello" },
    { targets: ["messagesStream"] },
  ),
  reads(
    29,
    "[DONE], but no message_stop",
    [...messageStream("Hello").slice(0, -2), done],
    { text: "Hello" },
    { targets: ["messagesStream"] },
  ),
  reads(
    30,
    "more data after message_stop",
    [...messageStream("Hello"), messageText(" more"), "data: {broken\n\n"],
    { text: "Hello" },
    { targets: ["messagesStream"] },
  ),
  {
    row: 30,
    fault: "the connection is used again after data that follows [DONE]",
    targets: ["stream"],
    replies: [{ headers: sse, body: [first, text("Hello"), finish(), done, text("more")] }],
    calls: 3,
    returns: { text: "Hello" },
    requests: 3,
    check({ server }) {
      const count = new Set(server.requests.map(({ connection }) => connection)).size;
      return count === 1 ? undefined : `${count} connections for 3 calls`;
    },
  },
  broken(
    33,
    "an error event as Anthropic's API words it",
    [...messageStart, messageText("Hel"), 'event: error\ndata: {"type":"error","error":{"message":"Overloaded"}}\n\n'],
    { name: "StreamError", reason: "overloaded", ...partial("Hel") },
    { targets: ["messagesStream"] },
  ),
  ...(["stream", "messagesStream", "completeStream"] as const).flatMap((target): Case[] => {
    const instead =
      healthy[({ stream: "invoke", messagesStream: "messages", completeStream: "complete" } as const)[target]];
    const indented = { body: JSON.stringify(JSON.parse(instead.body as string), null, 2) };
    return [instead, indented].map((reply, which) => ({
      row: 38,
      fault: `${which ? "indented " : ""}JSON in place of the stream`,
      targets: target === "stream" ? ["stream", "fetchStream"] : [target],
      replies: [reply],
      returns: { text: "Hello there" },
      requests: 1,
    }));
  }),
  ...(["invoke", "messages", "complete"] as const).flatMap((target): Case[] => {
    const instead = ({ invoke: "stream", messages: "messagesStream", complete: "completeStream" } as const)[target];
    const { opening, word } = dialects[instead];
    const targets = target === "invoke" ? (["invoke", "fetch"] as const) : [target];
    return [
      {
        row: 39,
        fault: "a stream in place of JSON",
        targets,
        replies: [healthy[instead]],
        returns: { text: "Hello there" },
        requests: 1,
      },
      {
        row: 39,
        fault: "a stream in place of JSON, cut in the middle",
        targets,
        replies: [{ headers: sse, body: [...opening, word("Hel")] }],
        throws: { name: "StreamError", reason: "truncated", ...partial("Hel") },
        requests: 1,
      },
    ];
  }),
];
