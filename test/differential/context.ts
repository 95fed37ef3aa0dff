import type { ChatSiliconFlowFields } from "@langchain-siliconflow/chat";
import { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import { dispatchCustomEvent } from "@langchain/core/callbacks/dispatch/web";
import { type RunnableConfig, RunnableLambda } from "@langchain/core/runnables";
import { AsyncLocalStorageProviderSingleton } from "@langchain/core/singletons";
import { LangChainTracer } from "@langchain/core/tracers/tracer_langchain";
import { whole, words } from "./answers.js";
import { recording } from "./handlers.js";
import { ownContext, quiet, type Journal } from "./journal.js";
import { readCalmly } from "./reading.js";
import type { Scenario, Stage } from "./scenario.js";
import { silentClient } from "./tracing.js";

const serve = whole(words(3));

/** Runs in a parent run, and notes how that ends. */
async function within(stage: Stage, body: () => Promise<unknown>, handlers?: BaseCallbackHandler[]): Promise<void> {
  const chain = RunnableLambda.from(async () => {
    stage.journal.noteWithin("parent", "begins");
    await body();
    stage.journal.noteWithin("parent", "ends");
    return "done";
  });
  const callbacks = handlers ?? [recording(stage.journal, "one", { awaitHandlers: true })];
  const options = { callbacks, tags: ["inherited"], metadata: { from: "the parent" }, configurable: { thread: 7 } };
  await stage.journal.outcome("caller", "chain", chain.invoke("", options));
}

/** What the store around the reader holds, but for ids of runs that tell themselves. */
function store(): unknown {
  const tree = AsyncLocalStorageProviderSingleton.getInstance().getStore() as
    | { name?: string; id?: string }
    | undefined;
  return tree && { name: tree.name, id: tree.id };
}

const surroundings: Scenario[] = [
  {
    name: "a stream inside a parent run finds its parent without being told",
    serve,
    run: (stage) => within(stage, async () => readCalmly(stage, await stage.model().stream("Capital?"))),
  },
  {
    name: "options of the call inside a parent run",
    serve,
    run: (stage) =>
      within(stage, async () => {
        const handler = recording(stage.journal, "two", { awaitHandlers: true });
        const options = { tags: ["own"], metadata: { from: "the call" }, callbacks: [handler] };
        await readCalmly(stage, await stage.model().stream("Capital?", options));
      }),
  },
  {
    name: "a parent run that LangSmith follows",
    serve,
    run: (stage) =>
      within(stage, async () => {
        stage.journal.note("parent", "store", store());
        for await (const _ of await stage.model().stream("Capital?")) {
          stage.journal.note("reader", "store", store());
          await quiet();
        }
      }, [new LangChainTracer({ client: silentClient(stage.journal) }), recording(stage.journal, "one")]),
  },
  {
    name: "leaving the loop inside a parent run",
    serve,
    run: (stage) =>
      within(stage, async () => {
        for await (const chunk of await stage.model().stream("Capital?")) {
          stage.journal.noteWithin("reader", "chunk", chunk);
          await quiet();
          break;
        }
        stage.journal.noteWithin("reader", "left");
      }),
  },
  {
    name: "a stream of one parent run that is read in another",
    serve,
    async run(stage) {
      let made: AsyncIterable<unknown> | undefined;
      await within(stage, async () => {
        made = await stage.model().stream("Capital?");
      });
      await within(stage, () => readCalmly(stage, made!));
    },
  },
  {
    name: "two streams in turn, each in a parent run of its own",
    serve,
    async run(stage) {
      const made: AsyncIterator<unknown>[] = [];
      for (const name of ["first", "second"]) {
        await within(stage, async () => {
          made.push((await stage.model({ tags: [name] }).stream(name))[Symbol.asyncIterator]());
        });
      }
      for (let turn = 0; turn < 5; turn += 1) {
        for (const iterator of made) {
          stage.journal.noteWithin("reader", "next", await iterator.next());
          await quiet();
        }
      }
    },
  },
  {
    name: "a parent run inside a parent run",
    serve,
    run: (stage) =>
      within(stage, async () => {
        const inner = RunnableLambda.from(async () => readCalmly(stage, await stage.model().stream("Capital?")));
        await inner.invoke("", { runName: "inner", tags: ["inner"] });
      }),
  },
  {
    name: "events of the user's own, from the body of the loop",
    serve,
    async run(stage) {
      const chain = RunnableLambda.from(async (question: string, config: RunnableConfig) => {
        for await (const chunk of await stage.model().stream(question, config)) {
          await dispatchCustomEvent("progress", { text: chunk.text }, config);
          await quiet();
        }
      });
      const callbacks = [recording(stage.journal, "one", { awaitHandlers: true })];
      await stage.journal.outcome("caller", "chain", chain.invoke("Capital?", { callbacks, tags: ["t"] }));
    },
  },
  {
    name: "a parent run that is aborted takes its stream with it",
    serve,
    async run(stage) {
      const controller = new AbortController();
      let reading: Promise<void> | undefined;
      const chain = RunnableLambda.from(async () => {
        reading = (async () => {
          for await (const chunk of await stage.model().stream("Capital?")) {
            stage.journal.noteWithin("reader", "chunk", chunk);
            controller.abort(new Error("the parent's"));
            await quiet();
          }
        })();
        await reading;
      });
      const callbacks = [recording(stage.journal, "one", { awaitHandlers: true })];
      await stage.journal.outcome("caller", "chain", chain.invoke("", { callbacks, signal: controller.signal }));
      // Where it does not know of its parent, it reads on.
      await stage.journal.outcome("reader", "reading", reading!);
    },
  },
  {
    name: "a handler that asks a model itself",
    serve: (asked) => (asked.body.messages.length > 1 ? whole(words(1))(asked) : serve(asked)),
    run: (stage) =>
      within(stage, async () => {
        const nested = BaseCallbackHandler.fromMethods({
          async handleLLMEnd() {
            stage.journal.noteWithin("nested", "asks");
            await readCalmly(
              stage,
              await stage.model({ tags: ["nested"] }).stream([
                ["human", "a"],
                ["human", "b"],
              ]),
            );
          },
        });
        nested.awaitHandlers = true;
        // Of the model alone: it would call itself for ever otherwise.
        await readCalmly(stage, await stage.model({ callbacks: [nested] }).stream("Capital?"));
      }),
  },
];

const own = [true, false].flatMap((awaitHandlers): Scenario[] => [
  {
    name: `a value of the reader's own, another at each step, seen by a handler that is ${awaitHandlers ? "" : "not "}waited for`,
    serve,
    async run(stage) {
      const callbacks = [recording(stage.journal, "one", { awaitHandlers })];
      const stream = await ownContext.run("asking", () => stage.model().stream("Capital?", { callbacks }));
      const iterator = stream[Symbol.asyncIterator]();
      for (let step = 1; step <= 5; step += 1) {
        const result = await ownContext.run(`step ${step}`, () => iterator.next());
        stage.journal.noteWithin("reader", "step", result);
        await quiet();
      }
    },
  },
  {
    name: `a value set for good in the body of the loop, seen by a handler that is ${awaitHandlers ? "" : "not "}waited for`,
    serve,
    run: (stage) =>
      ownContext.run("around", async () => {
        const callbacks = [recording(stage.journal, "one", { awaitHandlers })];
        for await (const chunk of await stage.model().stream("Capital?", { callbacks })) {
          stage.journal.noteWithin("reader", "chunk", chunk);
          ownContext.enterWith(`after ${chunk.text}`);
          await quiet();
        }
        stage.journal.noteWithin("reader", "end");
      }),
  },
]);

/** A client that notes what it sees around each step. */
function watchingClient(journal: Journal): NonNullable<ChatSiliconFlowFields["client"]> {
  const client = {
    baseURL: "https://siliconflow.test/v1",
    chat: {
      create: async () => Promise.reject(new Error("Only streams.")),
      async *stream() {
        for (const content of ["a", "b", "c"]) {
          journal.noteWithin("client", content);
          const choices = [{ index: 0, delta: { content }, finish_reason: content === "c" ? "stop" : null }];
          yield { id: "019c", model: "m", choices };
        }
        journal.noteWithin("client", "end");
      },
    },
  };
  // Only what the model uses of it.
  return client as unknown as NonNullable<ChatSiliconFlowFields["client"]>;
}

const inside: Scenario[] = [
  {
    name: "what a client of the user's own sees around each step",
    async run(stage) {
      const callbacks = [recording(stage.journal, "one", { awaitHandlers: true })];
      const model = new stage.Chat({ model: "m", client: watchingClient(stage.journal) });
      const stream = await model.stream("Capital?", { callbacks, tags: ["t"], configurable: { thread: 7 } });
      await readCalmly(stage, stream);
    },
  },
  {
    name: "what a client of the user's own sees in a parent run that LangSmith follows",
    async run(stage) {
      const model = new stage.Chat({ model: "m", client: watchingClient(stage.journal) });
      const handlers = [new LangChainTracer({ client: silentClient(stage.journal) })];
      await within(stage, async () => readCalmly(stage, await model.stream("Capital?")), handlers);
    },
  },
  {
    name: "what a client of the user's own sees in a parent run",
    async run(stage) {
      const model = new stage.Chat({ model: "m", client: watchingClient(stage.journal) });
      await within(stage, () =>
        ownContext.run("around", async () => readCalmly(stage, await model.stream("Capital?"))),
      );
    },
  },
];

export const contextScenarios: Scenario[] = [...surroundings, ...own, ...inside];
