import { failing, whole, words } from "./answers.js";
import { recording } from "./handlers.js";
import { quiet } from "./journal.js";
import { readCalmly } from "./reading.js";
import type { Scenario, Stage } from "./scenario.js";

/** Reads on, whatever happens, and notes each step. */
async function persist({ journal }: Stage, iterator: AsyncIterator<unknown>, times: number): Promise<void> {
  for (let step = 1; step <= times; step += 1) {
    await journal.outcome("reader", `next ${step}`, iterator.next());
    await quiet();
  }
}

const failures = Object.entries(failing).flatMap(([failure, serve]): Scenario[] => [
  {
    name: `${failure}, and the reader goes on asking`,
    serve,
    async run(stage) {
      const callbacks = [recording(stage.journal, "handler", { awaitHandlers: true })];
      const opening = stage.model().stream("Capital?", { callbacks });
      await stage.journal.outcome("reader", "stream()", opening);
      const stream = await opening.catch(() => undefined);
      if (stream === undefined) return;
      await persist(stage, stream[Symbol.asyncIterator](), 5);
      await stage.journal.outcome("reader", "return", stream.return());
    },
  },
  {
    name: `${failure}, and nobody is told but the reader`,
    serve,
    run: (stage) =>
      stage.journal.outcome("reader", "asking", (async () => readCalmly(stage, await stage.model().stream("?")))()),
  },
]);

const invalid: Scenario[] = [
  {
    name: "what cannot be streamed is refused before anything is sent",
    run: async (stage) => {
      const callbacks = [recording(stage.journal, "handler", { awaitHandlers: true })];
      await stage.journal.outcome("reader", "stream()", stage.model({ n: 2 }).stream("?", { callbacks }));
      await stage.journal.outcome("reader", "no timeout", stage.model().stream("?", { callbacks, timeout: -1 }));
      await stage.journal.outcome("reader", "no input", stage.model().stream(7 as never, { callbacks }));
    },
  },
  {
    name: "an option whose reading throws",
    async run(stage) {
      const options = {
        callbacks: [recording(stage.journal, "handler", { awaitHandlers: true })],
        get stop(): string[] {
          throw new Error("no stop");
        },
      };
      await stage.journal.outcome("reader", "stream()", (async () => stage.model().stream("?", options))());
    },
  },
];

const reasons: Record<string, unknown> = {
  "an error": new Error("changed my mind"),
  "a text": "enough",
  nothing: undefined,
  "an object": { code: 7 },
};

/** Moments at which the caller aborts; each says when it is time. */
const moments: Record<string, (stage: Stage, abort: () => void, options: object) => Promise<void>> = {
  "before anything is sent": async (stage, abort, options) => {
    abort();
    await stage.journal.outcome("reader", "stream()", stage.model().stream("?", options));
    stage.journal.note("server", "requests", stage.server.asked.length);
  },
  "while the answer is awaited": async (stage, abort, options) => {
    const opening = stage.journal.outcome("reader", "stream()", stage.model().stream("?", options));
    const asked = await stage.server.request(1);
    abort();
    await opening;
    await asked.closed;
    stage.journal.note("server", "hung up", asked.hungUp());
  },
  "while the next chunk is awaited": async (stage, abort, options) => {
    const opening = stage.model().stream("?", options);
    const asked = await stage.server.request(1);
    asked.send(words(1)[0]!);
    const iterator = (await opening)[Symbol.asyncIterator]();
    await persist(stage, iterator, 1);
    const waiting = stage.journal.outcome("reader", "waiting", iterator.next());
    await quiet();
    abort();
    await waiting;
    await asked.closed;
    stage.journal.note("server", "hung up", asked.hungUp());
    await persist(stage, iterator, 2);
  },
  "between two chunks": async (stage, abort, options) => {
    const opening = stage.model().stream("?", options);
    whole(words(5))(await stage.server.request(1));
    const iterator = (await opening)[Symbol.asyncIterator]();
    await persist(stage, iterator, 2);
    abort();
    await quiet();
    await persist(stage, iterator, 4);
  },
  "before the first chunk is read": async (stage, abort, options) => {
    const opening = stage.model().stream("?", options);
    whole(words(5))(await stage.server.request(1));
    const stream = await opening;
    await quiet();
    abort();
    await persist(stage, stream[Symbol.asyncIterator](), 3);
  },
  "in the body of the loop": async (stage, abort, options) => {
    const reading = async () => {
      const opening = stage.model().stream("?", options);
      whole(words(5))(await stage.server.request(1));
      for await (const chunk of await opening) {
        stage.journal.note("reader", "chunk", chunk);
        abort();
      }
    };
    await stage.journal.outcome("reader", "loop", reading());
  },
  "after the end": async (stage, abort, options) => {
    const opening = stage.model().stream("?", options);
    whole(words(2))(await stage.server.request(1));
    const stream = await opening;
    await readCalmly(stage, stream);
    abort();
    await quiet();
    await persist(stage, stream[Symbol.asyncIterator](), 2);
  },
};

const aborts = Object.entries(moments).flatMap(([moment, play]) =>
  Object.entries(reasons).map(([kind, reason]): Scenario => ({
    name: `an abort ${moment}, for ${kind}`,
    async run(stage) {
      const controller = new AbortController();
      const callbacks = [recording(stage.journal, "handler", { awaitHandlers: true })];
      stage.journal.note("caller", "reason", reason);
      const abort = () => controller.abort(reason);
      await play(stage, abort, { callbacks, signal: controller.signal });
      const error: unknown = controller.signal.reason;
      stage.journal.note("caller", "reason is still", error === reason);
      await quiet();
    },
  })),
);

const byHandlers = (["handleChatModelStart", "handleLLMNewToken", "handleLLMEnd"] as const).map((method): Scenario => ({
  name: `an abort by a handler, in ${method}`,
  serve: whole(words(4)),
  async run(stage) {
    const controller = new AbortController();
    const witness = recording(stage.journal, "handler", { awaitHandlers: true });
    const abort = { [method]: () => controller.abort(new Error("by the handler")) };
    const options = { callbacks: [witness, abort], signal: controller.signal };
    const reading = async () => readCalmly(stage, await stage.model().stream("?", options));
    await stage.journal.outcome("reader", "asking", reading());
  },
}));

const limits = (["before the answer", "in the middle of it"] as const).map((moment): Scenario => ({
  name: `the call's limit of time passes ${moment}`,
  serve(asked, index) {
    if (index === 0) whole(words(1))(asked);
    else if (moment === "in the middle of it") asked.send(words(1)[0]!);
  },
  ordered: false,
  async run(stage) {
    // The first request loads code, which takes its time.
    await readCalmly(stage, await stage.model().stream("?"));
    const callbacks = [recording(stage.journal, "handler", { awaitHandlers: true })];
    const reading = async () => readCalmly(stage, await stage.model().stream("?", { callbacks, timeout: 300 }));
    await stage.journal.outcome("reader", "asking", reading());
    const asked = await stage.server.request(2);
    await asked.closed;
    stage.journal.note("server", "hung up", asked.hungUp());
  },
}));

export const errorScenarios: Scenario[] = [...failures, ...invalid, ...aborts, ...byHandlers, ...limits];
