import { RunnableLambda } from "@langchain/core/runnables";
import { BaseTracer, type Run } from "@langchain/core/tracers/base";
import { RunCollectorCallbackHandler } from "@langchain/core/tracers/run_collector";
import { LangChainTracer, type LangChainTracerFields } from "@langchain/core/tracers/tracer_langchain";
import { failing, streams, whole, words } from "./answers.js";
import { quiet, type Journal } from "./journal.js";
import { ask, readCalmly, type Options } from "./reading.js";
import type { Scenario, Stage } from "./scenario.js";

/** Notes every step of every run, and the whole tree at its end. */
class Tracing extends BaseTracer {
  readonly name = "tracing";
  readonly #journal: Journal;

  constructor(journal: Journal) {
    super();
    this.#journal = journal;
  }

  protected async persistRun(run: Run): Promise<void> {
    this.#journal.note("tracer", "persists", run);
  }

  /** Runs that have begun and not ended. */
  open(): Run[] {
    return [...this.runMap.values()];
  }

  override onRunCreate(run: Run): void {
    this.#journal.note("tracer", "creates", run);
  }

  override onRunUpdate(run: Run): void {
    this.#journal.note("tracer", "updates", run);
  }

  override onLLMNewToken(run: Run, token: string): void {
    this.#journal.note("tracer", "token", run.id, token);
  }
}

type Client = NonNullable<LangChainTracerFields["client"]>;

/** LangSmith's client as far as a tracer calls it, sending nothing. */
export function silentClient(journal: Journal): Client {
  const client = {
    createRun: async (run: object) => journal.note("LangSmith", "createRun", run),
    updateRun: async (id: string, run: object) => journal.note("LangSmith", "updateRun", id, run),
  };
  return client as unknown as Client;
}

/** With LangSmith switched on by the environment, and its client silenced. */
async function traced(stage: Stage, body: () => Promise<void>): Promise<void> {
  const { client } = new LangChainTracer();
  Object.assign(client, silentClient(stage.journal));
  Object.assign(process.env, { LANGSMITH_TRACING: "true", LANGSMITH_API_KEY: "none", LANGSMITH_PROJECT: "project" });
  try {
    await body();
  } finally {
    for (const name of ["LANGSMITH_TRACING", "LANGSMITH_API_KEY", "LANGSMITH_PROJECT"]) delete process.env[name];
  }
}

const tracers: Record<string, (stage: Stage, ask: (options: Options) => Promise<void>) => Promise<void>> = {
  "a tracer of the user's own": ({ journal }, ask) => ask({ callbacks: [new Tracing(journal)] }),
  "core's collector of runs": async ({ journal }, ask) => {
    const collector = new RunCollectorCallbackHandler();
    await ask({ callbacks: [collector] });
    journal.note("collector", "runs", collector.tracedRuns);
  },
  "LangSmith's tracer": ({ journal }, ask) =>
    ask({
      callbacks: [new LangChainTracer({ client: silentClient(journal), projectName: "project", tags: ["t"] })],
      metadata: { from: "the call" },
      configurable: { thread_id: "7", api_key: "hidden" },
    }),
  "LangSmith by the environment": (stage, ask) => traced(stage, () => ask({ tags: ["call"] })),
  "LangSmith by the environment, and a tracer": (stage, ask) =>
    traced(stage, () => ask({ callbacks: [new Tracing(stage.journal)], runName: "named" })),
};

const answers = {
  "a healthy stream": whole(streams["thoughts, and counts on every chunk"]!),
  "calls of tools": whole(streams["parallel calls, their fragments mixed"]!),
  "a stream that fails": failing["an error after two words"]!,
};

const followed = Object.entries(tracers).flatMap(([tracer, trace]) =>
  Object.entries(answers).flatMap(([answer, serve]): Scenario[] => [
    {
      name: `${tracer} sees ${answer}`,
      serve,
      run: (stage) => trace(stage, (options) => ask(stage, options, { temperature: 0.5, tags: ["model"] })),
    },
    {
      name: `${tracer} sees ${answer} inside a chain`,
      serve,
      run: (stage) =>
        trace(stage, async (options) => {
          const chain = RunnableLambda.from(async (question: string, config: Options) => {
            await readCalmly(stage, await stage.model().stream(question, config));
            return "read";
          }).withConfig({ runName: "chain" });
          await stage.journal.outcome("caller", "chain", chain.invoke("Capital?", options));
        }),
    },
  ]),
);

const left: Scenario = {
  name: "a tracer of a stream that its reader leaves",
  serve: whole(words(4)),
  async run({ journal, model }) {
    const tracer = new Tracing(journal);
    for await (const chunk of await model().stream("Capital?", { callbacks: [tracer] })) {
      journal.note("reader", "chunk", chunk);
      await quiet();
      break;
    }
    await quiet();
    journal.note("tracer", "still open", tracer.open());
  },
};

const listened: Scenario = {
  name: "listeners bound to the model",
  serve: whole(words(2)),
  async run(stage) {
    const note = (what: string) => (run: Run) => stage.journal.note("listener", what, run);
    const model = stage.model().withListeners({ onStart: note("start"), onEnd: note("end"), onError: note("error") });
    await readCalmly(stage, await model.stream("Capital?"));
  },
};

export const tracingScenarios: Scenario[] = [...followed, left, listened];
