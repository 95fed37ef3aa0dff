import { InvalidInputError, RateLimitError, type RateLimitClass } from "../errors.js";
import { untilReset } from "../retry.js";
import { Budget, type Cut } from "./budget.js";
import type { Clock } from "../clock.js";
import { limitClasses, type CheckedLimits, type Need } from "./limits.js";

/** So many requests may go out in one second whatever the limit: they arrive together all the same. */
const freeBurst = 100;
/** First wait after a 429, as a part of its window; each further 429 in a row doubles it, up to the whole window. */
const firstPause = 1 / 6;
/** By this factor a request's real use above its estimate is forgotten with each request that ends. */
const excessDecay = 0.995;
/**
 * Nothing in a prompt tells how long its answer will be. Until answers have told, each request is taken to use so many
 * tokens more than it was estimated at, and no more than this part of the limit.
 */
const unheard = { tokens: 1000, share: 0.02 };
/** By this factor that is forgotten with each answer. */
const unheardDecay = 0.75;
/** Each answer counts for so much of the average duration. */
const durationWeight = 0.02;
/** Waits for hours and days are cut off here, unless asked for. */
const longestShortMs = 60_000;

/** Why a request must wait, and about how long. */
export interface Wait {
  readonly milliseconds: number;
  /** Undefined after a 429 that named no limit. */
  readonly limit: RateLimitClass | undefined;
}

/** All limits of one model. Decides; what decided requests use is noted by whoever holds the counts. */
export class ModelLimits {
  readonly model: string;
  readonly budgets: readonly Budget[];
  readonly #clock: Clock;
  readonly #waitForHoursAndDays: boolean;
  /** Until when nothing is sent, by the limit that the service named. */
  readonly #pauses = new Map<RateLimitClass | undefined, { from: number; until: number; nextMs: number }>();
  readonly #cut: Cut;
  /** How long requests take on the average; slow until one has ended. */
  #durationMs: number;
  /** How far real use went beyond estimates lately: added to each estimate. */
  #excess = 0;
  /** Added instead as long as that is less. */
  #unheard: number;
  /** The most tokens that any limit allows. */
  readonly #most: number;

  constructor(model: string, limits: CheckedLimits, cut: Cut, clock: Clock, waitForHoursAndDays: boolean) {
    this.model = model;
    this.#clock = clock;
    this.#cut = cut;
    this.#durationMs = cut.holdMs.slow;
    this.#waitForHoursAndDays = waitForHoursAndDays;
    this.budgets = limitClasses.map((limitClass) => new Budget(limitClass, limits[limitClass.name], cut));
    this.#most = Math.min(...this.budgets.map((each) => (each.class.unit === "tokens" ? each.configured : Infinity)));
    this.#unheard = this.#most === Infinity ? 0 : Math.min(unheard.tokens, this.#most * unheard.share);
  }

  /** How long a request that goes out now may be on its way, before it is taken for counted by the service. */
  get holdMs(): number {
    const { quick, slow } = this.#cut.holdMs;
    return this.#durationMs < slow ? quick : slow;
  }

