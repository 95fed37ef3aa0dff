import { createRequire } from "node:module";

/** A text as dots on a grid. */
export interface DrawnText {
  width: number;
  height: number;
  dots: (readonly [x: number, y: number])[];
}

interface Font {
  /** Five columns a character, in the order of `lookup`; the lowest bit is the uppermost dot. */
  fontData: readonly number[];
  lookup: readonly string[];
}

const require = createRequire(import.meta.url);
let font: Font | undefined;
// An empty box, for what the font does not have.
const unknown = [0x7f, 0x41, 0x41, 0x41, 0x7f];

/**
 * Lays a text out in letters of 5 × 7 dots, wrapped to a width; cut, with dots at its end, when it would have more than
 * `mostLines` lines. What is not ASCII becomes an empty box.
 */
export function drawnText(text: string, widest: number, mostLines: number): DrawnText {
  const lines = wrapped(text, Math.max(4, Math.floor(widest / 6)), mostLines);
  const dots: (readonly [number, number])[] = [];
  lines.forEach((line, row) => {
    [...line].forEach((character, place) => {
      columnsOf(character).forEach((column, offset) => {
        for (let bit = 0; bit < 7; bit += 1) if ((column >> bit) & 1) dots.push([place * 6 + offset, row * 9 + bit]);
      });
    });
  });
  return { width: Math.max(0, ...lines.map((line) => [...line].length)) * 6, height: lines.length * 9 - 2, dots };
}

function columnsOf(character: string): readonly number[] {
  // Read at the first letter: most emulators never draw one.
  font ??= require("oled-font-5x7") as Font;
  const place = font.lookup.indexOf(character);
  if (place >= 0) return font.fontData.slice(place * 5, place * 5 + 5);
  return character === " " ? [] : unknown;
}

function wrapped(text: string, most: number, mostLines: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/).filter(Boolean)) {
    // More than is shown need not be laid out: a word may have a million letters.
    if (lines.length > mostLines) break;
    let rest = line === "" ? word : `${line} ${word}`;
    if ([...rest].length > most && line !== "") {
      lines.push(line);
      rest = word;
    }
    for (; lines.length <= mostLines && [...rest].length > most; rest = [...rest].slice(most).join(""))
      lines.push([...rest].slice(0, most).join(""));
    line = rest;
  }
  if (line !== "") lines.push(line);
  if (lines.length <= mostLines) return lines;
  const last = [...lines[mostLines - 1]!].slice(0, most - 3).join("");
  return [...lines.slice(0, mostLines - 1), `${last}...`];
}
