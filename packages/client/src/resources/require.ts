import { InvalidInputError } from "../errors.js";

/** The id of a model, which each request for one needs. */
export function requireModel(request: { model: string }): void {
  if (typeof request?.model !== "string" || request.model === "")
    throw new InvalidInputError("model must be the id of a model.");
}

/** A text that says something. `what` is what it must be. */
export function requireText(value: unknown, what: string): asserts value is string {
  if (typeof value !== "string" || value.trim() === "") throw new InvalidInputError(`${what}.`);
}
