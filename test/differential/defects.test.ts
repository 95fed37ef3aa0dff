import "@langchain/core/context";
import { describe, expect, test } from "vitest";
import { CorePath, type ChatClass } from "./core-path.js";
import { rewrittenPath, type Defect } from "./rewritten-path.js";
import { observe, type Scenario } from "./scenario.js";
import { subjects, type Subject } from "./subjects.js";

/** Where each defect must show. */
const defects: Record<Defect, Subject> = {
  "takes no notice of handlers": "chunks",
  "does not tell tokens": "chunks",
  "does not wait for the end to be heard": "callbacks",
  "does not tell the end": "chunks",
  "does not tell errors": "callbacks",
  "swallows errors": "errors",
  "gives a chunk twice": "chunks",
  "drops empty chunks": "chunks",
  "copies chunks": "chunks",
  "goes on changing what was given": "chunks",
  "gives no id of the run": "subclasses",
  "tells tokens before chunks have their id": "chunks",
  "makes its own id of the run": "callbacks",
  "loses the name of the run": "callbacks",
  "loses tags": "callbacks",
  "loses the metadata of the call": "callbacks",
  "loses the metadata of the model": "callbacks",
  "does not pass handlers on": "traces",
  "loses the parameters of the request": "callbacks",
  "passes on more options than it should": "callbacks",
  "tells the last chunk for the answer": "chunks",
  "joins chunks at the end": "chunks",
  "tells no counts": "chunks",
  "takes no notice of an abort": "errors",
  "gives an abort an error of its own": "errors",
  "knows no context": "contexts",
  "leaks its context": "contexts",
  "reads ahead": "stream objects",
  "asks late": "errors",
  "gives a plain stream": "stream objects",
  "reads on when its reader has left": "stream objects",
  "tells an end when its reader has left": "stream objects",
  "takes no notice of disableStreaming": "chunks",
  "takes no notice of outputVersion": "chunks",
  "goes past subclasses": "subclasses",
};

/** What core's path shows, observed once for all defects. */
const expected = new Map<Scenario, Promise<object>>();

async function isFound(scenario: Scenario, Chat: ChatClass): Promise<boolean> {
  if (!expected.has(scenario)) expected.set(scenario, observe(scenario, CorePath));
  const core = await expected.get(scenario);
  const shown = await observe(scenario, Chat).catch((error: unknown) => ({ error }));
  try {
    expect(shown).toEqual(core);
    return false;
  } catch {
    return true;
  }
}

describe("a path written anew", () => {
  test.each(Object.entries(defects) as [Defect, Subject][])(
    "that %s is found in the scenarios of %s",
    async (defect, subject) => {
      const Chat = rewrittenPath(defect);
      for (const scenario of subjects[subject]) if (await isFound(scenario, Chat)) return;
      expect.fail(`No scenario of ${subject} shows it.`);
    },
  );

  // Compositions are the slowest, and built of what the others look at.
  const { compositions: _, ...others } = subjects;
  describe.each(Object.entries(others))("without a defect is let through: %s", (_, scenarios) => {
    test.each(scenarios)("$name", async (scenario) => {
      expect(await isFound(scenario, rewrittenPath())).toBe(false);
    });
  });
});
