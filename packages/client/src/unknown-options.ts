import { InvalidInputError } from "./errors.js";
import { nearest } from "./nearest-models.js";
import type { ClientOptions, SharedClientOptions } from "./options.js";

/** What both clients take. */
export const sharedOptionNames: Readonly<Record<keyof SharedClientOptions, true>> = {
  apiKey: true,
  baseURL: true,
  region: true,
  headers: true,
  timeouts: true,
  maxRetries: true,
  maxResponseBytes: true,
  limiter: true,
  onRetry: true,
  onWait: true,
};

/** What the client over undici takes. */
export const clientOptionNames: Readonly<Record<keyof ClientOptions, true>> = {
  ...sharedOptionNames,
  dispatcher: true,
};

/**
 * A misspelled option would be ignored without a word, and what it should have limited would be paid for; of a misspelled
 * `baseURL` the key would go to another host.
 * `known` has to name every option of the type.
 *
 * @throws {@link InvalidInputError} that names the option, and the one that was probably meant.
 */
export function refuseUnknownOptions<Options extends object>(
  of: string,
  given: Options,
  known: Readonly<Record<keyof Options, true>>,
): void {
  const names = Object.keys(known);
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || Object.hasOwn(known, name)) continue;
    const [meant] = nearest(name, names);
    const advice = meant === undefined ? `Its options are ${names.join(", ")}.` : `Did you mean ${meant}?`;
    throw new InvalidInputError(`${of} has no option ${JSON.stringify(name)}. ${advice}`);
  }
}
