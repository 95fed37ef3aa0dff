/**
 * What was read of an answer: text, thoughts, arguments of tool calls, usage. Cheap enough to be kept while the clock runs, of
 * the same size however much is read, and equal only where every piece, their order and the usage are.
 */
export class Reading {
  pieces = 0;
  readonly #text = new Digest();
  readonly #thoughts = new Digest();
  readonly #arguments = new Digest();
  readonly #watch: ((pieces: number) => void) | undefined;
  #input = 0;
  #output = 0;

  /** @param watch is called with the number of pieces after each. */
  constructor(watch?: (pieces: number) => void) {
    this.#watch = watch;
  }

  text(piece: unknown): void {
    this.#add(this.#text, piece);
  }

  thoughts(piece: unknown): void {
    this.#add(this.#thoughts, piece);
  }

  arguments(piece: unknown): void {
    this.#add(this.#arguments, piece);
  }

  /** The arguments as far as they are known: some libraries repeat them all with every piece. */
  argumentsSoFar(whole: string): void {
    this.#add(this.#arguments, whole.slice(this.#arguments.length));
  }

  /** Added up, as LangChain does it: a library that counts the same tokens twice is found out. */
  usage(input: number | undefined, output: number | undefined): void {
    this.#input += input ?? 0;
    this.#output += output ?? 0;
  }

  toString(): string {
    return (
      `${this.pieces} pieces, text ${this.#text}, thoughts ${this.#thoughts}, arguments ${this.#arguments}, ` +
      `usage ${this.#input} + ${this.#output}`
    );
  }

  #add(digest: Digest, piece: unknown): void {
    if (typeof piece !== "string" || piece === "") return;
    digest.add(piece);
    this.pieces += 1;
    this.#watch?.(this.pieces);
  }
}

/** FNV-1a over the characters. */
class Digest {
  length = 0;
  #hash = 0x811c9dc5;

  add(piece: string): void {
    let hash = this.#hash;
    for (let index = 0; index < piece.length; index += 1) hash = Math.imul(hash ^ piece.charCodeAt(index), 0x01000193);
    this.#hash = hash;
    this.length += piece.length;
  }

  toString(): string {
    return `${this.length}:${(this.#hash >>> 0).toString(16)}`;
  }
}

/** What all of them read, or that they differ. */
export function common(readings: readonly Reading[]): string {
  const different = new Set(readings.map(String));
  return different.size === 1
    ? [...different].join("")
    : `${different.size} different answers: ${[...different].join(" / ")}`;
}
