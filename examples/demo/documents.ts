import { readdir, readFile, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, extname, join, relative, sep } from "node:path";
import { compile } from "html-to-text";
import { getDocumentProxy, extractText } from "unpdf";
import { Failure } from "./failure.ts";
import { Progress } from "./progress.ts";
import { type Heading, markdownHeadings, type Section, sectionsOf } from "./headings.ts";

/** A file as text. Quotes are checked against `text`, so it is exactly what was read, or extracted. */
export interface SourceDocument {
  /** Path below the folder, with forward slashes. */
  source: string;
  text: string;
  sections: Section[];
}

/** Which files to read, and the folder their names are relative to. */
export interface Collection {
  root: string;
  files: string[];
}

const readers: Record<
  string,
  (bytes: Uint8Array) => Pick<SourceDocument, "text" | "sections"> | Promise<Pick<SourceDocument, "text" | "sections">>
> = {
  ".md": (bytes) => readMarkdown(decode(bytes)),
  ".markdown": (bytes) => readMarkdown(decode(bytes)),
  ".txt": (bytes) => readPlain(decode(bytes)),
  ".html": (bytes) => readHtml(decode(bytes)),
  ".htm": (bytes) => readHtml(decode(bytes)),
  ".pdf": readPdf,
};

/** The readable files below a folder, in a stable order. Hidden folders and installed packages are left out. */
export async function findFiles(path: string): Promise<Collection> {
  const found = await stat(path).catch(() => undefined);
  if (!found) throw new Failure(`The folder ${path} does not exist. Check the path after --docs.`);
  if (!found.isDirectory()) return { root: dirname(path), files: onlyReadable([path], path) };

  return { root: path, files: onlyReadable(await walk(path), path) };
}

async function walk(folder: string, isRoot = true): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (isRoot) throw new Failure(`The folder ${folder} cannot be read (${error.code}). Check its permissions.`);
    return [];
  });
  const files: string[] = [];
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith(".") || entry.name === "node_modules") continue;
    const path = join(folder, entry.name);
    // Links are followed to files only: a link to a folder may lead back here.
    if (entry.isDirectory()) files.push(...(await walk(path, false)));
    else if (entry.isFile() || (await stat(path).catch(() => undefined))?.isFile()) files.push(path);
  }
  return files;
}

function onlyReadable(files: string[], path: string): string[] {
  const readable = files.filter((file) => extname(file).toLowerCase() in readers);
  if (readable.length > 0) return readable;
  throw new Failure(`There is no .md, .txt, .html or .pdf file in ${path}. Choose another folder with --docs.`);
}

/** Reads every file it can; `onSkip` hears about those it cannot, with the reason. */
export async function readDocuments(
  { root, files }: Collection,
  { onSkip, signal }: { onSkip(source: string, reason: string): void; signal: AbortSignal },
): Promise<SourceDocument[]> {
  const documents: SourceDocument[] = [];
  const progress = new Progress("Reading", { files: files.length });
  try {
    for (const [done, file] of files.entries()) {
      signal.throwIfAborted();
      progress.update({ files: done });
      const source = relative(root, file).split(sep).join("/") || basename(file);
      try {
        const read = readers[extname(file).toLowerCase()]!;
        const document = { source, ...(await read(await readFile(file))) };
        if (document.text.trim()) documents.push(document);
        else
          onSkip(
            source,
            source.toLowerCase().endsWith(".pdf")
              ? "no text to read inside; is it a scan, or without its fonts?"
              : "empty",
          );
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        onSkip(source, code === "EACCES" ? "no permission to read it" : message.replaceAll(/\s+/g, " "));
      }
    }
    progress.update({ files: files.length });
  } finally {
    progress.end();
  }
  if (documents.length > 0) return documents;
  const none = files.length === 1 ? "The only file" : `None of the ${files.length} files`;
  throw new Failure(
    `${none} in ${root} could ${files.length === 1 ? "not " : ""}be read. Choose another folder with --docs.`,
  );
}

function readMarkdown(text: string) {
  return { text, sections: sectionsOf(text, markdownHeadings(text)) };
}

function readPlain(text: string) {
  return { text, sections: sectionsOf(text, []) };
}

/** Sits before each heading while a page is turned into text: a private-use character no page has a reason to hold. */
const headingMark = "\uE123";

const htmlToText = compile({
  wordwrap: false,
  formatters: {
    markedHeading: (element, walk, builder) => {
      builder.openBlock({ leadingLineBreaks: 2 });
      builder.addInline(`${headingMark}${element.name?.slice(1)}`, { noWordTransform: true });
      walk(element.children, builder);
      builder.closeBlock({ trailingLineBreaks: 2 });
    },
  },
  selectors: [
    ...["h1", "h2", "h3", "h4", "h5", "h6"].map((selector) => ({ selector, format: "markedHeading" })),
    ...["script", "style", "noscript", "template", "svg", "img"].map((selector) => ({ selector, format: "skip" })),
    { selector: "a", options: { ignoreHref: true } },
  ],
});

function readHtml(html: string) {
  const marked = htmlToText(html.replaceAll(headingMark, ""));
  const headings: Heading[] = [];
  let text = "";
  for (const [index, piece] of marked.split(headingMark).entries()) {
    if (index === 0) {
      text += piece;
      continue;
    }
    const [title = ""] = piece.slice(1).split("\n");
    headings.push({ start: text.length, level: Number(piece[0]), title: title.replaceAll(/\s+/g, " ").trim() });
    text += piece.slice(1).trimStart();
  }
  return { text, sections: sectionsOf(text, headings) };
}

// Tables for fonts that are named but not embedded, as many Chinese PDFs have them: unpdf comes without.
const characterMaps = `${join(dirname(createRequire(import.meta.url).resolve("pdfjs-dist/package.json")), "cmaps")}/`;

async function readPdf(bytes: Uint8Array) {
  // A copy: pdf.js takes its buffer away, and it may be a slice of Node.js's shared pool. Verbosity 0: it would warn on stdout.
  const pdf = await getDocumentProxy(new Uint8Array(bytes), {
    verbosity: 0,
    cMapUrl: characterMaps,
    cMapPacked: true,
  });
  try {
    const pages = (await extractText(pdf, { mergePages: false })).text.map(clean);
    const sections: Section[] = [];
    let text = "";
    for (const [index, page] of pages.entries()) {
      sections.push({ start: text.length, end: text.length + page.length, page: index + 1 });
      text += `${page}\n\n`;
    }
    return { text, sections };
  } finally {
    await pdf.loadingTask.destroy();
  }
}

/** UTF-8 or UTF-16 by its mark; what is not valid UTF-8 is read as GB 18030, the usual other encoding of Chinese text. */
function decode(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return clean(new TextDecoder("utf-16le").decode(bytes));
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return clean(new TextDecoder("utf-16be").decode(bytes));
  if (bytes.includes(0)) throw new Error("not a text file");
  try {
    return clean(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return clean(new TextDecoder("gb18030").decode(bytes));
  }
}

/** PostgreSQL stores neither NUL nor half a surrogate pair. */
function clean(text: string): string {
  return text.replaceAll("\0", "").toWellFormed();
}
