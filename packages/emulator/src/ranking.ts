import { termsOf, type Term } from "./terms.js";

/** How well each document answers the query, 0 (nothing in common) to 1, in the order of the documents. */
export function relevanceOf(query: string, documents: readonly string[]): number[] {
  const wanted = new Map<string, Term>();
  for (const term of termsOf(query)) if (!wanted.has(term.text)) wanted.set(term.text, term);
  const bags = documents.map((document) => termsOf(document));
  const lengths = bags.map((bag) => bag.length);
  const average = lengths.reduce((sum, length) => sum + length, 0) / Math.max(1, lengths.length) || 1;
  const counts = bags.map((bag) => {
    const count = new Map<string, number>();
    for (const term of bag) if (wanted.has(term.text)) count.set(term.text, (count.get(term.text) ?? 0) + 1);
    return count;
  });
  let total = 0;
  const weights = new Map<string, number>();
  for (const [text, term] of wanted) {
    const frequency = counts.filter((count) => count.has(text)).length;
    const idf = Math.log(1 + (documents.length - frequency + 0.5) / (frequency + 0.5));
    const weight = term.weight * (0.4 + idf);
    weights.set(text, weight);
    total += weight;
  }
  return counts.map((count, index) => {
    let score = 0;
    for (const [text, weight] of weights) {
      const frequency = count.get(text) ?? 0;
      score += (weight * frequency) / (frequency + 1.2 * (0.25 + (0.75 * lengths[index]!) / average));
    }
    return total === 0 ? 0 : score / total;
  });
}
