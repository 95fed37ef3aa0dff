import { bagOf, coverage, weigh } from "./matching.js";
import type { Passage } from "./passages.js";
import { sentencesOf } from "./sentences.js";
import { isChinese } from "./terms.js";

/** A sentence that may answer a question. */
export interface Evidence {
  passage: Passage;
  /** Verbatim. */
  text: string;
  /** How much of the question the sentence itself holds, 0 to 1. */
  own: number;
  /** The same with the rest of the passage counted in. */
  score: number;
}

/** What was found in the passages. */
export interface Findings {
  /** The best sentences, best first; empty when the passages do not answer. */
  evidence: Evidence[];
  /** Per passage, in the order of the prompt: how much of the question it holds, 0 to 1. */
  held: number[];
}

// Set so that questions put to passages on another subject find less than this, and most others more; how often each
// goes wrong is what the repository's retrieval measurement prints. Ideographs match less often than words do.
const leastScore = { english: 0.37, chinese: 0.3 };

// A question of function words alone asks about nothing that could be looked for.
const leastWeight = 0.2;

// What a sentence itself counts in its score, beside the passage it stands in.
const ownShare = 0.6;

// A further sentence is quoted when it is nearly as good as the best one.
const worthQuoting = 0.6;
const ownWorthQuoting = 0.5;
const mostQuotes = 3;

/** Looks for sentences that answer a question. */
export function findEvidence(question: string, passages: readonly Passage[]): Findings {
  const sentences = passages.flatMap((passage, index) =>
    sentencesOf(passage.text).map((sentence) => ({ ...sentence, passage, index, bag: bagOf(sentence.text) })),
  );
  const wanted = weigh(
    question,
    sentences.map((sentence) => sentence.bag),
  );
  const held = passages.map((passage) => coverage(wanted, bagOf(passage.text)));
  const scored = sentences.map(({ passage, index, text, prose, bag }): Evidence => {
    // The subject is often named in one sentence and only meant in the next: the passage as a whole counts as well.
    const own = coverage(wanted, bag);
    let score = ownShare * own + (1 - ownShare) * held[index]!;
    if (!prose) score *= 0.6;
    if (/[?？]["'”’]?$/.test(text)) score *= 0.7;
    return { passage, text, own, score };
  });
  const ranked = scored.toSorted((one, other) => other.score - one.score);
  const best = ranked[0];
  const least = isChinese(question) ? leastScore.chinese : leastScore.english;
  if (!best || best.score < least || !wanted.some(({ weight }) => weight >= leastWeight)) return { evidence: [], held };

  const chosen: Evidence[] = [];
  for (const candidate of ranked) {
    if (chosen.length === mostQuotes || candidate.score < worthQuoting * best.score) break;
    // A good passage must not carry a sentence that has little to do with the question itself.
    if (candidate.own < ownWorthQuoting * best.own) continue;
    if (chosen.some((other) => other.text.includes(candidate.text) || candidate.text.includes(other.text))) continue;
    chosen.push(candidate);
  }
  return { evidence: chosen, held };
}
