import type { RateLimitClass } from "../errors.js";
import type { Budget } from "./budget.js";
import type { LimiterClock } from "./clock.js";
import type { CheckedLimits, Need } from "./limits.js";
import { ModelLimits, type Wait } from "./model-limits.js";
import { SlidingWindow } from "./sliding-window.js";
import type { StoreLink } from "./store-link.js";
import { WaitingLine, type Admission, type Grant, type Waiter } from "./waiting-line.js";

/** Each bucket is a counter of the store. */
const buckets = 120;
/** For the store's answer, for clocks that differ, and for the way to the service: 96.8 % of the rate are left. */
const marginMs = 1500;
/** A counter outlives its window by this. */
const spareSeconds = 10;
/** Asked for together; other processes get their turn in between. */
const batchSize = 64;
/** Others may give something back: so many of the newest counters are read each second, and all of them now and then. */
const newest = 12;
const rereadMs = 8000;
const lookAgainMs = 1000;
/** How long a process stands back when others took what was free: at least, and a random part more. */
const standBackMs = 20;
const standBackSpreadMs = 80;
/** A clock that was set back by more makes what was counted by it worthless. */
const clockJumpMs = 1000;

/** What all models of a limiter have in common. */
export interface SharedParts {
  link: StoreLink;
  localShare: number;
  clock: LimiterClock;
  waitForHoursAndDays: boolean;
}

/** Counts of one model, shared with other processes. */
export class SharedModel {
  readonly line: WaitingLine;
  readonly #limits: ModelLimits;
  readonly #link: StoreLink;
  readonly #localShare: number;
  readonly #clock: LimiterClock;
  readonly #key: string;
  /** Used while the store was down, and not written to it yet. */
  readonly #unwritten = new Map<Budget, SlidingWindow>();
  /** Counts the times that `#unwritten` was written. */
  #written = 0;
  #readSecond = Number.NaN;
  #rereadAt = -Infinity;
  #lastNow = -Infinity;

