/** A stretch of a document under one heading, or on one page. Positions count UTF-16 units of the document's text. */
export interface Section {
  start: number;
  end: number;
  /** Titles from the outermost inwards, e.g. `"Setup › Proxy"`. */
  heading?: string;
  /** Page of a PDF, from 1. */
  page?: number;
}

/** A heading found in a text: where its section starts, how deep it is, what it says. */
export interface Heading {
  start: number;
  level: number;
  title: string;
}

/** Cuts a text at its headings, and gives each piece the path of headings that leads to it. */
export function sectionsOf(text: string, headings: Heading[]): Section[] {
  const sections: Section[] = [];
  const path: Heading[] = [];
  const first = headings[0]?.start ?? text.length;
  if (first > 0) sections.push({ start: 0, end: first });

  for (const [index, heading] of headings.entries()) {
    while (path.length > 0 && path.at(-1)!.level >= heading.level) path.pop();
    path.push(heading);
    const title = path.map((each) => each.title).join(" › ");
    const end = headings[index + 1]?.start ?? text.length;
    sections.push({ start: heading.start, end, ...(title && { heading: title }) });
  }
  return sections;
}

/** Headings of a Markdown text: `# …` and underlined ones, outside code fences and front matter. */
export function markdownHeadings(text: string): Heading[] {
  const headings: Heading[] = [];
  let fence: string | undefined;
  let previous = { start: 0, line: "" };
  let start = 0;
  let inFrontMatter = /^\uFEFF?---[ \t]*\r?\n/.test(text);

  for (const raw of text.split(/(?<=\n)/)) {
    const line = raw.trimEnd();
    if (inFrontMatter) {
      if (start > 0 && /^(---|\.\.\.)$/.test(line)) inFrontMatter = false;
    } else {
      const marker = /^ {0,3}(```+|~~~+)/.exec(line)?.[1];
      if (fence) {
        if (marker?.startsWith(fence) && line.trim() === marker) fence = undefined;
      } else if (marker) {
        fence = marker;
      } else {
        const hashes = /^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?$/.exec(line);
        const underline = /^ {0,3}(=+|-{2,})$/.exec(line)?.[1];
        if (hashes) {
          headings.push({ start, level: hashes[1]!.length, title: plain(hashes[2] ?? "") });
        } else if (underline && /^ {0,3}[^\s>#|*+-]/.test(previous.line)) {
          headings.push({
            start: previous.start,
            level: underline.startsWith("=") ? 1 : 2,
            title: plain(previous.line),
          });
        }
      }
    }
    previous = { start, line: fence || inFrontMatter ? "" : line };
    start += raw.length;
  }
  return headings;
}

/** A heading as it reads, without Markdown's own signs. */
function plain(title: string): string {
  return title
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replaceAll(/<[^>]+>|[`*]/g, "")
    .replaceAll(/\s+/g, " ")
    .trim();
}
