import { InvalidInputError } from "@langchain-siliconflow/client";

/** @throws {@link InvalidInputError} for what is no text, or an empty one */
export function checkedTexts(inputs: string[], name: string): string[] {
  if (!Array.isArray(inputs)) throw new InvalidInputError(`${name} must be a list.`);
  const position = inputs.findIndex((input) => typeof input !== "string" || input === "");
  if (position === -1) return inputs;
  throw wrong(inputs[position], name === "query" ? name : `${name}[${position}]`, position);
}

/** @throws {@link InvalidInputError} for what is no text, or an empty one */
export function checkedText(input: unknown, position: number): string {
  if (typeof input === "string" && input !== "") return input;
  throw wrong(input, `texts[${position}]`, position);
}

function wrong(input: unknown, place: string, position: number): InvalidInputError {
  return new InvalidInputError(`${place} ${input === "" ? "is empty: leave it out." : "must be a string."}`, {
    position,
  });
}
