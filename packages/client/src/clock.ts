/** Time and chance, so that a test can hold both. */
export interface Clock {
  /** Milliseconds of a clock that never jumps. */
  now(): number;
  /** Milliseconds since 1970. */
  date(): number;
  /** From 0 up to, not including, 1. */
  random(): number;
  /** Calls back after so many milliseconds, unless the returned function is called before. `idle`: not worth staying alive for. */
  after(milliseconds: number, callback: () => void, idle?: boolean): () => void;
}

/** The runtime's own. */
export const systemClock: Clock = {
  now: () => performance.now(),
  date: () => Date.now(),
  random: () => Math.random(),
  after(milliseconds, callback, idle = false) {
    const timer: unknown = setTimeout(callback, milliseconds);
    // Only where timers are objects: in browsers they are numbers, and keep nothing alive.
    if (idle && typeof timer === "object" && timer !== null && "unref" in timer) (timer as NodeJS.Timeout).unref();
    return () => clearTimeout(timer as NodeJS.Timeout);
  },
};

/** Where a test of a limiter puts a clock of its own; no option for others. */
export const clockOption = Symbol("clock");

export function clockOf(options: object): Clock {
  return (options as { [clockOption]?: Clock })[clockOption] ?? systemClock;
}
