import type { Clock } from "./clock.js";
import { Deadline } from "./deadline.js";
import { NotFoundError } from "./errors.js";

/** How long a look at the list may hold an error up. */
const limitMs = 2_500;
/** A list is asked for no more often than this, also when it did not come. */
const freshMs = 5 * 60_000;
const maxListBytes = 4 * 1024 * 1024;
const maxSuggestions = 3;
/** Share of pairs of letters in common below which ids only look alike. */
const leastAlike = 0.4;
/** No id is longer; comparing costs their length. */
const longestId = 200;

/** Asks for `/models`, once. */
type Fetch = (deadline: Deadline, maxBytes: number) => Promise<string>;

/** For the error of a model that does not exist: the ids it may have been meant to be. */
export class NearestModels {
  readonly #clock: Clock;
  readonly #fetch: Fetch;
  #ids: Promise<string[]> | undefined;
  #askedAt = 0;

  constructor(clock: Clock, fetch: Fetch) {
    this.#clock = clock;
    this.#fetch = fetch;
  }

  /** The same error, naming them. Never fails: without a list, or with nothing alike in it, the error is as it was. */
  async addTo(refusal: NotFoundError, model: string): Promise<NotFoundError> {
    const now = this.#clock.now();
    if (this.#ids === undefined || now - this.#askedAt > freshMs) {
      this.#askedAt = now;
      this.#ids = this.#list().catch(() => []);
    }
    const suggestions = nearest(model, await this.#ids);
    if (suggestions.length === 0) return refusal;
    const { status, code, reason, attempts, traceId, message } = refusal;
    const names = suggestions.map((id) => JSON.stringify(id)).join(", ");
    const details = { status, code, reason, attempts, traceId, model, suggestions };
    return new NotFoundError(`${message} The nearest of them: ${names}.`, details);
  }

  async #list(): Promise<string[]> {
    const timeouts = { connectMs: limitMs, firstByteMs: limitMs, idleMs: limitMs, totalMs: limitMs };
    const deadline = new Deadline(undefined, timeouts, false, this.#clock);
    try {
      const { data } = JSON.parse(await this.#fetch(deadline, maxListBytes)) as { data?: unknown };
      if (!Array.isArray(data)) return [];
      return data
        .map((entry: { id?: unknown } | null) => entry?.id)
        .filter((id): id is string => typeof id === "string" && /^[\w.:/@+-]+$/.test(id) && id.length <= longestId);
    } finally {
      deadline.abandon();
      deadline.end();
    }
  }
}

/** Ids (or names of options) that resemble the given one, the most alike first. */
export function nearest(model: string, ids: readonly string[]): string[] {
  if (model.length > longestId) return [];
  const wanted = pairsOf(model);
  return ids
    .map((id) => ({ id, alike: likeness(wanted, pairsOf(id)) }))
    .filter(({ id, alike }) => alike >= leastAlike && id !== model)
    .toSorted((a, b) => b.alike - a.alike)
    .slice(0, maxSuggestions)
    .map(({ id }) => id);
}

/**
 * Pairs of neighbouring letters and digits, without what people leave out (dots, dashes, case), of the whole id and once more of its
 * last part: the name counts for more than the maker.
 */
function pairsOf(id: string): Map<string, number> {
  const pairs = new Map<string, number>();
  for (const text of [id, id.slice(id.lastIndexOf("/") + 1)]) {
    const plain = ` ${text.toLowerCase().replace(/[^a-z0-9]+/g, "")} `;
    for (let at = 0; at + 2 <= plain.length; at += 1) {
      const pair = plain.slice(at, at + 2);
      pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
    }
  }
  return pairs;
}

/** Dice's coefficient: 1 for the same pairs, 0 for none in common. */
function likeness(a: Map<string, number>, b: Map<string, number>): number {
  let common = 0;
  let all = 0;
  for (const [pair, count] of a) {
    common += Math.min(count, b.get(pair) ?? 0);
    all += count;
  }
  for (const count of b.values()) all += count;
  return (2 * common) / all;
}
