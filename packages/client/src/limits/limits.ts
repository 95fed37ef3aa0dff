import { InvalidInputError, type RateLimitClass } from "../errors.js";

/**
 * Limits of an account for each of its models, as the service's console lists them. Whole numbers from 1;
 * a limit that is not given is not counted, until the service says that it was reached.
 */
export interface Limits {
  /** Requests in a minute (RPM). @defaultValue none */
  requestsPerMinute?: number | undefined;
  /** Requests in an hour (RPH). @defaultValue none */
  requestsPerHour?: number | undefined;
  /** Requests in a day (RPD). @defaultValue none */
  requestsPerDay?: number | undefined;
  /** Tokens in a minute, those of prompts and answers together (TPM). @defaultValue none */
  tokensPerMinute?: number | undefined;
  /** Tokens in a day (TPD). @defaultValue none */
  tokensPerDay?: number | undefined;
  /** Images made in a minute (IPM). @defaultValue none */
  imagesPerMinute?: number | undefined;
  /** Images made in a day (IPD). @defaultValue none */
  imagesPerDay?: number | undefined;
}

/** What a limiter takes. */
export interface RateLimiterOptions extends Limits {
  /** Other limits for single models, by id. What is not given there is as for all others; `Infinity` lifts a limit. */
  models?: Record<string, Limits> | undefined;
  /**
   * Whether a request waits when a limit per hour or per day is used up. Otherwise it fails at once, with a
   * {@link RateLimitError} that says when there is room, unless that is within a minute.
   * @defaultValue false
   */
  waitForHoursAndDays?: boolean | undefined;
}

/** What one request takes of each kind of limit. */
export interface Need {
  readonly requests: number;
  readonly tokens: number;
  readonly images: number;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** One class of limits, as the service names it. */
export interface LimitClass {
  readonly name: RateLimitClass;
  readonly option: keyof Limits;
  readonly unit: keyof Need;
  readonly windowMs: number;
  /** For messages: "requests per minute". */
  readonly words: string;
}

/** All classes. */
export const limitClasses: readonly LimitClass[] = [
  { name: "RPM", option: "requestsPerMinute", unit: "requests", windowMs: minuteMs, words: "requests per minute" },
  { name: "TPM", option: "tokensPerMinute", unit: "tokens", windowMs: minuteMs, words: "tokens per minute" },
  { name: "IPM", option: "imagesPerMinute", unit: "images", windowMs: minuteMs, words: "images per minute" },
  { name: "RPH", option: "requestsPerHour", unit: "requests", windowMs: hourMs, words: "requests per hour" },
  { name: "RPD", option: "requestsPerDay", unit: "requests", windowMs: dayMs, words: "requests per day" },
  { name: "TPD", option: "tokensPerDay", unit: "tokens", windowMs: dayMs, words: "tokens per day" },
  { name: "IPD", option: "imagesPerDay", unit: "images", windowMs: dayMs, words: "images per day" },
];

/** Limits by class, checked. `Infinity` where there is none. */
export type CheckedLimits = Record<RateLimitClass, number>;

/** The limits of each model. */
export interface LimitTable {
  of(model: string): CheckedLimits;
}

/** Reads and checks the options once. @throws {@link InvalidInputError} that names the option. */
export function checkLimits(options: RateLimiterOptions): LimitTable {
  if (typeof options !== "object" || options === null)
    throw new InvalidInputError("A limiter takes an object of limits.");
  const { models, waitForHoursAndDays, ...general } = options;
  if (waitForHoursAndDays !== undefined && typeof waitForHoursAndDays !== "boolean")
    throw new InvalidInputError("waitForHoursAndDays must be true or false.");
  const all = check(general, "");
  // A Map: a model's id is the caller's word, and may be "__proto__".
  const special = new Map<string, CheckedLimits>();
  for (const [model, limits] of Object.entries(models ?? {}))
    special.set(model, check({ ...general, ...limits }, `models[${JSON.stringify(model)}].`));
  return { of: (model) => special.get(model) ?? all };
}

function check(limits: Limits, place: string): CheckedLimits {
  const checked = {} as CheckedLimits;
  for (const { name, option } of limitClasses) {
    const limit = limits[option] ?? Infinity;
    if (limit !== Infinity && !(Number.isSafeInteger(limit) && limit >= 1))
      throw new InvalidInputError(`${place}${option} must be a whole number from 1, not ${String(limit)}.`);
    checked[name] = limit;
  }
  return checked;
}
