import { rmSync } from "node:fs";
import { startEmulator, type Emulator } from "@langchain-siliconflow/emulator";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { folderWith, runDemo } from "./demo-process.js";

/** Forty requests of 32, more than twice what is under way at once. */
const chunkCount = 1280;
const mostInFlight = 16 * 32;

let emulator: Emulator;
let home: string;

beforeAll(async () => {
  emulator = await startEmulator();
  home = folderWith({}, { keep: true });
});
beforeEach(() => emulator.reset());
afterAll(async () => {
  await emulator.close();
  rmSync(home, { recursive: true, force: true });
});

function manyChunks(name: string): string {
  const sections = Array.from(
    { length: chunkCount },
    (_, n) => `## Entry ${n}\n\nThe ${name} number ${n} is worth ${n * 7} crowns.`,
  );
  return folderWith({ "ledger.md": sections.join("\n\n") });
}

/** Texts sent to be embedded, the question and the probe of the vector length left out. */
function embeddedTexts(): string[] {
  return emulator.requests
    .filter((request) => request.path.endsWith("/embeddings"))
    .flatMap((request) => (request.body as { input: string | string[] }).input)
    .filter((text) => text.startsWith("## Entry"));
}

function run(docs: string, env: NodeJS.ProcessEnv = {}) {
  return runDemo(["--docs", docs, "What is number 1234 worth?"], {
    SILICONFLOW_DEMO_HOME: home,
    SILICONFLOW_BASE_URL: emulator.url,
    SILICONFLOW_API_KEY: emulator.apiKey,
    ...env,
  });
}

function runAndKill(docs: string, at: string) {
  const preload = `--import=${new URL("kill-at.mjs", import.meta.url).href}`;
  return run(docs, { KILL_AT: at, NODE_OPTIONS: `${process.env["NODE_OPTIONS"] ?? ""} ${preload}` });
}

describe("a killed run goes on where it stopped", () => {
  test.each([
    ["after an embed request, before its vectors are kept", "before 20. INSERT INTO siliconflow_demo_vectors", "coin"],
    ["after the insert of chunks", "after 1. INSERT INTO siliconflow_demo_chunks", "stamp"],
    ["before the record update", 'before 1. INSERT INTO "siliconflow_demo_records"', "token"],
  ])("%s", { timeout: 60_000 }, async (_, at, name) => {
    const docs = manyChunks(name);

    const killed = await runAndKill(docs, at);
    expect(killed.signal).toBe("SIGKILL");
    const first = embeddedTexts();
    expect(first.length).toBeGreaterThan(0);

    const resumed = await run(docs);
    expect(resumed.stderr).toContain("Going on where an earlier run stopped");
    expect(resumed).toMatchObject({ code: 0, signal: null });
    const all = embeddedTexts();
    expect(new Set(all).size).toBe(chunkCount);
    expect(all.length - chunkCount).toBeLessThanOrEqual(mostInFlight);

    const third = await run(docs);
    expect(third.stderr).toContain(`0 of ${chunkCount} chunks new`);
    expect(third.code).toBe(0);
    expect(embeddedTexts().length).toBe(all.length);
  });
});
