import type { Clock } from "./clock.js";

/** How long the service keeps what it made. */
const lifeMs = 60 * 60 * 1000;

/** Something that was made, and lies ready at a link. */
export interface Output {
  type: string;
  bytes: Uint8Array;
  /** Milliseconds since 1970, by the emulator's clock. */
  expiresAt: number;
}

/** Images, videos and result files at links that need no key and expire after their time. */
export class Outputs {
  /** Where the emulator listens, e.g. `"http://127.0.0.1:49152"`. */
  origin = "";
  readonly #clock: Clock;
  readonly #kept = new Map<string, Output>();
  readonly #expired = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Keeps bytes under a name such as `"0198.png"`, and returns their link. @param keptMs an hour, unless given */
  add(name: string, type: string, bytes: Uint8Array, keptMs = lifeMs): string {
    this.#dropExpired();
    const expiresAt = this.#clock.now() + keptMs;
    this.#kept.set(name, { type, bytes, expiresAt });
    return `${this.origin}/outputs/${name}?Expires=${Math.floor(expiresAt / 1000)}`;
  }

  /** What lies at a name: undefined when there never was anything, `"expired"` when its time is over. */
  get(name: string): Output | "expired" | undefined {
    const output = this.#kept.get(name);
    if (output === undefined) return this.#expired.has(name) ? "expired" : undefined;
    return output.expiresAt > this.#clock.now() ? output : "expired";
  }

  clear(): void {
    this.#kept.clear();
    this.#expired.clear();
  }

  /** Frees the memory of what nobody can get any more. */
  #dropExpired(): void {
    const now = this.#clock.now();
    for (const [name, { expiresAt }] of this.#kept) {
      if (expiresAt > now) continue;
      this.#kept.delete(name);
      this.#expired.add(name);
    }
  }
}
