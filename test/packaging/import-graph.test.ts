import { execFile } from "node:child_process";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";

const run = promisify(execFile);
const here = dirname(fileURLToPath(import.meta.url));

/** What a program of its own loads when it imports an entry: files, by the package that holds them. */
async function load(entry: string, how: "import" | "require"): Promise<Record<string, number>> {
  const program = `
    import { createRequire, registerHooks } from "node:module";
    import { pathToFileURL } from "node:url";
    const require = createRequire(import.meta.url);
    const urls = new Set();
    registerHooks({ load: (url, context, next) => (urls.add(url), next(url, context)) });
    ${how === "import" ? `await import("${entry}")` : `require("${entry}")`};
    for (const path of Object.keys(require.cache)) urls.add(pathToFileURL(path).href);
    const counts = {};
    for (const url of urls) {
      const own = /\\/packages\\/([^/]+)\\/dist\\//.exec(url)?.[1];
      const name = own ?? /.*\\/node_modules\\/((?:@[^/]+\\/)?[^/]+)\\//.exec(url)?.[1];
      if (name !== undefined) counts[name] = (counts[name] ?? 0) + 1;
    }
    console.log(JSON.stringify(counts));`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", program], { cwd: here });
  return JSON.parse(stdout) as Record<string, number>;
}

/** What core's light entries bring: the base class and the queue of its caller. */
const queue = ["eventemitter3", "p-finally", "p-queue", "p-timeout"];
const light = ["@langchain/core", ...queue];

const whole: [entry: string, packages: string[]][] = [
  ["@langchain-siliconflow/client", ["client"]],
  ["@langchain-siliconflow/client/fetch", ["client"]],
  ["@langchain-siliconflow/client/adapter", ["client"]],
  ["@langchain-siliconflow/embeddings", ["client", "embeddings", ...light]],
  ["@langchain-siliconflow/rerank/compressor", ["client", "rerank", ...light]],
  ["langchain-siliconflow/client", ["client", "langchain-siliconflow"]],
  ["langchain-siliconflow/embeddings", ["client", "embeddings", "langchain-siliconflow", ...light]],
];

describe.each(["import", "require"] as const)("%s", (how) => {
  test.each(whole)("of %s loads nothing but what it needs", async (entry, packages) => {
    const loaded = await load(entry, how);
    expect(Object.keys(loaded).sort()).toEqual(packages.sort());
    // Files cost more than what is in them. Core's light entries are eight.
    expect(loaded["client"]).toBeLessThanOrEqual(5);
    expect(loaded["@langchain/core"] ?? 0).toBeLessThanOrEqual(12);
  });

  test.each([
    ["rerank", ["embeddings", "chat", "tools", "@langchain/openai", "openai", "undici"]],
    ["tools", ["embeddings", "chat", "rerank", "@langchain/openai", "openai", "undici"]],
    ["chat", ["embeddings", "rerank", "tools", "undici"]],
  ])("of %s, by its package or by the subpath, leaves the others alone", async (name, others) => {
    const [own, subpath] = await Promise.all([
      load(`@langchain-siliconflow/${name}`, how),
      load(`langchain-siliconflow/${name}`, how),
    ]);
    for (const other of others) expect(own).not.toHaveProperty([other]);
    expect(Object.keys(subpath).sort()).toEqual([...Object.keys(own), "langchain-siliconflow"].sort());
  });

  test("of everything loads no undici yet", async () => {
    const loaded = await load("langchain-siliconflow", how);
    expect(Object.keys(loaded)).toContain("@langchain/openai");
    expect(loaded).not.toHaveProperty("undici");
  });
});
