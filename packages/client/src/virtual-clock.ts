import type { Clock } from "./clock.js";

interface Timer {
  at: number;
  callback: () => void;
}

/** For tests: time that passes when they say so. */
export class VirtualClock implements Clock {
  time = 0;
  #timers: Timer[] = [];

  now = (): number => this.time;
  date = (): number => this.time;
  /** Intervals without jitter. */
  random = (): number => 1;
  after = (milliseconds: number, callback: () => void): (() => void) => {
    const timer = { at: this.time + milliseconds, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  };

  get timers(): number {
    return this.#timers.length;
  }

  /** Lets time pass, with everything that happens in it. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.time + milliseconds;
    for (;;) {
      await settled();
      const [next] = this.#timers.toSorted((a, b) => a.at - b.at);
      if (next === undefined || next.at > end) break;
      this.#timers = this.#timers.filter((other) => other !== next);
      this.time = next.at;
      next.callback();
    }
    this.time = end;
    await settled();
  }
}

/** All that follows from what has happened. */
export const settled = () => new Promise((resolve) => setImmediate(resolve));
