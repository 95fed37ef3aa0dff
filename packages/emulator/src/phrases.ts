import { termsOf } from "./terms.js";

/** Whether a text says a word or a name like `maxResults`, in whatever form. */
export function mentions(text: string, option: unknown): boolean {
  const wanted = termsOf(
    String(option)
      .replaceAll(/[_-]/g, " ")
      .replaceAll(/(\p{Ll})(\p{Lu})/gu, "$1 $2"),
  );
  const given = new Set(termsOf(text).map((term) => term.text));
  return wanted.length > 0 && wanted.every((term) => given.has(term.text));
}

/** What follows a name in a text: `sku A-17`, `city: Paris`, `limit = 5`, `city is Paris`. */
export function valueAfter(name: string, text: string): string | undefined {
  const spoken = name.replaceAll(/[_-]/g, " ").replaceAll(/(\p{Ll})(\p{Lu})/gu, "$1 $2");
  if (!/^[\p{L}\p{N} ]+$/u.test(spoken)) return undefined;
  const pattern = new RegExp(
    `(?<![\\p{L}\\p{N}])${spoken.replaceAll(" ", "[ _-]?")}\\s*(?:[:：=]|\\bis\\b|是|为)?\\s*(["“]([^"”]+)["”]|[^\\s,;?!，；？！。]+)`,
    "iu",
  );
  const match = pattern.exec(text);
  const value = match?.[2] ?? match?.[1]?.replace(/[.)]+$/, "");
  // "the city of Paris": what follows is not the value but a word on the way to it.
  if (value === undefined || value === "" || termsOf(value).every((term) => term.weight < 0.1)) return undefined;
  return value;
}

/** Words of a text that may be an argument, the likeliest first: quoted ones, codes, names, what follows a preposition. */
export function phrasesOf(text: string): string[] {
  const names = namesIn(text);
  const found = [
    ...Array.from(text.matchAll(/["“「『`]([^"”」』`]+)["”」』`]/g), (match) => match[1]!),
    ...Array.from(text.matchAll(/\b(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{2,}\b/g), (match) => match[0]),
    ...names.filter((name) => name.certain).map((name) => name.text),
    ...Array.from(
      text.matchAll(/\b(?:in|at|for|of|about|to|from|on)\s+(?:the\s+|a\s+|an\s+)?([\p{L}\p{N}'’-]+)/giu),
      (match) => match[1]!,
    ),
    ...names.filter((name) => !name.certain).map((name) => name.text),
    ...Array.from(
      text.matchAll(/(?:查询|查一下|关于|告诉我|请问|查|在)?(\p{Script=Han}{2,4}?)(?:的|今天|明天|现在|有)/gu),
      (match) => match[1]!,
    ),
  ];
  return [...new Set(found.map((phrase) => phrase.trim()))].filter((phrase) => phrase !== "" && phrase !== "I");
}

/** A sum or product written out in a text. */
export function expressionIn(text: string): string | undefined {
  for (const [run] of text.matchAll(/[\d(][\d\s.+\-*/^%()×÷]*/g)) {
    let end = run.length;
    while (end > 1 && !/[\d)]/.test(run[end - 1]!)) end -= 1;
    const expression = run.slice(0, end);
    if (/[+\-*/^%×÷]/.test(expression)) return expression;
  }
  return undefined;
}

/** Capitalised words in a row. One word at the start of a sentence is capitalised anyway, so that is less certain. */
function namesIn(text: string): { text: string; certain: boolean }[] {
  const before = (index: number) => text.slice(Math.max(0, index - 8), index);
  const runs = text.matchAll(/(?<![\p{L}\p{N}])\p{Lu}[\p{L}'’-]*(?:\s+(?:of |de )?\p{Lu}[\p{L}'’-]*)*/gu);
  return Array.from(runs, ({ 0: run, index }) => {
    const words = run.split(/\s+/);
    const first = words.findIndex((word) => termsOf(word).some((term) => term.weight >= 0.5));
    const text = first === -1 ? "" : words.slice(first).join(" ");
    const starts = first === 0 && /(?:^|[.!?]\s+)$/.test(before(index));
    // An abbreviation such as JSON is more often about the task than in it.
    return { text, certain: words.length - first > 1 || (!starts && /\p{Ll}/u.test(text)) };
  });
}
