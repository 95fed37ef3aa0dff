import { once } from "node:events";
import { createServer } from "node:net";
import { startEmulator } from "@langchain-siliconflow/emulator";
import { describe, expect, test } from "vitest";
import { type Ended, folderWith, runDemo } from "./demo-process.js";

const goodDocs = () => folderWith({ "a.md": "# Geese\n\nGeese fly south in October.\n" });

/** What a failed run said. It ends with exit code 1, prints nothing on stdout and shows no stack trace. */
function complaintOf(run: Ended): string {
  expect(run).toMatchObject({ code: 1, signal: null, stdout: "" });
  expect(run.stderr).not.toMatch(/^\s+at |node:internal|file:\/\//m);
  return run.stderr;
}

describe("bad input ends with one clear sentence and exit code 1", { timeout: 60_000 }, () => {
  const env = () => ({ SILICONFLOW_DEMO_HOME: folderWith({}) });

  test.each<[string, string[], RegExp]>([
    ["an unknown option", ["--bogus", "q"], /Unknown option '--bogus'.*--help/],
    [
      "a --top-n that is no number",
      ["--top-n", "many", "q"],
      /--top-n must be a whole number from 1 to 20, not "many"/,
    ],
    ["a --top-n of 0", ["--top-n", "0", "q"], /--top-n must be a whole number from 1 to 20/],
    ["a --top-n of 21", ["--top-n", "21", "q"], /--top-n must be a whole number from 1 to 20/],
    ["an option without its value", ["q", "--docs"], /--docs.*--help/],
    ["an empty question", ["  "], /There is no question\. Put it in quotes/],
    ["an empty model id", ["--model", "", "q"], /--model is empty/],
    ["a missing folder", ["--docs", "/no/such/folder", "q"], /The folder .*no.such.folder does not exist.*--docs/],
  ])("%s", async (_, args, says) => {
    expect(complaintOf(await runDemo(args, env()))).toMatch(says);
  });

  test("an option that npm kept because no -- stands before it", async () => {
    const given = { ...env(), npm_config_docs: "true" };
    expect(complaintOf(await runDemo([goodDocs(), "q"], given))).toMatch(
      /npm took --docs .* Put -- before the options/,
    );
  });

  test("a question that looks like an option", async () => {
    const run = await runDemo(["--docs", goodDocs(), "--what is this?"], env());
    expect(complaintOf(run)).toMatch(/begins with a dash goes after a --/);
  });

  test("a model the host does not have, by its option and its name", async () => {
    const run = await runDemo(["--docs", goodDocs(), "--rerank-model", "no/such", "geese in October"], env());
    expect(complaintOf(run)).toMatch(/--rerank-model no\/such: 400 Model does not exist/);
  });

  test("no question for a folder", async () => {
    expect(complaintOf(await runDemo(["--docs", goodDocs()], env()))).toMatch(/There is no question/);
  });

  test("a folder without anything readable", async () => {
    const docs = folderWith({ "picture.png": "x", ".hidden.md": "x" });
    expect(complaintOf(await runDemo(["--docs", docs, "q"], env()))).toMatch(/no \.md, \.txt, \.html or \.pdf file/);
  });

  test("a folder of which no file can be read", async () => {
    const docs = folderWith({ "broken.pdf": "no", "binary.txt": "\0\u0001", "empty.md": "" });
    const run = await runDemo(["--docs", docs, "q"], env());
    expect(complaintOf(run)).toMatch(/None of the 3 files .* could be read/);
    for (const name of ["broken.pdf", "binary.txt", "empty.md"]) expect(run.stderr).toContain(`Skipped ${name}`);
  });

  test("a wrong key", async () => {
    const emulator = await startEmulator({ apiKey: "sk-right" });
    try {
      const given = { ...env(), SILICONFLOW_BASE_URL: emulator.url, SILICONFLOW_API_KEY: "sk-wrong-key" };
      const run = await runDemo(["--docs", goodDocs(), "q"], given);
      expect(complaintOf(run)).toMatch(/401.*Check SILICONFLOW_API_KEY/);
      expect(run.stderr).not.toContain("sk-wrong-key");
    } finally {
      await emulator.close();
    }
  });

  test("a host that does not answer, after saying that it tries again", async () => {
    const port = await freePort();
    const given = { ...env(), SILICONFLOW_BASE_URL: `http://127.0.0.1:${port}/v1`, SILICONFLOW_API_KEY: "sk-any" };
    const run = await runDemo(["--docs", goodDocs(), "q"], given);
    expect(complaintOf(run)).toMatch(
      new RegExp(`Check that http://127.0.0.1:${port}/v1 is right \\(SILICONFLOW_BASE_URL\\)`),
    );
    expect(run.stderr).toContain("Trying again in");
  });

  test("another host without a key", async () => {
    const given = { ...env(), SILICONFLOW_BASE_URL: "https://host.test/v1" };
    expect(complaintOf(await runDemo(["--docs", goodDocs(), "q"], given))).toMatch(/Set SILICONFLOW_API_KEY/);
  });

  test("a PostgreSQL that does not answer, without its password", async () => {
    const given = { ...env(), DATABASE_URL: `postgres://me:hidden-word@127.0.0.1:${await freePort()}/x` };
    const run = await runDemo(["--docs", goodDocs(), "q"], given);
    expect(complaintOf(run)).toMatch(/The database at 127\.0\.0\.1:\d+\/x does not answer.*DATABASE_URL/);
    expect(run.stderr).not.toContain("hidden-word");
  });

  test("two runs at once in the same place", async () => {
    const taken = folderWith({ lock: String(process.pid) });
    const run = await runDemo(["--docs", goodDocs(), "q"], { SILICONFLOW_DEMO_HOME: taken });
    expect(complaintOf(run)).toMatch(
      new RegExp(`Another run \\(process ${process.pid}\\) is using .*SILICONFLOW_DEMO_HOME`),
    );
  });
});

test("--help lists the options on stdout", async () => {
  const { code, stdout } = await runDemo(["--help"]);
  expect(code).toBe(0);
  for (const option of [
    "--docs",
    "--model",
    "--embedding-model",
    "--rerank-model",
    "--top-n",
    "--no-rerank",
    "--reset",
    "--json",
  ]) {
    expect(stdout).toContain(option);
  }
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
