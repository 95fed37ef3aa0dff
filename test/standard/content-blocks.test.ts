import { type ContentBlock, HumanMessage } from "@langchain/core/messages";
import { describe, expect, test } from "vitest";
import { emulated } from "./emulated.js";

const { emulator, model, sent: body } = emulated();

const pixel = "iVBORw0KGgo=";
const sound = "UklGRg==";
const page = "JVBERi0xLjQ=";
const url = "https://example.com/thing";
const image = (to: string) => ({ type: "image_url", image_url: { url: to } });
const audio = (to: string) => ({ type: "audio_url", audio_url: { url: to } });

interface Case {
  block: ContentBlock.Standard;
  /** @defaultValue text alone goes as a string */
  sent?: Record<string, unknown>;
  model?: string;
}

/** LangChain's standard blocks by the form they come in, and the part that the service is sent. */
const understood: Record<string, Case> = {
  text: { block: { type: "text", text: "Hello there" } },
  "an image by URL": { block: { type: "image", url }, sent: image(url) },
  "an image as base64": {
    block: { type: "image", data: pixel, mimeType: "image/jpeg" },
    sent: image(`data:image/jpeg;base64,${pixel}`),
  },
  "an image as data URL": {
    block: { type: "image", url: `data:image/png;base64,${pixel}` },
    sent: image(`data:image/png;base64,${pixel}`),
  },
  "sound by URL": { block: { type: "audio", url }, sent: audio(url), model: "Qwen/Qwen3-Omni-30B-A3B-Instruct" },
  "sound as base64": {
    block: { type: "audio", data: sound, mimeType: "audio/wav" },
    sent: audio(`data:audio/wav;base64,${sound}`),
    model: "Qwen/Qwen3-Omni-30B-A3B-Instruct",
  },
  "sound as data URL": {
    block: { type: "audio", url: `data:audio/wav;base64,${sound}` },
    sent: audio(`data:audio/wav;base64,${sound}`),
    model: "Qwen/Qwen3-Omni-30B-A3B-Instruct",
  },
  "a PDF by URL": {
    block: { type: "file", url, mimeType: "application/pdf" },
    sent: image(url),
    model: "deepseek-ai/DeepSeek-OCR",
  },
  "a PDF as data URL": {
    block: { type: "file", url: `data:application/pdf;base64,${page}` },
    sent: image(`data:application/pdf;base64,${page}`),
    model: "deepseek-ai/DeepSeek-OCR",
  },
  "a PDF as base64": {
    block: { type: "file", data: page, mimeType: "application/pdf" },
    sent: image(`data:application/pdf;base64,${page}`),
    model: "deepseek-ai/DeepSeek-OCR",
  },
};

describe("a standard content block reaches the service, and is answered", () => {
  test.each(Object.keys(understood))("%s", async (name) => {
    const { block, sent, model: id = "Qwen/Qwen3-VL-8B-Instruct" } = understood[name]!;
    const question = { type: "text" as const, text: "What is this?" };
    const answer = await model({ model: id }).invoke([new HumanMessage({ contentBlocks: [question, block] })]);

    expect(answer.text).toMatch(/\w/);
    expect(body().messages[0]?.content).toEqual(sent === undefined ? "What is this?\nHello there" : [question, sent]);
  });
});

describe("a standard content block that the service has no place for is refused by name, and nothing is asked", () => {
  test.each<[string, ContentBlock.Standard, RegExp]>([
    ["an image by the id of a file", { type: "image", fileId: "file-1" }, /"image" names a stored file/],
    ["a PDF by the id of a file", { type: "file", fileId: "file-1", mimeType: "application/pdf" }, /"file"/],
    ["sound by the id of a file", { type: "audio", fileId: "file-1" }, /"audio" names a stored file/],
    [
      "a PDF, by a model that reads none",
      { type: "file", data: page, mimeType: "application/pdf" },
      /"file".*application\/pdf/,
    ],
  ])("%s", async (_, block, message) => {
    await expect(model().invoke([new HumanMessage({ contentBlocks: [block] })])).rejects.toThrow(message);
    expect(emulator().requests).toEqual([]);
  });
});
