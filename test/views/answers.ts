/**
 * Two answers as the service sends them, in one piece and as a stream: bytes written down here, so that no code of ours
 * decides what they are.
 */
export interface Answer {
  whole: string;
  stream: string;
  /** @defaultValue 200 */
  status?: number;
}

const lines = (...events: string[]): string => [...events, "[DONE]"].map((event) => `data: ${event}\n\n`).join("");

/** Thinks, then says one word. Counts are cumulative, and on every chunk. */
export const thinking: Answer = {
  whole:
    '{"id":"019c4f20a1","object":"chat.completion","created":1790000000,"model":"Qwen/Qwen3-8B","choices":[{"index":0,' +
    '"message":{"role":"assistant","content":"Lima","reasoning_content":"Peru\'s capital city is Lima."},"finish_reason":"stop"}],' +
    '"usage":{"prompt_tokens":24,"completion_tokens":12,"total_tokens":36,"completion_tokens_details":{"reasoning_tokens":9},' +
    '"prompt_tokens_details":{"cached_tokens":8},"prompt_cache_hit_tokens":8,"prompt_cache_miss_tokens":16},"system_fingerprint":""}',
  stream: lines(
    '{"id":"019c4f20a1","object":"chat.completion.chunk","created":1790000000,"model":"Qwen/Qwen3-8B","choices":[{"index":0,"delta":{"content":null,"reasoning_content":"","role":"assistant"},"finish_reason":null}],"system_fingerprint":"","usage":{"prompt_tokens":24,"completion_tokens":0,"total_tokens":24}}',
    '{"id":"019c4f20a1","object":"chat.completion.chunk","created":1790000000,"model":"Qwen/Qwen3-8B","choices":[{"index":0,"delta":{"content":null,"reasoning_content":"Peru\'s capital ","role":"assistant"},"finish_reason":null}],"system_fingerprint":"","usage":{"prompt_tokens":24,"completion_tokens":4,"total_tokens":28,"completion_tokens_details":{"reasoning_tokens":4}}}',
    '{"id":"019c4f20a1","object":"chat.completion.chunk","created":1790000000,"model":"Qwen/Qwen3-8B","choices":[{"index":0,"delta":{"content":null,"reasoning_content":"city is Lima.","role":"assistant"},"finish_reason":null}],"system_fingerprint":"","usage":{"prompt_tokens":24,"completion_tokens":9,"total_tokens":33,"completion_tokens_details":{"reasoning_tokens":9}}}',
    '{"id":"019c4f20a1","object":"chat.completion.chunk","created":1790000000,"model":"Qwen/Qwen3-8B","choices":[{"index":0,"delta":{"content":"Li","reasoning_content":null},"finish_reason":null}],"system_fingerprint":"","usage":{"prompt_tokens":24,"completion_tokens":11,"total_tokens":35,"completion_tokens_details":{"reasoning_tokens":9}}}',
    '{"id":"019c4f20a1","object":"chat.completion.chunk","created":1790000000,"model":"Qwen/Qwen3-8B","choices":[{"index":0,"delta":{"content":"ma","reasoning_content":null},"finish_reason":null}],"system_fingerprint":"","usage":{"prompt_tokens":24,"completion_tokens":12,"total_tokens":36,"completion_tokens_details":{"reasoning_tokens":9}}}',
    '{"id":"019c4f20a1","object":"chat.completion.chunk","created":1790000000,"model":"Qwen/Qwen3-8B","choices":[{"index":0,"delta":{"content":"","reasoning_content":null},"finish_reason":"stop"}],"system_fingerprint":"","usage":{"prompt_tokens":24,"completion_tokens":12,"total_tokens":36,"completion_tokens_details":{"reasoning_tokens":9},"prompt_tokens_details":{"cached_tokens":8},"prompt_cache_hit_tokens":8,"prompt_cache_miss_tokens":16}}',
  ),
};

