import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const run = promisify(execFile);
const dist = fileURLToPath(new URL("../dist/", import.meta.url));

/** All built files that an entry can reach, by static and by lazy imports, and the packages they name. */
function reach(entry: string): { files: string[]; packages: string[] } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: string): void => {
    if (files.has(file)) return;
    files.add(file);
    const source = readFileSync(file, "utf8").replace(/\/\*[^]*?\*\//g, "");
    for (const [, name] of source.matchAll(/(?:from|import|require)\s*\(?\s*["']([^"']+)["']/g)) {
      if (name!.startsWith(".")) visit(join(dirname(file), name!));
      else packages.add(name!);
    }
  };
  visit(join(dist, entry));
  return { files: [...files], packages: [...packages] };
}

/** Runs a program against the built package and returns what it prints. */
async function evaluate(program: string, type: "module" | "commonjs" = "module"): Promise<string> {
  const { stdout } = await run(process.execPath, [`--input-type=${type}`, "--eval", program], { cwd: dirname(dist) });
  return stdout.trim();
}

const server = `
  import { createServer } from "node:http";
  const server = createServer((request, response) => response.end('{"object":"list","data":[]}'));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const baseURL = "http://127.0.0.1:" + server.address().port;
`;

test("the package has been built", () => {
  expect(existsSync(join(dist, "index.js")), "run the package's build first").toBe(true);
});

test.each(["fetch.js", "fetch.cjs"])("%s reaches no undici and nothing else outside this package", (entry) => {
  const { files, packages } = reach(entry);
  expect(files.length).toBeGreaterThan(1);
  expect(packages).toEqual([]);
});

test.each(["index.js", "index.cjs"])("%s names undici, and only in a lazy import", (entry) => {
  const { files, packages } = reach(entry);
  expect(packages).toContain("undici");
  const lines = files
    .flatMap((file) => readFileSync(file, "utf8").split("\n"))
    .filter((line) => /["']undici["']/.test(line));
  // For requests, and for downloads.
  const lazily: unknown = expect.stringMatching(/await import\("undici"\)/);
  expect(lines).toEqual([lazily, lazily]);
});

test("both entries export the same names, and what is for adapters stays in its own", async () => {
  const names = (entry: string) => evaluate(`console.log(Object.keys(await import("./dist/${entry}")).sort().join())`);
  const [index, fetch, indexCjs, adapter] = await Promise.all(
    ["index.js", "fetch.js", "index.cjs", "adapter.js"].map(names),
  );
  expect(fetch).toBe(index);
  for (const name of adapter!.split(",")) expect(index!.split(",")).not.toContain(name);
  for (const name of index!.split(",")) expect(indexCjs!.split(",")).toContain(name);
});

test("undici is loaded with the first request, not with the package or the client", async () => {
  const printed = await evaluate(`
    import { createRequire } from "node:module";
    ${server}
    // undici is CommonJS: the cache shows when it was loaded.
    const loaded = () => Object.keys(createRequire(import.meta.url).cache).some((file) => /[\\\\/]undici[\\\\/]/.test(file));
    const { SiliconFlowClient } = await import("./dist/index.js");
    const client = new SiliconFlowClient({ apiKey: "sk-1", baseURL });
    const before = loaded();
    await client.models.list();
    console.log(before, loaded());
    await client.close();
    server.close();
  `);
  expect(printed).toBe("false true");
});

test("an error of one build is recognised by the other", async () => {
  const printed = await evaluate(`
    import { createRequire } from "node:module";
    import { isSiliconFlowError, SiliconFlowError } from "./dist/index.js";
    const cjs = createRequire(import.meta.url)("./dist/index.cjs");
    const error = new cjs.RateLimitError("x", { status: 429 });
    console.log(error instanceof SiliconFlowError, isSiliconFlowError(error));
  `);
  expect(printed).toBe("false true");
});

test("a program ends by itself once its calls are over, without close()", async () => {
  const printed = await evaluate(`
    ${server}
    const { SiliconFlowClient } = await import("./dist/index.js");
    const client = new SiliconFlowClient({ apiKey: "sk-1", baseURL, timeouts: { totalMs: 600_000 } });
    await client.models.list();
    server.close();
    server.closeIdleConnections();
    console.log("done", process.getActiveResourcesInfo().includes("Timeout"));
  `);
  expect(printed).toBe("done false");
}, 15_000);
