import type { AIMessageChunk } from "@langchain/core/messages";
import { IterableReadableStream } from "@langchain/core/utils/stream";
import { failing, whole, words } from "./answers.js";
import { recording } from "./handlers.js";
import { quiet } from "./journal.js";
import type { Scenario, Stage } from "./scenario.js";

type Chunks = IterableReadableStream<AIMessageChunk>;
type Handling = (stream: Chunks, stage: Stage) => Promise<void> | void;

/** What is done, step by step: each one is noted as it ends, and all that follows from it comes to rest before the next. */
function steps(...each: [what: string, step: (stream: Chunks) => unknown][]): Handling {
  return async (stream, { journal }) => {
    for (const [what, step] of each) {
      await journal.outcome("reader", what, (async () => step(stream))());
      await quiet();
      journal.note("reader", `locked after ${what}`, stream.locked);
    }
  };
}

async function drain(stream: AsyncIterable<unknown>, { journal }: Stage, who: string): Promise<void> {
  for await (const chunk of stream) {
    journal.note(who, "chunk", chunk);
    await quiet();
  }
  journal.note(who, "end");
}

const next = (stream: Chunks): unknown => stream.next();

const shapes: Record<string, Handling> = {
  "its shape": (stream, { journal }) => {
    journal.note("reader", "is", stream instanceof ReadableStream, stream instanceof IterableReadableStream);
    journal.note("reader", "calls itself", Object.prototype.toString.call(stream));
    const names = Object.getOwnPropertyNames(IterableReadableStream.prototype);
    journal.note(
      "reader",
      "members",
      names.filter((name) => name in stream),
    );
    journal.note("reader", "is locked", stream.locked);
    journal.note("reader", "iterates itself", stream[Symbol.asyncIterator]() === stream);
  },
  "next to the end and beyond": steps(
    ["1", next],
    ["2", next],
    ["3", next],
    ["4", next],
    ["the end", next],
    ["beyond", next],
    ["return", (stream) => stream.return()],
    ["after that", next],
  ),
  "calls of next that overlap": steps(
    ["three at once", (stream) => Promise.all([stream.next(), stream.next(), stream.next()])],
    ["three more", (stream) => Promise.allSettled([stream.next(), stream.next(), stream.next()])],
  ),
  "return before anything is read": steps(["return", (stream) => stream.return()], ["next", next]),
  "return in the middle": steps(["1", next], ["return", (stream) => stream.return()], ["next", next]),
  "throw in the middle": steps(["1", next], ["throw", (stream) => stream.throw(new Error("mine"))], ["next", next]),
  disposal: steps(["1", next], ["dispose", (stream) => stream[Symbol.asyncDispose]()], ["next", next]),
  "a reader, and its lock": steps(
    [
      "reading",
      async (stream) => {
        const reader = stream.getReader();
        const first = await reader.read();
        reader.releaseLock();
        return [first, stream.locked];
      },
    ],
    ["next", next],
    ["a reader beside next", (stream) => stream.getReader()],
    ["a byte reader", (stream) => stream.getReader({ mode: "byob" } as never)],
  ),
  "cancel with a reason": steps(["cancel", (stream) => stream.cancel("enough")], ["next", next]),
  "cancel while locked": steps(["1", next], ["cancel", (stream) => stream.cancel("enough")], ["2", next]),
  "cancel by a reader": steps(
    ["cancel", async (stream) => stream.getReader().cancel(new Error("enough"))],
    ["next", next],
  ),
  "read twice": async (stream, stage) => {
    await drain(stream, stage, "first");
    await stage.journal.outcome("caller", "again", drain(stream, stage, "second"));
  },
  "broken off, then read on": async (stream, stage) => {
    for await (const chunk of stream) {
      stage.journal.note("reader", "chunk", chunk);
      await quiet();
      break;
    }
    await stage.journal.outcome("caller", "again", drain(stream, stage, "second"));
  },
  "an error in the body of the loop": async (stream, { journal }) => {
    const reading = async () => {
      for await (const chunk of stream) {
        await quiet();
        throw new Error(`at ${chunk.text}`);
      }
    };
    await journal.outcome("reader", "loop", reading());
  },
  "left by return out of a function": async (stream, { journal }) => {
    const first = async () => {
      for await (const chunk of stream) {
        await quiet();
        return chunk;
      }
      return undefined;
    };
    await journal.outcome("reader", "first", first());
  },
  "tee, both read in turn": async (stream, stage) => {
    const [left, right] = stream.tee();
    stage.journal.note("caller", "branches", left instanceof IterableReadableStream, stream.locked);
    await drain(left, stage, "left");
    await drain(right, stage, "right");
  },
  "tee, one slow": async (stream, { journal }) => {
    const [left, right] = stream.tee().map((branch) => branch.getReader());
    for (let turn = 0; turn < 6; turn += 1) {
      journal.note("left", "read", await left!.read());
      await quiet();
      if (turn % 2 === 1) journal.note("right", "read", await right!.read());
      await quiet();
    }
  },
  "tee, one cancelled": async (stream, stage) => {
    const [left, right] = stream.tee();
    void left.cancel("not wanted");
    await drain(right, stage, "right");
  },
  "tee, both cancelled": async (stream, { journal }) => {
    const [left, right] = stream.tee();
    const cancelled = Promise.all([left.cancel("a"), right.cancel("b")]);
    await journal.outcome("caller", "both", cancelled);
  },
  pipeThrough: async (stream, stage) => {
    const upper = new TransformStream<AIMessageChunk, string>({
      transform: (chunk, controller) => controller.enqueue(chunk.text.toUpperCase()),
    });
    await drain(stream.pipeThrough(upper), stage, "reader");
    stage.journal.note("caller", "locked", stream.locked);
  },
  "pipeThrough, left in the middle": async (stream, { journal }) => {
    const texts = stream.pipeThrough(
      new TransformStream<AIMessageChunk, string>({ transform: (chunk, to) => to.enqueue(chunk.text) }),
    );
    for await (const text of texts) {
      journal.note("reader", "text", text);
      await quiet();
      break;
    }
    await quiet();
    journal.note("caller", "locked", stream.locked);
  },
  pipeTo: async (stream, { journal }) => {
    const sink = new WritableStream<AIMessageChunk>({
      async write(chunk) {
        journal.note("sink", "write", chunk);
        await quiet();
      },
      close: () => journal.note("sink", "close"),
      abort: (reason) => journal.note("sink", "abort", reason),
    });
    await journal.outcome("caller", "pipeTo", stream.pipeTo(sink));
  },
  "pipeTo a sink that fails": async (stream, { journal }) => {
    const sink = new WritableStream<AIMessageChunk>({
      async write(chunk) {
        await quiet();
        throw new Error(`no room for ${chunk.text}`);
      },
    });
    await journal.outcome("caller", "pipeTo", stream.pipeTo(sink));
    journal.note("caller", "locked", stream.locked);
  },
  "pipeTo, aborted": async (stream, { journal }) => {
    const controller = new AbortController();
    const sink = new WritableStream<AIMessageChunk>({
      async write(chunk) {
        journal.note("sink", "write", chunk.text);
        await quiet();
        controller.abort(new Error("enough"));
      },
      abort: (reason) => journal.note("sink", "abort", reason),
    });
    await journal.outcome("caller", "pipeTo", stream.pipeTo(sink, { signal: controller.signal }));
  },
  "values that do not cancel": async (stream, { journal }) => {
    const values = ReadableStream.prototype.values.call(stream, { preventCancel: true });
    for await (const chunk of values as AsyncIterable<AIMessageChunk>) {
      journal.note("reader", "chunk", chunk.text);
      await quiet();
      break;
    }
    await journal.outcome("reader", "read on", stream.next());
  },
  "ReadableStream.from": async (stream, stage) => {
    const from = Reflect.get(ReadableStream, "from") as (items: AsyncIterable<unknown>) => ReadableStream<unknown>;
    await drain(from.call(ReadableStream, stream), stage, "reader");
  },
  "core's own wrapper around it": async (stream, stage) => {
    await drain(IterableReadableStream.fromReadableStream(stream), stage, "reader");
  },
  "Array.fromAsync": async (stream, { journal }) => {
    const fromAsync = Reflect.get(Array, "fromAsync") as (items: AsyncIterable<unknown>) => Promise<unknown[]>;
    await journal.outcome("reader", "all", fromAsync.call(Array, stream));
  },
  "nobody reads": async () => quiet(),
};

