/**
 * Prints which behaviour is proven in which view, from vitest's JSON report of the tests here:
 * passed of all, an empty cell where a view has no such behaviour. Ends with 1 where a cell is not full.
 */
import { readFileSync } from "node:fs";
import { views } from "./views.ts";

interface Report {
  testResults: { assertionResults: { ancestorTitles: string[]; title: string; status: string }[] }[];
}

interface Count {
  passed: number;
  all: number;
}

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error("Which report? node test/views/table.ts <report.json>");

const names = Object.keys(views);
const behaviours = new Map<string, Map<string, Count>>();
const totals = new Map<string, Count>();

function count(counts: Map<string, Count>, view: string, isPassed: boolean): void {
  const { passed, all } = counts.get(view) ?? { passed: 0, all: 0 };
  counts.set(view, { passed: passed + (isPassed ? 1 : 0), all: all + 1 });
}

const report = JSON.parse(readFileSync(file, "utf8")) as Report;
for (const { ancestorTitles, title, status } of report.testResults.flatMap((result) => result.assertionResults)) {
  const behaviour = ancestorTitles.join(" › ");
  if (behaviour === "" || !names.includes(title)) continue;
  const counts = behaviours.get(behaviour) ?? new Map<string, Count>();
  behaviours.set(behaviour, counts);
  count(counts, title, status === "passed");
  count(totals, title, status === "passed");
}
if (behaviours.size === 0) throw new Error(`${file} has no test that is named after a view.`);

function row(name: string, counts: Map<string, Count>): string {
  const cells = names.map((view) => {
    const cell = counts.get(view);
    return cell === undefined ? "" : `${cell.passed}/${cell.all}`;
  });
  return `| ${[name.replaceAll("|", "\\|"), ...cells].join(" | ")} |`;
}

console.log(`| behaviour | ${names.join(" | ")} |`);
console.log(`|${" --- |".repeat(names.length + 1)}`);
for (const [behaviour, counts] of behaviours) console.log(row(behaviour, counts));
console.log(row(`all ${behaviours.size}`, totals));

process.exitCode = [...totals.values()].every(({ passed, all }) => passed === all) ? 0 : 1;
