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
