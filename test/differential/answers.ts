import { calling, cut, limited, thinking, weighed } from "../views/answers.js";
import type { Asked } from "./script-server.js";

const data = (payload: unknown): string =>
  `data: ${typeof payload === "string" ? payload : JSON.stringify(payload)}\n\n`;

/** One event of an answer. */
export function event(delta: object, finish: string | null = null, more: object = {}): string {
  const head = { id: "019c", object: "chat.completion.chunk", created: 1_790_000_000, model: "Qwen/Qwen3-8B" };
  return data({ ...head, choices: [{ index: 0, delta, finish_reason: finish }], ...more });
}

export const done = data("[DONE]");

/** An answer of so many words, in single events. */
export function words(count: number): string[] {
  const texts = Array.from({ length: count }, (_, index) => event({ content: `w${index} ` }));
  return [...texts, event({ content: "" }, "stop"), done];
}

const call = (index: number, id: string | null, name: string, text: string) => ({
  tool_calls: [{ index, id, type: "function", function: { name, arguments: text } }],
});

const split = (text: string): string[] => text.split(/(?<=\n\n)/);

/** Streams as the service sends them, healthy and not, event by event. */
export const streams: Record<string, string[]> = {
  "three words": words(3),
  "thoughts, and counts on every chunk": split(thinking.stream),
  "thoughts, then a fragmented call and one without arguments": split(calling.stream),
  "probabilities of tokens": split(weighed.stream),
  "a call that the token limit cuts": split(limited.stream),
  "parallel calls, their fragments mixed": [
    event({ role: "assistant", content: "" }),
    event(call(0, "a", "stock", "")),
    event(call(1, "b", "stock", '{"sku"')),
    event(call(0, null, "", '{"sku":"A"}')),
    event(call(1, null, "", ':"B"}')),
    event({}, "tool_calls", { usage: { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 } }),
    done,
  ],
  "a call whose arguments are no JSON": [event(call(0, "a", "stock", "{sku")), event({}, "tool_calls"), done],
  "nothing but an end": [event({ role: "assistant", content: "" }), event({}, "stop"), done],
  "no id, no model": [
    data({ choices: [{ index: 0, delta: { content: "Li" }, finish_reason: null }] }),
    data({ choices: [{ index: 0, delta: { content: "ma" }, finish_reason: "stop" }] }),
    done,
  ],
  "counts in a chunk of their own": [
    event({ content: "Lima" }),
    event({}, "stop"),
    data({ id: "019c", choices: [], usage: { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 } }),
    done,
  ],
  "an answer cut by the filter": [event({ content: "Li" }), event({}, "content_filter"), done],
};

/** Streams that fail, and how far they come. */
export const failing: Record<string, (asked: Asked) => void> = {
  "an error for an answer": (asked) => asked.refuse(400, { code: 20_015, message: "No such thing." }),
  "a connection that is reset before the answer": (asked) => asked.reset(),
  "an error for the first event": (asked) => asked.end(data({ error: { code: 50_505, message: "Busy." } })),
  "an error after two words": (asked) =>
    asked.end(words(2).slice(0, 2).join("") + data({ error: { code: 50_505, message: "Busy." } })),
  "an end in the middle of a word": (asked) => asked.end(cut.stream),
  "an end without a finish reason": (asked) => asked.end(words(2).slice(0, 2).join("")),
  "a page instead of events": (asked) => asked.end("<html><body>Bad gateway</body></html>"),
  "no bytes at all": (asked) => asked.end(""),
};

/** Serves one stream in one packet. */
export const whole =
  (events: readonly string[]) =>
  (asked: Asked): void =>
    asked.end(events.join(""));
