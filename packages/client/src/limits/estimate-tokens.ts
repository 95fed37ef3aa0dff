/** Of Chinese, Japanese and Korean, tokenizers make about two tokens of three letters; of anything else, one of about three. */
const perIdeograph = 0.7;
const perLetter = 0.32;
/** Pictures, sounds and films cost by size and length, which an address does not tell. */
const perMedium = 1000;

/**
 * About how many tokens a request will use: its texts, and the longest answer it allows. A guess for limiters, rather
 * high than low; they are told the real figure afterwards.
 */
export function estimateTokens(body: Record<string, unknown>): number {
  const { max_tokens: most, n, query, documents } = body;
  let tokens = costOf(body);
  // A reranker reads the query with each document.
  if (Array.isArray(documents)) tokens += costOf(query) * (documents.length - 1);
  if (typeof most === "number" && most > 0) tokens += most * (typeof n === "number" && n > 1 ? n : 1);
  return Math.ceil(tokens);
}

function costOf(value: unknown): number {
  if (typeof value === "string") return isMedium(value) ? perMedium : costOfText(value);
  if (typeof value !== "object" || value === null) return 0;
  if (Array.isArray(value)) return value.reduce<number>((sum, each) => sum + costOf(each), 0);
  let cost = 0;
  // Names of fields stand for the marks between the parts of a prompt.
  for (const [name, field] of Object.entries(value)) if (name !== "model") cost += 1 + costOf(field);
  return cost;
}

/** A data URL, an address, or bare base64: so many letters without a space are no text. */
function isMedium(text: string): boolean {
  return /^(data:|https?:\/\/\S+$)/.test(text) || /^[A-Za-z0-9+/]{1000}/.test(text);
}

function costOfText(text: string): number {
  let ideographs = 0;
  for (let index = 0; index < text.length; index += 1) if (text.charCodeAt(index) >= 0x2e80) ideographs += 1;
  return ideographs * perIdeograph + (text.length - ideographs) * perLetter;
}
