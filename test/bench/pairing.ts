/**
 * The rounds of a scenario. The reference runs right before everyone else, itself included, and a ratio is taken of these two
 * neighbours; every other round goes backwards. So a slow phase of a shared machine meets both sides of a ratio.
 */
import type { Sample } from "./contender.ts";
import type { Role, Running, Scenario } from "./scenario.ts";
import type { Service } from "./service.ts";
import { ratiosOf } from "./statistics.ts";

/** Of one entrant, a value for each round. */
export interface Row {
  name: string;
  role: Role;
  values: Record<string, number[]>;
  /** Of each value to the reference's that was measured right before it. */
  ratios: Record<string, number[]>;
  /** Why none of its figures count. */
  wrong?: string;
}

export interface Outcome {
  scenario: string;
  title: string;
  figures: Record<string, string>;
  rows: Row[];
  /** Why nothing of it counts. */
  discarded?: string;
}

export async function runRounds(scenario: Scenario, rounds: number, service: Service): Promise<Outcome> {
  const { name, title, figures, entrants } = scenario;
  const rows = entrants.map((entrant): Row => ({ name: entrant.name, role: entrant.role, values: {}, ratios: {} }));
  const running: (Running | undefined)[] = [];
  const bases = rows.map((): Record<string, number[]> => ({}));
  const measure = async (index: number, kept: Record<string, number[]>): Promise<void> => {
    const sample = await running[index]!.measure();
    const wrong = wrongIn(sample, entrants[index]!.expected);
    if (wrong !== undefined) throw new Error(wrong);
    for (const figure of Object.keys(figures)) (kept[figure] ??= []).push(sample.figures[figure]!);
  };
  try {
    for (const [index, entrant] of entrants.entries()) {
      try {
        running[index] = await entrant.start(service);
      } catch (error) {
        rows[index]!.wrong = reasonOf(error);
      }
    }
    for (let round = 0; round < rounds; round += 1) {
      const order = [...entrants.keys()];
      for (const index of round % 2 === 0 ? order : order.reverse()) {
        const row = rows[index]!;
        if (row.wrong !== undefined || rows[0]!.wrong !== undefined) continue;
        await measure(0, bases[index]!).catch((error: unknown) => {
          rows[0]!.wrong = reasonOf(error);
        });
        if (rows[0]!.wrong !== undefined) continue;
        await measure(index, row.values).catch((error: unknown) => {
          row.wrong = reasonOf(error);
        });
      }
    }
  } finally {
    await Promise.all(running.map((each) => each?.end()));
  }
  for (const [index, { values, ratios }] of rows.entries())
    for (const figure of Object.keys(values)) ratios[figure] = ratiosOf(values[figure]!, bases[index]![figure]!);
  return {
    scenario: name,
    title,
    figures,
    rows,
    ...(rows[0]!.wrong && { discarded: `the reference: ${rows[0]!.wrong}` }),
  };
}

function wrongIn({ evidence }: Sample, expected: string | undefined): string | undefined {
  return expected === undefined || evidence === expected ? undefined : `read ${evidence}, not ${expected}`;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
