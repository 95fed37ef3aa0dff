// For tests alone: what a limiter let through, looked at afterwards.

interface Use {
  at: number;
  amount: number;
}

/** The most that any window of this length held. */
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

/**
 * The rate that was held, as a part of the limit: how long it took, on average, until as much again as a whole limit was used.
 * The burst of the first window, which costs no waiting, is no part of it.
 */
export function rateHeld(uses: readonly Use[], limit: number, windowMs: number): number {
  const ordered = uses.toSorted((one, other) => one.at - other.at);
  let next = 0;
  let used = 0;
  let spansMs = 0;
  let spans = 0;
  for (const { at, amount } of ordered) {
    while (next < ordered.length && used < limit) used += ordered[next++]!.amount;
    if (next >= ordered.length) break;
    spansMs += ordered[next]!.at - at;
    spans += 1;
    used -= amount;
  }
  return spans === 0 ? 0 : windowMs / (spansMs / spans);
}
