import type { Scenario } from "../scenario.ts";
import { callScenarios } from "./calls.ts";
import { growthScenarios } from "./growth.ts";
import { importScenarios } from "./imports.ts";
import { listScenarios } from "./lists.ts";
import { streamScenarios } from "./streams.ts";

/** In the order in which they run. */
export const scenarios: readonly Scenario[] = [
  ...streamScenarios,
  ...callScenarios,
  ...listScenarios,
  ...importScenarios,
  ...growthScenarios,
];
