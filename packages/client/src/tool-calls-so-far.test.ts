import { afterEach, expect, test, vi } from "vitest";
import { ToolCallsSoFar } from "./tool-calls-so-far.js";

afterEach(() => void vi.restoreAllMocks());

/** As hosts send them that repeat the name, and give neither ids nor more than one index. */
function add(calls: ToolCallsSoFar, ...pieces: string[]): void {
  for (const piece of pieces) calls.add({ index: 0, function: { name: "look", arguments: piece } });
}

test.each(['{"a":"}{"}', '{"a":"\\\\","b":{"c":[{}]}}', ' {"é}":"\\"}"}', "{}"])(
  "without ids a call ends where its arguments do, wherever they are cut: %s",
  (text) => {
    for (let first = 0; first < text.length; first += 1) {
      for (let second = first; second < text.length; second += 1) {
        const calls = new ToolCallsSoFar();
        add(calls, text.slice(0, first), text.slice(first, second), text.slice(second), text);
        expect(calls.list.map((call) => call.function.arguments)).toEqual([text, text]);
      }
    }
  },
);

test.each(['[{"a":1}]', '{"a":1}}', "{a}", '"{}"'])("arguments that are no object never end: %s", (text) => {
  const calls = new ToolCallsSoFar();
  add(calls, text, "", text);
  expect(calls.list.map((call) => call.function.arguments)).toEqual([text + text]);
});

test.each([
  ["inside a string", '{"a":"', "}"],
  ["after what only looks like an object", "{a}", ""],
])("repeated names do not have the arguments parsed again and again: %s", (_name, start, piece) => {
  const parse = vi.spyOn(JSON, "parse");
  const calls = new ToolCallsSoFar();
  add(calls, start, ...Array.from({ length: 1000 }, () => piece));
  expect(calls.list).toHaveLength(1);
  expect(parse.mock.calls.length).toBeLessThan(2);
});

test("an id that comes late is that of the first call that has it", () => {
  const calls = new ToolCallsSoFar();
  calls.add({ index: 0, function: { name: "f", arguments: "{" } });
  calls.add({ index: 1, id: "x", function: { name: "f", arguments: "{" } });
  calls.add({ index: 0, id: "x" });
  expect(calls.add({ id: "x", function: { arguments: "}" } }).index).toBe(0);
});
