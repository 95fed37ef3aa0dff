import { bagOf, placesOf, weigh, type Bag, type WantedTerm } from "./matching.js";

// How fast a repeated term stops counting, and how much a long document is discounted: BM25's usual values.
const saturation = 1.2;
const lengthPenalty = 0.75;

// A passage that answers says what is asked in one place, about as long as a sentence or two.
const windowLength = 30;

// What the three measures count in the score; together 1.
const shares = { frequency: 0.6, window: 0.25, neighbours: 0.15 };

/** How well each document answers the query, from 0 (nothing in common) to 1, in the order of the documents. */
export function relevanceOf(query: string, documents: readonly string[]): number[] {
  const bags = documents.map(bagOf);
  const wanted = weigh(query, bags);
  const average = bags.reduce((sum, bag) => sum + bag.length, 0) / bags.length || 1;
  return bags.map((bag) => {
    const score =
      shares.frequency * frequencyScore(wanted, bag, average) +
      shares.window * windowScore(wanted, bag) +
      shares.neighbours * neighbourScore(wanted, bag);
    return Math.min(1, score);
  });
}

/** BM25 over its own maximum. */
function frequencyScore(wanted: readonly WantedTerm[], bag: Bag, average: number): number {
  const slowness = saturation * (1 - lengthPenalty + (lengthPenalty * bag.length) / average);
  return weightedMean(wanted, ({ text }) => {
    const { places, certainty } = placesOf(text, bag);
    return (certainty * places.length) / (places.length + slowness);
  });
}

/** The largest part of the query's weight that stands within one window. */
function windowScore(wanted: readonly WantedTerm[], bag: Bag): number {
  const hits = wanted.flatMap(({ text, weight }, index) => {
    const { places, certainty } = placesOf(text, bag);
    return places.map((place) => ({ place, index, value: weight * certainty }));
  });
  hits.sort((one, other) => one.place - other.place);
  const counts = new Map<number, number>();
  let held = 0;
  let best = 0;
  let start = 0;
  for (const hit of hits) {
    const count = counts.get(hit.index) ?? 0;
    counts.set(hit.index, count + 1);
    if (count === 0) held += hit.value;
    while (hit.place - hits[start]!.place >= windowLength) {
      const leaving = hits[start]!;
      const left = counts.get(leaving.index)! - 1;
      counts.set(leaving.index, left);
      if (left === 0) held -= leaving.value;
      start += 1;
    }
    best = Math.max(best, held);
  }
  const total = wanted.reduce((sum, { weight }) => sum + weight, 0);
  return total === 0 ? 0 : best / total;
}

/** How much of what stands side by side in the query does so in the document: names, fixed expressions. */
function neighbourScore(wanted: readonly WantedTerm[], bag: Bag): number {
  let held = 0;
  let total = 0;
  for (let index = 1; index < wanted.length; index++) {
    const [one, other] = [wanted[index - 1]!, wanted[index]!];
    const distance = other.position - one.position;
    if (distance === 0 || distance > 2) continue;
    const weight = Math.min(one.weight, other.weight);
    total += weight;
    const followers = new Set(bag.places.get(other.text));
    if (bag.places.get(one.text)?.some((place) => followers.has(place + distance))) held += weight;
  }
  return total === 0 ? 0 : held / total;
}

function weightedMean(wanted: readonly WantedTerm[], measure: (term: WantedTerm) => number): number {
  let sum = 0;
  let total = 0;
  for (const term of wanted) {
    sum += term.weight * measure(term);
    total += term.weight;
  }
  return total === 0 ? 0 : sum / total;
}
