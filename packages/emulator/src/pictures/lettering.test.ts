import { expect, test } from "vitest";
import { drawnText } from "./lettering.js";

test("a text is cut where it has too many lines, however long it is", () => {
  const cut = drawnText("ab ".repeat(40), 60, 3);
  for (const long of ["ab ".repeat(400_000), "a".repeat(1_000_000)]) {
    const drawn = drawnText(long, 60, 3);
    expect(drawn.height).toBe(cut.height);
    expect(drawn.width).toBeLessThanOrEqual(60);
  }
  expect(drawnText("ab ".repeat(400_000), 60, 3)).toEqual(cut);
});
