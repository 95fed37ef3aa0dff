/** What the results say of the goals. */
import type { Bound } from "./goals.ts";
import type { Outcome, Row } from "./pairing.ts";
import { ratiosOf, type Spread, spreadOf } from "./statistics.ts";

export interface Verdict {
  bound: Bound;
  limit: number;
  /** A ratio, or where a goal is about nothing else, the figure itself. */
  figure?: Spread;
  /** What it is a ratio to. */
  to?: string;
  /** What is left to the limit, as a part of it; negative beyond. */
  margin?: number;
  result: "met" | "MISSED" | "not measured";
  /** Where there is no figure. */
  reason?: string;
  /** The machine was too restless for one. */
  discarded?: boolean;
}

/** How much wider the limits are in the short form, whose few rounds find regressions, not figures. */
const shortForm = 2;
/** Within these the reference must lie when it is measured by itself. */
const steady = { full: { least: 0.8, most: 1.2 }, short: { least: 0.6, most: 1.7 } };

/** Why nothing of an outcome counts: the machine was too restless for the figures that are judged. */
export function restlessness(outcome: Outcome, bounds: readonly Bound[], short: boolean): string | undefined {
  if (outcome.discarded !== undefined) return outcome.discarded;
  const judged = bounds.filter(({ scenario, against }) => scenario === outcome.scenario && against !== "nothing");
  for (const figure of new Set(judged.map((bound) => bound.figure))) {
    const ratios = outcome.rows[0]?.ratios[figure] ?? [];
    if (ratios.length === 0) continue;
    const { median } = spreadOf(ratios);
    const { least, most } = steady[short ? "short" : "full"];
    if (median < least || median > most)
      return `${outcome.rows[0]!.name} against itself: ${figure} ${median.toFixed(2)}, not within ${least} to ${most}`;
  }
  return undefined;
}

export function judge(bound: Bound, outcome: Outcome, short: boolean): Verdict {
  const limit = short ? (bound.short ?? bound.limit * shortForm) : bound.limit;
  const without = (reason: string): Verdict => ({ bound, limit, result: "not measured", reason });
  if (outcome.discarded !== undefined) return { ...without(`discarded: ${outcome.discarded}`), discarded: true };
  const row = outcome.rows.find(({ name }) => name === bound.ours);
  if (row === undefined) return without("not among the entrants");
  if (row.wrong !== undefined) return without(row.wrong);
  const measured = figureOf(bound, row, outcome);
  if (measured === undefined) return without("nothing to compare with");
  const { figure, to } = measured;
  const margin = 1 - figure.median / limit;
  // NaN is no success either.
  return { bound, limit, figure, ...(to !== undefined && { to }), margin, result: margin >= 0 ? "met" : "MISSED" };
}

function figureOf(
  { figure, against }: Bound,
  row: Row,
  { rows }: Outcome,
): { figure: Spread; to: string | undefined } | undefined {
  const { values, ratios } = row;
  if (values[figure] === undefined) return undefined;
  if (against === "nothing") return { figure: spreadOf(values[figure]), to: undefined };
  if (against === "reference") return { figure: spreadOf(ratios[figure]!), to: rows[0]!.name };
  const median = (each: Row): number => spreadOf(each.ratios[figure]!).median;
  const compared = rows
    .filter((each) => each.role === "peer" && each.wrong === undefined && each.ratios[figure] !== undefined)
    .sort((one, other) => median(one) - median(other))[0];
  if (compared === undefined) return undefined;
  return { figure: spreadOf(ratiosOf(ratios[figure]!, compared.ratios[figure]!)), to: compared.name };
}

/**
 * What a run leaves with. A wrong answer of ours fails always; with `check` also a goal that is missed or could not be measured. In the
 * short form, which finds regressions on machines that others use as well, a restless one is no failure, unless nothing was measured.
 */
export function exitCode(
  verdicts: readonly Verdict[],
  outcomes: readonly Outcome[],
  { check, short }: { check: boolean; short: boolean },
): number {
  const wrong = outcomes.some(({ rows }) => rows.some((row) => row.role === "ours" && row.wrong !== undefined));
  const failed = verdicts.some(({ result, discarded }) => result !== "met" && !(short && discarded));
  const nothing = verdicts.every(({ result }) => result === "not measured");
  return wrong || (check && (failed || nothing)) ? 1 : 0;
}
