import { styleText } from "node:util";
import type { Citation } from "./citations.ts";
import { nameOf } from "./chunks.ts";
import type { Hit } from "./search.ts";

type Style = Parameters<typeof styleText>[0];

/** Styled where it is shown on a terminal, plain elsewhere. */
export function styled(style: Style, text: string, out: NodeJS.WriteStream): string {
  return out.isTTY && !process.env["NO_COLOR"] ? styleText(style, text, { validateStream: false }) : text;
}

/** The quotes of the answer, each with the place it was found in, or marked as not found. */
export function citationLines(citations: readonly Citation[], hits: readonly Hit[], out: NodeJS.WriteStream): string[] {
  return citations.flatMap(({ n, quote, verified }) => {
    const place = hits[n - 1] ? nameOf(hits[n - 1]!.passage.metadata) : "there is no such passage";
    const mark = verified ? styled("green", "✓", out) : styled("yellow", "?", out);
    const shown = quote.replaceAll(/\s+/g, " ");
    if (verified) return [`${mark} [${n}] ${place}`, styled("dim", `      "${shorten(shown, 300)}"`, out)];
    const reason = !hits[n - 1]
      ? ""
      : quote
        ? " — not verified: the quote is not in this passage"
        : " — not verified: nothing is quoted";
    return [
      `${mark} [${n}] ${place}${styled("yellow", reason, out)}`,
      ...(quote ? [`      "${shorten(shown, 300)}"`] : []),
    ];
  });
}

/** The passages the answer was written from, with their places before and after reranking. */
export function sourceTable(hits: readonly Hit[], out: NodeJS.WriteStream): string[] {
  const names = hits.map((hit) => nameOf(hit.passage.metadata));
  const room = Math.max(30, (out.isTTY ? out.columns || 80 : 100) - 30);
  const width = Math.min(room, Math.max(...names.map(columns), 7));
  const head = `  #   ${pad("passage", width)}  before  after  score`;
  const rows = hits.map((hit, index) => {
    const score = hit.relevanceScore === null ? "–" : hit.relevanceScore.toFixed(3);
    return `${`[${index + 1}]`.padStart(4)}  ${pad(names[index]!, width)}  ${String(hit.rankBefore).padStart(6)}  ${String(hit.rankAfter).padStart(5)}  ${score.padStart(5)}`;
  });
  return [styled("dim", head, out), ...rows];
}

/** Terminal columns of a text: a Chinese character takes two. */
function columns(text: string): number {
  let count = 0;
  for (const character of text)
    count +=
      /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{1F300}-\u{1FAFF}]/u.test(
        character,
      )
        ? 2
        : 1;
  return count;
}

/** Fills up to a width, or cuts in the middle: the end of a heading path says most. */
function pad(text: string, width: number): string {
  let shown = text;
  if (columns(text) > width) {
    const characters = [...text];
    while (columns(characters.join("")) > width - 1) characters.splice(Math.floor(characters.length / 3), 1);
    characters.splice(Math.floor(characters.length / 3), 0, "…");
    shown = characters.join("");
  }
  return shown + " ".repeat(Math.max(0, width - columns(shown)));
}

function shorten(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}
