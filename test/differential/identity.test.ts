import { ChatSiliconFlow } from "@langchain-siliconflow/chat";
import { describe, expect, test } from "vitest";
import { callbackScenarios } from "./callbacks.js";
import { chunkScenarios } from "./chunks.js";
import { CorePath } from "./core-path.js";
import { key, observe, type Scenario } from "./scenario.js";

const subjects: Record<string, Scenario[]> = {
  chunks: chunkScenarios,
  callbacks: callbackScenarios,
};

describe.each(Object.entries(subjects))("%s are what core's path gives", (_, scenarios) => {
  test.each(scenarios)("$name", async (scenario) => {
    const expected = await observe(scenario, CorePath);
    const ours = await observe(scenario, ChatSiliconFlow);
    expect(ours).toEqual(expected);
    expect(JSON.stringify(ours)).not.toContain(key);
  });
});
