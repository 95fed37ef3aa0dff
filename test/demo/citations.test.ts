import { describe, expect, test } from "vitest";
import { findCitations } from "../../examples/demo/citations.ts";

const passages = [
  { text: 'The cat said "meow, [2] times" and\nleft. It weighs 3.5 kg (with collar).' },
  { text: "水獭住在河里。它们吃鱼。" },
];

describe("a quote is checked against the passage whose number follows it", () => {
  test.each([
    ["word for word", 'It says "It weighs 3.5 kg" [1].', 1, "It weighs 3.5 kg"],
    ["in curly marks", "It says “It weighs 3.5 kg” [1].", 1, "It weighs 3.5 kg"],
    ["in Chinese marks", "资料说「它们吃鱼。」【2】", 2, "它们吃鱼。"],
    ["with the comma before the number", 'It "weighs 3.5 kg", [1] as is known', 1, "weighs 3.5 kg"],
    ["with characters that mean something in a pattern", '"kg (with collar)." [1]', 1, "kg (with collar)."],
    ["across a line break, as the document has it", 'It says "and left." [1]', 1, "and\nleft."],
    ["with an ellipsis at its end", '"It weighs…" [1]', 1, "It weighs"],
  ])("%s", (_, answer, n, quote) => {
    expect(findCitations(answer, passages)).toEqual([{ n, quote, verified: true }]);
  });

  test("with marks, and even a number in brackets, inside it", () => {
    const answer = 'First: "The cat said "meow, [2] times" and left." [1] Then “水獭住在河里” [2].';
    expect(findCitations(answer, passages)).toEqual([
      { n: 1, quote: 'The cat said "meow, [2] times" and\nleft.', verified: true },
      { n: 2, quote: "水獭住在河里", verified: true },
    ]);
  });

  test("for each of several numbers", () => {
    expect(findCitations('"3.5 kg" [1][2]', passages)).toEqual([
      { n: 1, quote: "3.5 kg", verified: true },
      { n: 2, quote: "3.5 kg", verified: false },
    ]);
    expect(findCitations('"3.5 kg" [1, 2]', passages)).toHaveLength(2);
  });
});

describe("what cannot be verified is marked", () => {
  test.each([
    ["words that are not there", 'They say "dogs bark" [1].', { n: 1, quote: "dogs bark" }],
    ["words of another passage", '"它们吃鱼" [1]', { n: 1, quote: "它们吃鱼" }],
    ["a word changed", '"It weighs 4.5 kg" [1]', { n: 1, quote: "It weighs 4.5 kg" }],
    ["letters in another case", '"it weighs 3.5 KG" [1]', { n: 1, quote: "it weighs 3.5 KG" }],
    ["a true tail after an invented beginning", '"The dog said "meow"" [1]', { n: 1 }],
    ["no quote at all", "It weighs 3.5 kg [1].", { n: 1, quote: "" }],
    ["a passage that does not exist", '"It weighs" [7]', { n: 7, quote: "It weighs" }],
  ])("%s", (_, answer, citation) => {
    expect(findCitations(answer, passages)).toMatchObject([{ ...citation, verified: false }]);
  });
});

test("an answer without numbers has no citations", () => {
  expect(findCitations('The passages say nothing of it. "Nothing."', passages)).toEqual([]);
});

test("the same quote twice is one citation", () => {
  expect(findCitations('"3.5 kg" [1], yes, "3.5 kg" [1]', passages)).toHaveLength(1);
});

test("a long answer full of marks is read in no time", () => {
  const answer = `${'"a '.repeat(20_000)}" [1]`;
  // Time on the processor, in microseconds: a busy machine must not fail this.
  const before = process.cpuUsage();
  findCitations(answer, passages);
  expect(process.cpuUsage(before).user).toBeLessThan(2_000_000);
});
