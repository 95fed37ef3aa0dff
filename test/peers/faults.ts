/**
 * The fault matrix of `test/faults`, for ours and for other libraries: `npm run faults`. Prints one table.
 * `-- --write` keeps it in docs/reliability/fault-matrix.md; `-- "53 "` takes only the cases whose title contains that.
 * Each library runs in a process of its own. Nothing leaves this machine.
 */
import "../guard/loopback-only.mjs";
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { all, type Case, type Subject, type Target } from "../faults/case.ts";
import { play } from "../faults/judge.ts";
import { matrix } from "../faults/matrix.ts";
import { rowNumbers, rows } from "../faults/rows.ts";
import { subjects } from "./fault-subjects.ts";

/** Longer than any library waits between the three retries that it is given. */
const limitMs = 30_000;
/** Most of the time is waiting. */
const atOnce = 16;
const page = new URL("../../docs/reliability/fault-matrix.md", import.meta.url);

const args = process.argv.slice(2);
const only = args.find((arg) => !arg.startsWith("--")) ?? "";

interface Job {
  section: string;
  entry: Case;
  /** Absent where the case cannot be put to anybody. */
  target: Target | undefined;
}

const jobs: readonly Job[] = Object.entries(matrix)
  .flatMap(([section, cases]) =>
    cases.flatMap((entry): Job[] => {
      const targets = entry.targets.length > 0 ? entry.targets : [undefined];
      return targets.map((target) => ({ section, entry, target }));
    }),
  )
  .filter(({ entry }) => titleOf(entry).includes(only));
if (jobs.length === 0) {
  console.error(`No case's number, row and name contain "${only}". docs/reliability/fault-matrix.md lists them.`);
  process.exit(1);
}

const subject = subjects.find(({ name }) => name === process.env["FAULT_SUBJECT"]);
if (subject) await fill(subject);
else await compare();

function titleOf({ row, fault }: Case): string {
  return `${row} ${rows[row]}: ${fault}`;
}

/** One column, cell by cell, to the process that asked for it. */
async function fill(who: Subject): Promise<void> {
  // A call that was cut off may fail later, when nobody waits for it.
  process.on("unhandledRejection", () => {});
  process.on("uncaughtException", () => {});
  // At the end, or when the table is given up. Calls that were cut off hold the process.
  process.on("disconnect", () => process.exit());
  const tell = async (index: number): Promise<void> => {
    const { entry, target } = jobs[index]!;
    process.send!({ index, cell: await cellOf(entry, target, who) });
  };
  const queue = mine(process.env["FAULT_ALONE"] === "1");
  const worker = async (): Promise<void> => {
    for (let index = queue.shift(); index !== undefined; index = queue.shift()) await tell(index);
  };
  await Promise.all(Array.from({ length: process.env["FAULT_ALONE"] === "1" ? 1 : atOnce }, worker));
  process.disconnect();
}

/** The jobs that must run alone, or all others. */
function mine(alone: boolean): number[] {
  return [...jobs.keys()].filter((index) => (jobs[index]!.entry.alone === true) === alone);
}

async function cellOf(entry: Case, target: Target | undefined, who: Subject): Promise<string> {
  if (entry.elsewhere) return who.ours ? `ok (${entry.elsewhere.file})` : "n/a: proven for ours alone";
  if (!who.ours && entry.oursOnly) return `n/a: ${entry.oursOnly}`;
  if (who.make[target!] === undefined) return "n/a: no such endpoint";
  const { wrong } = await play(entry, target!, who, limitMs);
  return wrong ?? "ok";
}

async function compare(): Promise<void> {
  // A key or a proxy of the machine must not decide what is seen.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(OPENAI|DEEPSEEK|OPENROUTER|SILICONFLOW|LANGSMITH|LANGCHAIN|LC)_|_proxy$/i.test(name),
    ),
  );
  const columns = subjects.map((): string[] => []);
  let done = 0;
  const run = async (column: number, alone: boolean): Promise<void> => {
    const { name } = subjects[column]!;
    // What the libraries print about the faults would tear the table.
    const child = fork(import.meta.filename, args, {
      env: { ...env, FAULT_SUBJECT: name, FAULT_ALONE: alone ? "1" : "0" },
      stdio: "ignore",
    });
    child.on("message", ({ index, cell }: { index: number; cell: string }) => {
      columns[column]![index] = cell;
      done += 1;
      if (done % 500 === 0) console.error(`${done} of ${jobs.length * subjects.length} cells`);
    });
    await once(child, "exit");
    const missing = mine(alone).find((index) => columns[column]![index] === undefined);
    if (missing !== undefined)
      throw new Error(`${name} ended without an answer to "${titleOf(jobs[missing]!.entry)}".`);
  };
  await Promise.all(columns.map((_, column) => run(column, false)));
  for (const column of columns.keys()) await run(column, true);

  const table = tableOf(columns);
  console.log(table);
  if (args.includes("--write")) {
    mkdirSync(new URL(".", page), { recursive: true });
    writeFileSync(page, `${preface()}\n${table}`);
  }
  const failing = columns[0]!.filter((cell) => !isFine(cell)).length;
  if (failing > 0) console.error(`${failing} of our cells fail.`);
  process.exitCode = failing > 0 ? 1 : 0;
}

