import { describe, expect, test } from "vitest";
import {
  done,
  event,
  failure,
  finish,
  first,
  text,
  thought,
  tool,
  messageStream,
  messageStart,
  messageText,
} from "../faults/wire.ts";
import { disagreement } from "./compare.ts";
import { type Asked, judge } from "./oracle.ts";

// The judge is judged by hand: what it says of streams that were written out, and that it tells when ours is wrong.

const chat: Asked = { endpoint: "chat", choices: 1 };
const verdict = (wire: string, asked: Asked = chat) => judge(Buffer.from(wire), asked);

test("a whole stream is its text, thoughts, calls and reason", () => {
  const call = { index: 0, id: "a", type: "function", function: { name: "now", arguments: "{" } };
  const rest = { index: 0, id: null, type: null, function: { name: "", arguments: "}" } };
  const wire = first + thought("Hm") + text("Hel") + text("lo") + tool(call) + tool(rest) + finish("tool_calls") + done;
  expect(verdict(wire)).toMatchObject({
    complete: true,
    choices: [{ text: "Hello", reasoning: "Hm", calls: [{ id: "a", name: "now", args: "{}" }], finish: "tool_calls" }],
    usage: { total_tokens: 15 },
  });
});

describe("damaged is", () => {
  test.each<[string, string, string]>([
    ["a stream without its reason", first + text("Hello") + done, "no finish_reason"],
    ["an event that is cut", text("Hello") + finish().slice(0, -20), "no JSON object"],
    ["an error event", text("Hello") + `event: error\ndata: {}\n\n` + finish(), "error event"],
    ["the service's error, as an event", text("Hello") + `data: ${failure(50_000, "x")}\n\n` + finish(), "an error"],
    ["the service's error, as a line", text("Hello") + `${failure(50_000, "x")}\n` + finish(), "stray line"],
    ["a damaged field name", text("x") + text("Hello").replace("data:", "dat`:") + finish(), "stray line"],
    ["a content of another type", event({ content: 5 }) + finish(), "content is no text"],
    ["nothing", "", "nothing was said"],
  ])("%s", (_, wire, why) => {
    expect(verdict(wire)).toEqual({ complete: false, why: expect.stringContaining(why) as string });
  });

  test("a message that breaks off, or grows where it may not", () => {
    const asked: Asked = { endpoint: "messages", choices: 1 };
    expect(verdict(messageStream("Hel", "lo").join(""), asked)).toMatchObject({ choices: [{ text: "Hello" }] });
    expect(verdict([...messageStart, messageText("Hel")].join(""), asked)).toMatchObject({ complete: false });
    expect(verdict([...messageStart, ...messageStart].join(""), asked)).toMatchObject({ complete: false });
  });
});

test("what follows [DONE], comments and unknown fields are no damage", () => {
  expect(verdict(`: hi\n\nx: y\n${text("Hello")}${finish()}${done}data: {\n\n`)).toMatchObject({
    choices: [{ text: "Hello" }],
  });
});

test("a difference is found: in the text, in whether it is whole, and in the chunks", () => {
  const answer = { asked: chat, kind: "stream" as const, bytes: new Uint8Array(), reads: [] };
  const whole = verdict(text("Hello") + finish());
  const chunks = whole.complete ? whole.chunks : [];
  expect(disagreement(whole, { way: "client stream", chunks }, answer)).toBeUndefined();
  expect(disagreement(whole, { way: "client stream", chunks: chunks.slice(1) }, answer)).toContain("differ");
  expect(disagreement(whole, { way: "client stream", error: new Error("x") }, answer)).toContain("complete, but ours");
  expect(disagreement(verdict(text("Hello")), { way: "client stream", chunks }, answer)).toContain("ours is complete");
});
