import { type Case, makeCase } from "./cases.ts";
import { disagreement } from "./compare.ts";
import { judge } from "./oracle.ts";
import { canRead, isCrash, read, type Readers, type Way } from "./ours.ts";

/** What came of some cases. Every problem says how to see it again. */
export interface Tally {
  cases: number;
  complete: number;
  damaged: number;
  readings: number;
  crashes: string[];
  disagreements: string[];
}

export const emptyTally = (): Tally => ({
  cases: 0,
  complete: 0,
  damaged: 0,
  readings: 0,
  crashes: [],
  disagreements: [],
});

export function addTally(sum: Tally, more: Tally): void {
  for (const name of ["cases", "complete", "damaged", "readings"] as const) sum[name] += more[name];
  sum.crashes.push(...more.crashes);
  sum.disagreements.push(...more.disagreements);
}

/** Readers, and how they are told what they are to be given. */
export interface Lines {
  readers: Readers;
  next(answer: Case): void;
}

/** Has a case judged by the oracle and read in these ways, and compares. */
export async function check(
  { seed, number, kind }: { seed: number; number: number; kind: Case["kind"] },
  readings: readonly { way: Way; lines: Lines }[],
  tally: Tally,
): Promise<void> {
  const answer = makeCase(seed, number, kind);
  const verdict = judge(answer.bytes, answer.asked);
  tally.cases += 1;
  if (verdict.complete) tally.complete += 1;
  else tally.damaged += 1;
  for (const { way, lines } of readings) {
    if (!canRead(way, answer)) continue;
    lines.next(answer);
    const outcome = await read(way, answer, lines.readers);
    tally.readings += 1;
    const at = `--seed ${seed} --${kind} ${number} (${answer.asked.endpoint}, ${way})`;
    if (isCrash(outcome)) tally.crashes.push(`${at}: ${stackOf(outcome)}`);
    else {
      const found = disagreement(verdict, outcome, answer);
      if (found !== undefined) tally.disagreements.push(`${at}: ${found}`);
    }
  }
}

function stackOf(outcome: object): string {
  const error = "error" in outcome ? outcome.error : undefined;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
