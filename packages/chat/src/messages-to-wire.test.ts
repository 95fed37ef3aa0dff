import {
  AIMessage,
  AIMessageChunk,
  type BaseMessage,
  ChatMessage,
  FunctionMessage,
  HumanMessage,
  HumanMessageChunk,
  RemoveMessage,
  SystemMessage,
  ToolMessage,
} from "@langchain/core/messages";
import { describe, expect, test } from "vitest";
import { messagesToWire, type WireOptions } from "./messages-to-wire.js";

const auto: WireOptions = { reasoningHistory: "auto", acceptsPdf: false };

function wire(messages: BaseMessage | BaseMessage[], options: Partial<WireOptions> = {}) {
  return messagesToWire([messages].flat(), { ...auto, ...options });
}

const one = (message: BaseMessage, options?: Partial<WireOptions>) => wire(message, options)[0];

describe("kinds of messages", () => {
  test.each([
    [new HumanMessage("hi"), { role: "user", content: "hi" }],
    [new HumanMessageChunk("hi"), { role: "user", content: "hi" }],
    [new SystemMessage("be brief"), { role: "system", content: "be brief" }],
    [new AIMessage("hello"), { role: "assistant", content: "hello" }],
    [new AIMessageChunk("hello"), { role: "assistant", content: "hello" }],
    [new ToolMessage("42", "a"), { role: "tool", tool_call_id: "a", content: "42" }],
    [new ChatMessage("hi", "user"), { role: "user", content: "hi" }],
    [new ChatMessage("hi", "assistant"), { role: "assistant", content: "hi" }],
    [new ChatMessage("be brief", "developer"), { role: "system", content: "be brief" }],
  ])("%s", (message, expected) => {
    expect(one(message)).toEqual(expected);
  });

  test.each([
    [new FunctionMessage({ content: "42", name: "f" }), /type "function" has no role/],
    [new ChatMessage("hi", "narrator"), /role "narrator" has no role/],
    [new RemoveMessage({ id: "x" }), /type "remove" has no role/],
  ])("%s is refused, with its position", (message, says) => {
    expect(() => wire([new HumanMessage("hi"), message])).toThrow(
      expect.objectContaining({ name: "InvalidInputError", position: 1, message: expect.stringMatching(says) }),
    );
  });

  test("names are not sent", () => {
    expect(
      wire([new HumanMessage({ content: "hi", name: "ann" }), new AIMessage({ content: "ok", name: "model" })]),
    ).toEqual([
      { role: "user", content: "hi" },
      { role: "assistant", content: "ok" },
    ]);
  });
});