/** Thinks, then calls one tool with arguments and one without: later fragments have `name: ""` and `id: null`. */
export const calling: Answer = {
  whole:
    '{"id":"019c4f20b0","object":"chat.completion","created":1790000020,"model":"Qwen/Qwen3-8B","choices":[{"index":0,' +
    '"message":{"role":"assistant","content":"","reasoning_content":"Need the stock level and the time.","tool_calls":[' +
    '{"id":"019c4f20b1","type":"function","function":{"name":"lookup_stock","arguments":"{\\"sku\\": \\"A-17\\"}"}},' +
    '{"id":"019c4f20b2","type":"function","function":{"name":"now","arguments":""}}]},"finish_reason":"tool_calls"}],' +
    '"usage":{"prompt_tokens":88,"completion_tokens":30,"total_tokens":118,"completion_tokens_details":{"reasoning_tokens":7}},"system_fingerprint":""}',
  stream: lines(
    '{"id":"019c4f20b0","object":"chat.completion.chunk","created":1790000020,"model":"Qwen/Qwen3-8B","choices":[{"index":0,"delta":{"content":null,"reasoning_content":"Need the stock level ","role":"assistant"},"finish_reason":null}],"system_fingerprint":"","usage":{"prompt_tokens":88,"completion_tokens":4,"total_tokens":92,"completion_tokens_details":{"reasoning_tokens":4}}}',
    '{"id":"019c4f20b0","object":"chat.completion.chunk","created":1790000020,"model":"Qwen/Qwen3-8B","choices":[{"index":0,"delta":{"content":null,"reasoning_content":"and the time.","role":"assistant"},"finish_reason":null}],"system_fingerprint":"","usage":{"prompt_tokens":88,"completion_tokens":7,"total_tokens":95,"completion_tokens_details":{"reasoning_tokens":7}}}',
    '{"id":"019c4f20b0","object":"chat.completion.chunk","created":1790000020,"model":"Qwen/Qwen3-8B","choices":[{"index":0,"delta":{"content":null,"reasoning_content":null,"role":"assistant","tool_calls":[{"index":0,"id":"019c4f20b1","type":"function","function":{"name":"lookup_stock","arguments":""}}]},"finish_reason":null}],"system_fingerprint":"","usage":{"prompt_tokens":88,"completion_tokens":11,"total_tokens":99}}',
    '{"id":"019c4f20b0","object":"chat.completion.chunk","created":1790000020,"model":"Qwen/Qwen3-8B","choices":[{"index":0,"delta":{"content":null,"reasoning_content":null,"role":"assistant","tool_calls":[{"index":0,"id":null,"type":null,"function":{"name":"","arguments":"{\\"sku\\": "}}]},"finish_reason":null}],"system_fingerprint":"","usage":{"prompt_tokens":88,"completion_tokens":16,"total_tokens":104}}',
    '{"id":"019c4f20b0","object":"chat.completion.chunk","created":1790000020,"model":"Qwen/Qwen3-8B","choices":[{"index":0,"delta":{"content":null,"reasoning_content":null,"role":"assistant","tool_calls":[{"index":0,"id":null,"type":null,"function":{"name":"","arguments":"\\"A-17\\"}"}}]},"finish_reason":null}],"system_fingerprint":"","usage":{"prompt_tokens":88,"completion_tokens":21,"total_tokens":109}}',
    '{"id":"019c4f20b0","object":"chat.completion.chunk","created":1790000020,"model":"Qwen/Qwen3-8B","choices":[{"index":0,"delta":{"content":null,"reasoning_content":null,"role":"assistant","tool_calls":[{"index":1,"id":"019c4f20b2","type":"function","function":{"name":"now","arguments":""}}]},"finish_reason":null}],"system_fingerprint":"","usage":{"prompt_tokens":88,"completion_tokens":30,"total_tokens":118}}',
    '{"id":"019c4f20b0","object":"chat.completion.chunk","created":1790000020,"model":"Qwen/Qwen3-8B","choices":[{"index":0,"delta":{"content":"","reasoning_content":null},"finish_reason":"tool_calls"}],"system_fingerprint":"","usage":{"prompt_tokens":88,"completion_tokens":30,"total_tokens":118,"completion_tokens_details":{"reasoning_tokens":7}}}',
  ),
};

/** Two tokens with their probabilities. */
export const weighed: Answer = {
  whole:
    '{"id":"019c4f20d0","object":"chat.completion","created":1790000040,"model":"Qwen/Qwen3-8B","choices":[{"index":0,' +
    '"message":{"role":"assistant","content":"Lima"},"finish_reason":"stop","logprobs":{"content":[{"token":"Li","logprob":-0.1},{"token":"ma","logprob":-0.2}]}}],' +
    '"usage":{"prompt_tokens":24,"completion_tokens":2,"total_tokens":26},"system_fingerprint":""}',
  stream: lines(
    '{"id":"019c4f20d0","object":"chat.completion.chunk","created":1790000040,"model":"Qwen/Qwen3-8B","choices":[{"index":0,"delta":{"content":"Li","role":"assistant"},"finish_reason":null,"logprobs":{"content":[{"token":"Li","logprob":-0.1}]}}],"system_fingerprint":""}',
    '{"id":"019c4f20d0","object":"chat.completion.chunk","created":1790000040,"model":"Qwen/Qwen3-8B","choices":[{"index":0,"delta":{"content":"ma"},"finish_reason":null,"logprobs":{"content":[{"token":"ma","logprob":-0.2}]}}],"system_fingerprint":""}',
    '{"id":"019c4f20d0","object":"chat.completion.chunk","created":1790000040,"model":"Qwen/Qwen3-8B","choices":[{"index":0,"delta":{"content":""},"finish_reason":"stop"}],"system_fingerprint":"","usage":{"prompt_tokens":24,"completion_tokens":2,"total_tokens":26}}',
  ),
};

