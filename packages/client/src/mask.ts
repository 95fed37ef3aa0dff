/**
 * Takes secrets out of text that came from the network, before anything else looks at it:
 * a later cut could leave half a key.
 */
export class Mask {
  readonly #secrets: readonly string[];
  #pattern: RegExp | undefined;

  constructor(secrets: readonly string[]) {
    // Very short ones would tear words apart and are no secrets. Longest first: one may hold another.
    this.#secrets = secrets.filter((secret) => secret.length >= 4).toSorted((a, b) => b.length - a.length);
  }

  /** A mask of these secrets as well. */
  and(secrets: readonly string[]): Mask {
    return secrets.length === 0 ? this : new Mask([...this.#secrets, ...secrets]);
  }

  apply(text: string): string {
    const masked = text.replace(/\b(Bearer\s+)[\w.~+/=-]{4,}/gi, "$1***");
    if (this.#secrets.length === 0) return masked;
    // Made when it is needed first: most calls fail at nothing.
    this.#pattern ??= new RegExp(this.#secrets.flatMap(spellingsOf).join("|"), "gi");
    return masked.replace(this.#pattern, "***");
  }
}

/** Shorter ones turn up in base64 by chance. */
const shortestInBase64 = 8;

/**
 * The ways in which something on the way may repeat a secret, as expressions: each character as it is or escaped (for a URL,
 * JSON, HTML), and all of it in base64, whatever stands before it there.
 */
function spellingsOf(secret: string): string[] {
  const characters = [...secret].map((character) => {
    const hex = character.charCodeAt(0).toString(16).padStart(2, "0");
    return `(?:${literal(character)}|%${hex}|\\\\u00${hex}|&#(?:x${hex}|${character.charCodeAt(0)});)`;
  });
  const spellings = [characters.join("")];
  if (secret.length < shortestInBase64) return spellings;
  for (const before of ["", "\0", "\0\0"]) {
    // Only the characters that do not depend on what stands around.
    const from = Math.ceil((before.length * 8) / 6);
    const certain = btoa(before + secret).slice(from, Math.floor(((before.length + secret.length) * 8) / 6));
    spellings.push(literal(certain).replaceAll("\\+", "[+-]").replaceAll("/", "[/_]"));
  }
  return spellings;
}

function literal(text: string): string {
  return text.replace(/[$()*+.?[\\\]^{|}]/g, "\\$&");
}

const secretName = /auth|cookie|credential|jwt|key|password|secret|session|signature|token/;

/** What must not be shown of headers: the values of those whose names say so, and their parts (`Basic …`, `name=…`). */
export function secretsOf(headers: Record<string, string>): string[] {
  return Object.entries(headers)
    .filter(([name]) => secretName.test(name))
    .flatMap(([, value]) => [value, ...value.split(/[\s;,=]+/).filter((part) => part.length >= shortestPart)]);
}

/** Shorter parts of a header are rather words than secrets. */
const shortestPart = 12;
const shortestInput = 8;
/** So many characters of its beginning are a quote of an input: long ones are quoted cut short. */
const shortestQuote = 16;

/** Takes back what an answer repeats of its request: some refusals quote the input, and prompts stay out of messages. */
export function withoutInput(text: string, request: Record<string, unknown> | undefined): string {
  if (request === undefined) return text;
  const inputs: string[] = [];
  for (const field of [
    "messages",
    "system",
    "input",
    "query",
    "documents",
    "prompt",
    "negative_prompt",
    "text",
    "references",
    "suffix",
    "prefix",
    "instruction",
  ]) {
    collectStrings(request[field], inputs);
  }
  let redacted = text;
  for (const input of inputs.toSorted((a, b) => b.length - a.length)) {
    // As it is, and as JSON spells it: with the letters beyond ASCII, or with escapes for them.
    const json = JSON.stringify(input).slice(1, -1);
    for (const spelling of new Set([input, json, escaped(json)])) redacted = withoutQuote(redacted, spelling);
  }
  return redacted;
}

/** Takes out the input, or as much of its beginning as there is. */
function withoutQuote(text: string, input: string): string {
  const beginning = input.slice(0, shortestQuote);
  let at = text.indexOf(beginning);
  let rest = 0;
  let redacted = "";
  while (at >= 0) {
    let length = beginning.length;
    while (length < input.length && text[at + length] === input[length]) length += 1;
    redacted += `${text.slice(rest, at)}[input]`;
    rest = at + length;
    at = text.indexOf(beginning, rest);
  }
  return redacted + text.slice(rest);
}

function escaped(json: string): string {
  // One UTF-16 unit at a time, which is how JSON escapes.
  return json.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Texts, not roles and types: what is as short as a word would take words out of the message. */
function collectStrings(value: unknown, found: string[], depth = 0): void {
  if (typeof value === "string") {
    if (value.length >= shortestInput) found.push(value);
  } else if (typeof value === "object" && value !== null && depth < 6) {
    for (const [key, inner] of Object.entries(value)) {
      if (key !== "role" && key !== "type" && key !== "name") collectStrings(inner, found, depth + 1);
    }
  }
}
