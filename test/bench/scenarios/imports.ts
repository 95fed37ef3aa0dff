/** What it costs to import a package: a fresh process of plain JavaScript each time. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { environment, type Role, type Running, type Scenario } from "../scenario.ts";

type Listed = readonly [entry: string, role: Role];

const reference: Listed = ["@langchain/deepseek", "reference"];

/** Those that a goal is about. */
const judged: readonly Listed[] = [
  ["@langchain-siliconflow/chat", "ours"],
  ["@langchain-siliconflow/embeddings", "ours"],
  ["@langchain-siliconflow/rerank/compressor", "ours"],
  ["@langchain-siliconflow/rerank", "ours"],
];

const others: readonly Listed[] = [
  ["@langchain-siliconflow/client", "ours"],
  ["@langchain-siliconflow/tools", "ours"],
  ["langchain-siliconflow", "ours"],
  ["langchain-siliconflow/chat", "ours"],
  ["langchain-siliconflow/embeddings", "ours"],
  ["langchain-siliconflow/rerank", "ours"],
  ["langchain-siliconflow/client", "ours"],
  ["langchain-siliconflow/tools", "ours"],
  ["@langchain/openai", "peer"],
  ["@langchain/cohere", "peer"],
  ["@langchain/core/language_models/chat_models", "other"],
  ["openai", "other"],
  ["@ai-sdk/openai-compatible", "other"],
  ["ai", "other"],
  ["undici", "other"],
  ["nothing", "other"],
];

const imports = (name: string, list: readonly Listed[], rounds: Scenario["rounds"]): Scenario => ({
  name,
  title: "importing a package",
  figures: { user: "user CPU, ms", wall: "wall, ms", rss: "peak RSS, MiB" },
  entrants: [reference, ...list].map(([entry, role]) => ({ name: entry, role, start: async () => importing(entry) })),
  rounds,
});

export const importScenarios: readonly Scenario[] = [
  imports("import", judged, { full: 7, short: 3 }),
  imports("import-others", others, { full: 3, short: 0 }),
];

const run = promisify(execFile);

function importing(entry: string): Running {
  const program = `${entry === "nothing" ? "" : `await import(${JSON.stringify(entry)});`}
    const { userCPUTime, maxRSS } = process.resourceUsage();
    process.stdout.write(JSON.stringify({ user: userCPUTime / 1000, rss: maxRSS / 1024 }));`;
  return {
    async measure() {
      const begun = performance.now();
      const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", program], {
        cwd: import.meta.dirname,
        env: environment,
      });
      const wall = performance.now() - begun;
      return { figures: { ...(JSON.parse(stdout) as { user: number; rss: number }), wall }, evidence: "" };
    },
    end: async () => {},
  };
}
