import { describe, expect, test } from "vitest";
import { sentencesOf } from "./sentences.js";
import { stem } from "./stem.js";
import { termsOf } from "./terms.js";
import { countTokens, splitTokens } from "./tokens.js";

test.each([
  ["caresses", "caress"],
  ["ponies", "poni"],
  ["cats", "cat"],
  ["agreed", "agre"],
  ["plastered", "plaster"],
  ["motoring", "motor"],
  ["conflated", "conflat"],
  ["hopping", "hop"],
  ["filing", "file"],
  ["happy", "happi"],
  ["relational", "relat"],
  ["vietnamization", "vietnam"],
  ["electriciti", "electr"],
  ["adjustable", "adjust"],
  ["probate", "probat"],
  ["controll", "control"],
  ["sky", "sky"],
])("the stem of %s is %s, as Porter publishes it", (word, expected) => {
  expect(stem(word)).toBe(expected);
});

describe("terms", () => {
  const texts = (text: string) => termsOf(text).map((term) => term.text);

  test("of English are stems, whatever the case, accents and width", () => {
    expect(texts("Invaded the CAFÉS")).toEqual(texts("invade ｔｈｅ cafe"));
  });

  test("of Chinese are ideographs and their neighbours", () => {
    expect(texts("防守 ok")).toEqual(["防", "防守", "守", "ok"]);
  });

  test("of numbers are the numbers", () => {
    expect(texts("1,024.5 and 7")).toEqual(["1024.5", "and", "7"]);
  });

  test("weigh function words next to nothing", () => {
    const weights = new Map(termsOf("what is the pgvector 什么 黑豹").map((term) => [term.text, term.weight]));
    expect(Math.max(weights.get("what")!, weights.get("the")!, weights.get("什么")!)).toBeLessThan(0.1);
    expect(Math.min(weights.get("pgvector")!, weights.get("黑豹")!)).toBeGreaterThanOrEqual(1);
  });
});

describe("sentences", () => {
  test.each([
    ["One. Two! Three?", ["One.", "Two!", "Three?"]],
    ["By Dr. J. Smith, i.e. him. Next.", ["By Dr. J. Smith, i.e. him.", "Next."]],
    ["It costs 3.5 dollars. Yes.", ["It costs 3.5 dollars.", "Yes."]],
    ["一句。两句！三句？", ["一句。", "两句！", "三句？"]],
    ["# Title\n\nText here.\n- item one\n- item two", ["Title", "Text here.", "item one", "item two"]],
    ["A line that\nis wrapped.", ["A line that\nis wrapped."]],
    ["```ts\nconst a = 1;\nconst b = 2;\n```", ["const a = 1;", "const b = 2;"]],
  ])("of %j", (text, expected) => {
    const sentences = sentencesOf(text).map((sentence) => sentence.text);
    expect(sentences).toEqual(expected);
    for (const sentence of sentences) expect(text).toContain(sentence);
  });
});

test("pieces of tokens join to the text again", () => {
  const text = "  Hello, wörld! 你好，世界。 12345 🙂\n\n";
  expect(splitTokens(text).join("")).toBe(text);
  expect(countTokens("Hello world")).toBe(2);
});
