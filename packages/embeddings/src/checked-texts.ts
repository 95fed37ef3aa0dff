import { InvalidInputError } from "@langchain-siliconflow/client";

/** @throws {@link InvalidInputError} for what is no text, or an empty one */
export function checkedTexts(inputs: string[], name: string): string[] {
  if (!Array.isArray(inputs)) throw new InvalidInputError(`${name} must be a list.${oneText(inputs)}`);
  const position = inputs.findIndex((input) => typeof input !== "string" || input === "");
  if (position === -1) return inputs;
  throw wrong(inputs[position], name === "query" ? name : `${name}[${position}]`, position);
}

/** @throws {@link InvalidInputError} for what is no text, or an empty one */
export function checkedText(input: unknown, position: number): string {
  if (typeof input === "string" && input !== "") return input;
  throw wrong(input, `texts[${position}]`, position);
}

/** What to do instead, for whoever gave a text where a list of them belongs. */
export function oneText(given: unknown): string {
  return typeof given === "string" ? " embedQuery takes a single text." : "";
}

function wrong(input: unknown, place: string, position: number): InvalidInputError {
  const isDocument = typeof input === "object" && input !== null && "pageContent" in input;
  const complaint = input === "" ? "is empty: leave it out." : "must be a string.";
  return new InvalidInputError(`${place} ${complaint}${isDocument ? " Of a document give its pageContent." : ""}`, {
    position,
  });
}
