/** A passage as the model was shown it, under its number. */
export interface Passage {
  text: string;
}

/** A `[n]` of the answer, and whether the words quoted before it stand in passage n. */
export interface Citation {
  n: number;
  /** The document's own words where the quote was found; otherwise the model's. Empty when nothing was quoted. */
  quote: string;
  verified: boolean;
}

/** Marks that end a quote, with those that may have begun it. */
const marks: Record<string, string> = { '"': '"', "”": "“", "“": "„", "」": "「", "』": "『", "»": "«" };

/** Characters; longer than any passage. */
const longestQuote = 2000;

/**
 * Finds the citations of an answer, and checks each quote against the passage it names.
 *
 * A quote may hold quotation marks of its own, so every mark before `[n]` is tried as the beginning, the farthest first,
 * and the longest piece that stands in the passage is taken.
 */
export function findCitations(answer: string, passages: readonly Passage[]): Citation[] {
  const found: (Citation & { at: number })[] = [];
  let from = 0;
  for (const marker of answer.matchAll(/(?:\s*[[【]\d{1,3}(?:\s*[,，、]\s*\d{1,3})*[\]】])+/g)) {
    const before = answer.slice(from, marker.index).replace(/[\s.,;:!?。，；：！？)）*_]+$/u, "");
    const candidates = quotesAtEndOf(before);
    const citations = [...marker[0].matchAll(/\d+/g)].map(([digits]) =>
      check(Number(digits), candidates, passages[Number(digits) - 1]?.text),
    );
    const longest = Math.max(0, ...citations.filter((each) => each.verified).map((each) => each.quote.length));
    if (longest > 0) {
      // A marker inside the quote is the document's own text, and cites nothing.
      const start = from + before.length - 1 - longest;
      while (found.length > 0 && !found.at(-1)!.verified && found.at(-1)!.at > start) found.pop();
      from = marker.index + marker[0].length;
    }
    found.push(...citations.map((citation) => ({ ...citation, at: marker.index })));
  }
  return distinct(found.map(({ n, quote, verified }) => ({ n, quote, verified })));
}

function check(n: number, candidates: string[], passage: string | undefined): Citation {
  for (const candidate of candidates) {
    const quote = passage && locate(passage, candidate);
    if (quote) return { n, quote, verified: true };
  }
  return { n, quote: candidates.at(-1) ?? "", verified: false };
}

/** What may be the quote that a text ends with: longest first. */
function quotesAtEndOf(text: string): string[] {
  const close = text.at(-1) ?? "";
  const open = marks[close];
  if (open === undefined) return [];
  const inside = text.slice(0, -1);
  const quotes: string[] = [];
  for (let at = Math.max(0, inside.length - longestQuote); at < inside.length; at += 1) {
    if (inside[at] !== open) continue;
    const quote = inside.slice(at + 1);
    // Half a pair of inner marks would make the tail of a quote look like a quote.
    if (quote.trim() && isBalanced(quote, open, close)) quotes.push(quote);
  }
  return quotes;
}

function isBalanced(text: string, open: string, close: string): boolean {
  const opened = text.split(open).length - 1;
  return open === close ? opened % 2 === 0 : opened === text.split(close).length - 1;
}

/**
 * The piece of the passage that says the same, letter by letter. Only the width of white space may differ, since a model
 * does not repeat line breaks, and the shape of quotation marks and the full stop at the end, which follow its own typography.
 */
function locate(passage: string, quote: string): string | undefined {
  const exact = passage.indexOf(quote);
  if (exact >= 0) return passage.slice(exact, exact + quote.length);
  const trimmed = quote.trim().replace(/(\.{3}|…|[.,。，])$/u, "");
  if (!trimmed) return undefined;
  const pattern = trimmed
    .split(/\s+/)
    .map((word) =>
      word
        .replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
        .replaceAll(/["“”„]/g, '["“”„]')
        .replaceAll(/['‘’]/g, "['‘’]"),
    )
    .join(String.raw`\s+`);
  return new RegExp(`${pattern}[.。]?`, "u").exec(passage)?.[0];
}

function distinct(citations: Citation[]): Citation[] {
  const seen = new Map(citations.map((citation) => [`${citation.n} ${citation.quote}`, citation]));
  return [...seen.values()];
}
