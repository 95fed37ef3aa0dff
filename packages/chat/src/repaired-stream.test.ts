import type { ChatCompletionChunk } from "@langchain-siliconflow/client";
import type { AIMessageChunk } from "@langchain/core/messages";
import { describe, expect, test } from "vitest";
import { asChunks, asEvents, collect, repaired, source, usage, type Event } from "./read-stream.js";
import { RepairedStream, type StreamEnd } from "./repaired-stream.js";
import { toGenerationChunk } from "./wire-to-messages.js";

describe("counts", () => {
  const details = { completion_tokens_details: { reasoning_tokens: 2 }, prompt_tokens_details: { cached_tokens: 4 } };
  const counts = {
    input_tokens: 10,
    output_tokens: 5,
    total_tokens: 15,
    input_token_details: { cache_read: 4 },
    output_token_details: { reasoning: 2 },
  };
  const cases: { name: string; events: readonly Event[] }[] = [
    {
      name: "cumulative, on every chunk",
      events: [
        [{ content: "a" }, null, usage(1)],
        [{ content: "b" }, null, usage(3)],
        [{ content: "" }, "stop", usage(5, details)],
      ],
    },
    { name: "on the last chunk only", events: [[{ content: "ab" }], [{ content: "" }, "stop", usage(5, details)]] },
    {
      name: "in DeepSeek's way of counting cached tokens",
      events: [
        [{ content: "ab" }],
        [
          { content: "" },
          "stop",
          usage(5, { completion_tokens_details: { reasoning_tokens: 2 }, prompt_cache_hit_tokens: 4 }),
        ],
      ],
    },
  ];

  test.each(cases)("$name", async ({ events }) => {
    const chunk = await asChunks(events);
    const message = await asEvents(events);

    expect(chunk.usage_metadata).toEqual(counts);
    expect(message.usage_metadata).toEqual(counts);
    expect(chunk.response_metadata["usage"]).toMatchObject({
      prompt_tokens: 10,
      completion_tokens: 5,
      total_tokens: 15,
    });
    expect(message.response_metadata["usage"]).toMatchObject({
      prompt_tokens: 10,
      completion_tokens: 5,
      total_tokens: 15,
    });
  });

  test("in a trailing chunk without choices", async () => {
    async function* wire() {
      yield* source([[{ content: "ab" }], [{ content: "" }, "stop"]]);
      yield { id: "019c", choices: [], usage: usage(5, details) } as ChatCompletionChunk;
    }
    const chunks = await collect(new RepairedStream(wire()));

    expect(chunks.map((chunk) => [chunk.choices.length, chunk.usage ?? null])).toEqual([
      [1, null],
      [1, null],
      [0, usage(5, details)],
    ]);
  });

  test("none at all", async () => {
    const chunk = await asChunks([[{ content: "ab" }], [{ content: "" }, "stop"]]);

    expect(chunk.usage_metadata).toBeUndefined();
    expect(chunk.response_metadata).not.toHaveProperty("usage");
  });
});

describe("finish reasons", () => {
  const cases = [
    { name: "once", events: [[{ content: "a" }], [{ content: "" }, "stop"]], reason: "stop" },
    {
      name: "repeated",
      events: [
        [{ content: "a" }, "stop"],
        [{ content: "b" }, "stop"],
      ],
      reason: "stop",
    },
    {
      name: '"" until the last',
      events: [
        [{ content: "a" }, ""],
        [{ content: "" }, "stop"],
      ],
      reason: "stop",
    },
    { name: "eos", events: [[{ content: "a" }], [{ content: "" }, "eos"]], reason: "stop", native: "eos" },
    {
      name: "content_filter",
      events: [[{ content: "a" }], [{ content: "" }, "content_filter"]],
      reason: "content_filter",
    },
    { name: "a word nobody knows", events: [[{ content: "a" }], [{ content: "" }, "weary"]], reason: "weary" },
  ] satisfies { name: string; events: Event[]; reason: string; native?: string }[];

  test.each(cases)("$name", async ({ events, reason, native }) => {
    for (const message of [await asChunks(events), await asEvents(events)]) {
      expect(message.response_metadata["finish_reason"]).toBe(reason);
      expect(message.response_metadata["native_finish_reason"]).toBe(native);
      expect(message.response_metadata["model_name"]).toBe("Qwen/Qwen3-8B");
    }
  });
});

