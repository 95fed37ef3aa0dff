import "@langchain/core/context";
import { ChatSiliconFlow } from "@langchain-siliconflow/chat";
import { describe, expect, test } from "vitest";
import { callbackScenarios } from "./callbacks.js";
import { chunkScenarios } from "./chunks.js";
import { compositionScenarios } from "./composition.js";
import { contextScenarios } from "./context.js";
import { CorePath } from "./core-path.js";
import { errorScenarios } from "./errors.js";
import { graphScenarios } from "./graphs.js";
import { key, observe, type Scenario } from "./scenario.js";
import { objectScenarios } from "./stream-object.js";
import { subclassScenarios } from "./subclasses.js";
import { tracingScenarios } from "./tracing.js";

const subjects: Record<string, Scenario[]> = {
  chunks: chunkScenarios,
  callbacks: callbackScenarios,
  contexts: contextScenarios,
  traces: tracingScenarios,
  "stream objects": objectScenarios,
  errors: errorScenarios,
  subclasses: subclassScenarios,
  compositions: compositionScenarios,
  graphs: graphScenarios,
};

describe.each(Object.entries(subjects))("%s are what core's path gives", (_, scenarios) => {
  test.each(scenarios)("$name", async (scenario) => {
    const expected = await observe(scenario, CorePath);
    const ours = await observe(scenario, ChatSiliconFlow);
    expect(ours).toEqual(expected);
    expect(JSON.stringify(ours)).not.toContain(key);
  });
});
