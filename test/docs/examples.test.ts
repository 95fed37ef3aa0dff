import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { startEmulator, type Emulator } from "@langchain-siliconflow/emulator";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { repository } from "../guard/setup.js";
import { documentedExamples } from "./examples.js";

const execute = promisify(execFile);
const examples = documentedExamples().map((example, index) => ({ ...example, file: `example-${index}.ts` }));

let folder: string;
let emulator: Emulator;

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "siliconflow-docs-")));
  symlinkSync(join(repository, "test", "node_modules"), join(folder, "node_modules"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  // Examples often share names (`model`); an export makes each a module of its own.
  for (const { file, code } of examples)
    writeFileSync(join(folder, file), /^(import|export) /m.test(code) ? code : `${code}\nexport {};\n`);
  emulator = await startEmulator();
});

afterAll(async () => {
  await emulator.close();
  rmSync(folder, { recursive: true, force: true });
});

test("the documentation has examples", () => {
  expect(examples.length).toBeGreaterThan(10);
});

test("every example in the documentation compiles", () => {
  const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin", "tsc");
  const flags = [
    "--noEmit",
    "--strict",
    "--skipLibCheck",
    "--target",
    "es2023",
    "--module",
    "nodenext",
    "--types",
    "node",
  ];
  let complaints = "";
  try {
    execFileSync(process.execPath, [tsc, ...flags, ...examples.map(({ file }) => file)], {
      cwd: folder,
      encoding: "utf8",
      stdio: "pipe",
    });
  } catch (error) {
    complaints = (error as { stdout: string }).stdout;
  }
  for (const { file, place } of examples) complaints = complaints.replaceAll(`${file}(`, `${place} (`);
  expect(complaints).toBe("");
}, 60_000);

describe("every example in the documentation runs", () => {
  test.each(examples.filter(({ compileOnly }) => !compileOnly))("$place", async ({ file }) => {
    const running = execute(process.execPath, [file], {
      cwd: folder,
      timeout: 20_000,
      // What an example makes goes with the folder.
      env: {
        ...process.env,
        SILICONFLOW_API_KEY: emulator.apiKey,
        SILICONFLOW_BASE_URL: emulator.url,
        TMPDIR: folder,
      },
    });
    await expect(running).resolves.toMatchObject({ stderr: expect.not.stringMatching(/Warning/) });
  });
});
