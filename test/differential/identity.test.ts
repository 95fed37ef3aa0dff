// Loaded first: with this, core knows the surroundings of what runs.
import "@langchain/core/context";
import { ChatSiliconFlow } from "@langchain-siliconflow/chat";
import { describe, expect, test } from "vitest";
import { CorePath, unheard } from "./core-path.js";
import { graphScenarios } from "./graphs.js";
import { key, observe } from "./scenario.js";
import { subjects } from "./subjects.js";
import { surroundingScenarios } from "./surroundings.js";

const all = { ...subjects, surroundings: surroundingScenarios, graphs: graphScenarios };

describe.each(Object.entries(all))("%s are what core's path gives", (_, scenarios) => {
  test.each(scenarios)("$name", async (scenario) => {
    const expected = await observe(scenario, CorePath);
    const ours = await observe(scenario, ChatSiliconFlow);
    expect(ours).toEqual(expected);
    // Records are long: a failure shall not print them.
    expect(JSON.stringify(ours).includes(key)).toBe(false);
  });
});

const { chunks, "stream objects": objects, errors, subclasses } = subjects;
const withoutHandlers = { chunks, "stream objects": objects, errors, subclasses };

describe.each(Object.entries(withoutHandlers))("without handlers, %s are what core's path gives", (_, scenarios) => {
  test.each(scenarios)("$name", async (scenario) => {
    const expected = await observe(scenario, unheard(CorePath));
    expect(await observe(scenario, unheard(ChatSiliconFlow))).toEqual(expected);
  });
});
