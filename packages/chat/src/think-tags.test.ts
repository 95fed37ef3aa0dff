import { describe, expect, test } from "vitest";
import { tellApart, ThinkTags, type ToldApart } from "./think-tags.js";

const cases: { name: string; content: string; told: ToldApart }[] = [
  { name: "none", content: "Lima", told: { reasoning: "", text: "Lima" } },
  { name: "none, with white space", content: "\n Lima \n", told: { reasoning: "", text: "\n Lima \n" } },
  { name: "nothing", content: "", told: { reasoning: "", text: "" } },
  { name: "at the start", content: "<think>hm</think>Lima", told: { reasoning: "hm", text: "Lima" } },
  {
    name: "with white space all around",
    content: " \n<think>\n\n hm\n so \n</think>\n\n Lima\n",
    told: { reasoning: "hm\n so", text: "Lima\n" },
  },
  { name: "without thoughts", content: "<think>\n\n</think>\n\nLima", told: { reasoning: "", text: "Lima" } },
  {
    name: "further on",
    content: "The tag <think>x</think>",
    told: { reasoning: "", text: "The tag <think>x</think>" },
  },
  { name: "begun and not finished", content: "  <thin", told: { reasoning: "", text: "  <thin" } },
  { name: "another one", content: "<thinking>x", told: { reasoning: "", text: "<thinking>x" } },
  { name: "left open", content: "<think>hm </thin", told: { reasoning: "hm </thin", text: "" } },
  {
    name: "with others inside",
    content: "<think>a < b </ <think> c</think></think>",
    told: { reasoning: "a < b </ <think> c", text: "</think>" },
  },
  { name: "and nothing after it", content: "<think>hm</think> \n", told: { reasoning: "hm", text: "" } },
];

describe("a <think> tag", () => {
  test.each(cases)("$name: is read alike, whole and in pieces of any length", ({ content, told }) => {
    expect(tellApart(content)).toEqual(told);
    for (let length = 1; length <= content.length; length += 1) {
      const tags = new ThinkTags();
      const shown: ToldApart = { reasoning: "", text: "" };
      const add = ({ reasoning, text }: ToldApart) => {
        shown.reasoning += reasoning;
        shown.text += text;
      };
      for (let start = 0; start < content.length; start += length) add(tags.push(content.slice(start, start + length)));
      add(tags.end());
      expect(shown).toEqual(told);
    }
  });

  test("thoughts are shown as they come, but for what may be the closing tag", () => {
    const tags = new ThinkTags();
    expect(tags.push("<think>Let me")).toEqual({ reasoning: "Let me", text: "" });
    expect(tags.push(" see. </th")).toEqual({ reasoning: " see.", text: "" });
    expect(tags.push("ere")).toEqual({ reasoning: " </there", text: "" });
  });
});
