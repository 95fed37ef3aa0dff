/** Something that was used at a time. */
interface Use {
  at: number;
  amount: number;
}

/** The most that any window of this length holds. For tests alone. */
export function mostWithin(uses: readonly Use[], windowMs: number): number {
  const ordered = uses.toSorted((one, other) => one.at - other.at);
  let most = 0;
  let sum = 0;
  let oldest = 0;
  for (const { at, amount } of ordered) {
    sum += amount;
    while (ordered[oldest]!.at <= at - windowMs) {
      sum -= ordered[oldest]!.amount;
      oldest += 1;
    }
    most = Math.max(most, sum);
  }
  return most;
}

/** How fast a whole limit's worth is used again, on average, as a part of how fast it may be. For tests alone. */
export function rateHeld(uses: readonly Use[], limit: number, windowMs: number): number {
  const ordered = uses.toSorted((one, other) => one.at - other.at);
  let next = 0;
  let span = 0;
  let total = 0;
  let times = 0;
  for (const { at, amount } of ordered) {
    while (next < ordered.length && span < limit) span += ordered[next++]!.amount;
    if (next >= ordered.length) break;
    total += ordered[next]!.at - at;
    times += 1;
    span -= amount;
  }
  return times === 0 ? 0 : windowMs / (total / times);
}
