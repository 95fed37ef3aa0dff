import type { ChatMessage } from "./chat-request.js";

/** A piece of text that the prompt offers as a source. */
export interface Passage {
  /** What the prompt calls it; undefined for a context that is not numbered. */
  number: number | undefined;
  /** As it stands in the prompt, but for the space around it. */
  text: string;
}

/** What a prompt asks, and what it offers to answer from. */
export interface Prompt {
  question: string;
  passages: Passage[];
}

const kinds = "passage|document|doc|source|context|chunk|excerpt|snippet|article";
const chineseKinds = "段落|文档|资料|片段|来源|上下文|参考资料|文章";

// <passage id="1" source="a.md">…</passage>; the number may also be called index, n or number.
const numberedTag = new RegExp(
  `<(${kinds})\\b(?=[^>]*\\s(?:id|index|n|no|number)\\s*=\\s*["']?(\\d+))[^>]*>([^]*?)</\\1>`,
  "gi",
);
// <context>…</context>
const plainTag = new RegExp(`<(${kinds})>([^]*?)</\\1>`, "gi");
// [1] text, or [1]: text
const bracket = /^[ \t]*\[(\d{1,4})\][ \t]*[:：]?[ \t]?/;
// Passage 1: text, "### Document 2 (notes.md)", 段落 3：
const label = new RegExp(
  `^[ \\t]*(?:#+[ \\t]*|\\*\\*)?(?:(?:${kinds})[ \\t]*(?:#|no\\.)?|(?:${chineseKinds}))[ \\t]*\\[?(\\d{1,4})\\]?[ \\t]*(?:\\([^)\\n]*\\)|（[^）\\n]*）)?(?:\\*\\*)?[ \\t]*(?:[:：](?:\\*\\*)?[ \\t]?|$)`,
  "i",
);
// Context: … up to the question
const contextLabel =
  /^[ \t]*(?:#+[ \t]*|\*\*)?(?:context|background|上下文|背景|参考资料|已知信息)(?:\*\*)?[ \t]*[:：](?:\*\*)?[ \t]?/im;
const questionLabel =
  /^[ \t]*(?:#+[ \t]*|\*\*)?(?:(?:user(?:'s)? )?question|query|用户问题|问题|提问|Q)(?:\*\*)?[ \t]*(?:[:：](?:\*\*)?|$)[ \t]*/im;
const answerLabel =
  /^[ \t]*(?:#+[ \t]*|\*\*)?(?:(?:helpful |your )?answer|A|回答|答案|答)(?:\*\*)?[ \t]*[:：]?(?:\*\*)?[ \t]*$/im;
const questionTag = /<(question|query)>([^]*?)<\/\1>/i;

/**
 * Reads the question and the passages out of a conversation.
 *
 * Passages are taken from the last user message or, when it has none, from the newest system or user message before it.
 */
export function promptOf(messages: readonly ChatMessage[]): Prompt {
  const last = messages.findLastIndex((message) => message.role === "user");
  const asked = messages[last]?.text ?? "";
  const here = passagesIn(asked);
  if (here.passages.length > 0)
    return { question: questionIn(here.rest) || trailingQuestion(here), passages: here.passages };
  const earlier = messages
    .filter((message, index) => index !== last && (message.role === "system" || message.role === "user"))
    .toReversed()
    .map((message) => passagesIn(message.text).passages)
    .find((passages) => passages.length > 0);
  return { question: questionIn(asked) || asked.trim(), passages: earlier ?? [] };
}

interface Found {
  passages: Passage[];
  /** The message without its passages. */
  rest: string;
}

function passagesIn(text: string): Found {
  for (const find of [
    byNumberedTag,
    (given: string) => byMarker(given, bracket),
    (given: string) => byMarker(given, label),
  ]) {
    const found = find(text);
    if (found.passages.length > 0) return found;
  }
  return byContext(text);
}

function byNumberedTag(text: string): Found {
  const passages: Passage[] = [];
  const rest = text.replaceAll(numberedTag, (_tag, _kind: string, number: string, content: string) => {
    const inner = /<document_content>([^]*?)<\/document_content>/i.exec(content)?.[1] ?? content;
    passages.push({ number: Number(number), text: inner.trim() });
    return "\n\n";
  });
  return { passages: filled(passages), rest };
}

/** Passages that begin with a number at the start of a line and go on until the next one. */
function byMarker(text: string, marker: RegExp): Found {
  const lines = text.split("\n");
  const starts: { line: number; number: number; content: string }[] = [];
  for (const [line, content] of lines.entries()) {
    const match = marker.exec(content);
    const number = Number(match?.[1]);
    // Numbers rise by one; another one at the start of a line is a reference inside a passage.
    if (!match || (starts.length > 0 && number !== starts.at(-1)!.number + 1)) continue;
    starts.push({ line, number, content: content.slice(match[0].length) });
  }
  if (starts.length === 0) return { passages: [], rest: text };

  const end = endOfLast(lines, starts.at(-1)!.line, starts[1]?.line);
  const passages = starts.map(({ line, number, content }, index) => {
    const below = lines.slice(line + 1, starts[index + 1]?.line ?? end);
    return {
      number,
      text: [content, ...below]
        .join("\n")
        .replace(/\n\s*[-=*]{3,}\s*$/, "")
        .trim(),
    };
  });
  const rest = [...lines.slice(0, starts[0]!.line), "", ...lines.slice(end)].join("\n");
  return { passages: filled(passages), rest };
}

/** The line at which the last passage is over: a question, an answer to be filled in, a closing tag, a ruled line. */
function endOfLast(lines: string[], start: number, second: number | undefined): number {
  // A line ruled between passages closes the last one too; elsewhere it belongs to the text.
  const ruled =
    second !== undefined &&
    /^\s*[-=*]{3,}\s*$/.test(lines.slice(0, second).findLast((line) => line.trim() !== "") ?? "");
  for (let line = start + 1; line < lines.length; line++) {
    const content = lines[line]!;
    if (questionLabel.test(content) || answerLabel.test(content)) return line;
    if (/^\s*<\/?[a-z_]+>/i.test(content)) return line;
    if (ruled && /^\s*[-=*]{3,}\s*$/.test(content)) return line;
  }
  return lines.length;
}

/** A context without numbers: between tags, or below a label. */
function byContext(text: string): Found {
  const passages: Passage[] = [];
  const untagged = text.replaceAll(plainTag, (_tag, _kind: string, content: string) => {
    passages.push({ number: undefined, text: content.trim() });
    return "\n\n";
  });
  if (passages.length > 0) return { passages: filled(passages), rest: untagged };

  const match = contextLabel.exec(text);
  if (!match) return { passages: [], rest: text };
  const below = text.slice(match.index + match[0].length);
  const ends = [questionLabel, answerLabel].map((pattern) => pattern.exec(below)?.index ?? below.length);
  const end = Math.min(...ends);
  return {
    passages: filled([{ number: undefined, text: below.slice(0, end).trim() }]),
    rest: `${text.slice(0, match.index)}\n\n${below.slice(end)}`,
  };
}

function filled(passages: Passage[]): Passage[] {
  return passages.filter((passage) => passage.text !== "");
}

/** The question in a text that holds no passages (any more): what is labelled so, else the last paragraph that asks. */
function questionIn(text: string): string {
  const tagged = questionTag.exec(text)?.[2]?.trim();
  if (tagged) return tagged;
  const match = questionLabel.exec(text);
  if (match) {
    const below = text.slice(match.index + match[0].length).trimStart();
    const labelled = below
      .split(/\n\s*\n/)[0]!
      .replace(answerLabel, "")
      .trim();
    if (labelled) return labelled;
  }
  const paragraphs = text
    .replace(answerLabel, "")
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.trim())
    .filter((paragraph) => /[\p{L}\p{N}]/u.test(paragraph));
  return paragraphs.findLast((paragraph) => /[?？]/.test(paragraph)) ?? paragraphs.at(-1) ?? "";
}

/** Nothing but passages in the message: a last paragraph of the last passage that asks is the question. */
function trailingQuestion({ passages }: Found): string {
  const last = passages.at(-1)!;
  const match = /\n\s*\n([^\n]*[?？])\s*$/.exec(last.text);
  if (!match) return "";
  last.text = last.text.slice(0, match.index).trim();
  return match[1]!.trim();
}
