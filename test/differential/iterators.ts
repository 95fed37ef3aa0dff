import type { AIMessageChunk } from "@langchain/core/messages";
import { whole, words } from "./answers.js";
import { recording } from "./handlers.js";
import { quiet } from "./journal.js";
import type { Scenario } from "./scenario.js";

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

export const iteratorScenarios: Scenario[] = Object.entries(iterating).flatMap(([name, each]) =>
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
