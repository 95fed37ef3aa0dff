/**
 * What the fields of an answer may hold: nothing, as missing, `null` or `""`, or what is documented. Anything else is damage, and
 * dropping it would lose a part of the answer unseen.
 */

export function isAbsent(value: unknown): value is undefined | null | "" {
  return value === undefined || value === null || value === "";
}

export function isText(value: unknown): value is string | undefined | null {
  return typeof value === "string" || value === undefined || value === null;
}

/** An object, and no list. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Of a choice, a call or a block; the first where it is left out. */
export function isIndex(value: unknown, end = Infinity): boolean {
  return isAbsent(value) || (Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < end);
}

/** A content: text, or on some hosts a list of parts that are text. */
export function isContent(value: unknown): boolean {
  return (
    isText(value) || (Array.isArray(value) && value.every((part) => isObject(part) && typeof part["text"] === "string"))
  );
}

/** The text of a content that {@link isContent}. */
export function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  return Array.isArray(content) ? content.map(({ text }: { text: string }) => text).join("") : "";
}

/** Far beyond any tool's arguments, and below what exhausts the stack of `JSON.stringify`. */
const maxDepth = 1000;

/** Arguments that somebody has parsed already: nested no deeper than they can be written again. */
export function isInput(value: unknown): boolean {
  let level = [value];
  for (let depth = 0; depth <= maxDepth; depth += 1) {
    level = level.flatMap((each) =>
      typeof each === "object" && each !== null ? (Object.values(each) as unknown[]) : [],
    );
    if (level.length === 0) return true;
  }
  return false;
}

/** What choices of all endpoints have in common. `end`: how many were asked for. */
export function isChoice(choice: Record<string, unknown>, end = Infinity): boolean {
  return isIndex(choice["index"], end) && isText(choice["finish_reason"]) && areLogprobs(choice["logprobs"]);
}

/** The choices of a whole answer: one at least, each once, and none that was not asked for. */
export function areChoices(choices: unknown, asked: number): choices is Record<string, unknown>[] {
  if (!Array.isArray(choices) || choices.length === 0) return false;
  const indexes = new Set<unknown>();
  for (const [position, choice] of choices.entries()) {
    if (!isObject(choice) || !isChoice(choice, asked)) return false;
    indexes.add(isAbsent(choice["index"]) ? position : choice["index"]);
  }
  return indexes.size === choices.length && choices.length <= asked;
}

function areLogprobs(value: unknown): boolean {
  return isAbsent(value) || (isObject(value) && (isAbsent(value["content"]) || Array.isArray(value["content"])));
}
