import { InvalidInputError } from "./errors.js";

interface Builtins {
  "node:fs": typeof import("node:fs");
  "node:path": typeof import("node:path");
  "node:url": typeof import("node:url");
}

/**
 * Asked for by name when a path is given: not every runtime has files, and bundlers must not look for them.
 *
 * @param instead - what to do where there are none, for the message
 * @throws {@link InvalidInputError} where there are none
 */
export function builtin<Name extends keyof Builtins>(name: Name, instead: string): Builtins[Name] {
  const found = globalThis.process?.getBuiltinModule?.(name) as Builtins[Name] | undefined;
  if (found === undefined) throw new InvalidInputError(`This runtime has no files: ${instead}.`);
  return found;
}

/**
 * The path that a `file:` URL means.
 *
 * @param field - what messages call it
 * @throws {@link InvalidInputError} for any other URL, and where there are no files
 */
export function pathOfURL(url: string | URL, field: string, instead: string): string {
  const { fileURLToPath } = builtin("node:url", instead);
  try {
    return fileURLToPath(url);
  } catch (cause) {
    throw new InvalidInputError(`The URL in ${field} must begin with file: and name a file.`, { cause });
  }
}
