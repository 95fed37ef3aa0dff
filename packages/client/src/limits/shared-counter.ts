import type { Clock } from "../clock.js";
import type { Budget } from "./budget.js";
import { SlidingWindow } from "./sliding-window.js";
import type { StoreLink } from "./store-link.js";

/** Each bucket is a counter of the store. 98 % of the rate are left after quick answers, 95.6 % after slow ones. */
export const sharedCut = { buckets: 120, marginMs: 500, holdMs: { quick: 5000, slow: 1750 } };
/** A counter of the store outlives its window by this. */
const spareSeconds = 20;
/** Others may correct what they counted: so many of the newest buckets are read each second, all of them now and then. */
const newestBuckets = 12;
const rereadMs = 8000;
/** And so many after each claim: what was corrected since the last second. */
const correctedBuckets = 6;
/** Buckets of the future are read as well: requests under way are counted there, by clocks that may be ahead. */
const aheadMs = sharedCut.holdMs.quick + sharedCut.marginMs;
/** Corrections are collected for so long; and what was added is there for so long before what it replaces is taken back. */
const collectMs = 100;
/** A reading that took longer may have missed both. */
const quickReadingMs = 80;

/** One limit of one model, counted by several processes in a store. */
export class SharedCounter {
  readonly budget: Budget;
  readonly #key: string;
  readonly #link: StoreLink;
  readonly #clock: Clock;
  readonly #seconds: number;
  /** Used by this process alone. */
  readonly #own: SlidingWindow;
  /** Used while the store was down, and not written to it yet. */
  readonly #unwritten: SlidingWindow;
  /** Corrections that are not sent yet, by bucket. */
  readonly #corrections = new Map<number, number>();
  /** What is to be taken back from the store soon, by bucket. */
  readonly #leaving = new Map<number, number>();
  /** Additions that are on their way to the store. */
  readonly #sending = new Map<number, number>();
  /** Buckets that are being read, each with its last reading: one that an addition has overtaken knows less than is known here. */
  readonly #reading = new Map<number, object>();
  #rereadAt = -Infinity;

  constructor(budget: Budget, key: string, link: StoreLink, clock: Clock) {
    const { windowMs, name } = budget.class;
    const bucketMs = windowMs / sharedCut.buckets;
    this.budget = budget;
    this.#key = `${key}:${name}`;
    this.#link = link;
    this.#clock = clock;
    this.#seconds = Math.ceil((windowMs + bucketMs + sharedCut.marginMs) / 1000) + spareSeconds;
    this.#own = new SlidingWindow(bucketMs, windowMs + sharedCut.marginMs);
    this.#unwritten = new SlidingWindow(bucketMs, windowMs + sharedCut.marginMs);
  }

  /** What the service does not limit is counted here alone, to learn from. */
  get #isShared(): boolean {
    return this.budget.limit(this.#clock.now()) !== Infinity;
  }

