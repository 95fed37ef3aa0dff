import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { startEmulator, type Emulator } from "@langchain-siliconflow/emulator";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { repository } from "../guard/setup.js";
import { folderWith, runDemo } from "./demo-process.js";

/** Thirty requests of 32, nearly twice what is under way at once. */
const chunkCount = 960;
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

function environment(): NodeJS.ProcessEnv {
  return {
    SILICONFLOW_DEMO_HOME: home,
    SILICONFLOW_BASE_URL: emulator.url,
    SILICONFLOW_API_KEY: emulator.apiKey,
  };
}

function run(docs: string, env: NodeJS.ProcessEnv = {}) {
  return runDemo(["--docs", docs, "What is coin number 123 worth?"], { ...environment(), ...env });
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
    expect(resumed.stdout).toContain("is worth 861 crowns");
  });
});

test("Ctrl-C in the middle of a request ends with exit code 130, and the next run goes on", async () => {
  const docs = folderWith({ "a.md": "# Geese\n\nGeese fly south in October.\n" });
  emulator.fault({ endpoint: "embeddings", nth: 2, stallMs: 600_000 });
  const child = spawn(
    process.execPath,
    [join(repository, "examples/demo/main.ts"), "--docs", docs, "When do geese fly?"],
    {
      env: { ...process.env, ...environment() },
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  const ended = once(child, "exit");
  let stderr = "";
  for await (const text of child.stderr.setEncoding("utf8")) {
    stderr += text;
    if (stderr.includes("Embedding 1 of 1 chunks") && !child.killed) child.kill("SIGINT");
  }
  const [code] = await ended;
  expect({ code, stderr }).toMatchObject({ code: 130, stderr: expect.stringContaining("Run the same command again") });

  emulator.reset();
  const again = await runDemo(["--docs", docs, "When do geese fly?"], environment());
  expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining("October") });
  expect(again.stderr).toContain("1 of 1 chunks new");
}, 60_000);
