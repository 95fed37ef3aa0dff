/**
 * Takes secrets out of text that came from the network, before anything else looks at it:
 * a later cut could leave half a key.
 */
export class Mask {
  readonly #secrets: string[];

  constructor(secrets: readonly string[]) {
    // Very short ones would tear words apart and are no secrets. Longest first: one may hold another.
    this.#secrets = secrets.filter((secret) => secret.length >= 4).toSorted((a, b) => b.length - a.length);
  }

  apply(text: string): string {
    let masked = text;
    for (const secret of this.#secrets) masked = masked.replaceAll(secret, "***");
    return masked.replace(/\b(Bearer\s+)[\w.~+/=-]{4,}/gi, "$1***");
  }
}

const shortestInput = 8;

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
    "suffix",
    "prefix",
    "instruction",
  ]) {
    collectStrings(request[field], inputs);
  }
  let redacted = text;
  for (const input of inputs.toSorted((a, b) => b.length - a.length)) {
    // As it is, and as JSON spells it.
    redacted = redacted.replaceAll(input, "[input]").replaceAll(JSON.stringify(input).slice(1, -1), "[input]");
  }
  return redacted;
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
