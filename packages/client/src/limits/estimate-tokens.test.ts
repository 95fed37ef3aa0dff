import { expect, test } from "vitest";
import { estimateTokens } from "./estimate-tokens.js";

test.each([
  ["a data URL", `data:image/png;base64,${"iVBOR/".repeat(100_000)}`],
  ["bare base64", "iVBOR/".repeat(100_000)],
  ["an address", "https://example.test/a.png"],
])("%s counts as a picture, however long it is", (_name, image) => {
  expect(estimateTokens({ model: "a", input: [{ image }] })).toBeLessThan(2000);
});

test("a long text counts by its length", () => {
  expect(estimateTokens({ model: "a", input: ["some words ".repeat(1000)] })).toBeGreaterThan(3000);
});
