import type { Reply } from "./fault-server.js";
import {
  completion,
  done,
  event,
  failure,
  finish,
  first,
  limited,
  message,
  messageReason,
  messageStart,
  messageStream,
  messageText,
  ranking,
  sse,
  text,
  textCompletion,
  textPiece,
  thought,
  tool,
  toolPiece,
  toolStart,
  usage,
  vectors,
} from "./wire.js";

/** Adapters, and for models their two ways of answering; `messages` and `complete` are the other two endpoints of models. */
export type Target =
  | "invoke"
  | "stream"
  | "messages"
  | "messagesStream"
  | "complete"
  | "completeStream"
  | "embed"
  | "rerank";

/** What the user sees at the end of a call that succeeds; only the fields that matter to the case are named. */
export interface Seen {
  text?: string;
  reasoning?: string;
  blocks?: string[];
  toolCalls?: { name: string; args: Record<string, unknown> }[];
  invalidToolCalls?: string[];
  usage?: { input_tokens: number; output_tokens: number; total_tokens: number };
  finishReason?: string;
  vectors?: number[][];
  ranking?: { index: number; relevanceScore: number }[];
}

export interface Case {
  /** Number of the fault: cases of one number belong together. */
  row: number;
  fault: string;
  targets: readonly Target[];
  replies: readonly (Reply | ((body: Record<string, unknown>) => Reply))[];
  /** Either what is returned, or what is thrown. */
  returns?: Seen;
  throws?: Record<string, unknown>;
  /** Requests that reach the server. */
  requests: number;
  maxRetries?: number;
  /** The message must say this … */
  says?: RegExp;
  /** … and must not repeat this. */
  hides?: RegExp;
}

const adapters = ["invoke", "stream", "embed", "rerank"] as const;
const otherStreams = ["messagesStream", "completeStream"] as const;
const every = [...adapters, "messages", "complete", ...otherStreams] as const;

const stream = (...body: (string | Uint8Array)[]): Reply => ({ headers: sse, body });
const healthy: Record<Target, Reply> = {
  stream: stream(first, text("Hello"), text(" there"), finish(), done),
  invoke: { body: completion({ content: "Hello there" }) },
  messages: { body: message([{ type: "text", text: "Hello there" }]) },
  messagesStream: stream(...messageStream("Hello", " there")),
  complete: { body: textCompletion("Hello there") },
  completeStream: stream(textPiece("Hello"), textPiece(" there"), textPiece("", "stop"), done),
  embed: {
    body: vectors([
      [1, 0],
      [0, 1],
    ]),
  },
  rerank: {
    body: ranking([
      { index: 1, relevance_score: 0.9 },
      { index: 0, relevance_score: 0.5 },
      { index: 2, relevance_score: 0.1 },
    ]),
  },
};
const answers: Record<Target, Seen> = {
  stream: { text: "Hello there" },
  invoke: { text: "Hello there" },
  messages: { text: "Hello there" },
  messagesStream: { text: "Hello there" },
  complete: { text: "Hello there" },
  completeStream: { text: "Hello there" },
  embed: {
    vectors: [
      [1, 0],
      [0, 1],
    ],
  },
  rerank: {
    ranking: [
      { index: 1, relevanceScore: 0.9 },
      { index: 0, relevanceScore: 0.5 },
      { index: 2, relevanceScore: 0.1 },
    ],
  },
};

/** The fault first, then the healthy answer of each target: the user must not notice. */
const unnoticed = (row: number, fault: string, targets: readonly Target[], ...faults: Reply[]): Case[] =>
  targets.map((target) => ({
    row,
    fault,
    targets: [target],
    replies: [...faults, healthy[target]],
    returns: answers[target],
    requests: faults.length + 1,
  }));

const refused = (
  row: number,
  fault: string,
  reply: Reply,
  throws: Record<string, unknown>,
  more: Partial<Case> = {},
): Case => ({
  row,
  fault,
  targets: every,
  replies: [reply],
  throws,
  requests: 1,
  ...more,
});

