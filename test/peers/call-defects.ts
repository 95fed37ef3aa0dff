import { setTimeout as after } from "node:timers/promises";
import { ContextOverflowError } from "@langchain/core/errors";
import type { Reply } from "../faults/fault-server.ts";
import * as wire from "../faults/wire.ts";
import { brief, defect, mustFail, onBothPaths, paths, streamed, whenAnswered, type Defect } from "./scenario.ts";

const answered: Reply = { body: wire.completion({ content: "A" }) };
const thoughtful: Reply = { body: wire.completion({ content: "A", reasoning_content: "Hm" }) };
const busy: Reply = { status: 503, body: wire.failure(50505, "Model service overloaded") };
const stalled: Reply = { headers: wire.sse, body: [wire.first, wire.text("A")], then: "open" };
const quick: Reply = { headers: wire.sse, body: [wire.first, wire.text("A"), wire.finish(), wire.done] };

/** How long a failing call took. */
const timed = async (call: Promise<unknown>): Promise<{ ms: number; error: Error | undefined }> => {
  const start = performance.now();
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason as Error,
  );
  return { ms: performance.now() - start, error };
};

const errors: Defect[] = [
  defect({
    group: "errors",
    name: "the host's {code, message} is in the error",
    replies: [{ status: 400, body: wire.failure(20012, "Model does not exist") }],
    call: ({ model }) => model().invoke("Well?"),
    judge: mustFail(({ message }) =>
      message.includes("Model does not exist") ? undefined : `lost: "${brief(message)}"`,
    ),
  }),
  defect({
    group: "errors",
    name: "the host's plain text is in the error",
    replies: [{ status: 404, headers: { "content-type": "text/plain" }, body: "404 page not found" }],
    call: ({ model }) => model().invoke("Well?"),
    judge: mustFail(({ message }) => (message.includes("page not found") ? undefined : `lost: "${brief(message)}"`)),
  }),
  defect({
    group: "errors",
    name: "a prompt that is too long is a ContextOverflowError",
    replies: [
      {
        status: 400,
        body: wire.failure(20015, "length of prompt_tokens (40001) must be less than max_seq_len (32768)."),
      },
    ],
    call: ({ model }) => model().invoke("Well?"),
    judge: mustFail((error) => (ContextOverflowError.isInstance(error) ? undefined : error.name)),
  }),
  defect({
    group: "errors",
    name: "HTTP 200 with {code, message} on invoke",
    replies: [{ body: wire.failure(50507, "broken pipe") }],
    call: ({ model }) => model().invoke("Well?"),
    judge: mustFail(({ message }) => (message.includes("broken pipe") ? undefined : `lost: "${brief(message)}"`)),
  }),
  defect({
    group: "errors",
    name: "429 without a hint is tried again",
    replies: [{ status: 429, body: JSON.stringify({ message: "System is too busy", data: null }) }, answered],
    call: ({ model }) => model().invoke("Well?"),
    judge: whenAnswered(() => undefined),
  }),
  defect({
    group: "errors",
    name: "one layer retries: maxRetries 1 makes two requests",
    replies: [busy],
    call: ({ model }) => model().invoke("Well?"),
    judge: mustFail((_, { server }) =>
      server.requests.length === 2 ? undefined : `${server.requests.length} requests`,
    ),
  }),
  defect({
    group: "errors",
    name: "an abort during the back-off is heard at once",
    replies: [busy],
    call: ({ model }) => timed(model({ maxRetries: 4 }).invoke("Well?", { signal: AbortSignal.timeout(300) })),
    judge: whenAnswered<Awaited<ReturnType<typeof timed>>>(({ ms, error }) =>
      error === undefined ? "silent success" : ms < 600 ? undefined : `after ${(ms / 1000).toFixed(1)} s`,
    ),
  }),
  defect({
    group: "errors",
    name: "no request goes out after an abort during the back-off",
    replies: [busy],
    async call({ model, server }) {
      void timed(model({ maxRetries: 4 }).invoke("Well?", { signal: AbortSignal.timeout(300) }));
      await after(400);
      const before = server.requests.length;
      await after(2200);
      return server.requests.length - before;
    },
    judge: whenAnswered((late) => (late === 0 ? undefined : `${late} more`)),
  }),
  defect({
    group: "errors",
    name: "the timeout of a run's configuration is told as one",
    replies: [{ silent: true }],
    call: ({ model }) => model({ maxRetries: 0 }).invoke("Well?", { timeout: 200 }),
    judge: mustFail(({ name, message }) => (/time/i.test(name + message) ? undefined : `${name}: ${brief(message)}`)),
  }),
  ...onBothPaths("errors", "a stream that stalls ends by timeout", [stalled], mustFail(), {
    quietMs: 300,
    maxRetries: 0,
  }),
  defect({
    group: "errors",
    name: "maxConcurrency 1 holds until a stream ends",
    replies: [stalled],
    async call({ model, server }) {
      const shared = model({ maxConcurrency: 1 });
      for (let count = 0; count < 2; count += 1) streamed(shared, "Well?").catch(() => {});
      await after(500);
      return server.requests.length;
    },
    judge: whenAnswered((count) => (count === 1 ? undefined : `${count} at once`)),
  }),
];

