import { splitTokens } from "./tokens.js";

// As many tokens of context as decide where a text goes on: fewer would find "the", more would find nothing.
const longestContext = 12;
const shortestContext = 2;

/**
 * What a model that knows nothing but its request writes in the gap between two texts: it goes on as the text went on before,
 * at the place whose words fit best, to the end of that line. Without such a place it says what it is, as a comment.
 */
export function continuationOf(prompt: string, suffix: string): string {
  const before = splitTokens(prompt);
  const after = splitTokens(suffix);
  // A place after the gap must not run into it: both sides are looked at on their own.
  const found = [before.slice(0, -1), after]
    .map((text) => bestPlace(text, before))
    .toSorted((one, other) => other.fits - one.fits)[0]!;
  if (found.fits < shortestContext) return "# an emulator fills no gaps that the text itself does not fill\n";
  const [line = ""] = found.rest.join("").split("\n");
  // What follows the gap is there already.
  const next = suffix.split("\n", 1)[0]!.trim();
  const until = next === "" ? -1 : line.indexOf(next);
  const filled = until > 0 ? line.slice(0, until) : line;
  return filled === "" ? "\n" : filled;
}

/** Where in a text the end of the prompt occurs, by how many tokens of it, and what comes next. */
function bestPlace(text: readonly string[], prompt: readonly string[]): { fits: number; rest: readonly string[] } {
  let best: { fits: number; rest: readonly string[] } = { fits: 0, rest: [] };
  for (let end = 1; end < text.length; end += 1) {
    let fits = 0;
    while (fits < Math.min(end, longestContext) && same(text[end - 1 - fits], prompt[prompt.length - 1 - fits]))
      fits += 1;
    // Of several, the nearest to the gap.
    if (fits >= best.fits) best = { fits, rest: text.slice(end) };
  }
  return best;
}

/** Indentation differs from place to place. */
function same(one: string | undefined, other: string | undefined): boolean {
  return one !== undefined && other !== undefined && one.trim() === other.trim();
}
