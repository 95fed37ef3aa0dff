import type { Clock } from "../clock.js";
import type { RateLimitClass } from "../errors.js";
import type { CheckedLimits, Need } from "./limits.js";
import { ModelLimits, type Wait } from "./model-limits.js";
import { SharedCounter, sharedCut } from "./shared-counter.js";
import type { StoreLink } from "./store-link.js";
import { WaitingLine, type Admission, type Grant, type Waiter } from "./waiting-line.js";

/** A claim that took longer is given back: its request would go out too long after it was counted. */
const lateMs = 1000;
/** So many late claims in a row, and the store is taken for down. */
const mostLate = 5;
/** Asked for together; other processes get their turn in between. */
const batchSize = 64;
/** Others may have given something back. */
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
  clock: Clock;
  waitForHoursAndDays: boolean;
}

/** The limits of one model, shared with other processes. */
export class SharedModel {
  readonly line: WaitingLine;
  readonly #limits: ModelLimits;
  readonly #counters: readonly SharedCounter[];
  readonly #link: StoreLink;
  readonly #localShare: number;
  readonly #clock: Clock;
  readonly #key: string;
  /** Counts the times that the store came back. */
  #returns = 0;
  #readSecond = Number.NaN;
  #lastNow = -Infinity;
  #late = 0;

