/** Results as tables of Markdown. */
import type { Outcome, Row } from "./pairing.ts";
import { type Spread, spreadOf } from "./statistics.ts";
import type { Verdict } from "./verdict.ts";

export function goalTable(verdicts: readonly Verdict[]): string {
  const lines = verdicts.map(({ bound, figure, to, limit, margin, result, reason }) => {
    const measured =
      figure === undefined
        ? ` | ${brief(reason ?? "")}`
        : `${rounded(figure.median)}${to === undefined ? "" : ` × ${to}`} | ${range(figure)}`;
    const spare = margin === undefined ? "" : `${(margin * 100).toFixed(0)} %`;
    return `| ${bound.goal} | ${bound.what} | ${measured} | ${rounded(limit)} | ${spare} | ${result} |`;
  });
  return [
    "| goal | what | ours | min to max | at most | margin | |",
    "| --- | --- | --- | --- | --- | --- | --- |",
    ...lines,
  ].join("\n");
}

/** Medians; beside each how it stands to the reference. */
export function outcomeTable({ scenario, title, figures, rows, discarded }: Outcome): string {
  const names = Object.keys(figures);
  const compared = Object.keys(rows[0]?.ratios ?? {}).length > 0;
  const head = names.flatMap((name) => (compared ? [figures[name]!, "× (min to max)"] : [figures[name]!]));
  const rounds = Math.max(0, ...rows.flatMap(({ values }) => Object.values(values).map((each) => each.length)));
  return [
    `\n${scenario}: ${title} (${rounds} round${rounds === 1 ? "" : "s"})${discarded === undefined ? "" : `; discarded: ${brief(discarded)}`}\n`,
    `| | ${head.join(" | ")} |`,
    `| --- |${" --- |".repeat(head.length)}`,
    ...rows.map((row) => `| ${row.name} | ${cellsOf(row, names, compared).join(" | ")} |`),
  ].join("\n");
}

function cellsOf({ wrong, values, ratios }: Row, names: readonly string[], compared: boolean): string[] {
  if (wrong !== undefined) return [`wrong: ${brief(wrong)}`];
  return names.flatMap((name) => {
    const value = values[name]?.length ? rounded(spreadOf(values[name]).median) : "";
    if (!compared) return [value];
    const spread = ratios[name]?.length ? spreadOf(ratios[name]) : undefined;
    return [value, spread === undefined ? "" : `${rounded(spread.median)} (${range(spread)})`];
  });
}

function range({ min, max }: Spread): string {
  return min === max ? "" : `${rounded(min)} to ${rounded(max)}`;
}

/** Three digits. */
function rounded(value: number): string {
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}

/** One line, and no bar that would be taken for a cell's. */
function brief(text: string): string {
  const line = text.split("\n")[0]!.replaceAll("|", "/");
  return line.length > 200 ? `${line.slice(0, 199)}…` : line;
}
