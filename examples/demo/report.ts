import { styleText } from "node:util";
import type { Citation } from "./citations.ts";
import { nameOf, type Place } from "./chunks.ts";
import { printable } from "./printable.ts";
import type { Hit } from "./search.ts";

type Style = Parameters<typeof styleText>[0];

/** Styled where it is shown on a terminal, plain elsewhere. */
export function styled(style: Style, text: string, out: NodeJS.WriteStream): string {
  return out.isTTY && !process.env["NO_COLOR"] ? styleText(style, text, { validateStream: false }) : text;
}

/** The quotes of the answer, each with the place it was found in, or marked as not found. */
export function citationLines(citations: readonly Citation[], hits: readonly Hit[], out: NodeJS.WriteStream): string[] {
  const width = (out.isTTY && out.columns) || 110;
  return citations.flatMap(({ n, quote, verified }) => {
    const hit = hits[n - 1];
    const name = hit ? shortName(hit.passage.metadata, width - 12) : "";
    const shown = shorten(printable(quote.replaceAll(/\s+/g, " ")), width - 9);
    if (verified) return [`${styled("green", "✓", out)} [${n}] ${name}`, styled("dim", `      "${shown}"`, out)];
    const reason = !hit
      ? "there is no such passage"
      : quote
        ? "these words are not in it"
        : "nothing is quoted from it";
    const line = `${styled("yellow", "?", out)} [${n}] ${name}`.trimEnd();
    return [line, ...(quote ? [`      "${shown}"`] : []), styled("yellow", `      not verified: ${reason}`, out)];
  });
}

/** The passages the answer was written from, with their places before and after reranking. */
export function sourceTable(hits: readonly Hit[], out: NodeJS.WriteStream): string[] {
  const room = Math.max(24, (out.isTTY ? out.columns || 80 : 110) - 30);
  const names = hits.map((hit) => shortName(hit.passage.metadata, room));
  const width = Math.max(...names.map(columns), 7);
  const head = `  #   ${pad("passage", width)}  before  after  score`;
  const rows = hits.map((hit, index) => {
    const score = hit.relevanceScore === null ? "–" : hit.relevanceScore.toFixed(3);
    const numbers = `${String(hit.rankBefore).padStart(6)}  ${String(hit.rankAfter).padStart(5)}  ${score.padStart(5)}`;
    return `${`[${index + 1}]`.padStart(4)}  ${pad(names[index]!, width)}  ${numbers}`;
  });
  return [styled("dim", head, out), ...rows];
}

/** The name of a place in so many columns: first the folders are left out, then the outer headings, then the middle. */
function shortName(place: Place, width: number): string {
  const folders = place.source.split("/");
  const file = folders.length > 2 ? `…/${folders.slice(-2).join("/")}` : place.source;
  const inner = place.heading?.split(" › ").at(-1);
  const shorter = [
    place,
    { ...place, source: file },
    { ...place, source: file, ...(inner && { heading: `… › ${inner}` }) },
  ];
  const names = shorter.map((each) => printable(nameOf(each)));
  return names.find((name) => columns(name) <= width) ?? cutInTheMiddle(names.at(-1)!, width);
}

function cutInTheMiddle(text: string, width: number): string {
  const characters = graphemes(text);
  const middle = () => Math.floor(characters.length / 2);
  while (characters.length > 1 && columns(characters.join("")) > width - 1) characters.splice(middle(), 1);
  characters.splice(middle(), 0, "…");
  return characters.join("");
}

function pad(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - columns(text)));
}

/** Terminal columns of a text: a Chinese character or an emoji takes two. */
function columns(text: string): number {
  return graphemes(text).reduce((sum, grapheme) => sum + (wide.test(grapheme) ? 2 : 1), 0);
}

const wide =
  /\p{Emoji_Presentation}|\p{Extended_Pictographic}\uFE0F|[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{20000}-\u{3FFFD}]/u;

function graphemes(text: string): string[] {
  return [...new Intl.Segmenter().segment(text)].map(({ segment }) => segment);
}

function shorten(text: string, width: number): string {
  if (columns(text) <= width) return text;
  const characters = graphemes(text);
  while (columns(characters.join("")) > width - 1) characters.pop();
  return `${characters.join("")}…`;
}
