import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import { repository } from "../guard/setup.js";

/** How a program ended, and what it printed. */
export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** Runs a file of the examples the way the start script does, on the Node.js of this test. */
export async function runExample(file: string, args: string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const child = spawn(process.execPath, [join(repository, "examples", file), ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>,
  ]);
  return { code, signal, stdout, stderr };
}

export function runDemo(args: string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return runExample("demo/main.ts", args, env);
}

/** A new folder with these files, gone after the test, or kept for as long as the caller wants with `keep`. */
export function folderWith(files: Record<string, string | Uint8Array>, { keep = false } = {}): string {
  const folder = mkdtempSync(join(tmpdir(), "siliconflow-demo-"));
  if (!keep) onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

/** What `--json` prints. */
export interface Output {
  question: string;
  answer: string;
  reasoning: string;
  citations: { n: number; source: string; quote: string; verified: boolean; heading?: string; page?: number }[];
  sources: { source: string; rankBefore: number; rankAfter: number; relevanceScore: number | null }[];
  usage: Record<string, unknown>;
  emulator: boolean;
}