/** A stream that stops in the middle of a word: no finish reason, no `[DONE]`. */
export const cut: Answer = {
  whole: '{"id":"019c4f20c0","object":"chat.comp',
  stream: thinking.stream.slice(0, thinking.stream.indexOf('"ma"')),
};

/** The token limit ends the answer inside the arguments of a call. */
export const limited: Answer = {
  whole: calling.whole
    .replace('{\\"sku\\": \\"A-17\\"}', '{\\"sku\\": \\"A-1')
    .replace(/,\{"id":"019c4f20b2".*?\}\}\]/, "]")
    .replace('"finish_reason":"tool_calls"', '"finish_reason":"length"'),
  stream: calling.stream
    .split("\n\n")
    .filter((event) => !event.includes("019c4f20b2"))
    .join("\n\n")
    .replace('\\"A-17\\"}', '\\"A-1')
    .replace('"finish_reason":"tool_calls"', '"finish_reason":"length"'),
};

/** An answer of which only the message matters, in one piece and in the given pieces. */
function plain(message: object, deltas: object[], finish = "stop"): Answer {
  const head = { id: "019c4f20d0", created: 1790000030, model: "Qwen/Qwen3-8B", system_fingerprint: "" };
  const usage = { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 };
  const choice = { index: 0, message: { role: "assistant", ...message }, finish_reason: finish };
  const event = (delta: object, reason: string | null) =>
    JSON.stringify({ ...head, choices: [{ index: 0, delta, finish_reason: reason }], usage });
  return {
    whole: JSON.stringify({ ...head, choices: [choice], usage }),
    stream: lines(...deltas.map((delta) => event(delta, null)), event({ content: "" }, finish)),
  };
}

const pieces = (text: string, length: number): object[] =>
  (text.match(new RegExp(`.{1,${length}}`, "gs")) ?? []).map((content) => ({ content }));

const written = "<think>\nPeru's capital city\n\nis Lima.\n</think>\n\nLima <think>";

/** Thoughts inside the content, between tags that come in pieces of every length. */
export const tagged: Answer[] = Array.from({ length: 9 }, (_, length) =>
  plain({ content: written }, pieces(written, length + 1)),
);

/** Tags in the content of a service that tells thoughts apart itself: the model speaks of tags. */
export const speaksOfTags: Answer = plain({ content: "<think> is a tag.", reasoning_content: "Tags?" }, [
  { reasoning_content: "Tags?" },
  ...pieces("<think> is a tag.", 3),
]);

/** The token limit comes while the model thinks. */
export const thoughtAway: Answer = plain(
  { content: "", reasoning_content: "Let me see. Peru" },
  [{ reasoning_content: "Let me see. " }, { reasoning_content: "Peru" }],
  "length",
);

/** The same, inside tags. */
export const tagLeftOpen: Answer = plain(
  { content: "<think>Let me see. Peru" },
  pieces("<think>Let me see. Peru", 5),
  "length",
);

/** Nothing at all. */
export const silent: Answer = plain({ content: "" }, []);

const call = (args: string) => ({ id: "a", type: "function", function: { name: "now", arguments: args } });

/** Calls whose arguments are JSON and still not fit for a tool. */
export const unfit: Record<string, Answer> = Object.fromEntries(
  Object.entries({
    "a prototype": '{"a":{"__proto__":{"admin":true}}}',
    "a prototype by way of the constructor": '{"constructor":{"prototype":{"admin":true}}}',
    "nesting without end": `{"a":${"[".repeat(5000)}${"]".repeat(5000)}}`,
  }).map(([name, args]) => [
    name,
    plain({ content: "", tool_calls: [call(args)] }, [{ tool_calls: [{ index: 0, ...call(args) }] }], "tool_calls"),
  ]),
);

/** Declines, in the field that OpenAI has for it. */
export const declined: Answer = plain({ content: "", refusal: "I will not." }, [
  { content: "", refusal: "I will " },
  { refusal: "not." },
]);

const noJson = '{"code":20024,"message":"Json mode is not supported for this model.","data":null}';

/** What a model without JSON mode says to `response_format`. */
export const noJsonMode: Answer = { status: 400, whole: noJson, stream: noJson };