describe("a user's content", () => {
  test("text parts alone go out as a string, which every model takes", () => {
    const content = [
      { type: "text", text: "one" },
      { type: "text", text: "two" },
    ];
    expect(one(new HumanMessage({ content }))).toEqual({ role: "user", content: "one\ntwo" });
  });

  const data = "iVBORw0KGgo=";
  const parts: [string, object, object][] = [
    ["v1 image url", { type: "image", url: "https://x.test/a.png" }, { image_url: { url: "https://x.test/a.png" } }],
    [
      "v1 image data",
      { type: "image", data, mimeType: "image/jpeg" },
      { image_url: { url: `data:image/jpeg;base64,${data}` } },
    ],
    [
      "v1 image bytes",
      { type: "image", data: Uint8Array.from(atob(data), (c) => c.charCodeAt(0)), mimeType: "image/png" },
      { image_url: { url: `data:image/png;base64,${data}` } },
    ],
    [
      "v1 image detail",
      { type: "image", url: "https://x.test/a.png", metadata: { detail: "low" } },
      { image_url: { url: "https://x.test/a.png", detail: "low" } },
    ],
    [
      "v0 image url",
      { type: "image", source_type: "url", url: "https://x.test/a.png" },
      { image_url: { url: "https://x.test/a.png" } },
    ],
    [
      "v0 image data",
      { type: "image", source_type: "base64", data, mime_type: "image/webp" },
      { image_url: { url: `data:image/webp;base64,${data}` } },
    ],
    [
      "OpenAI image",
      { type: "image_url", image_url: { url: "https://x.test/a.png", detail: "high" } },
      { image_url: { url: "https://x.test/a.png", detail: "high" } },
    ],
    [
      "OpenAI image as a string",
      { type: "image_url", image_url: "https://x.test/a.png" },
      { image_url: { url: "https://x.test/a.png" } },
    ],
    [
      "v1 audio",
      { type: "audio", data, mimeType: "audio/wav" },
      { audio_url: { url: `data:audio/wav;base64,${data}` } },
    ],
    [
      "v0 audio url",
      { type: "audio", source_type: "url", url: "https://x.test/a.mp3" },
      { audio_url: { url: "https://x.test/a.mp3" } },
    ],
    [
      "OpenAI audio",
      { type: "input_audio", input_audio: { data, format: "wav" } },
      { audio_url: { url: `data:audio/wav;base64,${data}` } },
    ],
    [
      "SiliconFlow audio",
      { type: "audio_url", audio_url: { url: "https://x.test/a.mp3" } },
      { audio_url: { url: "https://x.test/a.mp3" } },
    ],
    [
      "v1 video with frames",
      { type: "video", url: "https://x.test/a.mp4", metadata: { fps: 2, max_frams: 16, detail: "low" } },
      { video_url: { url: "https://x.test/a.mp4", detail: "low", fps: 2, max_frams: 16 } },
    ],
    [
      "a video's frames under the name of the service's description",
      { type: "video", url: "https://x.test/a.mp4", metadata: { max_frames: 16 } },
      { video_url: { url: "https://x.test/a.mp4", max_frames: 16, max_frams: 16 } },
    ],
    [
      "SiliconFlow video",
      { type: "video_url", video_url: { url: "https://x.test/a.mp4", fps: 1 } },
      { video_url: { url: "https://x.test/a.mp4", fps: 1 } },
    ],
    [
      "a file that is an image",
      { type: "file", data, mimeType: "image/png" },
      { image_url: { url: `data:image/png;base64,${data}` } },
    ],
  ];

  test.each(parts)("%s", (_, block, expected) => {
    const message = one(new HumanMessage({ content: [{ type: "text", text: "Look:" }, block as { type: string }] }));

    expect(message?.content).toEqual([
      { type: "text", text: "Look:" },
      { type: Object.keys(expected)[0], ...expected },
    ]);
  });

  test("text files are text", () => {
    const blocks = [
      { type: "text-plain", text: "one" },
      { type: "file", data: btoa("two"), mimeType: "text/csv" },
      { type: "file", source_type: "text", text: "three" },
    ];
    expect(one(new HumanMessage({ content: blocks }))?.content).toBe("one\ntwo\nthree");
  });

  test("a text file that is no base64 is refused", () => {
    const block = { type: "file", mimeType: "text/plain", data: "%%%" };
    expect(() => wire(new HumanMessage({ content: [block] }))).toThrow(/Message 0: .*not base64/);
  });

  test("a PDF goes to models that take it, as they take it", () => {
    const message = new HumanMessage({
      content: [{ type: "file", url: "https://x.test/a.pdf", mimeType: "application/pdf" }],
    });

    expect(one(message, { acceptsPdf: true })?.content).toEqual([
      { type: "image_url", image_url: { url: "https://x.test/a.pdf" } },
    ]);
    expect(() => wire(message)).toThrow(/file of type application\/pdf/);
  });

  test.each([
    [{ type: "hologram" }, /type "hologram" cannot be sent/],
    [{ type: "image", fileId: "file-1" }, /type "image" names a stored file/],
    [{ type: "image" }, /type "image" needs a url, or base64 data/],
    [{ type: "image_url" }, /"image_url" needs \{ image_url: \{ url \} \}/],
    [{ type: "image_url", image_url: "file:///etc/passwd" }, /"image_url" has the address of a file: resource/],
    [{ type: "image", url: "FILE:///etc/passwd" }, /"image" has the address of a file: resource/],
    [{ type: "file", url: "https://x.test/a" }, /a file without a MIME type/],
    [{ text: "no type" }, /needs a type/],
  ])("%j is refused by name", (block, says) => {
    expect(() => wire(new HumanMessage({ content: [block as { type: string }] }))).toThrow(
      expect.objectContaining({ name: "InvalidInputError", message: expect.stringMatching(says) }),
    );
  });

  test("an image in a system message is refused", () => {
    const message = new SystemMessage({ content: [{ type: "image_url", image_url: { url: "https://x.test/a.png" } }] });

    expect(() => wire(message)).toThrow(/"image_url" cannot be sent to SiliconFlow in a system message/);
  });
});