  constructor(model: string, limits: CheckedLimits, { link, localShare, clock, waitForHoursAndDays }: SharedParts) {
    this.#limits = new ModelLimits(model, limits, sharedCut, clock, waitForHoursAndDays);
    this.#link = link;
    this.#localShare = localShare;
    this.#clock = clock;
    this.#key = keyOf(model);
    this.#counters = this.#limits.budgets.map((budget) => new SharedCounter(budget, this.#key, link, clock));
    this.line = new WaitingLine(this.#limits, (line) => this.#admit(line), clock);
  }

  /** The store is back, and hears what was used without it. */
  async writeBack(): Promise<void> {
    this.#returns += 1;
    await Promise.all(this.#counters.map((counter) => counter.writeBack()));
    this.line.look();
  }

  async #admit(line: Iterable<Waiter>): Promise<Admission> {
    const now = this.#clock.now();
    if (now < this.#lastNow - clockJumpMs) for (const counter of this.#counters) counter.forget();
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
    const now = this.#clock.now();
    const at = now + this.#limits.holdMs;
    const batch: Waiter[] = [];
    let wait: Wait | undefined;
    for (const waiter of line) {
      if (batch.length === batchSize) break;
      wait = this.#limits.wait(waiter.need) ?? (this.#link.returning ? this.#shareWait(waiter.need, "own") : undefined);
      if (wait !== undefined) break;
      batch.push(waiter);
      this.#each(waiter.need, (counter, amount) => {
        counter.take(amount, at);
        counter.budget.sent(amount, now);
      });
    }
    // Not all processes in the same moment.
    const lookAgain = lookAgainMs * (0.5 + this.#clock.random() / 2);
    if (batch.length === 0) return { granted: [], wait, lookAgainMs: lookAgain };

    await Promise.all(this.#each(sum(batch), (counter, amount) => counter.claim(amount, at)));
    const isLate = this.#clock.now() - now > lateMs;
    this.#late = isLate ? this.#late + 1 : 0;
    const tooMuch: Waiter[] = isLate ? batch.splice(0) : [];
    while (batch.length > 0 && this.#isOver(batch[0]!.need, sum(tooMuch))) tooMuch.unshift(batch.pop()!);
    if (tooMuch.length > 0) {
      this.#each(sum(tooMuch), (counter, amount) => counter.giveBack(amount, at));
      wait = { milliseconds: standBackMs + this.#clock.random() * standBackSpreadMs, limit: undefined };
    }
    if (this.#late >= mostLate) this.#link.fail();
    // They go out only now, and the service counts them so much later.
    const later = at + (this.#clock.now() - now);
    this.#each(sum(batch), (counter, amount) => counter.move({ amount, at }, { amount, at: later }, false));
    const granted = batch.map((waiter) => [waiter, this.#grant(waiter, now, later, false)] as const);
    return { granted, wait, lookAgainMs: lookAgain };
  }

  /** Whether a limit is exceeded, also when so much is given back. One request alone may be larger than a lowered limit. */
  #isOver(first: Need, returned: Need): boolean {
    const now = this.#clock.now();
    return this.#limits.budgets.some((budget) => {
      const { unit } = budget.class;
      return budget.total(now) - returned[unit] > Math.max(budget.limit(now), first[unit]);
    });
  }

  /** Without the store: a share of what was free when it was last heard. */
  #admitAlone(line: Iterable<Waiter>): Admission {
    this.#link.need();
    const granted: [Waiter, Grant][] = [];
    for (const waiter of line) {
      const wait = this.#limits.wait(waiter.need) ?? this.#shareWait(waiter.need, "alone");
      if (wait !== undefined) return { granted, wait, lookAgainMs };
      const now = this.#clock.now();
      const at = now + this.#limits.holdMs;
      this.#each(waiter.need, (counter, amount) => {
        counter.takeAlone(amount, at);
        counter.budget.sent(amount, now);
      });
      granted.push([waiter, this.#grant(waiter, now, at, true)]);
    }
    return { granted, wait: undefined };
  }

  /** The wait of a request that does not fit into this process's share. */
  #shareWait(need: Need, share: "alone" | "own"): Wait | undefined {
    const now = this.#clock.now();
    for (const counter of this.#counters) {
      const { unit, name } = counter.budget.class;
      if (need[unit] === 0 || counter.budget.limit(now) === Infinity) continue;
      const free =
        share === "alone" ? counter.freeAlone(this.#localShare, now) : counter.freeOwn(this.#localShare, now);
      if (need[unit] > free) return { milliseconds: lookAgainMs, limit: name };
    }
    return undefined;
  }

  /** `claimedAt`: the time at which the claim is counted. */
  #grant({ need, estimate }: Waiter, sentAt: number, claimedAt: number, alone: boolean): Grant {
    const returns = this.#returns;
    let ended = false;
    const end = (used: Need) => {
      if (ended) return;
      ended = true;
      const now = this.#clock.now();
      if (used.requests > 0) this.#limits.learn(estimate, used.tokens, now - sentAt);
      for (const counter of this.#counters) {
        const { unit } = counter.budget.class;
        // Tokens are counted at the end; all else has been at the latest by the time of the claim.
        const at = unit === "tokens" ? now : Math.min(now, claimedAt);
        counter.move(
          { amount: need[unit], at: claimedAt },
          { amount: used[unit], at },
          alone && returns === this.#returns,
        );
      }
      queueMicrotask(() => this.line.look());
    };
    return {
      settle: ({ tokens }) => {
        const used = Number.isFinite(tokens) && tokens > 0 ? Math.ceil(tokens) : 0;
        end({ ...need, tokens: used });
      },
      penalize: ({ limit, retryAfterMs }) => {
        const pauseMs = this.#limits.reached(limit, retryAfterMs, need, sentAt);
        if (pauseMs > 0 && this.#link.up)
          this.#link.add(this.#pauseKey(limit), 1, Math.ceil(pauseMs / 1000)).catch(() => {});
        this.line.look();
      },
      cancel: () => end({ requests: 0, tokens: 0, images: 0 }),
    };
  }

  /** Once a second. */
  async #read(): Promise<void> {
    const second = Math.floor(this.#clock.now() / 1000);
    if (second === this.#readSecond) return;
    this.#readSecond = second;
    const long = this.#limits.budgets.filter(
      ({ class: { windowMs }, configured }) => windowMs > 60_000 && configured !== Infinity,
    );
    await Promise.all([
      ...this.#counters.map((counter) => counter.read()),
      ...[undefined, ...long.map((budget) => budget.class.name)].map((limit) => this.#readPause(limit)),
    ]);
  }

  async #readPause(limit: RateLimitClass | undefined): Promise<void> {
    const pause = await this.#link.get(this.#pauseKey(limit));
    if (pause !== null && pause.msBeforeNext > 0) this.#limits.pause(limit, pause.msBeforeNext);
  }

  /** Limits per minute pause together. */
  #pauseKey(limit: RateLimitClass | undefined): string {
    return limit === undefined || limit.endsWith("M") ? `${this.#key}:pause` : `${this.#key}:pause:${limit}`;
  }

  #each<T>(need: Need, act: (counter: SharedCounter, amount: number) => T): T[] {
    return this.#counters.map((counter) => act(counter, need[counter.budget.class.unit]));
  }
}

function sum(waiters: readonly Waiter[]): Need {
  const total = { requests: 0, tokens: 0, images: 0 };
  for (const { need } of waiters) {
    total.requests += need.requests;
    total.tokens += need.tokens;
    total.images += need.images;
  }
  return total;
}

/** A model's id in letters that every store takes, and no longer than its keys may be. */
function keyOf(model: string): string {
  const key = model.replace(/[^\w./-]/g, (letter) => `~${letter.charCodeAt(0).toString(16)}`);
  if (key.length <= 150) return key;
  let hash = 0;
  for (let index = 0; index < key.length; index += 1) hash = (Math.imul(hash, 31) + key.charCodeAt(index)) >>> 0;
  return `${key.slice(0, 140)}~${hash.toString(16)}`;
}
