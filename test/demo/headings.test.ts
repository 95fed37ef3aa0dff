import { expect, test } from "vitest";
import { markdownHeadings, sectionsOf } from "../../examples/demo/headings.ts";

function paths(text: string): (string | undefined)[] {
  return sectionsOf(text, markdownHeadings(text)).map((section) => section.heading);
}

test("a section carries the path of headings that leads to it", () => {
  expect(paths("intro\n# A\na\n## B\nb\n### C\nc\n## D\nd\n# E\n")).toEqual([
    undefined,
    "A",
    "A › B",
    "A › B › C",
    "A › D",
    "E",
  ]);
});

test("the sections together are the whole text", () => {
  const text = "intro\r\n# A\r\na\n\n## B\nb";
  const sections = sectionsOf(text, markdownHeadings(text));
  expect(sections.map(({ start, end }) => text.slice(start, end)).join("")).toBe(text);
});

test("underlined headings count, tables, lists and rules do not", () => {
  expect(paths("Title\n=====\nx\n\nPart\n----\ny\n\n---\n\n- item\n---\n| a | b |\n---\n")).toEqual([
    "Title",
    "Title › Part",
  ]);
});

test("code and front matter hold no headings", () => {
  const text = "---\ntitle: x\n---\n# A\n```sh\n# no\n```\n~~~~\n# no\n~~~\n# no\n~~~~\n## B\n#no\n";
  expect(paths(text)).toEqual([undefined, "A", "A › B"]);
});

test("Markdown's own signs are left out of a title", () => {
  expect(paths("## The `run` **command** [here](x.md) ##\n")).toEqual(["The run command here"]);
});
