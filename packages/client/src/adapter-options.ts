import { InvalidInputError } from "./errors.js";

/**
 * The id of a model, which every adapter needs.
 *
 * @param such - an example, for the message
 * @throws {@link InvalidInputError} for what is none
 */
export function modelId(name: string, value: unknown, such: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw new InvalidInputError(`${name} must be the id of a model, such as "${such}".`);
}

/**
 * A whole number within bounds, both included, or `undefined` where none is given.
 *
 * @throws {@link InvalidInputError} for anything else
 */
export function wholeNumber(
  name: string,
  value: number | undefined,
  least: number,
  most = Infinity,
): number | undefined {
  if (value === undefined) return undefined;
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  const range = most === Infinity ? `${least} or more` : `${least} to ${most}`;
  throw new InvalidInputError(`${name} must be a whole number, ${range}.`);
}
