/** The emulator's time: the machine's, plus whatever a test has added. */
export class Clock {
  #offsetMs = 0;
  readonly #sleepers = new Set<{ dueMs: number; wake: () => void }>();

  /** Milliseconds since 1970. */
  now(): number {
    return Date.now() + this.#offsetMs;
  }

  /** Jumps ahead. Pauses that end before the new time end now. */
  advance(ms: number): void {
    if (!(ms >= 0)) throw new RangeError(`advance() takes milliseconds of 0 or more, not ${String(ms)}.`);
    this.#offsetMs += ms;
    for (const sleeper of this.#sleepers) if (sleeper.dueMs <= this.now()) sleeper.wake();
  }

  /** Waits, at most until the signal fires; `Infinity` waits for the signal alone. Never rejects and never keeps a process alive. */
  async pause(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted || ms <= 0) return;
    await new Promise<void>((resolve) => {
      // A timer of more than 2^31 ms would fire at once.
      const timer = ms < 2 ** 31 ? setTimeout(() => sleeper.wake(), ms).unref() : undefined;
      const sleeper = {
        dueMs: this.now() + ms,
        wake: () => {
          clearTimeout(timer);
          signal.removeEventListener("abort", sleeper.wake);
          this.#sleepers.delete(sleeper);
          resolve();
        },
      };
      this.#sleepers.add(sleeper);
      signal.addEventListener("abort", sleeper.wake);
    });
  }
}
