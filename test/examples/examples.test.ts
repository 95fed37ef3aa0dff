import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { startEmulator } from "@langchain-siliconflow/emulator";
import { describe, expect, test } from "vitest";
import { repository } from "../guard/setup.js";
import { folderWith, runExample } from "../demo/demo-process.js";

const folder = join(repository, "examples");
const names = globSync("{agent,audio,batch,chat,client,retrieval,video}/*.ts", { cwd: folder }).map((file) =>
  file.replaceAll("\\", "/").slice(0, -3),
);

/** What each example must show, offline. A new example needs its line here. */
const shows: Record<string, { stdout: RegExp[]; stderr?: RegExp[] }> = {
  // Each step after the one before: what was found is what is read aloud.
  "agent/research-draw-read": {
    stdout: [
      /calls +search_notes\(.*\ntool +The keeper of the lighthouse, Ada Lind,.*\ncalls +make_image\(.*"make a picture of the lighthouse at night"/,
      /file +\S+\.png\ncalls +speak\(\{"text":"The keeper of the lighthouse, Ada Lind,.*\n.*\nfile +\S+\.mp3\n/,
    ],
  },
  "audio/transcribe-and-answer": {
    stdout: [
      /heard +Welcome to the harbour office\./,
      /answer +According to the passages:\s+"On Sundays the ferry leaves at half past nine\."/,
    ],
  },
  "audio/voice-cloning": {
    stdout: [
      /uploaded +\S+sample\.mp3\n +as speech:my-voice:/,
      /heard +This sentence was never in the sample\./,
      /voices left: 0\n/,
    ],
  },
  "batch/contextual-retrieval": {
    stdout: [
      /bare:\n {2}It must be descaled every two months/,
      /situated:\n.*\n.*the Birch.*\n {2}It must be descaled every six months/,
    ],
    stderr: [/6 of 6 answered, completed/],
  },
  "chat/fill-in-the-middle": { stdout: [/const east = readFileSync\(«"south\.csv", "utf8"»\);\nconst west/] },
  "chat/hello": { stdout: [/\w+/, /\n\d+ tokens\n/] },
  "chat/messages-endpoint": { stdout: [/emulator/], stderr: [/\(thinks\) \w+/] },
  "chat/stream-reasoning": { stdout: [/Answer: \S+/], stderr: [/emulator answers\.\s+\S+/] },
  "chat/tools": {
    stdout: [/calls +get_weather\(\{"city":"Hangzhou"\}\)/, /tool +It is 21 °C and sunny in Hangzhou/, /ai +.*21/],
  },
  "client/models-and-balance": {
    stdout: [/^chat +\d\d {2}\S+\/\S+, …$/m, /^text-to-image +\d+ {2}Kwai-Kolors/m, /\nbalance 88\.00\n/],
  },
  "retrieval/embed": {
    // The nearest text has the highest figure of its question.
    stdout: [
      /What does the panda eat\? {2}\(1024 numbers\)\n {2}0\.[1-9]\d\d {2}The giant panda\b.*\n {2}0\.0\d\d .*\n {2}0\.0\d\d /,
      /大熊猫吃什么？ {2}\(1024 numbers\)\n {2}0\.0\d\d .*\n {2}0\.0\d\d .*\n {2}0\.[1-9]\d\d {2}大熊猫每天/,
    ],
  },
  "retrieval/embed-stream": { stdout: [/^1500: 1024 numbers for "Line 1501 is .*"\n63 requests, \d+ tokens$/m] },
  // The one that shows it first, by what the models saw: the names of the files tell nothing.
  "retrieval/pictures": {
    stdout: [/2\.png {2}Fishing boats/, /boats in a harbour at night\n {2}0\.[3-9]\d\d {2}2\.png\n/],
  },
  "retrieval/rerank": { stdout: [/^0\.\d+ {2}\(was 3\) {2}Brew green tea at about 80 °C/] },
  "video/video-with-progress": {
    stdout: [/InQueue\n +\d+\.\d s {2}InProgress\n +\d+\.\d s {2}Succeed\n {2}\S+video\.mp4 \(video\/mp4, \d+ KB\)/],
  },
  "retrieval/rag": { stdout: [/\[1\] lines \d+–\d+, score 0\.\d+/, /"[^"]+" \[\d\]/] },
};

test("every example has an expectation", () => {
  expect(Object.keys(shows).toSorted()).toEqual(names.toSorted());
});

describe("runs offline and prints something worth seeing", { timeout: 30_000 }, () => {
  test.each(names)("%s", async (name) => {
    // What an example makes goes when its test does.
    const run = await runExample("run.ts", [name], { TMPDIR: folderWith({}) });

    expect(run).toMatchObject({ code: 0, signal: null });
    expect(run.stderr).toContain("Offline: SILICONFLOW_API_KEY is not set");
    for (const pattern of shows[name]?.stdout ?? []) expect(run.stdout).toMatch(pattern);
    for (const pattern of shows[name]?.stderr ?? []) expect(run.stderr).toMatch(pattern);
  });
});

test("with a key set, an example asks the host it is told to and starts no emulator", async () => {
  const emulator = await startEmulator({ apiKey: "sk-mine" });
  try {
    const env = { SILICONFLOW_API_KEY: "sk-mine", SILICONFLOW_BASE_URL: emulator.url };
    const run = await runExample("run.ts", ["chat/hello"], env);
    expect(run).toMatchObject({ code: 0, stderr: "" });
    expect(emulator.requests).toHaveLength(1);
  } finally {
    await emulator.close();
  }
});

test("with a key that is refused, an example says so in a line, without a stack", async () => {
  const emulator = await startEmulator();
  try {
    const env = { SILICONFLOW_API_KEY: "sk-wrong", SILICONFLOW_BASE_URL: emulator.url };
    const run = await runExample("run.ts", ["chat/hello"], env);
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(/^401 Invalid token .*The key was refused by .*\n$/);
  } finally {
    await emulator.close();
  }
});

test("rag answers from a file of the user's own, and fits on a page", async () => {
  const docs = folderWith({ "notes.md": "# Notes\n\nThe spare key lies under the third flower pot.\n" });
  const run = await runExample("run.ts", ["retrieval/rag", join(docs, "notes.md"), "Where does the spare key lie?"]);

  expect(run.stdout).toContain("under the third flower pot");
  expect(readFileSync(join(folder, "retrieval/rag.ts"), "utf8").split("\n").length).toBeLessThan(80);
});

test("examples import public names only", () => {
  for (const name of names) {
    const imports = [...readFileSync(join(folder, `${name}.ts`), "utf8").matchAll(/from "([^"]+)"/g)].map(
      ([, from]) => from!,
    );
    expect(imports.filter((from) => from.startsWith(".") || from.startsWith("@langchain-siliconflow/"))).toEqual([]);
  }
});

test("a name that is no example is told the names that are", async () => {
  const run = await runExample("run.ts", ["chat/nothing"]);
  expect(run.code).toBe(1);
  expect(run.stderr).toContain('There is no example "chat/nothing"');
  for (const name of names) expect(run.stderr).toContain(name);
});
