import { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import { registerConfigureHook, setContextVariable } from "@langchain/core/context";
import { RunnableLambda } from "@langchain/core/runnables";
import { LangChainTracer } from "@langchain/core/tracers/tracer_langchain";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { failing, whole, words } from "./answers.js";
import { recording } from "./handlers.js";
import { readCalmly } from "./reading.js";
import type { Scenario, Stage } from "./scenario.js";
import { silentClient } from "./tracing.js";

/** The part of LangSmith that is used here; it comes with core. */
type Traceable = (
  body: (...given: unknown[]) => Promise<unknown>,
  options: object,
) => (...given: unknown[]) => Promise<unknown>;

/** The one that core uses: another would have a store of its own. */
async function traceable(): Promise<Traceable> {
  const core = createRequire(import.meta.url).resolve("@langchain/core/messages");
  const entry = createRequire(core).resolve("langsmith/traceable");
  const loaded: unknown = await import(pathToFileURL(join(dirname(entry), "traceable.js")).href);
  return (loaded as { traceable: Traceable }).traceable;
}

const answers = { "": whole(words(3)), ", failing": failing["an error after two words"]! };

/** Reads inside a function that LangSmith traces. */
async function traced(stage: Stage, body: () => Promise<unknown>, more: object = {}): Promise<void> {
  const trace = await traceable();
  const client = silentClient(stage.journal);
  const run = trace(body, { name: "traced", client, tracingEnabled: true, ...more });
  await stage.journal.outcome("caller", "traced", run("Capital?"));
}

const hook = "siliconflow.test.handler";
registerConfigureHook({ contextVar: hook });

const ways: Record<string, (stage: Stage) => Promise<void>> = {
  "inside a function that LangSmith traces": (stage) =>
    traced(stage, async () => readCalmly(stage, await stage.model().stream("Capital?"))),
  "inside a function that LangSmith traces, with a handler": (stage) =>
    traced(stage, async () => {
      const callbacks = [recording(stage.journal, "one", { awaitHandlers: true })];
      await readCalmly(stage, await stage.model().stream("Capital?", { callbacks, runName: "named" }));
    }),
  "inside a function that LangSmith is told not to trace": (stage) =>
    traced(
      stage,
      async () => {
        const callbacks = [new LangChainTracer({ client: silentClient(stage.journal) })];
        await readCalmly(stage, await stage.model().stream("Capital?", { callbacks }));
      },
      { tracingEnabled: false },
    ),
  "with a handler that the surroundings bring": async (stage) => {
    const chain = RunnableLambda.from(async () => {
      setContextVariable(hook, recording(stage.journal, "hooked", { awaitHandlers: true }) as BaseCallbackHandler);
      await readCalmly(stage, await stage.model().stream("Capital?"));
    });
    await stage.journal.outcome("caller", "chain", chain.invoke(""));
  },
};

/** What reaches a run by the code around it alone; loading this switches contexts on. */
export const surroundingScenarios: Scenario[] = Object.entries(ways).flatMap(([way, run]) =>
  Object.entries(answers).map(([answer, serve]): Scenario => ({ name: `a stream ${way}${answer}`, serve, run })),
);