function isFine(cell: string): boolean {
  return cell.startsWith("ok") || cell.startsWith("n/a");
}

/** One line for all targets of a fault of which every library tells the same. */
interface Line {
  section: string;
  entry: Case;
  targets: Target[];
  cells: string[];
}

function tableOf(columns: readonly string[][]): string {
  const lines: Line[] = [];
  for (const [index, { section, entry, target }] of jobs.entries()) {
    const cells = columns.map((column) => column[index]!);
    const alike = lines.find(
      (line) =>
        titleOf(line.entry) === titleOf(entry) &&
        line.cells.every((cell, column) => noEndpoint(cell) || noEndpoint(cells[column]!) || cell === cells[column]),
    );
    if (alike === undefined) lines.push({ section, entry, targets: target ? [target] : [], cells });
    else {
      if (!alike.targets.includes(target!)) alike.targets.push(target!);
      for (const [column, cell] of cells.entries()) if (noEndpoint(alike.cells[column]!)) alike.cells[column] = cell;
    }
  }
  const order = new Map(rowNumbers.map((row, place) => [row, place]));
  lines.sort((a, b) => order.get(String(a.entry.row))! - order.get(String(b.entry.row))!);

  const head = `| row | fault | asked by | ${subjects.map(({ name }) => name).join(" | ")} |`;
  const text = [head, `| --- | --- | --- |${" --- |".repeat(subjects.length)}`];
  let row = "";
  for (const { entry, targets, cells } of lines) {
    if (row !== String(entry.row)) {
      row = String(entry.row);
      text.push(`| **${row}** | **${rows[row]}** | |${" |".repeat(subjects.length)}`);
    }
    text.push(`| ${row} | ${plain(entry.fault)} | ${named(targets)} | ${cells.map(plain).join(" | ")} |`);
  }
  text.push(`| | **ok, of the cases put to it** | |${columns.map((cells) => ` **${share(cells)}** |`).join("")}`);
  return `${text.join("\n")}\n`;
}

function share(cells: readonly string[]): string {
  const put = cells.filter((cell) => !cell.startsWith("n/a"));
  return `${put.filter(isFine).length} of ${put.length}`;
}

function noEndpoint(cell: string): boolean {
  return cell === "n/a: no such endpoint";
}

/** A cell must not tear the table, nor be read as a tag. */
function plain(cell: string): string {
  return cell.replaceAll("|", "\\|").replaceAll("<", "&lt;").replaceAll("\n", " ");
}

/** Sets of targets that have a name of their own. */
function named(targets: readonly Target[]): string {
  const missing = all.filter((target) => !targets.includes(target));
  if (missing.length === 0) return "all";
  return missing.length < 5 ? `all but ${missing.join(", ")}` : targets.join(", ");
}

function preface(): string {
  const libraries = [
    "@langchain/core",
    "@langchain/openai",
    "@langchain/deepseek",
    "@langchain/openrouter",
    "@ai-sdk/openai-compatible",
    "ai",
  ];
  const versions = libraries.map((name) => `\`${name}\` ${versionOf(name)}`).join(", ");
  const day = new Date().toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" });
  return `# The fault matrix

<!-- Written by \`npm run faults -- --write\`. What is edited here is lost: edit test/peers/faults-preface.md and the cases in test/faults. -->

${readFileSync(new URL("faults-preface.md", import.meta.url), "utf8").trim()}

Conditions: ${day}, Node.js ${process.versions.node}, ${versions}.
`;
}

function versionOf(name: string): string {
  // Not every package lets its package.json be imported.
  const { version } = JSON.parse(
    readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url), "utf8"),
  ) as {
    version: string;
  };
  return version;
}
