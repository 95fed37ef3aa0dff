import { expect, test } from "vitest";
import { sharesOf } from "./profile.ts";

test("a profile tells the shares of parts and functions, without waiting and loading", () => {
  const frame = (id: number, functionName: string, url: string) => ({
    id,
    callFrame: { functionName, url, lineNumber: 9 },
  });
  const { parts, functions } = sharesOf({
    nodes: [
      frame(1, "(idle)", ""),
      frame(2, "compileSourceTextModule", "node:internal/modules/esm/utils"),
      frame(3, "parse", ""),
      frame(4, "next", "file:///somewhere/packages/client/dist/answer-stream.js"),
      frame(5, "concat", "file:///somewhere/node_modules/x/node_modules/@langchain/core/dist/messages/ai.js"),
    ],
    samples: [1, 2, 3, 4, 5, 4],
    timeDeltas: [1000, 1000, 10, 20, 40, 30],
  });
  expect(parts).toEqual([
    ["our client", 0.5],
    ["core: messages, their concatenation", 0.4],
    ["built-ins (JSON, strings, arrays, promises)", 0.1],
  ]);
  expect(functions[0]).toEqual(["next client/dist/answer-stream.js:10", 0.5]);
});
