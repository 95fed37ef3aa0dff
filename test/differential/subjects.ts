import { callbackScenarios } from "./callbacks.js";
import { chunkScenarios } from "./chunks.js";
import { compositionScenarios } from "./composition.js";
import { contextScenarios } from "./context.js";
import { errorScenarios } from "./errors.js";
import { iteratorScenarios } from "./iterators.js";
import type { Scenario } from "./scenario.js";
import { objectScenarios } from "./stream-object.js";
import { subclassScenarios } from "./subclasses.js";
import { tracingScenarios } from "./tracing.js";

/** Every scenario, by what it looks at; those of graphs are apart, for loading LangGraph switches contexts on. */
export const subjects = {
  chunks: chunkScenarios,
  callbacks: callbackScenarios,
  contexts: contextScenarios,
  traces: tracingScenarios,
  "stream objects": objectScenarios,
  iterators: iteratorScenarios,
  errors: errorScenarios,
  subclasses: subclassScenarios,
  compositions: compositionScenarios,
} satisfies Record<string, Scenario[]>;

export type Subject = keyof typeof subjects;