const broken = (
  row: number,
  fault: string,
  body: (string | Uint8Array)[],
  throws: Record<string, unknown>,
  more: Partial<Case> & { then?: Reply["then"] } = {},
): Case => {
  const { then = "end", ...rest } = more;
  return { row, fault, targets: ["stream"], replies: [{ headers: sse, body, then }], throws, requests: 1, ...rest };
};

const reads = (
  row: number,
  fault: string,
  body: (string | Uint8Array)[],
  returns: Seen,
  more: Partial<Case> = {},
): Case => ({
  row,
  fault,
  targets: ["stream"],
  replies: [stream(...body)],
  returns,
  requests: 1,
  ...more,
});

const returned = (
  row: number,
  fault: string,
  message: Record<string, unknown>,
  reason: string,
  returns: Seen,
): Case => ({
  row,
  fault,
  targets: ["invoke"],
  replies: [{ body: completion(message, reason) }],
  returns,
  requests: 1,
});

const retryNow = { "retry-after": "0" };
const bytes = (source: string): Uint8Array => new TextEncoder().encode(source);
const split = (source: string, size: number): Uint8Array[] => {
  const whole = bytes(source);
  return Array.from({ length: Math.ceil(whole.length / size) }, (_, index) =>
    whole.subarray(index * size, (index + 1) * size),
  );
};
const partial = (content: string, more: Record<string, unknown> = {}): { partial: Record<string, unknown> } => ({
  partial: { content, ...more },
});
const float32 = (...numbers: number[]): string => Buffer.from(new Float32Array(numbers).buffer).toString("base64");
const call = { id: "call_1", type: "function", function: { name: "weather", arguments: '{"city":"Lima"}' } };
const lima = [{ name: "weather", args: { city: "Lima" } }];

/** What breaks a chat stream, in the words of another endpoint. */
function brokenStreams(target: (typeof otherStreams)[number]): Case[] {
  const opening = target === "messagesStream" ? [...messageStart] : [textPiece("")];
  const word = target === "messagesStream" ? messageText : textPiece;
  const end = target === "messagesStream" ? messageReason() : textPiece("", "stop");
  const targets = [target];
  const begun = [...opening, word("Hel")];
  const cut = { name: "StreamError", reason: "truncated", ...partial("Hel") };
  return [
    broken(
      24,
      "reset after the first token",
      begun,
      { name: "StreamError", reason: "reset", ...partial("Hel") },
      {
        then: "reset",
        targets,
      },
    ),
    ...unnoticed(25, "silence before the first token", targets, { headers: sse, then: "open" }),
    broken(
      26,
      "silence between tokens",
      begun,
      { name: "TimeoutError", phase: "idle", ...partial("Hel") },
      {
        then: "open",
        targets,
      },
    ),
    {
      row: 27,
      fault: "nothing but comments and pings, for ever",
      targets,
      replies: [{ headers: sse, forever: ': keep-alive\n\nevent: ping\ndata: {"type":"ping"}\n\n', everyMs: 20 }],
      throws: { name: "TimeoutError", phase: "firstByte" },
      requests: 1,
      maxRetries: 0,
    },
    broken(28, "the end without a reason and without [DONE]", begun, cut, { targets }),
    broken(28, "[DONE] without a reason", [...begun, done], cut, { targets }),
    reads(29, "a reason, but no [DONE]", [...begun, end], { text: "Hel", finishReason: "stop" }, { targets }),
    broken(
      31,
      "an error as a raw line of JSON",
      [...begun, `${failure(60000, "upstream went away")}\n\n`],
      { name: "StreamError", ...partial("Hel") },
      { says: /upstream went away/, targets },
    ),
    broken(
      32,
      "an error as a data event",
      [...begun, `data: ${failure(50505, "Model service overloaded.")}\n\n`],
      { name: "StreamError", reason: "overloaded", ...partial("Hel") },
      { says: /overloaded/, targets },
    ),
    broken(
      33,
      "an error envelope as a data event",
      [...begun, 'data: {"error":{"message":"the model crashed","code":500}}\n\n'],
      { name: "StreamError", ...partial("Hel") },
      { says: /the model crashed/, targets },
    ),
    broken(
      34,
      "JSON cut in the middle of an event",
      [...begun, 'data: {"type":"content_block_delta","choices":[{"text":"a secret plan\n\n', end, done],
      { name: "StreamError", reason: "malformed", ...partial("Hel") },
      { hides: /secret plan/, targets },
    ),
  ];
}

