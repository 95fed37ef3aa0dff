// One piece is about what one token of a current tokenizer covers: up to seven Latin letters with the space before them,
// two ideographs, three digits, or one of anything else. Good to some 15 % on prose; nothing here claims to be exact.
const piece =
  /\s*(?:[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]{1,2}|\d{1,3}|[\p{L}\p{M}]{1,7}|[^\s\p{L}\p{N}]|\p{N})|\s+/gu;

/** Cuts a text into token-sized pieces; joined, they are the text again. */
export function splitTokens(text: string): string[] {
  return text.match(piece) ?? [];
}

/** About how many tokens a text is. An approximation: the service counts with each model's own tokenizer. */
export function countTokens(text: string): number {
  return splitTokens(text).length;
}
