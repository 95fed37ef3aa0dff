import { ChatSiliconFlow } from "@langchain-siliconflow/chat";
import { describe, expect, test } from "vitest";
import { chunkScenarios } from "./chunks.js";
import { CorePath } from "./core-path.js";
import { observe, type Scenario } from "./scenario.js";

const subjects: Record<string, Scenario[]> = {
  chunks: chunkScenarios,
};

describe.each(Object.entries(subjects))("%s are what core's path gives", (_, scenarios) => {
  test.each(scenarios)("$name", async (scenario) => {
    const expected = await observe(scenario, CorePath);
    expect(await observe(scenario, ChatSiliconFlow)).toEqual(expected);
  });
});
