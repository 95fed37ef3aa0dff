import { AIMessage, AIMessageChunk } from "@langchain/core/messages";
import * as wire from "../faults/wire.ts";
import type { Reply } from "../faults/fault-server.ts";
import { brief, defect, mustFail, onBothPaths, streamed, whenAnswered, type Defect } from "./scenario.ts";

const { done, event, finish, first, sse, text, thought, tool } = wire;
const stream = (...body: string[]): Reply[] => [{ headers: sse, body }];
const three = (usage: { prompt_tokens?: number; completion_tokens?: number; total_tokens?: number } | undefined) =>
  `${usage?.prompt_tokens}/${usage?.completion_tokens}/${usage?.total_tokens}`;

/** A stream in which every chunk says the usage so far, as the service's do. */
const counted = stream(first, text("A"), text("B"), text("C"), finish(), done);

type Answer = AIMessage | AIMessageChunk;

const usageDefects: Defect[] = [
  ...onBothPaths(
    "usage",
    "response_metadata.usage of cumulative counts",
    counted,
    whenAnswered<Answer>(({ response_metadata }) => {
      const usage = response_metadata["usage"] as Parameters<typeof three>[0] & object;
      // A view without this copy is no wrong number.
      if (usage === undefined || Object.keys(usage).length === 0) return undefined;
      return three(usage) === "10/5/15" ? undefined : `wrong usage ${three(usage)}`;
    }),
  ),
  ...onBothPaths(
    "usage",
    "usage_metadata of cumulative counts",
    counted,
    whenAnswered<Answer>(({ usage_metadata: usage }) => {
      const seen = `${usage?.input_tokens}/${usage?.output_tokens}/${usage?.total_tokens}`;
      return seen === "10/5/15" ? undefined : `wrong usage ${seen}`;
    }),
  ),
  defect({
    group: "usage",
    name: "usage events of v3 add up to the bill",
    replies: counted,
    async call({ model }) {
      let sum = 0;
      for await (const each of model().streamEvents("Well?"))
        if (each.event === "usage") sum += each.usage?.total_tokens ?? 0;
      return sum;
    },
    judge: whenAnswered((sum) => (sum === 15 ? undefined : `they add up to ${sum}, not 15`)),
  }),
  defect({
    group: "usage",
    name: "usage of invoke with streaming: true, for callbacks",
    replies: counted,
    async call({ model }) {
      let seen: Record<string, unknown> | undefined;
      await model({ streaming: true }).invoke("Well?", {
        callbacks: [{ awaitHandlers: true, handleLLMEnd: (output) => void (seen = output.llmOutput) }],
      });
      return seen;
    },
    judge(outcome, scene) {
      if (scene.foreign.length > 0)
        return `asks ${scene.foreign[0]} for a tokenizer${"hangs" in outcome ? ", hangs" : ""}`;
      return whenAnswered<Record<string, unknown> | undefined>((output) => {
        const usage = output?.["tokenUsage"] as { totalTokens?: number } | undefined;
        return usage?.totalTokens === 15 ? undefined : `llmOutput ${brief(JSON.stringify(output))}`;
      })(outcome, scene);
    },
  }),
];

const once = (message: Answer): string | undefined => {
  const { finish_reason: reason, model_name: name } = message.response_metadata as Record<string, string | undefined>;
  if (reason !== "stop") return `finish_reason "${reason}"`;
  if (name !== undefined && name !== "Qwen/Qwen3-8B") return `model_name "${brief(name)}"`;
  return undefined;
};

const mergeDefects: Defect[] = [
  ...onBothPaths(
    "stream",
    "finish_reason in two chunks",
    stream(first, text("A"), finish(), finish(), done),
    whenAnswered(once),
  ),
  ...onBothPaths(
    "stream",
    'finish_reason "" until the end',
    stream(
      event({ role: "assistant", content: "" }, ""),
      event({ content: "A" }, ""),
      event({ content: "B" }, ""),
      finish(),
      done,
    ),
    whenAnswered(once),
  ),
  ...onBothPaths("stream", 'finish_reason "eos"', stream(first, text("A"), finish("eos"), done), whenAnswered(once)),
];

/** Checks that a message carries exactly these calls, as an AI message. */
const calls = (...expected: [name: string, args: Record<string, unknown>][]) =>
  whenAnswered<Answer>((message) => {
    if (message === undefined) return "no message";
    if (!AIMessage.isInstance(message) && !AIMessageChunk.isInstance(message))
      return `${(message as object).constructor.name}, calls gone`;
    const invalid = message.invalid_tool_calls?.length ?? 0;
    const got = (message.tool_calls ?? []).map(({ name, args }) => [name, args]);
    if (JSON.stringify(got) !== JSON.stringify(expected))
      return `${got.length === 0 ? "no call" : `calls ${brief(got.map(([name, args]) => `${name === "" ? '""' : String(name)}${JSON.stringify(args)}`).join(", "))}`}${invalid ? `, ${invalid} invalid` : ""}`;
    if (invalid > 0) return `${invalid} invalid call(s) beside`;
    const ids = new Set(message.tool_calls?.map(({ id }) => id));
    return ids.size < expected.length || ids.has("") || ids.has(undefined) ? "ids lost" : undefined;
  });
const ended = [finish("tool_calls"), done];
const piece = (index: number | undefined, id: string | null, name: string | null, args: string | null) =>
  tool({ ...(index === undefined ? {} : { index }), id, type: "function", function: { name, arguments: args } });