describe("an assistant's message", () => {
  const calls = [{ id: "a", name: "f", args: { x: 1 } }];
  const wireCalls = [{ id: "a", type: "function", function: { name: "f", arguments: '{"x":1}' } }];

  test('is a string, "" beside tool calls', () => {
    expect(one(new AIMessage({ content: "", tool_calls: calls }))).toEqual({
      role: "assistant",
      content: "",
      tool_calls: wireCalls,
    });
    expect(one(new AIMessage({ content: [], tool_calls: calls }))).toEqual({
      role: "assistant",
      content: "",
      tool_calls: wireCalls,
    });
  });

  test("of v1 is told by its blocks", () => {
    const message = new AIMessage({
      content: [
        { type: "reasoning", reasoning: "hm" },
        { type: "text", text: "a" },
        { type: "text", text: "b" },
        { type: "tool_call", id: "a", name: "f", args: { x: 1 } },
      ],
      response_metadata: { output_version: "v1" },
    });
    expect(one(message)).toEqual({ role: "assistant", content: "ab", reasoning_content: "hm", tool_calls: wireCalls });
  });

  test("with Anthropic's tool_use blocks is accepted", () => {
    const message = new AIMessage({
      content: [
        { type: "text", text: "a" },
        { type: "tool_use", id: "a", name: "f", input: { x: 1 } },
      ],
      tool_calls: calls,
    });
    expect(one(message)).toEqual({ role: "assistant", content: "a", tool_calls: wireCalls });
  });

  test("whose calls are told by blocks alone sends those that were run", () => {
    const blocks = [
      { type: "tool_use", id: "a", name: "f", input: { x: 1 } },
      { type: "tool_call", id: "b", name: "g", args: {} },
      { type: "tool_use", id: "c", name: "h", input: {} },
    ];
    const results = [new ToolMessage("42", "a"), new ToolMessage("43", "b")];
    expect(wire([new AIMessage({ content: blocks }), ...results])[0]).toEqual({
      role: "assistant",
      content: "",
      tool_calls: [
        { id: "a", type: "function", function: { name: "f", arguments: '{"x":1}' } },
        { id: "b", type: "function", function: { name: "g", arguments: "{}" } },
      ],
    });
  });

  test("with an image is refused", () => {
    expect(() => wire(new AIMessage({ content: [{ type: "image", url: "https://x.test/a.png" }] }))).toThrow(
      /"image" cannot be sent to SiliconFlow in an assistant's message/,
    );
  });

  test("with a call that has no id is refused", () => {
    expect(() => wire(new AIMessage({ content: "", tool_calls: [{ name: "f", args: {} }] }))).toThrow(/"f" has no id/);
  });

  test("with a broken call sends it only with a result that answers it", () => {
    const broken = new AIMessage({ content: "", invalid_tool_calls: [{ id: "b", name: "g", args: '{"y":' }] });

    expect(one(broken)).toEqual({ role: "assistant", content: "" });
    expect(wire([broken, new ToolMessage("not JSON", "b")])[0]).toMatchObject({
      tool_calls: [{ id: "b", function: { name: "g", arguments: '{"y":' } }],
    });
  });

  describe("with thoughts", () => {
    const plain = new AIMessage({ content: "a", additional_kwargs: { reasoning_content: "hm" } });
    const tooled = new AIMessage({ content: "", tool_calls: calls, additional_kwargs: { reasoning_content: "hm" } });
    const blocks = new AIMessage({
      content: [
        { type: "thinking", thinking: "h" },
        { type: "thinking", thinking: "m" },
      ],
      tool_calls: calls,
    });

    test.each([
      ["auto", undefined, "hm", "hm"],
      ["always", "hm", "hm", "hm"],
      ["never", undefined, undefined, undefined],
    ] as const)("reasoningHistory %s", (reasoningHistory, ...expected) => {
      const sent = wire([plain, tooled, blocks], { reasoningHistory });

      expect(sent.map((message) => message.reasoning_content)).toEqual(expected);
    });
  });
});

describe("a tool's result", () => {
  test("is text, also when it is a list", () => {
    const content = [
      { type: "text", text: "12 units" },
      { type: "text", text: "in Lima" },
    ];
    expect(one(new ToolMessage({ content, tool_call_id: "a" }))).toEqual({
      role: "tool",
      tool_call_id: "a",
      content: "12 units\nin Lima",
    });
  });

  test("is never empty", () => {
    expect(one(new ToolMessage("", "a"))?.content).toBe("(empty result)");
  });

  test("with an image is refused", () => {
    expect(() =>
      wire(new ToolMessage({ content: [{ type: "image", url: "https://x.test/a.png" }], tool_call_id: "a" })),
    ).toThrow(/"image" cannot be sent to SiliconFlow in a tool's result/);
  });

  test("that is an object is refused", () => {
    const content = { total: 42 } as unknown as string;
    expect(() => wire(new ToolMessage({ content, tool_call_id: "a" }))).toThrow(/tool's result is neither text nor/);
  });

  test("needs the id of its call", () => {
    expect(() => wire(new ToolMessage("42", ""))).toThrow(/no tool_call_id/);
  });
});