type Iterator = AsyncGenerator<AIMessageChunk>;

/** Chains that bind or transform use the iterator without a stream around it. */
const iterating: Record<string, [what: string, step: (chunks: Iterator) => unknown][]> = {
  "next to the end and beyond": [
    ["1", (chunks) => chunks.next()],
    ["2", (chunks) => chunks.next()],
    ["3", (chunks) => chunks.next()],
    ["the end", (chunks) => chunks.next()],
    ["beyond", (chunks) => chunks.next()],
    ["return", (chunks) => chunks.return("mine")],
    ["throw", (chunks) => chunks.throw(new Error("mine"))],
  ],
  "next calls that overlap": [
    ["three at once", (chunks) => Promise.allSettled([chunks.next(), chunks.next(), chunks.next()])],
    ["the rest", (chunks) => Promise.allSettled([chunks.next(), chunks.next()])],
  ],
  "return before the first next": [
    ["return", (chunks) => chunks.return("mine")],
    ["next", (chunks) => chunks.next()],
  ],
  "throw before the first next": [
    ["throw", (chunks) => chunks.throw(new Error("mine"))],
    ["next", (chunks) => chunks.next()],
  ],
  "return in the middle": [
    ["1", (chunks) => chunks.next()],
    ["return", (chunks) => chunks.return("mine")],
    ["next", (chunks) => chunks.next()],
  ],
  "throw in the middle": [
    ["1", (chunks) => chunks.next()],
    ["throw", (chunks) => chunks.throw(new Error("mine"))],
    ["next", (chunks) => chunks.next()],
  ],
  "disposal in the middle": [
    ["1", (chunks) => chunks.next()],
    ["dispose", (chunks) => chunks[Symbol.asyncDispose]()],
    ["next", (chunks) => chunks.next()],
  ],
  "nothing at all": [["its iterator is itself", (chunks) => chunks[Symbol.asyncIterator]() === chunks]],
};

