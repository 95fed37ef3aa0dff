import { ChatSiliconFlow } from "@langchain-siliconflow/chat";
import { AsyncLocalStorageProviderSingleton, MockAsyncLocalStorage } from "@langchain/core/singletons";
import { describe, expect, test } from "vitest";
import { CorePath } from "./core-path.js";
import { observe } from "./scenario.js";
import { subjects, type Subject } from "./subjects.js";

/** Where what surrounds a run could make a difference. */
const looked: Subject[] = ["callbacks", "contexts", "traces", "errors"];

test("nothing has given core a store for contexts, as where it runs in a browser", () => {
  expect(AsyncLocalStorageProviderSingleton.getInstance()).toBeInstanceOf(MockAsyncLocalStorage);
});

describe.each(looked)("without contexts, %s are what core's path gives", (subject) => {
  test.each(subjects[subject])("$name", async (scenario) => {
    const expected = await observe(scenario, CorePath);
    expect(await observe(scenario, ChatSiliconFlow)).toEqual(expected);
  });
});