  constructor(model: string, limits: CheckedLimits, { link, localShare, clock, waitForHoursAndDays }: SharedParts) {
    const cut = { buckets, marginMs };
    this.#limits = new ModelLimits(model, limits, cut, clock, waitForHoursAndDays);
    this.#link = link;
    this.#localShare = localShare;
    this.#clock = clock;
    this.#key = keyOf(model);
    for (const budget of this.#limits.budgets) {
      const { windowMs } = budget.class;
      this.#unwritten.set(budget, new SlidingWindow(windowMs / buckets, windowMs + marginMs));
    }
    this.line = new WaitingLine(this.#limits, (line) => this.#admit(line), clock);
  }

  /** The store is back: what was used without it is added to its counters. */
  async writeBack(): Promise<void> {
    const now = this.#clock.now();
    this.#written += 1;
    this.#rereadAt = -Infinity;
    const writing: Promise<void>[] = [];
    for (const [budget, unwritten] of this.#unwritten) {
      for (const { index, amount } of unwritten.entries(now)) writing.push(this.#count(budget, index, amount));
      unwritten.clear();
    }
    await Promise.all(writing);
    this.line.look();
  }

  async #admit(line: Iterable<Waiter>): Promise<Admission> {
    const now = this.#clock.now();
    if (now < this.#lastNow - clockJumpMs) this.#forget();
    this.#lastNow = now;
    if (!this.#link.up) return this.#admitAlone(line);
    try {
      await this.#read();
      return await this.#admitTogether(line);
    } catch {
      return this.#admitAlone(line);
    }
  }

  /** Claims room for the first in the line, and gives back what others were faster to claim. */
  async #admitTogether(line: Iterable<Waiter>): Promise<Admission> {
    const at = this.#clock.now();
    const batch: Waiter[] = [];
    let wait: Wait | undefined;
    for (const waiter of line) {
      if (batch.length === batchSize) break;
      wait = this.#limits.wait(waiter.need);
      if (wait !== undefined) break;
      batch.push(waiter);
      for (const budget of this.#limits.budgets) {
        const amount = waiter.need[budget.class.unit];
        budget.used.add(budget.used.indexAt(at), amount);
        budget.sent(amount, at);
      }
    }
    // Not all processes in the same moment.
    const lookAgain = lookAgainMs * (0.5 + this.#clock.random() / 2);
    if (batch.length === 0) return { granted: [], wait, lookAgainMs: lookAgain };

    await Promise.all(this.#shared(at).map((budget) => this.#claim(budget, at, sum(batch, budget))));
    const now = this.#clock.now();
    let kept = batch.length;
    const returned = { requests: 0, tokens: 0, images: 0 };
    const tooMuch = () =>
      this.#limits.budgets.some((budget) => budget.total(now) - returned[budget.class.unit] > budget.limit(now));
    while (kept > 0 && tooMuch()) {
      kept -= 1;
      const { need } = batch[kept]!;
      returned.requests += need.requests;
      returned.tokens += need.tokens;
      returned.images += need.images;
    }
    if (kept < batch.length) {
      this.#give(returned, at);
      wait = { milliseconds: standBackMs + this.#clock.random() * standBackSpreadMs, limit: undefined };
    }
    return {
      granted: batch.slice(0, kept).map((waiter) => [waiter, this.#grant(waiter, at, false)]),
      wait,
      lookAgainMs: lookAgain,
    };
  }

  /** Without the store: a share of what was free when it was last heard. */
  #admitAlone(line: Iterable<Waiter>): Admission {
    this.#link.need();
    const granted: [Waiter, Grant][] = [];
    for (const waiter of line) {
      const wait = this.#waitAlone(waiter.need);
      if (wait !== undefined) return { granted, wait, lookAgainMs };
      const now = this.#clock.now();
      for (const [budget, unwritten] of this.#unwritten) {
        const amount = waiter.need[budget.class.unit];
        unwritten.add(unwritten.indexAt(now), amount);
        budget.sent(amount, now);
      }
      granted.push([waiter, this.#grant(waiter, now, true)]);
    }
    return { granted, wait: undefined };
  }

  #waitAlone(need: Need): Wait | undefined {
    const wait = this.#limits.wait(need);
    if (wait !== undefined) return wait;
    const now = this.#clock.now();
    for (const [budget, unwritten] of this.#unwritten) {
      const { unit, name } = budget.class;
      const limit = budget.limit(now);
      if (limit === Infinity || need[unit] === 0) continue;
      const free = this.#localShare * (limit - budget.total(now)) - unwritten.total(now);
      if (need[unit] > free) return { milliseconds: lookAgainMs, limit: name };
    }
    return undefined;
  }

  #grant({ need, estimate }: Waiter, sentAt: number, alone: boolean): Grant {
    const written = this.#written;
    let ended = false;
    const end = (how: () => void) => {
      if (ended) return;
      ended = true;
      how();
      queueMicrotask(() => this.line.look());
    };
    /** Whether the claim is among what the store does not know. */
    const unwritten = () => alone && written === this.#written;
    return {
      settle: ({ tokens }) =>
        end(() => {
          const used = Number.isFinite(tokens) && tokens > 0 ? Math.ceil(tokens) : 0;
          if (used > 0) this.#limits.learn(estimate, used);
          this.#settle(used, need.tokens, sentAt, unwritten());
        }),
      penalize: ({ limit, retryAfterMs }) => {
        const pauseMs = this.#limits.reached(limit, retryAfterMs, need, sentAt);
        if (pauseMs > 0 && this.#link.up)
          this.#link.add(this.#pauseKey(limit), 1, Math.ceil(pauseMs / 1000)).catch(() => {});
        this.line.look();
      },
      cancel: () =>
        end(() => {
          if (unwritten())
            for (const [budget, window] of this.#unwritten)
              window.add(window.indexAt(sentAt), -need[budget.class.unit]);
          else if (this.#link.up) this.#give(need, sentAt);
        }),
    };
  }

  /** What was reserved makes way for what was really used, which counts from now on. */
  #settle(used: number, reserved: number, sentAt: number, unwritten: boolean): void {
    const now = this.#clock.now();
    for (const [budget, alone] of this.#unwritten) {
      if (budget.class.unit !== "tokens") continue;
      const [then, today] = [alone.indexAt(sentAt), alone.indexAt(now)];
      if (unwritten) {
        alone.add(then, -reserved);
        alone.add(today, used);
      } else if (!this.#link.up) {
        // What the store counted cannot be taken back from it now.
        if (used > reserved) alone.add(today, used - reserved);
      } else if (then === today) void this.#count(budget, today, used - reserved);
      else {
        // What has left the window needs no refund, and the store has forgotten it.
        if (then >= alone.oldestAt(now)) void this.#count(budget, then, -reserved);
        void this.#count(budget, today, used);
      }
    }
  }

  #give(amounts: Need, at: number): void {
    for (const budget of this.#limits.budgets)
      void this.#count(budget, budget.used.indexAt(at), -amounts[budget.class.unit]);
  }

  /** Counts here and in the store. Never rejects: what the store does not take is kept for later. */
  async #count(budget: Budget, index: number, amount: number): Promise<void> {
    if (amount === 0) return;
    budget.used.add(index, amount);
    if (budget.limit(this.#clock.now()) === Infinity) return;
    try {
      const total = await this.#link.add(this.#bucketKey(budget, index), amount, secondsOf(budget));
      if (amount > 0) this.#heard(budget, index, total);
    } catch {
      if (amount < 0) return;
      budget.used.add(index, -amount);
      this.#unwritten.get(budget)!.add(index, amount);
    }
  }

  async #claim(budget: Budget, at: number, amount: number): Promise<void> {
    if (amount === 0) return;
    const index = budget.used.indexAt(at);
    this.#heard(budget, index, await this.#link.add(this.#bucketKey(budget, index), amount, secondsOf(budget)));
  }

  /** Never less than what is known here: answers overtake one another. */
  #heard(budget: Budget, index: number, total: number): void {
    const known = budget.used.entries(this.#clock.now()).find((each) => each.index === index)?.amount ?? 0;
    budget.used.set(index, Math.max(known, total));
  }

  /** Reads what other processes have counted: once a second the newest, and now and then all. */
  async #read(): Promise<void> {
    const now = this.#clock.now();
    if (Math.floor(now / 1000) === this.#readSecond) return;
    this.#readSecond = Math.floor(now / 1000);
    const all = now >= this.#rereadAt;
    if (all) this.#rereadAt = now + rereadMs;
    const reading: Promise<void>[] = [this.#readPause(undefined)];
    for (const budget of this.#shared(now)) {
      const current = budget.used.indexAt(now);
      // One ahead, for a clock that is.
      for (let index = all ? budget.used.oldestAt(now) : current - newest; index <= current + 1; index += 1)
        reading.push(this.#readBucket(budget, index));
      if (budget.class.windowMs > 60_000) reading.push(this.#readPause(budget.class.name));
    }
    await Promise.all(reading);
  }

  async #readBucket(budget: Budget, index: number): Promise<void> {
    const counter = await this.#link.get(this.#bucketKey(budget, index));
    // A counter that is missing was never there, or the store lost it: what is known of it stands.
    if (counter !== null) budget.used.set(index, Math.max(0, counter.consumedPoints));
  }

  async #readPause(limit: RateLimitClass | undefined): Promise<void> {
    const pause = await this.#link.get(this.#pauseKey(limit));
    if (pause !== null && pause.msBeforeNext > 0) this.#limits.pause(limit, pause.msBeforeNext);
  }

  /** The budgets that are counted in the store. */
  #shared(now: number): readonly Budget[] {
    return this.#limits.budgets.filter((budget) => budget.limit(now) !== Infinity);
  }

  #forget(): void {
    for (const [budget, unwritten] of this.#unwritten) {
      budget.used.clear();
      unwritten.clear();
    }
    this.#rereadAt = -Infinity;
  }

  #bucketKey(budget: Budget, index: number): string {
    return `${this.#key}:${budget.class.name}:${index}`;
  }

  /** Limits per minute pause together. */
  #pauseKey(limit: RateLimitClass | undefined): string {
    return limit === undefined || limit.endsWith("M") ? `${this.#key}:pause` : `${this.#key}:pause:${limit}`;
  }
}

function secondsOf(budget: Budget): number {
  return Math.ceil((budget.class.windowMs * (1 + 1 / buckets) + marginMs) / 1000) + spareSeconds;
}

function sum(batch: readonly Waiter[], { class: { unit } }: Budget): number {
  return batch.reduce((total, { need }) => total + need[unit], 0);
}

/** A model's id in letters that every store takes, and no longer than its keys may be. */
function keyOf(model: string): string {
  const key = model.replace(/[^\w./-]/g, (letter) => `~${letter.charCodeAt(0).toString(16)}`);
  if (key.length <= 150) return key;
  let hash = 0;
  for (let index = 0; index < key.length; index += 1) hash = (Math.imul(hash, 31) + key.charCodeAt(index)) >>> 0;
  return `${key.slice(0, 140)}~${hash.toString(16)}`;
}
