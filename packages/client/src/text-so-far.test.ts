import { expect, test } from "vitest";
import { TextSoFar } from "./text-so-far.js";

test.each([0, 1, 63, 64, 65, 1000])("is all of its %i pieces, in order, whenever it is asked for", (count) => {
  const once = new TextSoFar("début ");
  const often = new TextSoFar("début ");
  let expected = "début ";
  for (let index = 0; index < count; index += 1) {
    const piece = index % 7 === 0 ? "" : `${index}字`;
    expected += piece;
    once.add(piece);
    often.add(piece);
    expect(often.text).toBe(expected);
  }
  expect(once.text).toBe(expected);
  expect(once.text).toBe(expected);
});