  /** Counts a claim here, so that the next one sees it. */
  take(amount: number, at: number): void {
    if (amount === 0) return;
    this.budget.used.add(this.#indexAt(at), amount);
    this.#own.add(this.#indexAt(at), amount);
  }

  /**
   * Counts what was taken in the store, and only then hears what others have: of two that claim at the same time, in
   * buckets beside each other, at least one knows of the other. Rejects when the store does not answer.
   */
  async claim(amount: number, at: number): Promise<void> {
    if (amount === 0 || !this.#isShared) return;
    await this.#add(this.#indexAt(at), amount);
    const from = this.#clock.now();
    const newest = this.#indexAt(from) - correctedBuckets;
    await this.#readFrom(newest);
    const now = this.#clock.now();
    // What was moved meanwhile was perhaps not yet where it went to, and no longer where it came from.
    if (now - from > quickReadingMs) await this.#readBuckets(newest, this.#indexAt(now), true);
  }

  giveBack(amount: number, at: number): void {
    this.#own.add(this.#indexAt(at), -amount);
    this.budget.used.add(this.#indexAt(at), -amount);
    void this.#post(this.#indexAt(at), -amount);
  }

  /** Counts what goes out without the store. */
  takeAlone(amount: number, at: number): void {
    this.#unwritten.add(this.#indexAt(at), amount);
    this.#own.add(this.#indexAt(at), amount);
  }

  /** What a process may use without the store: its share of what was free when the store was last heard. */
  freeAlone(share: number, now: number): number {
    return share * (this.budget.limit(now) - this.budget.total(now)) - this.#unwritten.total(now);
  }

  /** What is left of a process's share of the whole. */
  freeOwn(share: number, now: number): number {
    return share * this.budget.limit(now) - this.#own.total(now);
  }

  /** What was claimed makes way for what was used, at another time. `unwritten`: the store does not know the claim. */
  move(claimed: { amount: number; at: number }, used: { amount: number; at: number }, unwritten: boolean): void {
    const [from, to] = [this.#indexAt(claimed.at), this.#indexAt(used.at)];
    if (from === to && claimed.amount === used.amount) return;
    this.#own.add(from, -claimed.amount);
    this.#own.add(to, used.amount);
    if (unwritten) {
      this.#unwritten.add(from, -claimed.amount);
      this.#unwritten.add(to, used.amount);
    } else if (this.#link.up) {
      // What has left the window, the store has forgotten.
      if (from >= this.#own.oldestAt(this.#clock.now())) this.#correct(from, -claimed.amount);
      this.#correct(to, Math.min(claimed.amount, used.amount));
      this.#countMore(to, used.amount - claimed.amount);
    } else if (used.amount > claimed.amount) {
      // What the store has counted cannot be taken back from it now.
      this.#unwritten.add(to, used.amount - claimed.amount);
    }
  }

  /** Reads what others have counted: the newest buckets, and now and then all. */
  async read(): Promise<void> {
    if (!this.#isShared) return;
    const now = this.#clock.now();
    const all = now >= this.#rereadAt || this.#link.returning;
    if (all) this.#rereadAt = now + rereadMs;
    await this.#readFrom(all ? this.#own.oldestAt(now) : this.#indexAt(now) - newestBuckets);
  }

  /** The store is back: what was used without it is added to its counters. */
  async writeBack(): Promise<void> {
    this.#rereadAt = -Infinity;
    const entries = this.#unwritten.entries(this.#clock.now()).map((entry) => ({ ...entry }));
    this.#unwritten.clear();
    await Promise.all(
      entries.map(({ index, amount }) => {
        this.budget.used.add(index, amount);
        return this.#post(index, amount);
      }),
    );
  }

  /** The clock has jumped: what was counted by it means nothing now. */
  forget(): void {
    for (const window of [this.budget.used, this.#own, this.#unwritten]) window.clear();
    this.#corrections.clear();
    this.#rereadAt = -Infinity;
  }

  #indexAt(now: number): number {
    return this.#own.indexAt(now);
  }

  /** Nobody has claimed it: others hear of it at once. */
  #countMore(index: number, amount: number): void {
    if (amount <= 0) return;
    this.budget.used.add(index, amount);
    void this.#post(index, amount);
  }

  #correct(index: number, amount: number): void {
    this.budget.used.add(index, amount);
    if (this.#corrections.size === 0) this.#clock.after(collectMs, () => void this.#sendCorrections(), true);
    this.#corrections.set(index, (this.#corrections.get(index) ?? 0) + amount);
  }

  /**
   * First what is added, and to one of the newest buckets, which others read. What is taken back follows when every reading that
   * may have missed the addition has ended: at no moment may anyone see less than there is.
   */
  async #sendCorrections(): Promise<void> {
    const corrections = [...this.#corrections];
    this.#corrections.clear();
    for (const [index, amount] of corrections)
      if (amount < 0) this.#leaving.set(index, (this.#leaving.get(index) ?? 0) + amount);
    const newest = this.#indexAt(this.#clock.now());
    const added = corrections.filter(([, amount]) => amount > 0);
    await Promise.all(
      added.map(async ([index, amount]) => {
        const later = newest - index < 2 ? index : newest;
        this.budget.used.add(index, -amount);
        this.budget.used.add(later, amount);
        await this.#post(later, amount);
      }),
    );
    const takeBack = (): void => {
      for (const [index, amount] of corrections) {
        if (amount >= 0) continue;
        this.#leaving.set(index, this.#leaving.get(index)! - amount);
        if (this.#leaving.get(index) === 0) this.#leaving.delete(index);
        // What was added is perhaps not there.
        if (this.#link.up) void this.#post(index, amount);
      }
    };
    this.#clock.after(collectMs, takeBack, true);
  }

  /** Counts in the store what is counted here already. Never rejects: what the store does not take is kept for later. */
  async #post(index: number, amount: number): Promise<void> {
    if (amount === 0 || !this.#isShared) return;
    try {
      await this.#add(index, amount);
    } catch {
      if (amount < 0) return;
      this.budget.used.add(index, -amount);
      this.#unwritten.add(index, amount);
    }
  }

  /** Rejects when the store does not answer. */
  async #add(index: number, amount: number): Promise<void> {
    if (amount > 0) this.#sending.set(index, (this.#sending.get(index) ?? 0) + amount);
    let total: number;
    try {
      total = await this.#link.add(this.#bucketKey(index), amount, this.#seconds);
    } finally {
      if (amount > 0) this.#sent(index, amount);
    }
    if (amount < 0) return;
    this.#reading.delete(index);
    // Never less than what is known here: answers overtake one another.
    this.budget.used.set(index, Math.max(total + this.#unsent(index), this.budget.used.get(index)));
  }

  #sent(index: number, amount: number): void {
    const left = this.#sending.get(index)! - amount;
    if (left > 0) this.#sending.set(index, left);
    else this.#sending.delete(index);
  }

  /** Counted here, and in the store soon. */
  #unsent(index: number): number {
    return (this.#corrections.get(index) ?? 0) + (this.#leaving.get(index) ?? 0) + (this.#sending.get(index) ?? 0);
  }

  async #readFrom(first: number): Promise<void> {
    await this.#readBuckets(first, this.#indexAt(this.#clock.now() + aheadMs));
  }

  /** `onlyMore`: what a bucket is known to hold stands when the store says less. */
  async #readBuckets(first: number, last: number, onlyMore = false): Promise<void> {
    const reading: Promise<void>[] = [];
    for (let index = first; index <= last; index += 1) reading.push(this.#readBucket(index, onlyMore));
    await Promise.all(reading);
  }

  async #readBucket(index: number, onlyMore: boolean): Promise<void> {
    const reading = {};
    this.#reading.set(index, reading);
    const counter = await this.#link.get(this.#bucketKey(index));
    if (this.#reading.get(index) !== reading) return;
    this.#reading.delete(index);
    // One that is missing was never there, or the store has lost it: what is known of it stands.
    if (counter === null) return;
    const least = onlyMore ? this.budget.used.get(index) : 0;
    this.budget.used.set(index, Math.max(least, counter.consumedPoints + this.#unsent(index)));
  }

  #bucketKey(index: number): string {
    return `${this.#key}:${index}`;
  }
}
