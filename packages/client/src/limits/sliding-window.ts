/**
 * What was used in a window that slides over buckets of time. A bucket counts until its last moment has left the window,
 * so the sum is never less than what any window of that length holds.
 */
export class SlidingWindow {
  readonly #bucketMs: number;
  readonly #reachMs: number;
  /** In order of time. Few: the window's length divided by that of a bucket. */
  #buckets: { index: number; amount: number }[] = [];
  #total = 0;

  /** @param reachMs how long a moment counts: the window, and a margin for whoever counts the same with a delay */
  constructor(bucketMs: number, reachMs: number) {
    this.#bucketMs = bucketMs;
    this.#reachMs = reachMs;
  }

  /** The bucket that a moment falls into. */
  indexAt(now: number): number {
    return Math.floor(now / this.#bucketMs);
  }

  /** The oldest bucket that still counts. */
  oldestAt(now: number): number {
    return Math.floor((now - this.#reachMs) / this.#bucketMs);
  }

  /** Adds to a bucket, or takes from it what was added before. */
  add(index: number, amount: number): void {
    this.#bucket(index).amount += amount;
    this.#total += amount;
  }

  /** Replaces what a bucket holds. */
  set(index: number, amount: number): void {
    const bucket = this.#bucket(index);
    this.#total += amount - bucket.amount;
    bucket.amount = amount;
  }

  /** What a bucket holds. */
  get(index: number): number {
    return this.#buckets.findLast((bucket) => bucket.index === index)?.amount ?? 0;
  }

  /** What is in the window now. */
  total(now: number): number {
    const oldest = this.oldestAt(now);
    while (this.#buckets.length > 0 && this.#buckets[0]!.index < oldest) this.#total -= this.#buckets.shift()!.amount;
    return this.#total;
  }

  /** Milliseconds until at least so much has left the window; `Infinity` when there is not so much in it. */
  untilLeft(amount: number, now: number): number {
    let left = 0;
    this.total(now);
    if (amount <= 0) return 0;
    for (const bucket of this.#buckets) {
      left += bucket.amount;
      if (left >= amount) return Math.max(1, (bucket.index + 1) * this.#bucketMs + this.#reachMs - now);
    }
    return Infinity;
  }

  /** What is in the window, bucket by bucket. */
  entries(now: number): readonly { readonly index: number; readonly amount: number }[] {
    this.total(now);
    return this.#buckets;
  }

  clear(): void {
    this.#buckets = [];
    this.#total = 0;
  }

  /** Nearly always the last one. */
  #bucket(index: number): { index: number; amount: number } {
    let position = this.#buckets.length;
    while (position > 0 && this.#buckets[position - 1]!.index > index) position -= 1;
    const found = this.#buckets[position - 1];
    if (found?.index === index) return found;
    const made = { index, amount: 0 };
    this.#buckets.splice(position, 0, made);
    return made;
  }
}
