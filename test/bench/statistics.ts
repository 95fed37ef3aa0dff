/** A figure over all rounds. */
export interface Spread {
  median: number;
  min: number;
  max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)! };
}

/** Round by round: what two figures of one round have in common, a slow phase of the machine, falls out. */
export function ratiosOf(values: readonly number[], bases: readonly number[]): number[] {
  return values.map((value, round) => value / bases[round]!);
}