const options: Defect[] = [
  ...["invoke", "stream"].map((path) =>
    defect({
      group: "options",
      name: `thinking can be switched per call (${path})`,
      replies: [path === "invoke" ? answered : quick],
      async call({ peer, model, server }) {
        const asked = peer.withoutThinking;
        await (path === "invoke" ? model().invoke("Well?", asked) : streamed(model(), "Well?", asked));
        return server.requests[0]!.body["enable_thinking"];
      },
      judge: whenAnswered((sent) => (sent === false ? undefined : "ignored")),
    }),
  ),
  defect({
    group: "options",
    name: "reasoning effort of the call arrives",
    replies: [answered],
    async call({ peer, model, server }) {
      await model().invoke("Well?", peer.withEffort);
      return server.requests[0]!.body["reasoning_effort"];
    },
    judge: whenAnswered((sent) => (sent === "high" ? undefined : "ignored")),
  }),
  ...["invoke", "stream"].map((path) =>
    defect({
      group: "options",
      name: `headers of one call arrive (${path})`,
      replies: [path === "invoke" ? answered : quick],
      async call({ model, server }) {
        const asked = { options: { headers: { "x-mine": "1" } } } as object;
        await (path === "invoke" ? model().invoke("Well?", asked) : streamed(model(), "Well?", asked));
        return server.requests[0]!.headers["x-mine"];
      },
      judge: whenAnswered((sent) => (sent === "1" ? undefined : "lost")),
    }),
  ),
];

const item = { title: "Item", type: "object", properties: { sku: { type: "string" } }, required: ["sku"] };

const answers: Defect[] = [
  defect({
    group: "answers",
    name: "reasoning_content is a reasoning block (invoke)",
    replies: [thoughtful],
    call: async ({ model }) => (await model().invoke("Well?")).contentBlocks.map(({ type }) => type).join("+"),
    judge: whenAnswered((blocks) => (blocks === "reasoning+text" ? undefined : `blocks: ${blocks}`)),
  }),
  defect({
    group: "answers",
    name: "response_metadata.model names the model",
    replies: [answered],
    call: async ({ model }) => (await model().invoke("Well?")).response_metadata["model"] as unknown,
    judge: whenAnswered((model) => (model === "Qwen/Qwen3-8B" ? undefined : "missing")),
  }),
  defect({
    group: "answers",
    name: "model_provider is the same in both streams",
    replies: [quick],
    call: async ({ model }) =>
      Promise.all(Object.values(paths).map(async (read) => (await read(model())).response_metadata["model_provider"])),
    judge: whenAnswered<unknown[]>(([older, v3]) => (older === v3 ? undefined : `${older} and ${v3}`)),
  }),
  defect({
    group: "answers",
    name: "withStructuredOutput does without json_schema unless it is asked for",
    replies: [{ body: wire.completion({ content: '{"sku":"A"}' }) }],
    async call({ model, server }) {
      // Whether this answer fits the way it was asked for is of no matter here.
      await model()
        .withStructuredOutput(item)
        .invoke("Well?")
        .catch(() => {});
      const format = server.requests[0]!.body["response_format"] as { type: string } | undefined;
      return format?.type;
    },
    judge: whenAnswered((type) => (type === "json_schema" ? "asks for json_schema" : undefined)),
  }),
  ...["stop", "length"].map((reason) =>
    defect({
      group: "answers",
      name: reason === "stop" ? "fenced JSON under jsonSchema is read" : "JSON cut off by length says so",
      replies: [
        { body: wire.completion({ content: reason === "stop" ? '```json\n{"sku":"A"}\n```' : '{"sku":' }, reason) },
      ],
      call: ({ model }) => model().withStructuredOutput(item, { method: "jsonSchema" }).invoke("Well?"),
      judge:
        reason === "stop"
          ? whenAnswered((value) =>
              JSON.stringify(value) === '{"sku":"A"}' ? undefined : `got ${brief(JSON.stringify(value))}`,
            )
          : mustFail(({ message }) => (/length|cut|max_?tokens/i.test(message) ? undefined : `"${brief(message)}"`)),
    }),
  ),
  defect({
    group: "answers",
    name: "tokens are counted without a download",
    replies: [answered],
    call: ({ model }) => model().getNumTokens("How many?"),
    judge(outcome, { foreign }) {
      if (foreign.length > 0) return `asks ${foreign[0]}${"hangs" in outcome ? ", hangs" : ""}`;
      return "value" in outcome ? undefined : "hangs or fails";
    },
  }),
];

export const callDefects: readonly Defect[] = [...errors, ...options, ...answers];
