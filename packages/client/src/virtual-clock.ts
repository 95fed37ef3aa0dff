import type { Clock } from "./clock.js";

/** For tests alone: time that passes when they say so, hours in a moment, and chance that is the same each time. */
export class VirtualClock implements Clock {
  #now = 0;
  #date = Date.parse("2026-11-23T12:00:30Z");
  #seed: number;
  readonly #timers = new Map<number, { due: number; idle: boolean; callback: () => void }>();
  #ids = 0;

  constructor(seed = 1) {
    this.#seed = Math.imul(seed, 0x9e37_79b1) >>> 0;
  }

  now = (): number => this.#now;
  date = (): number => this.#date + this.#now;

  /** The same chances for the same seed. */
  random = (): number => {
    this.#seed = (Math.imul(this.#seed, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#seed / 2 ** 32;
  };

  after = (milliseconds: number, callback: () => void, idle = false): (() => void) => {
    const id = (this.#ids += 1);
    this.#timers.set(id, { due: this.#now + milliseconds, idle, callback });
    return () => void this.#timers.delete(id);
  };

  /** Timers that have not fired, and would keep a process alive. */
  get timers(): number {
    return [...this.#timers.values()].filter(({ idle }) => !idle).length;
  }

  /** The wall clock alone is set. */
  setClock(date: number): void {
    this.#date = date - this.#now;
  }

  /** Lets time pass, one timer after the other, and what follows from each. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    await settled();
    for (;;) {
      let next: { id: number; due: number; callback: () => void } | undefined;
      for (const [id, timer] of this.#timers)
        if (timer.due <= (next?.due ?? end)) if (!next || timer.due < next.due) next = { id, ...timer };
      if (next === undefined) break;
      this.#timers.delete(next.id);
      this.#now = Math.max(this.#now, next.due);
      next.callback();
      await settled();
    }
    this.#now = end;
  }
}

/** Everything that follows without time passing has happened. */
export function settled(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
