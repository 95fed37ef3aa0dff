import type { Clock } from "./clock.js";
import { rateLimited, Refusal } from "./reply.js";

/** Limits per model, as the service counts them, and how its windows lie, of which its documents say nothing. */
export interface Limits {
  /** Requests per model in a minute. @defaultValue none */
  requestsPerMinute?: number;
  /** Requests per model in an hour. @defaultValue none */
  requestsPerHour?: number;
  /** Requests per model in a day. @defaultValue none */
  requestsPerDay?: number;
  /** Tokens per model, prompts and answers together, in a minute. @defaultValue none */
  tokensPerMinute?: number;
  /** Tokens per model, prompts and answers together, in a day. @defaultValue none */
  tokensPerDay?: number;
  /** Pictures per model in a minute. @defaultValue none */
  imagesPerMinute?: number;
  /** Pictures per model in a day. @defaultValue none */
  imagesPerDay?: number;
  /**
   * `"sliding"`: any 60 seconds, hour or day that ends now. `"fixed"`: the current minute, hour or day of UTC, moved by
   * `windowOffsetMs`. @defaultValue "sliding"
   */
  window?: "sliding" | "fixed";
  /** How much later than a whole minute, hour or day fixed windows begin, in milliseconds. @defaultValue 0 */
  windowOffsetMs?: number;
}

/** The name of a limit in a 429, and what is counted over which time. */
interface LimitClass {
  name: "RPM" | "RPH" | "RPD" | "TPM" | "TPD" | "IPM" | "IPD";
  counts: keyof Amounts;
  most: number;
  windowMs: number;
}

/** What a request counts for. */
interface Amounts {
  requests: number;
  tokens: number;
  images: number;
}

/** Counts requests, tokens and pictures per model on the emulator's clock. A refused request counts nowhere. */
export class RateLimits {
  readonly #classes: readonly LimitClass[];
  readonly #makeWindow: (windowMs: number) => Window;
  readonly #clock: Clock;
  readonly #counted = new Map<string, Window[]>();

  constructor(limits: Limits, clock: Clock) {
    const { requestsPerMinute, requestsPerHour, requestsPerDay, tokensPerMinute, tokensPerDay } = limits;
    const { imagesPerMinute, imagesPerDay } = limits;
    const { window = "sliding", windowOffsetMs = 0 } = limits;
    this.#classes = (
      [
        { name: "RPM", counts: "requests", most: requestsPerMinute ?? Infinity, windowMs: 60_000 },
        { name: "RPH", counts: "requests", most: requestsPerHour ?? Infinity, windowMs: 3_600_000 },
        { name: "RPD", counts: "requests", most: requestsPerDay ?? Infinity, windowMs: 86_400_000 },
        { name: "TPM", counts: "tokens", most: tokensPerMinute ?? Infinity, windowMs: 60_000 },
        { name: "TPD", counts: "tokens", most: tokensPerDay ?? Infinity, windowMs: 86_400_000 },
        { name: "IPM", counts: "images", most: imagesPerMinute ?? Infinity, windowMs: 60_000 },
        { name: "IPD", counts: "images", most: imagesPerDay ?? Infinity, windowMs: 86_400_000 },
      ] as const
    ).filter(({ most }) => most !== Infinity);
    this.#makeWindow = (windowMs) =>
      window === "fixed" ? new FixedWindow(windowMs, windowOffsetMs) : new SlidingWindow(windowMs);
    this.#clock = clock;
  }

  /**
   * Counts a request, its prompt and the pictures it asks for.
   *
   * @throws {@link Refusal} 429 when that would be too much for any limit
   */
  admit(model: string, tokens: number, images = 0): void {
    const amounts: Amounts = { requests: 1, tokens, images };
    const now = this.#clock.now();
    const windows = this.#windowsOf(model);
    this.#classes.forEach(({ name, counts, most }, index) => {
      const amount = amounts[counts];
      if (windows[index]!.total(now) + amount > most) throw new Refusal(429, rateLimited(name));
    });
    this.#classes.forEach(({ counts }, index) => windows[index]!.add(amounts[counts], now));
  }

  /** Counts the tokens of an answer, which are known only now. */
  spend(model: string, tokens: number): void {
    const now = this.#clock.now();
    const windows = this.#windowsOf(model);
    this.#classes.forEach(({ counts }, index) => counts === "tokens" && windows[index]!.add(tokens, now));
  }

  clear(): void {
    this.#counted.clear();
  }

  #windowsOf(model: string): Window[] {
    let windows = this.#counted.get(model);
    if (windows === undefined) {
      windows = this.#classes.map(({ windowMs }) => this.#makeWindow(windowMs));
      this.#counted.set(model, windows);
    }
    return windows;
  }
}

interface Window {
  /** What was counted in the window that `now` is in. */
  total(now: number): number;
  add(amount: number, now: number): void;
}

/** Whatever was counted in the last so many milliseconds. */
class SlidingWindow implements Window {
  readonly #windowMs: number;
  // Entries before the head have left; they are cut off when they are the greater part.
  #entries: { at: number; amount: number }[] = [];
  #head = 0;
  #total = 0;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  total(now: number): number {
    const since = now - this.#windowMs;
    for (let entry = this.#entries[this.#head]; entry && entry.at <= since; entry = this.#entries[this.#head]) {
      this.#total -= entry.amount;
      this.#head += 1;
    }
    if (this.#head > 1000 && this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
    return this.#total;
  }

  add(amount: number, now: number): void {
    this.#entries.push({ at: now, amount });
    this.#total += amount;
  }
}

/** Whatever was counted since the last whole minute, hour or day, moved by an offset. */
class FixedWindow implements Window {
  readonly #windowMs: number;
  readonly #offsetMs: number;
  #index = Number.NaN;
  #total = 0;

  constructor(windowMs: number, offsetMs: number) {
    this.#windowMs = windowMs;
    this.#offsetMs = offsetMs;
  }

  total(now: number): number {
    const index = Math.floor((now - this.#offsetMs) / this.#windowMs);
    if (index !== this.#index) {
      this.#index = index;
      this.#total = 0;
    }
    return this.#total;
  }

  add(amount: number, now: number): void {
    this.#total = this.total(now) + amount;
  }
}
