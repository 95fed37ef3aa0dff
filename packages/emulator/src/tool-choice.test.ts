import { expect, test } from "vitest";
import type { Tool } from "./chat-request.js";
import { chooseToolCalls, type ToolResult } from "./tool-choice.js";

const tool = (name: string, description: string, argument: string): Tool => ({
  name,
  description,
  parameters: { type: "object", properties: { [argument]: { type: "string" } }, required: [argument] },
});
const tools = [
  tool("search_notes", "Searches the notes.", "query"),
  tool("make_image", "Makes a picture from a description.", "prompt"),
  tool("speak", "Reads a text aloud.", "text"),
];
const found: ToolResult = { name: "search_notes", text: "Ada lights the lamp." };
const made: ToolResult = { name: "make_image", text: "Made the picture a.png." };

function called(question: string, results: ToolResult[] = []) {
  const request = { tools, toolChoice: "auto", parallelToolCalls: true } as const;
  return chooseToolCalls(request, { question, passages: [] }, results);
}

test("what is to be done in turn is called in turn, and what was found is handed on", () => {
  const task = "Search the notes for Ada, then make a picture of her lamp; finally read the summary aloud.";
  expect(called(task)).toEqual([{ name: "search_notes", arguments: { query: "Search the notes for Ada" } }]);
  expect(called(task, [found])).toEqual([{ name: "make_image", arguments: { prompt: "make a picture of her lamp" } }]);
  expect(called(task, [found, made])).toEqual([{ name: "speak", arguments: { text: "Ada lights the lamp." } }]);
  expect(called(task, [found, made, { name: "speak", text: "Spoken." }])).toEqual([]);
});

test("one thing to be done is called once, whatever comes then", () => {
  expect(called("Search the notes, then tell me.")).toHaveLength(1);
  expect(called("Search the notes, then tell me.", [found])).toEqual([]);
});