const iterated = Object.entries(iterating).flatMap(([name, each]) =>
  Object.entries({ "": "Capital?", ", of what is no input": 7 as never }).flatMap(([input, question]) =>
    [true, false].map((heard): Scenario => ({
      name: `the iterator itself${heard ? "" : ", without handlers"}, ${name}${input}`,
      serve: whole(words(2)),
      async run({ journal, model }) {
        const callbacks = [recording(journal, "handler", { awaitHandlers: true })];
        const chunks = model()._streamIterator(question, heard ? { callbacks } : {});
        for (const [what, step] of each) {
          await journal.outcome("reader", what, (async () => step(chunks))());
          await quiet();
        }
      },
    })),
  ),
);

const streamed = Object.entries(shapes).flatMap(([name, handle]) =>
  Object.entries({ "": whole(words(3)), ", of a stream that fails": failing["an error after two words"]! }).map(
    ([failure, serve]): Scenario => ({
      name: `${name}${failure}`,
      serve,
      async run(stage) {
        const callbacks = [recording(stage.journal, "handler", { awaitHandlers: true })];
        const stream = (await stage.model().stream("Capital?", { callbacks })) as Chunks;
        await quiet();
        await stage.journal.outcome("test", "handling", (async () => handle(stream, stage))());
        await quiet();
      },
    }),
  ),
);

export const objectScenarios: Scenario[] = [...streamed, ...iterated];
