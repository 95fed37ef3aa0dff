import { relative, sep } from "node:path";
import { afterAll, afterEach } from "vitest";
import { repository } from "../guard/setup.js";
import { offContract } from "./off-contract.js";
import { record, wrongSoFar } from "./recorder.js";

// Every test is one of the contract: what our packages send in it, and what an emulator answers of itself, is as described.
record();

afterEach(async ({ task }) => {
  const wrong = await wrongSoFar();
  const file = relative(repository, task.file.filepath).split(sep).join("/");
  const listed = offContract.find((entry) => entry.file === file && (entry.test?.test(task.name) ?? true));
  if (listed === undefined) complainOf(wrong);
  else if (listed.test !== undefined && wrong.length === 0 && task.result?.state !== "fail")
    throw new Error("off-contract.ts lists this test, but nothing in it is off contract any more.");
});

afterAll(async () => {
  // What came after the end of the last test.
  await wrongSoFar();
});

function complainOf(wrong: readonly string[]): void {
  if (wrong.length === 0) return;
  const more = wrong.length > 12 ? [`… and ${wrong.length - 12} more`] : [];
  throw new Error(`Not as test/contract/openapi.yaml has it:\n${[...wrong.slice(0, 12), ...more].join("\n")}`);
}