const one = ["stock", { sku: "A" }] as [string, Record<string, unknown>];
const other = ["price", { sku: "B" }] as [string, Record<string, unknown>];

const toolDefects: Defect[] = [
  ...onBothPaths(
    "tool calls",
    'role ""',
    stream(
      event({
        role: "",
        content: null,
        tool_calls: [{ index: 0, id: "c1", type: "function", function: { name: "stock", arguments: '{"sku":"A"}' } }],
      }),
      ...ended,
    ),
    calls(one),
  ),
  ...onBothPaths("tool calls", "no role at all", stream(piece(0, "c1", "stock", '{"sku":"A"}'), ...ended), calls(one)),
  ...onBothPaths(
    "tool calls",
    "two calls, no index",
    stream(
      first,
      piece(undefined, "c1", "stock", '{"sku":'),
      tool({ function: { arguments: '"A"}' } }),
      piece(undefined, "c2", "price", '{"sku":'),
      tool({ function: { arguments: '"B"}' } }),
      ...ended,
    ),
    calls(one, other),
  ),
  ...onBothPaths(
    "tool calls",
    "two calls, same index, different ids",
    stream(first, piece(0, "c1", "stock", '{"sku":"A"}'), piece(0, "c2", "price", '{"sku":"B"}'), ...ended),
    calls(one, other),
  ),
  ...onBothPaths(
    "tool calls",
    'continuation with id "" and name ""',
    stream(first, piece(0, "c1", "stock", '{"sku":'), piece(0, "", "", '"A"}'), ...ended),
    calls(one),
  ),
  ...onBothPaths(
    "tool calls",
    'no-argument tool, arguments ""',
    stream(first, piece(0, "c1", "now", ""), ...ended),
    calls(["now", {}]),
  ),
  ...onBothPaths(
    "tool calls",
    "no-argument tool, arguments null",
    stream(first, piece(0, "c1", "now", null), ...ended),
    calls(["now", {}]),
  ),
];

const saysBroken = mustFail((error) =>
  error.message.includes("broken pipe") ? undefined : `message lost: "${brief(error.message)}"`,
);

const endDefects: Defect[] = [
  ...onBothPaths(
    "stream",
    "error object inside",
    stream(first, text("A"), `data: {"error":{"message":"broken pipe"}}\n\n`, done),
    saysBroken,
  ),
  ...onBothPaths(
    "stream",
    "bare {code, message} inside",
    stream(first, text("A"), `data: ${wire.failure(50507, "broken pipe")}\n\n`, done),
    saysBroken,
  ),
  ...onBothPaths(
    "stream",
    "event: ping with empty data",
    stream(first, text("A"), "event: ping\ndata: \n\n", finish(), done),
    whenAnswered<Answer>((message) => (message.text === "A" ? undefined : `text "${message.text}"`)),
  ),
  ...onBothPaths("stream", "body ends in the middle of the answer", stream(first, text("A")), mustFail()),
  ...onBothPaths("stream", "no chunks at all", stream(done), mustFail()),
  defect({
    group: "stream",
    name: "two answers (n: 2) in a stream are kept apart, or refused",
    replies: stream(
      ...["A", "B"].flatMap((letter) =>
        [0, 1].map((index) =>
          event({}, null, {
            choices: [{ index, delta: { role: "assistant", content: `${letter}${index}` }, finish_reason: null }],
          }),
        ),
      ),
      ...[0, 1].map((index) => event({}, null, { choices: [{ index, delta: {}, finish_reason: "stop" }] })),
      done,
    ),
    call: ({ model }) => streamed(model({ n: 2 }), "Well?"),
    judge: (outcome, scene) =>
      "error" in outcome && /\bn\b/.test(outcome.error.message)
        ? undefined
        : whenAnswered<AIMessageChunk>(({ text: whole }) => (whole === "A0B0" ? undefined : `melted: "${whole}"`))(
            outcome,
            scene,
          ),
  }),
];

const thinking = stream(first, thought("Hm"), thought("m."), text("A"), text("B"), finish(), done);
const blocksOf = (message: Answer) => message.contentBlocks.map(({ type }) => type).join("+");

const reasoningDefects: Defect[] = [
  ...onBothPaths(
    "reasoning",
    "reasoning_content is a reasoning block",
    thinking,
    whenAnswered<Answer>((message) =>
      blocksOf(message) === "reasoning+text" ? undefined : `blocks: ${blocksOf(message)}`,
    ),
  ),
  defect({
    group: "reasoning",
    name: "outputVersion v1: one reasoning and one text block after concat",
    replies: thinking,
    call: ({ model }) => streamed(model({ outputVersion: "v1" }), "Well?"),
    judge: whenAnswered<Answer>((message) =>
      blocksOf(message) === "reasoning+text" ? undefined : `blocks: ${blocksOf(message)}`,
    ),
  }),
  ...onBothPaths(
    "reasoning",
    "<think> inside the text",
    stream(first, text("<thi"), text("nk>Hmm.</th"), text("ink>A"), finish(), done),
    whenAnswered<Answer>((message) =>
      message.text.trim() === "A" && blocksOf(message).includes("reasoning")
        ? undefined
        : `text "${brief(message.text)}"`,
    ),
  ),
];

export const streamDefects: readonly Defect[] = [
  ...usageDefects,
  ...mergeDefects,
  ...endDefects,
  ...toolDefects,
  ...reasoningDefects,
];
