import { InvalidInputError } from "../errors.js";

/** A path with those fields of a query that were given. */
export function pathWith(path: string, query: object): string {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined);
  const search = new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)])).toString();
  return search === "" ? path : `${path}?${search}`;
}

/** An id as a part of a path: nothing in it can lead elsewhere. */
export function pathPart(id: unknown, what: string): string {
  if (typeof id !== "string" || id.trim() === "" || id === "." || id === "..") throw new InvalidInputError(`${what}.`);
  try {
    return encodeURIComponent(id);
  } catch (cause) {
    // Half a character (a lone surrogate) has no UTF-8 to be written in.
    throw new InvalidInputError(`${what}.`, { cause });
  }
}