  /** What a request is to reserve. @throws {@link InvalidInputError} when it is larger than a whole limit. */
  need(tokens: number, images: number): Need {
    for (const [name, amount] of Object.entries({ tokens, images }))
      if (!(Number.isFinite(amount) && amount >= 0)) throw new InvalidInputError(`${name} must be a number from 0.`);
    const need = { requests: 1, tokens: Math.ceil(tokens), images: Math.ceil(images) };
    for (const { class: limitClass, configured } of this.budgets) {
      if (need[limitClass.unit] > configured)
        throw neverFits(this.model, limitClass.words, configured, need[limitClass.unit]);
    }
    const more = Math.ceil(Math.max(this.#excess, this.#unheard));
    return { ...need, tokens: Math.min(need.tokens + more, this.#most) };
  }

  /** Why and how long a request must wait now, with so much before it; undefined when it need not. */
  wait(need: Need, before: Need = nothing): Wait | undefined {
    const now = this.#clock.now();
    let longest: Wait | undefined;
    const consider = (milliseconds: number, limit: RateLimitClass | undefined): void => {
      if (milliseconds > (longest?.milliseconds ?? 0)) longest = { milliseconds, limit };
    };
    for (const [limit, { until }] of this.#pauses) consider(until - now, limit);
    const busy = this.budgets[0]!.inLastSecond(now) >= freeBurst;
    for (const budget of this.budgets) {
      const { unit, name } = budget.class;
      consider(budget.wait(need[unit], before[unit], now), name);
      if (busy) consider(budget.burstWait(need[unit], now), name);
    }
    return longest;
  }

  /** The error for a wait that is too long to be waited for. */
  refusal({ milliseconds, limit }: Wait): RateLimitError | undefined {
    const budget = this.budgets.find((each) => each.class.name === limit);
    if (this.#waitForHoursAndDays || milliseconds <= longestShortMs) return undefined;
    if (budget === undefined || budget.class.windowMs <= longestShortMs) return undefined;
    const retryAt = new Date(this.#clock.date() + milliseconds);
    const { configured } = budget;
    return new RateLimitError(
      `The limit of ${configured === Infinity ? "" : `${configured} `}${budget.class.words} for ${this.model} is used up until about ${retryAt.toISOString()}; nothing was sent. waitForHoursAndDays of the limiter makes requests wait.`,
      { status: 429, reason: "rateLimit", limit, retryAt },
    );
  }

  /** A request ended: learns how long that takes, and how far estimates are off. */
  learn(estimate: number, used: number, durationMs: number): void {
    this.#durationMs += (durationMs - this.#durationMs) * durationWeight;
    if (used === 0) return;
    this.#excess = Math.max(this.#excess * excessDecay, used - Math.ceil(estimate), 0);
    if (this.#excess < 1) this.#excess = 0;
    this.#unheard = this.#unheard < 1 ? 0 : this.#unheard * unheardDecay;
  }

  /**
   * The service refused a request that had gone out at this time. Returns the pause that follows, in milliseconds;
   * 0 when the refusal is one of several that belong together.
   */
  reached(limit: RateLimitClass | undefined, retryAfterMs: number | undefined, need: Need, sentAt: number): number {
    const now = this.#clock.now();
    const before = this.#pauses.get(limit);
    if (before !== undefined && sentAt <= before.from) {
      if (retryAfterMs !== undefined) this.pause(limit, retryAfterMs);
      return 0;
    }
    const budget = this.budgets.find((each) => each.class.name === limit);
    budget?.reached(need[budget.class.unit], now);

    const windowMs = budget?.class.windowMs ?? 60_000;
    // A series has ended when there was no 429 for a whole window.
    const series = before !== undefined && now - before.until < windowMs;
    const own = series ? before.nextMs : windowMs * firstPause;
    const reset = limit === undefined || windowMs <= 60_000 ? Infinity : untilReset(limit, this.#clock.date());
    const milliseconds = retryAfterMs ?? Math.min(own, reset);
    this.#pauses.set(limit, { from: now, until: now + milliseconds, nextMs: Math.min(own * 2, windowMs) });
    return milliseconds;
  }

  /** Nothing is sent for so long: another process met the limit. */
  pause(limit: RateLimitClass | undefined, milliseconds: number): void {
    const now = this.#clock.now();
    const before = this.#pauses.get(limit);
    if (before !== undefined) before.until = Math.max(before.until, now + milliseconds);
    else this.#pauses.set(limit, { from: now, until: now + milliseconds, nextMs: milliseconds });
  }
}

const nothing: Need = { requests: 0, tokens: 0, images: 0 };

function neverFits(model: string, words: string, limit: number, amount: number): InvalidInputError {
  const advice = words.startsWith("tokens")
    ? "Shorten the prompt, lower max_tokens, or send fewer inputs in one request"
    : "Ask for fewer images in one request";
  return new InvalidInputError(
    `The request takes about ${amount} ${words.split(" ")[0]}, more than the whole limit of ${limit} ${words} for ${model}: it would never fit. ${advice}; or raise the limit of the limiter.`,
    { reason: "neverFits" },
  );
}
