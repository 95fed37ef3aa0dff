import { expect, test } from "vitest";
import { readArguments } from "./arguments.ts";

const known = { scenarios: ["stream", "embed-20"], contenders: ["chat-openai"], ways: ["stream", "handler"] };

test("all options are understood, and none is needed", () => {
  const nothing = {
    only: undefined,
    rounds: undefined,
    short: false,
    check: false,
    json: undefined,
    uncollected: false,
  };
  expect(readArguments([], known)).toEqual({ ...nothing, profile: undefined });
  expect(readArguments(["--profile", "chat-openai"], known).profile).toEqual({
    contenders: ["chat-openai"],
    way: "stream",
  });
  expect(readArguments(["--only", "embed,str", "--rounds", "9", "--short", "--check"], known)).toMatchObject({
    only: ["embed", "str"],
    rounds: 9,
    short: true,
    check: true,
  });
});

test.each([
  [["--only", "stream,haedler"], 'no scenario "haedler". Choose from: stream, embed-20.'],
  [["--profile", "chatopenai"], 'no contender "chatopenai". Choose from: chat-openai.'],
  [["--profile", "chat-openai", "--way", "up"], 'no way "up". Choose from: stream, handler.'],
  [["--way", "handler"], "--way belongs to --profile"],
  [["--rounds", "many"], "--rounds must be"],
  [["--check", "--uncollected"], "leave --uncollected out"],
  [["--onyl", "stream"], "'--onyl'. The options are --only, --rounds"],
  [["stream"], "The options are --only, --rounds"],
])("%j is refused with what there is to choose from", (args, message) => {
  expect(() => readArguments(args, known)).toThrow(message);
});
