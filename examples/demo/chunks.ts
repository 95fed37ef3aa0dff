import { Document } from "@langchain/core/documents";
import { RecursiveCharacterTextSplitter } from "@langchain/textsplitters";
import type { SourceDocument } from "./documents.ts";

/** Where a chunk comes from. Flat on purpose: LangChain's `index()` leaves nested fields out of its hash. */
export interface Place {
  source: string;
  /** Position in the document's text, in UTF-16 units; `text.slice(start, end)` is the chunk. */
  start: number;
  end: number;
  heading?: string;
  page?: number;
}

export type Chunk = Document<Place>;

const chunkSize = 1000;
const chunkOverlap = 120;

/** Names these settings; chunks made with others are not compared with these. */
export const splitterKey = `recursive/1 ${chunkSize}/${chunkOverlap}`;

// Sentence ends come before line ends: Markdown is often wrapped by hand, in the middle of a sentence.
const splitter = new RecursiveCharacterTextSplitter({
  chunkSize,
  chunkOverlap,
  separators: ["\n\n", ". ", ".\n", "。", "！", "？", "；", "\n", " ", ""],
});

/** Cuts each section into chunks that are verbatim pieces of the document. */
export async function splitIntoChunks(document: SourceDocument): Promise<Chunk[]> {
  const chunks: Chunk[] = [];
  for (const section of document.sections) {
    const text = document.text.slice(section.start, section.end);
    let from = 0;
    for (const piece of await splitter.splitText(text)) {
      const found = text.indexOf(piece, from);
      const [start, end] = withWholeSentences(text, found, found + piece.length);
      from = found + 1;
      if (isOnlyHeading(text.slice(start, end), section.heading)) continue;
      chunks.push(
        new Document({
          pageContent: text.slice(start, end),
          metadata: {
            source: document.source,
            start: section.start + start,
            end: section.start + end,
            ...(section.heading !== undefined && { heading: section.heading }),
            ...(section.page !== undefined && { page: section.page }),
          },
        }),
      );
    }
  }
  return chunks;
}

/** The splitter leaves the full stop at the head of the next piece; it belongs to the sentence it ends. */
function withWholeSentences(text: string, start: number, end: number): [number, number] {
  if (start > 0 && /\S/.test(text[start - 1]!)) {
    while (start < end && /[.。！？；\s]/.test(text[start]!)) start += 1;
  }
  while (end < text.length && /[.。！？；]/.test(text[end]!)) end += 1;
  return [start, end];
}

/** A title with nothing under it answers nothing; its words are in the heading path of what follows. */
function isOnlyHeading(text: string, heading = ""): boolean {
  return text === "" || /^#{1,6} [^\n]*$/.test(text) || text === heading.split(" › ").at(-1);
}

/** `"guide.md › Setup › Proxy"`, `"report.pdf, page 3"`. */
export function nameOf({ source, heading, page }: Place): string {
  if (page !== undefined) return `${source}, page ${page}`;
  return heading ? `${source} › ${heading}` : source;
}
