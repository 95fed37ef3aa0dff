/**
 * The rounds of a scenario. The reference runs right before everyone else, and a ratio is taken of these two neighbours; every
 * other round goes backwards. So a slow phase of a shared machine meets both sides of a ratio. The reference's own row is a
 * second process of it: like all others it comes fresh out of its sleep, and what it is off by is the noise.
 */
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
  const bases = rows.map((): Record<string, number[]> => ({}));
  const start = async (index: number): Promise<Running | undefined> => {
    try {
      return await entrants[index]!.start(service);
    } catch (error) {
      rows[index]!.wrong = reasonOf(error);
      return undefined;
    }
  };
  const measure = async (runner: Running | undefined, index: number, kept: Record<string, number[]>): Promise<void> => {
    if (runner === undefined || rows[index]!.wrong !== undefined) return;
    try {
      const sample = await runner.measure();
      const { expected } = entrants[index]!;
      if (expected !== undefined && sample.evidence !== expected)
        throw new Error(`read ${sample.evidence}, not ${expected}`);
      for (const figure of Object.keys(figures)) (kept[figure] ??= []).push(sample.figures[figure]!);
    } catch (error) {
      rows[index]!.wrong = reasonOf(error);
    }
  };

  const reference = await start(0);
  const running: (Running | undefined)[] = [];
  for (const index of rows.keys()) running.push(await start(index));
  for (let round = 0; round < rounds; round += 1) {
    const order = [...rows.keys()];
    for (const index of round % 2 === 0 ? order : order.reverse()) {
      if (rows[index]!.wrong !== undefined) continue;
      await measure(reference, 0, bases[index]!);
      await measure(running[index], index, rows[index]!.values);
    }
  }
  await Promise.all([reference, ...running].map((each) => each?.end()));
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

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
