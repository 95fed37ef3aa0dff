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
  "more calls of next than chunks, all at once": steps([
    "eight",
    (stream) => Promise.allSettled(Array.from({ length: 8 }, () => stream.next())),
  ]),
  "return after the end": steps(
    ["all", (stream) => Promise.allSettled(Array.from({ length: 5 }, () => stream.next()))],
    ["return", (stream) => stream.return()],
    ["cancel", (stream) => stream.cancel("late")],
  ),
  "a loop without a pause": async (stream, { journal }) => {
    for await (const chunk of stream) journal.note("reader", "chunk", chunk);
    journal.note("reader", "end");
  },
  "a reader for one chunk, a loop for the rest": async (stream, stage) => {
    const reader = stream.getReader();
    stage.journal.note("reader", "first", await reader.read());
    reader.releaseLock();
    await drain(stream, stage, "loop");
  },
  "a reader without a pause": async (stream, { journal }) => {
    const reader = stream.getReader();
    for (let result = await reader.read(); !result.done; result = await reader.read()) {
      journal.note("reader", "chunk", result.value);
    }
    await journal.outcome("reader", "closed", reader.closed);
  },
  "a reader told of the end": async (stream, { journal }) => {
    const reader = stream.getReader();
    const closed = journal.outcome("reader", "closed", reader.closed);
    await journal.outcome("reader", "all", Promise.all(Array.from({ length: 5 }, () => reader.read())));
    await closed;
  },
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

export const objectScenarios: Scenario[] = Object.entries(shapes).flatMap(([name, handle]) =>
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
