/** A sentence, list item or heading, exactly as it stands in its text. */
export interface Sentence {
  text: string;
  /** Headings, captions and rows of symbols are found but poor answers. */
  prose: boolean;
}

// A full stop after these ends no sentence.
const abbreviation =
  /(?:^|[\s(["“])(?:[A-Z]|Mr|Mrs|Ms|Dr|Prof|St|Sr|Jr|Gen|Col|Capt|Lt|Sgt|Rev|Hon|Gov|Sen|Rep|Mt|Ft|No|Nos|Vol|vol|Fig|fig|Eq|eq|pp?|ca|cf|al|vs|approx|e\.g|i\.e|etc|Inc|Ltd|Co|Corp|U\.S|U\.K|U\.N|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.$/;
const sentenceEnd = /[.!?]+["'”’)\]*_`]*(?=\s)|[。！？]+["'”’」』）)\]]*|…{2}(?=\s)/g;
const listItem = /^\s*(?:[-*+•]|\d{1,3}[.)])\s+/;
const heading = /^\s*#{1,6}\s/;

/** The sentences of a text, each a verbatim piece of it. Lines that are merely wrapped belong to one sentence. */
export function sentencesOf(text: string): Sentence[] {
  return blocksOf(text)
    .flatMap(({ block, verbatim }) => {
      if (verbatim) return [sentence(block, block.trimStart().startsWith("|"))];
      if (heading.test(block)) return [sentence(block.replace(heading, ""), false)];
      return splitProse(block.replace(listItem, "")).map((piece) => sentence(piece, true));
    })
    .filter(({ text: piece }) => /[\p{L}\p{N}]/u.test(piece));
}

function sentence(text: string, prose: boolean): Sentence {
  // Of a table's row, what stands between its outer bars.
  const trimmed = text
    .trim()
    .replaceAll(/^\||\|$/g, "")
    .trim();
  // Five words, or eight ideographs, are the least that says something.
  const substantial = /(?:\S+\s+){4}\S|\p{Script=Han}{4}[^]*\p{Script=Han}{4}/u.test(trimmed);
  return { text: trimmed, prose: prose && substantial };
}

/** Paragraphs, list items, headings, table rows, and code line by line. */
function blocksOf(text: string): { block: string; verbatim: boolean }[] {
  const blocks: { block: string; verbatim: boolean }[] = [];
  let current = "";
  let inCode = false;
  const flush = () => {
    if (current.trim() !== "") blocks.push({ block: current, verbatim: false });
    current = "";
  };
  for (const line of text.split(/(?<=\n)/)) {
    if (/^\s*(?:```|~~~)/.test(line)) {
      flush();
      inCode = !inCode;
    } else if (inCode) {
      blocks.push({ block: line, verbatim: true });
    } else if (line.trim() === "") {
      flush();
    } else if (heading.test(line) || /^\s*\|/.test(line)) {
      flush();
      blocks.push({ block: line, verbatim: /^\s*\|/.test(line) });
    } else {
      if (listItem.test(line)) flush();
      current += line;
    }
  }
  flush();
  return blocks.filter(({ block }) => block.trim() !== "");
}

function splitProse(block: string): string[] {
  const pieces: string[] = [];
  let start = 0;
  for (const match of block.matchAll(sentenceEnd)) {
    const end = match.index + match[0].length;
    const before = block.slice(start, end);
    if (abbreviation.test(before)) continue;
    // What goes on in lower case was not over.
    if (/[.!?]["'”’)\]*_`]*$/.test(before) && /^\s+\p{Ll}/u.test(block.slice(end, end + 8))) continue;
    pieces.push(before);
    start = end;
  }
  pieces.push(block.slice(start));
  return pieces;
}