export const matrix: readonly Case[] = [
  // Connection
  ...unnoticed(10, "headers never come", adapters, { silent: true }),
  refused(
    10,
    "headers never come, no try is left",
    { silent: true },
    { name: "TimeoutError", phase: "firstByte", retryable: true },
    { maxRetries: 0, targets: adapters },
  ),

  // Bodies
  ...unnoticed(14, "200 with an empty body, once", ["invoke", "messages", "complete", "embed", "rerank"], { body: "" }),
  ...unnoticed(14, "200 and nothing but the end of the stream, once", ["stream", ...otherStreams], {
    headers: sse,
    body: "",
  }),
  refused(14, "200 with an empty body, always", { body: "" }, { reason: "empty" }, { maxRetries: 1, requests: 2 }),
  refused(
    15,
    "200 with the HTML of a captive portal",
    {
      headers: { "content-type": "text/html" },
      body: "<html><head><title>Wi-Fi</title></head><body><p>Please log in</p></body></html>",
    },
    { name: "InvalidResponseError", reason: "notJson" },
    { says: /Please log in/, hides: /<p>|<html>/ },
  ),
  refused(
    16,
    "200 with an error in the body",
    { body: failure(20012, "Model does not exist. Please check it carefully.") },
    { code: 20012, traceId: "trace-of-the-server" },
    { says: /Model does not exist/ },
  ),
  refused(
    16,
    "200 with a busy error in the body",
    { body: failure(50505, "Model service overloaded. Please try again later.") },
    { name: "ServiceUnavailableError", code: 50505 },
    { maxRetries: 0 },
  ),
  {
    row: 17,
    fault: "200 without choices",
    targets: ["invoke"],
    replies: [{ body: '{"id":"1","object":"chat.completion","choices":[]}' }],
    throws: { name: "InvalidResponseError", reason: "malformed" },
    requests: 1,
  },
  {
    row: 17,
    fault: "200 with a choice that has no message",
    targets: ["invoke"],
    replies: [{ body: '{"id":"1","choices":[{"index":0,"finish_reason":"stop"}]}' }],
    throws: { name: "InvalidResponseError", reason: "malformed" },
    requests: 1,
  },
  {
    row: 17,
    fault: "200 without a text",
    targets: ["complete"],
    replies: [{ body: '{"id":"1","object":"text_completion","choices":[{"index":0}]}' }],
    throws: { name: "InvalidResponseError", reason: "malformed" },
    requests: 1,
  },
  {
    row: 17,
    fault: "200 without content",
    targets: ["messages"],
    replies: [{ body: '{"id":"1","type":"message","role":"assistant","stop_reason":"end_turn"}' }],
    throws: { name: "InvalidResponseError", reason: "malformed" },
    requests: 1,
  },
  refused(
    18,
    "401 with a JSON string",
    { status: 401, body: '"Invalid token"' },
    { name: "AuthenticationError", status: 401, reason: "auth" },
    { says: /Invalid token/ },
  ),
  refused(
    18,
    "403 with plain text",
    { status: 403, headers: { "content-type": "text/plain" }, body: "Forbidden" },
    { name: "PermissionDeniedError", status: 403, reason: "permission" },
    { says: /Forbidden/ },
  ),
  refused(
    18,
    "404 with a JSON string",
    { status: 404, body: '"404 page not found"' },
    { name: "NotFoundError", status: 404, reason: "notFound" },
    { says: /page not found/ },
  ),
  refused(18, "400 with an empty body", { status: 400, body: "" }, { name: "BadRequestError", status: 400 }),
  refused(
    18,
    "400 with an error envelope",
    { status: 400, body: '{"error":{"message":"no such field","code":"20099"}}' },
    { name: "BadRequestError", status: 400 },
    { says: /no such field/ },
  ),
  refused(
    18,
    "503 with an empty body",
    { status: 503, body: "" },
    { name: "ServiceUnavailableError", status: 503 },
    { maxRetries: 0 },
  ),

  // Streams that die
  ...unnoticed(23, "reset before the first token", ["stream", ...otherStreams], { headers: sse, then: "reset" }),
  ...unnoticed(23, "reset before the headers", ["invoke", "messages", "complete", "embed", "rerank"], {
    then: "reset",
  }),
  broken(
    24,
    "reset after the first token",
    [first, text("Hel")],
    { name: "StreamError", reason: "reset", traceId: "trace-of-the-server", ...partial("Hel") },
    { then: "reset" },
  ),
  ...unnoticed(25, "silence before the first token", ["stream"], { headers: sse, then: "open" }),
  broken(
    26,
    "silence between tokens",
    [first, thought("Let me"), text("Hel")],
    { name: "TimeoutError", phase: "idle", ...partial("Hel", { reasoning_content: "Let me" }) },
    { then: "open" },
  ),
  {
    row: 27,
    fault: "nothing but comments, for ever",
    targets: ["stream"],
    replies: [{ headers: sse, forever: ": keep-alive\n\n", everyMs: 20 }],
    throws: { name: "TimeoutError", phase: "firstByte" },
    requests: 1,
    maxRetries: 0,
  },
  {
    row: 27,
    fault: "nothing but comments after the first token, for ever",
    targets: ["stream"],
    replies: [{ headers: sse, body: [first, text("Hel")], forever: ": keep-alive\n\n", everyMs: 20 }],
    throws: { name: "TimeoutError", phase: "idle", ...partial("Hel") },
    requests: 1,
  },
  broken(28, "the end without a finish reason and without [DONE]", [first, text("Hel")], {
    name: "StreamError",
    reason: "truncated",
    ...partial("Hel"),
  }),
  broken(28, "[DONE] without a finish reason", [first, text("Hel"), done], {
    name: "StreamError",
    reason: "truncated",
    ...partial("Hel"),
  }),
  broken(
    28,
    "the connection closed in the middle of the body",
    [first, text("Hel")],
    { name: "StreamError", ...partial("Hel") },
    { then: "close" },
  ),
  broken(
    28,
    "the end in the middle of a tool call",
    [first, tool({ index: 0, ...call, function: { name: "weather", arguments: '{"ci' } })],
    {
      name: "StreamError",
      reason: "truncated",
      ...partial("", { tool_calls: [{ function: { name: "weather", arguments: '{"ci' } }] }),
    },
  ),
  reads(29, "a finish reason, but no [DONE]", [first, text("Hello"), finish()], {
    text: "Hello",
    finishReason: "stop",
  }),
  reads(30, "more data after [DONE]", [first, text("Hello"), finish(), done, text(" and more"), "data: {broken\n\n"], {
    text: "Hello",
  }),
  broken(
    31,
    "an error as a raw line of JSON",
    [first, text("Hel"), `${failure(60000, "upstream went away")}\n\n`],
    { name: "StreamError", ...partial("Hel") },
    { says: /upstream went away/ },
  ),
  broken(
    32,
    "an error as a data event",
    [first, text("Hel"), `data: ${failure(50505, "Model service overloaded.")}\n\n`],
    { name: "StreamError", reason: "overloaded", ...partial("Hel") },
    { says: /overloaded/ },
  ),
  broken(
    33,
    "an error envelope as a data event",
    [first, text("Hel"), 'data: {"error":{"message":"the model crashed","code":500}}\n\n'],
    { name: "StreamError", ...partial("Hel") },
    { says: /the model crashed/ },
  ),
  broken(
    33,
    "an event named error",
    [first, text("Hel"), 'event: error\ndata: {"message":"the model crashed"}\n\n'],
    { name: "StreamError", ...partial("Hel") },
    { says: /the model crashed/ },
  ),
  broken(
    34,
    "JSON cut in the middle of an event",
    [first, text("Hel"), 'data: {"choices":[{"delta":{"content":"a secret plan\n\n', finish(), done],
    { name: "StreamError", reason: "malformed", ...partial("Hel") },
    { hides: /secret plan/ },
  ),

  ...otherStreams.flatMap(brokenStreams),
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
    {
      targets: ["messagesStream"],
    },
  ),
  reads(
    29,
    "[DONE], but no message_stop",
    [...messageStream("Hello").slice(0, -2), done],
    { text: "Hello" },
    {
      targets: ["messagesStream"],
    },
  ),
  reads(
    30,
    "more data after message_stop",
    [...messageStream("Hello"), messageText(" more"), "data: {broken\n\n"],
    {
      text: "Hello",
    },
    { targets: ["messagesStream"] },
  ),
  broken(
    33,
    "an error event as Anthropic's API words it",
    [...messageStart, messageText("Hel"), 'event: error\ndata: {"type":"error","error":{"message":"Overloaded"}}\n\n'],
    { name: "StreamError", reason: "overloaded", ...partial("Hel") },
    { targets: ["messagesStream"] },
  ),

  // Streams that are only unusual
  reads(
    35,
    "characters split across packets",
    split(first + thought("深度思考") + text("求索🚀") + finish() + done, 3),
    { text: "求索🚀", reasoning: "深度思考" },
  ),
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

  // Limits and status
  ...unnoticed(46, "429 for requests per minute, without Retry-After", every, { status: 429, body: limited("RPM") }),
  refused(
    46,
    "429 for requests per minute, no try is left",
    { status: 429, body: limited("RPM") },
    { name: "RateLimitError", status: 429, limit: "RPM", retryable: true },
    { maxRetries: 0 },
  ),
  refused(
    49,
    "402 without balance",
    { status: 402, body: failure(30001, "Sorry, your account balance is insufficient") },
    { name: "InsufficientBalanceError", reason: "balance", retryable: false, code: 30001 },
  ),
  refused(
    49,
    "403 without balance",
    { status: 403, body: failure(30001, "Sorry, your account balance is insufficient") },
    { name: "InsufficientBalanceError", reason: "balance", status: 403 },
  ),
  refused(
    49,
    "429 that speaks of the balance",
    { status: 429, body: JSON.stringify({ message: "account balance is insufficient", data: null }) },
    { name: "InsufficientBalanceError", reason: "balance" },
  ),
  ...unnoticed(51, "503 busy", every, {
    status: 503,
    headers: retryNow,
    body: failure(50508, "System is too busy now. Please try again later."),
  }),
  ...unnoticed(51, "504 with HTML", every, {
    status: 504,
    headers: { ...retryNow, "content-type": "text/html" },
    body: "<html><h1>504 Gateway Time-out</h1></html>",
  }),
  ...unnoticed(51, "500 with code 60000", every, {
    status: 500,
    headers: retryNow,
    body: failure(60000, "unknown error"),
  }),
  ...unnoticed(
    51,
    "502 twice",
    every,
    { status: 502, headers: retryNow, body: "Bad Gateway" },
    { status: 502, headers: retryNow, body: "" },
  ),

  // Lists
  {
    row: 57,
    fault: "vectors in another order",
    targets: ["embed"],
    replies: [
      {
        body: vectors([
          { index: 1, embedding: [0, 1] },
          { index: 0, embedding: [1, 0] },
        ]),
      },
    ],
    returns: answers.embed,
    requests: 1,
  },
  {
    row: 57,
    fault: "vectors with a missing row, once: it is asked for again alone",
    targets: ["embed"],
    replies: [{ body: vectors([[1, 0]]) }, { body: vectors([[0, 1]]) }],
    returns: answers.embed,
    requests: 2,
  },
  ...(
    [
      "no rows",
      "a duplicated index",
      "an index out of range",
      "a negative index",
      "an index that is not whole",
    ] as const
  ).map((fault, which): Case => {
    const rows = [
      [],
      [{ index: 0 }, { index: 0 }],
      [{ index: 0 }, { index: 7 }],
      [{ index: 0 }, { index: -1 }],
      [{ index: 0 }, { index: 0.5 }],
    ][which]!;
    return {
      row: 57,
      fault: `vectors with ${fault}, always`,
      targets: ["embed"],
      replies: [{ body: vectors(rows) }],
      throws: { retryable: false },
      requests: 2,
    };
  }),
  ...(
    [
      ["a null", [1, null]],
      ["a number as text", [1, "2"]],
      ["another length", [1, 2, 3]],
      ["no numbers at all", []],
      ["nothing but zeros", [0, 0]],
    ] as const
  ).map(([fault, bad]): Case => ({
    row: 58,
    fault: `a vector with ${fault}, always`,
    targets: ["embed"],
    replies: [(body) => ({ body: vectors((body["input"] as unknown[]).length === 2 ? [[1, 2], bad] : [bad]) })],
    throws: { retryable: false },
    requests: 2,
    says: /1/,
  })),
  {
    row: 58,
    fault: "base64 whose length is no multiple of four",
    targets: ["embed"],
    replies: [{ body: vectors([[1, 0], { embedding: Buffer.from([1, 2, 3, 4, 5]).toString("base64") }]) }],
    throws: { retryable: false },
    requests: 2,
  },
  {
    row: 58,
    fault: "base64 that holds a number that is not finite",
    targets: ["embed"],
    replies: [{ body: vectors([{ embedding: float32(1, 0) }, { embedding: float32(1, Number.NaN) }]) }],
    throws: { retryable: false },
    requests: 2,
  },
  {
    row: 58,
    fault: "vectors in base64",
    targets: ["embed"],
    replies: [{ body: vectors([{ embedding: float32(1, 0) }, { embedding: float32(0, 1) }]) }],
    returns: answers.embed,
    requests: 1,
  },
  {
    row: 59,
    fault: "no results at all",
    targets: ["rerank"],
    replies: [{ body: ranking([]) }],
    returns: { ranking: [] },
    requests: 1,
  },
  ...(
    [
      ["an index out of range", { index: 9, relevance_score: 0.1 }],
      ["a negative index", { index: -1, relevance_score: 0.1 }],
      ["a duplicate", { index: 1, relevance_score: 0.1 }],
      ["a score that is null", { index: 2, relevance_score: null }],
      ["a score as text", { index: 2, relevance_score: "0.1" }],
    ] as const
  ).map(([fault, bad]): Case => ({
    row: 59,
    fault: `a ranking with ${fault}`,
    targets: ["rerank"],
    replies: [{ body: ranking([{ index: 1, relevance_score: 0.9 }, { index: 0, relevance_score: 0.5 }, bad]) }],
    throws: { name: "InvalidResponseError", position: 2 },
    requests: 1,
  })),
  {
    row: 59,
    fault: "a ranking with fewer results than documents",
    targets: ["rerank"],
    replies: [{ body: ranking([{ index: 1, relevance_score: 0.9 }]) }],
    throws: { name: "InvalidResponseError" },
    requests: 1,
  },

  // Secrets
  refused(
    64,
    "an error that repeats the key",
    { status: 401, body: JSON.stringify("Invalid token: sk-canary-key") },
    { name: "AuthenticationError" },
    { hides: /sk-canary/ },
  ),
  refused(
    64,
    "an answer of HTML that repeats the key",
    { body: "<html>Bearer sk-canary-key</html>" },
    { reason: "notJson" },
    { hides: /sk-canary/ },
  ),
  broken(
    64,
    "an event that repeats the key",
    [first, 'data: {"error":{"message":"bad key sk-canary-key"}}\n\n'],
    { name: "StreamError" },
    { hides: /sk-canary/ },
  ),
];
