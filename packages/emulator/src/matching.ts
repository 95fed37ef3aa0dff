import { termsOf, type Term } from "./terms.js";

/** A text as its terms, ready to be looked up. */
export interface Bag {
  terms: readonly Term[];
  /** Where each term stands, in rising order. */
  places: ReadonlyMap<string, readonly number[]>;
  /** The first letters of long words, for words that differ in their endings only. */
  prefixes: ReadonlyMap<string, readonly number[]>;
  /** Words and ideographs. */
  length: number;
}

/** One term of a question and how much it counts among the texts that were looked at. */
export interface WantedTerm {
  text: string;
  weight: number;
  position: number;
}

// Two words of which so many letters agree are taken for forms of one word.
const prefixLetters = 5;

/** Terms of a text with their places. */
export function bagOf(text: string): Bag {
  const terms = termsOf(text);
  const places = new Map<string, number[]>();
  const prefixes = new Map<string, number[]>();
  for (const term of terms) {
    push(places, term.text, term.position);
    if (term.text.length > prefixLetters) push(prefixes, term.text.slice(0, prefixLetters), term.position);
  }
  return { terms, places, prefixes, length: terms.length === 0 ? 0 : terms.at(-1)!.position + 1 };
}

/**
 * Weighs the terms of a question: by what they tell in general, and by how few of the texts hold them. Both count, since
 * twenty texts on one subject say little about which word is rare.
 */
export function weigh(question: string, bags: readonly Bag[]): WantedTerm[] {
  const wanted = new Map<string, WantedTerm>();
  const rarest = inverseFrequency(0, bags.length);
  for (const { text, weight, position } of termsOf(question)) {
    if (wanted.has(text)) continue;
    const holding = bags.filter((bag) => bag.places.has(text)).length;
    const rarity = inverseFrequency(holding, bags.length) / rarest;
    wanted.set(text, { text, weight: weight * (0.25 + rarity), position });
  }
  return [...wanted.values()];
}

/** The places of a term in a text, and how sure it is that they are places of that term: 1, or less for a like word. */
export function placesOf(text: string, bag: Bag): { places: readonly number[]; certainty: number } {
  const exact = bag.places.get(text);
  if (exact) return { places: exact, certainty: 1 };
  const like = text.length > prefixLetters ? bag.prefixes.get(text.slice(0, prefixLetters)) : undefined;
  return like ? { places: like, certainty: 0.5 } : { places: [], certainty: 0 };
}

/** How much of the question's weight a text holds, 0 to 1. */
export function coverage(wanted: readonly WantedTerm[], bag: Bag): number {
  let held = 0;
  let total = 0;
  for (const { text, weight } of wanted) {
    total += weight;
    held += weight * placesOf(text, bag).certainty;
  }
  return total === 0 ? 0 : held / total;
}

function inverseFrequency(holding: number, all: number): number {
  return Math.log(1 + (all - holding + 0.5) / (holding + 0.5));
}

function push(map: Map<string, number[]>, key: string, value: number): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