describe("deltas", () => {
  const cases: { name: string; events: readonly Event[]; text: string; reasoning?: string }[] = [
    { name: "no role anywhere", events: [[{ content: "a" }], [{ content: "b" }, "stop"]], text: "ab" },
    { name: 'role ""', events: [[{ role: "", content: "a" }], [{ role: "", content: "b" }, "stop"]], text: "ab" },
    {
      name: "content and thoughts null, missing and empty",
      events: [
        [{ content: null, reasoning_content: "" }],
        [{ reasoning_content: "hm" }],
        [null],
        [{ content: "", reasoning_content: null }],
        [{ content: "ok" }],
        [{ content: "", reasoning_content: null }, "stop"],
      ],
      text: "ok",
      reasoning: "hm",
    },
    {
      name: "thoughts after text",
      events: [
        [{ reasoning_content: "a" }],
        [{ content: "1" }],
        [{ reasoning_content: "b" }],
        [{ content: "2" }, "stop"],
      ],
      text: "12",
      reasoning: "ab",
    },
    { name: "content as a list of parts", events: [[{ content: [{ type: "text", text: "ab" }] }, "stop"]], text: "ab" },
  ];

  test.each(cases)("$name", async ({ events, text, reasoning }) => {
    for (const message of [await asChunks(events), await asEvents(events)]) {
      expect(message.type).toBe("ai");
      expect(message.text).toBe(text);
      expect(message.additional_kwargs["reasoning_content"]).toBe(reasoning);
    }
  });

  test("chunks that say nothing are dropped", async () => {
    const chunks = await repaired([
      [{ content: "", reasoning_content: null, role: "assistant" }],
      [{ content: "a" }],
      [{ content: "" }, "stop"],
    ]);
    expect(chunks.map((chunk) => chunk.choices[0]?.delta?.content)).toEqual(["a", ""]);
  });

  test.each([{ id: "" }, { id: undefined }])(
    "an answer without an id ($id) gets one, the same on every chunk",
    async (head) => {
      const chunks = await repaired([[{ content: "a" }], [{ content: "b" }, "stop", usage(2)]], head);
      const ids = new Set(chunks.map((chunk) => chunk.id));

      expect([...ids]).toEqual([expect.stringMatching(/^siliconflow-/)]);
      expect(await repaired([[{ content: "a" }, "stop"]], head)).not.toMatchObject([{ id: [...ids][0] }]);
    },
  );

  test("probabilities merge, whatever stands in their place or beside them", async () => {
    const pieces: unknown[] = [
      { content: [{ token: "a", logprob: -0.1, index: 0, id: "x", text: "" }], refusal: "no" },
      "",
      { content: null, refusal: [5] },
      { content: [{ token: "b", logprob: -0.2, index: 0, id: 7 }, "b", null], refusal: {} },
      { content: [{ token: 5, index: 0, id: "x" }], more: 1 },
    ];
    async function* wire() {
      for (const logprobs of pieces) {
        const chunk = { id: "019c", choices: [{ index: 0, delta: { content: "a" }, finish_reason: "stop", logprobs }] };
        yield JSON.parse(JSON.stringify(chunk)) as ChatCompletionChunk;
      }
    }
    const content = [{ token: "a", logprob: -0.1 }, { token: "b", logprob: -0.2 }, { token: 5 }];
    const end: StreamEnd = {};
    let whole: AIMessageChunk | undefined;
    for await (const chunk of new RepairedStream(wire(), end)) {
      const { message } = toGenerationChunk(chunk, end);
      whole = whole?.concat(message as AIMessageChunk) ?? (message as AIMessageChunk);
    }
    expect(whole?.response_metadata["logprobs"]).toEqual({ content });
    expect(end.logprobs).toEqual(content);
  });

  test.each([null, undefined, ""])("probabilities without a delta (%j) are not lost", async (delta) => {
    const logprobs = { content: [{ token: "a", logprob: -0.1 }] };
    async function* wire() {
      const choice = { index: 0, delta, finish_reason: "stop", logprobs };
      yield { id: "019c", choices: [choice] } as unknown as ChatCompletionChunk;
    }
    const chunks = await collect(new RepairedStream(wire()));
    expect(chunks.map(({ choices }) => choices[0]?.["logprobs"])).toEqual([logprobs, undefined]);
  });

  test("an error of the client goes through as it is", async () => {
    const broken = new Error("broken");
    async function* wire() {
      yield* source([[{ content: "a" }]]);
      throw broken;
    }
    await expect(collect(new RepairedStream(wire()))).rejects.toBe(broken);
  });

  test("leaving early closes the source", async () => {
    let closed = false;
    async function* wire() {
      try {
        yield* source([[{ content: "a" }], [{ content: "b" }, "stop"]]);
      } finally {
        closed = true;
      }
    }
    for await (const _ of new RepairedStream(wire())) break;
    expect(closed).toBe(true);
  });
});
