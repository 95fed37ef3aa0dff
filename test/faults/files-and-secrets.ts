import { setTimeout as after } from "node:timers/promises";
import { inspect } from "node:util";
import { broken, healthy, refused, stream, type Case } from "./case.ts";
import type { Reply } from "./fault-server.ts";
import { asksForModel, keepsItsShare } from "./own-clients.ts";
import { completion, done, finish, first, limited, message, sse, text, tool } from "./wire.ts";

const dayMs = 86_400_000;
const insideAddress = "http://169.254.169.254/latest/meta-data/role.png";

/** A connection that left this machine was tried, and stopped by the tests' own guard. */
const isRefused = (error: Error): boolean => /ERR_NETWORK_REFUSED|NetworkRefused/.test(inspect(error, { depth: 8 }));

export const filesAndSecrets: readonly Case[] = [
  {
    row: 63,
    fault: "an address of the machine's own network is handed on, and asked by nobody here",
    targets: ["invoke", "stream"],
    replies: [({ stream: streamed }) => (streamed ? healthy.stream : healthy.invoke)],
    async run({ subject, target, setup, server }) {
      const ended = await subject.make[target]!(setup)({ image: insideAddress }).catch((error: unknown) => error);
      // Who fetches pictures itself is right to refuse this one.
      if (!subject.ours && ended instanceof Error) return isRefused(ended) ? "asks for it" : undefined;
      const sent = JSON.stringify(server.requests[0]?.body ?? "");
      return sent.includes(insideAddress) ? undefined : `not handed on: ${String(ended)}`;
    },
  },
  {
    row: 63,
    fault: "an address that names a file",
    targets: ["invoke", "stream"],
    image: "file:///etc/passwd",
    replies: [({ stream: streamed }) => (streamed ? healthy.stream : healthy.invoke)],
    throws: { name: "InvalidInputError" },
    requests: 0,
  },

  {
    row: 64,
    fault: "the key in the model itself: in its text, its JSON, what is inspected, traces and cache keys",
    targets: [],
    elsewhere: { file: "packages/chat/src/serialization.test.ts", test: "is in no text of the model" },
  },
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
  ...(
    [
      ["the name __proto__", '{"__proto__":{"polluted":true},"city":"Lima"}'],
      ["constructor.prototype", '{"constructor":{"prototype":{"polluted":true}}}'],
      ["nesting of 100,000 levels", `{"city":${"[".repeat(100_000)}${"]".repeat(100_000)}}`],
      ["a text of 10 MB", JSON.stringify({ city: "x".repeat(10_000_000) })],
    ] as const
  ).flatMap(([fault, args]): Case[] =>
    (["invoke", "stream", "messages"] as const).map((target): Case => ({
      row: 65,
      fault: `arguments with ${fault}`,
      targets: [target],
      replies: [toolCall(target, args)],
      // Read as text they make the call invalid; as an object that cannot be written again, the answer.
      ...(target === "messages" && args.includes("[[")
        ? { throws: { name: "InvalidResponseError", reason: "malformed", attempts: 1 } }
        : { returns: { toolCalls: [], invalidToolCalls: ["weather"] } }),
      requests: 1,
      ...(!args.startsWith('{"city"') && { theirs: polluted }),
      check: polluted,
    })),
  ),
  ...["__proto__", "constructor", "toString"].map((model): Case => ({
    row: 65,
    fault: `a model that is called ${model}`,
    targets: ["invoke"],
    replies: [{ status: 429, headers: { "retry-after": "0" }, body: limited("TPM") }, healthy.invoke],
    oursOnly: "it keeps nothing by the names of models",
    run: ({ setup, server }) => asksForModel(model, setup, server),
  })),
  {
    row: 66,
    fault: "kill -9 while documents are embedded: the next run goes on, and pays nothing twice",
    targets: [],
    elsewhere: { file: "test/demo/resume.test.ts", test: "a killed run goes on where it stopped" },
  },
  {
    row: 66,
    fault: "the store of a shared limiter is down: no more than the local share is sent",
    targets: ["invoke"],
    replies: [healthy.invoke],
    oursOnly: "it takes no limiter",
    run: ({ setup, server }) => keepsItsShare(setup, server),
  },
  {
    row: 66,
    fault: "the clock is set back a day while a limit is waited for",
    targets: ["invoke"],
    alone: true,
    replies: [{ status: 429, headers: { "retry-after": "1" }, body: limited("RPM") }, healthy.invoke],
    async run({ subject, setup }) {
      const { now } = Date;
      try {
        const call = subject.make.invoke!(setup)();
        // Between the refusal and the end of the wait.
        await after(500);
        Date.now = () => now() - dayMs;
        const outcome = await Promise.race([call, after(8000, "waits for the clock")]);
        return typeof outcome === "string" ? outcome : undefined;
      } finally {
        Date.now = now;
      }
    },
  },
  {
    row: 66,
    fault: "the clock jumps a day ahead and two days back during an answer",
    targets: ["stream"],
    quiet: true,
    alone: true,
    replies: [{ headers: sse, body: [first, text("Hel")], forever: text("lo"), everyMs: 20 }],
    async run({ subject, setup }) {
      const { now } = Date;
      let pieces = 0;
      try {
        for await (const piece of subject.read(setup)()) {
          pieces += piece ? 1 : 0;
          const jump = pieces % 2 ? dayMs : -dayMs;
          Date.now = () => now() + jump;
          if (pieces === 6) break;
        }
      } finally {
        Date.now = now;
      }
      return undefined;
    },
  },
];

/** A name among others is no harm by itself; a prototype that answers to it is. */
function polluted(): string | undefined {
  return "polluted" in {} ? "every object is polluted" : undefined;
}

/** A tool call with these arguments, however the target answers. */
function toolCall(target: "invoke" | "stream" | "messages", args: string): Reply {
  const call = { index: 0, id: "call_1", type: "function", function: { name: "weather", arguments: args } };
  if (target === "invoke") return { body: completion({ content: "", tool_calls: [call] }, "tool_calls") };
  if (target === "messages") {
    const head = message([{ type: "tool_use", id: "call_1", name: "weather", input: {} }], "tool_use");
    return { body: head.replace('"input":{}', () => `"input":${args}`) };
  }
  const pieces = (args.match(/[^]{1,100000}/g) ?? []).map((piece, index) =>
    tool(
      index === 0
        ? { ...call, function: { name: "weather", arguments: piece } }
        : { index: 0, function: { arguments: piece } },
    ),
  );
  return stream(first, ...pieces, finish("tool_calls"), done);
}
