import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startEmulator, type Emulator } from "@langchain-siliconflow/emulator";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { repository } from "../guard/setup.js";
import { folderWith, type Output, runDemo } from "./demo-process.js";
import { startPostgres } from "./postgres-server.js";
import { chinesePdf, tinyPdf } from "./tiny-pdf.js";

const documents = {
  "guide.md":
    "# Harbour guide\n\nWelcome to the harbour.\n\n## Opening hours\n\nThe harbour office opens at seven in the morning,\nexcept on Sundays.\n\n## Fees\n\nA berth costs twelve crowns for each metre of length.\n",
  "notes/keeper.txt": "The lighthouse keeper is called Ingrid Solheim. She has kept the light since 1998.\n",
  "page.html":
    "<html><head><title>x</title></head><body><h1>Ferries</h1><p>The ferry to Lindholm\n  leaves every forty minutes from pier three.</p><script>var a = 'pier nine';</script></body></html>",
  "report.pdf": tinyPdf([
    ["Annual report of the harbour."],
    ["In total 4312 ships were counted last year.", "Most of them carried timber."],
  ]),
  "说明.md": "# 港口说明\n\n港口的灯塔高四十二米，建于一八九一年。\n",
  "broken.pdf": "this is no PDF",
};

let home: string;
beforeAll(() => {
  home = folderWith({}, { keep: true });
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const offline = () => ({ SILICONFLOW_DEMO_HOME: home });

async function ask(docs: string | undefined, question: string, ...options: string[]): Promise<Output> {
  const folder = docs === undefined ? [] : ["--docs", docs];
  const { code, stdout, stderr } = await runDemo([...folder, "--json", ...options, question], offline());
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return JSON.parse(stdout) as Output;
}

describe("answers from a folder of documents", { timeout: 60_000 }, () => {
  let docs: string;
  beforeAll(() => {
    docs = folderWith(documents, { keep: true });
  });
  afterAll(() => rmSync(docs, { recursive: true, force: true }));

  test("says that it is offline, what it skipped and what it did, and streams an answer with checked quotes", async () => {
    const run = await runDemo(["--docs", docs, "When does the harbour office open?"], offline());

    expect(run.code).toBe(0);
    expect(run.stderr).toContain("Offline: SILICONFLOW_API_KEY is not set");
    expect(run.stderr).toMatch(/Skipped broken\.pdf: .*PDF/);
    expect(run.stderr).toMatch(/5 files: (\d+) of \1 chunks new/);
    expect(run.stdout).toContain("opens at seven in the morning");
    expect(run.stdout).toMatch(/✓ \[1\] guide\.md › Harbour guide › Opening hours/);
    expect(run.stdout).toMatch(/passage +before +after +score/);
    // Colours and cursor movements belong on a terminal.
    expect(run.stdout + run.stderr).not.toContain("\u001B");
  });

  test("reads a Chinese PDF whose font is named but not embedded", async () => {
    // 灯塔看守人名叫张明远。
    const docs = folderWith({ "keeper.pdf": chinesePdf("b5c6cbfebfb4cad8c8cbc3fbbdd0d5c5c3f7d4b6a1a3") });
    const { citations } = await ask(docs, "灯塔看守人叫什么名字？");
    expect(citations).toMatchObject([{ n: 1, source: "keeper.pdf", quote: "灯塔看守人名叫张明远。" }]);
  });

  test("a document cannot talk to the terminal", async () => {
    const evil = folderWith({
      "gulls.md": "# Gulls\u001B[31m\n\nGulls nest \u001B]0;title\u0007on the \u202Ecliffs in May.\n",
    });
    const { code, stdout } = await runDemo(["--docs", evil, "Where do gulls nest?"], offline());
    expect(code).toBe(0);
    expect(stdout).toContain("✓ [1] gulls.md");
    expect(stdout).not.toMatch(/[^\P{Cc}\n]|\u202E/u);
  });

  test("a relative folder for the database is one below where the command was typed", async () => {
    const typedIn = folderWith({ "docs/a.md": "Geese fly south in October.\n" });
    const env = { INIT_CWD: typedIn, SILICONFLOW_DEMO_HOME: "vectors" };
    const { code } = await runDemo(["--docs", "docs", "When do geese fly south?"], env);
    expect(code).toBe(0);
    expect(readdirSync(join(typedIn, "vectors"))).toContain("postgres-18");
  });

  test("a second run embeds nothing, and prints one JSON object and nothing else", async () => {
    const run = await runDemo(["--docs", docs, "--json", "When does the harbour office open?"], offline());

    expect(run.stderr).toMatch(/0 of \d+ chunks new/);
    const output = JSON.parse(run.stdout) as Output;
    expect(output).toMatchObject({ question: "When does the harbour office open?", emulator: true });
    expect(output.reasoning).not.toBe("");
    expect(output.answer).toContain("[1]");
    expect(output.usage).toMatchObject({ total_tokens: expect.any(Number), embedding_tokens: expect.any(Number) });
    expect(output.citations[0]).toMatchObject({ n: 1, source: "guide.md", heading: "Harbour guide › Opening hours" });
    for (const { source, quote, verified } of output.citations) {
      expect(verified).toBe(true);
      expect(readFileSync(join(docs, source), "utf8")).toContain(quote);
    }
    expect(output.sources[0]).toMatchObject({ source: "guide.md", rankBefore: expect.any(Number), rankAfter: 1 });
    expect(output.sources.map((each) => each.rankAfter)).toEqual(output.sources.map((_, index) => index + 1));
    const scores = output.sources.map((each) => each.relevanceScore!);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
  });

  test.each([
    ["page.html", "How often does the ferry to Lindholm leave?", "every forty minutes", { heading: "Ferries" }],
    ["report.pdf", "How many ships were counted last year?", "4312", { page: 2 }],
    ["说明.md", "灯塔有多高？", "四十二米", { heading: "港口说明" }],
  ])("quotes %s word for word", async (source, question, words, place) => {
    const output = await ask(docs, question);

    const citation = output.citations.find((each) => each.source === source && each.quote.includes(words));
    expect(citation).toMatchObject({ verified: true, ...place });
    for (const { verified } of output.citations) expect(verified).toBe(true);
  });

  test("a question the documents do not answer gets that for an answer, and no citations; ranks follow the options", async () => {
    const output = await ask(
      docs,
      "Which composer wrote the opera about volcanoes on Jupiter?",
      "--no-rerank",
      "--top-n",
      "2",
    );

    expect(output.answer).not.toBe("");
    expect(output.citations).toEqual([]);
    expect(output.sources.map((each) => [each.rankBefore, each.rankAfter, each.relevanceScore])).toEqual([
      [1, 1, null],
      [2, 2, null],
    ]);
  });

  test("embeds a changed file only, and forgets a deleted one", async () => {
    writeFileSync(join(docs, "notes/keeper.txt"), "The lighthouse keeper is called Olav Brekke.\n");
    rmSync(join(docs, "report.pdf"));
    const run = await runDemo(["--docs", docs, "--json", "How many ships were counted last year?"], offline());

    expect(run.stderr).toMatch(/4 files: 1 of \d+ chunks new, 3 old removed/);
    const output = JSON.parse(run.stdout) as Output;
    expect(output.sources.map((each) => each.source)).not.toContain("report.pdf");
    expect(JSON.stringify(output.citations)).not.toContain("4312");
  });

  test("another folder does not touch this one, and the key is nowhere in what is printed", async () => {
    const other = folderWith({ "other.md": "# Other\n\nThe windmill turns to the left.\n" });
    const emulator = await startEmulator({ apiKey: "sk-very-secret-key" });
    try {
      const run = await runDemo(["--docs", other, "--json", "Which way does the windmill turn?"], {
        ...offline(),
        SILICONFLOW_API_KEY: emulator.apiKey,
        SILICONFLOW_BASE_URL: emulator.url,
      });
      expect(run).toMatchObject({ code: 0, stdout: expect.stringContaining("to the left") });
      expect(run.stdout + run.stderr).not.toContain("very-secret");
    } finally {
      await emulator.close();
    }
    const again = await runDemo(["--docs", docs, "When does the office open?"], offline());
    expect(again.stderr).toMatch(/4 files: 0 of \d+ chunks new \(/);
  });

  test("--reset embeds everything anew", async () => {
    const run = await runDemo(["--docs", docs, "--reset", "When does the office open?"], offline());
    expect(run.stderr).toMatch(/4 files: (\d+) of \1 chunks new/);
  });
});

test("vectors of another emulator are never searched with these: all is embedded anew, and it says so", async () => {
  const docs = folderWith(documents);
  const question = "What is the lighthouse keeper called?";
  const first = await runDemo(["--docs", docs, question], offline());
  expect(first.stderr).not.toContain("embedded anew");

  const other = await startEmulator({ seed: 7 });
  try {
    const run = () =>
      runDemo(["--docs", docs, "--json", question], {
        ...offline(),
        SILICONFLOW_API_KEY: other.apiKey,
        SILICONFLOW_BASE_URL: other.url,
      });
    const second = await run();
    expect(second.stderr).toContain("everything is embedded anew");
    expect(second.stderr).toMatch(/5 files: (\d+) of \1 chunks new/);
    expect(embeddedTexts(other).some((text) => text.includes("Ingrid Solheim"))).toBe(true);
    expect((JSON.parse(second.stdout) as Output).citations[0]).toMatchObject({
      source: "notes/keeper.txt",
      verified: true,
    });

    other.reset();
    const third = await run();
    expect(third.stderr).toMatch(/0 of \d+ chunks new/);
    expect(embeddedTexts(other)).toEqual(["SiliconFlow", question]);
  } finally {
    await other.close();
  }
}, 60_000);

function embeddedTexts(emulator: Emulator): string[] {
  return emulator.requests
    .filter((request) => request.path.endsWith("/embeddings"))
    .flatMap((request) => (request.body as { input: string | string[] }).input);
}

test("without --docs it answers a question about itself, with at least two quotes found where they are said to be", async () => {
  const { code, stdout, stderr } = await runDemo(["--json"], offline());
  expect({ code, stderr }).toMatchObject({ code: 0 });

  const { citations } = JSON.parse(stdout) as Output;
  expect(citations.length).toBeGreaterThanOrEqual(2);
  for (const { source, quote, verified } of citations) {
    expect(verified).toBe(true);
    expect(readFileSync(join(repository, source), "utf8")).toContain(quote);
  }
}, 60_000);

test("with DATABASE_URL the vectors are kept on that server", async () => {
  const server = await startPostgres();
  try {
    const docs = folderWith({ "a.md": "# Geese\n\nGeese fly south in October.\n" });
    const elsewhere = folderWith({});
    const env = { DATABASE_URL: server.url, SILICONFLOW_DEMO_HOME: elsewhere };
    const first = await runDemo(["--docs", docs, "When do geese fly?"], env);
    expect(first).toMatchObject({ code: 0, stdout: expect.stringContaining("October") });

    const second = await runDemo(["--docs", docs, "When do geese fly?"], env);
    expect(second.stderr).toContain("0 of 1 chunks new");
    expect(await server.tables()).toContain("siliconflow_demo_vectors");
    expect(readdirSync(elsewhere)).toEqual([]);
  } finally {
    await server.close();
  }
}, 60_000);
