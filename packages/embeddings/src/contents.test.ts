import { SiliconFlowClient } from "@langchain-siliconflow/client";
import nock from "nock";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { EmbeddingContent } from "./contents.js";
import { SiliconFlowEmbeddings } from "./siliconflow-embeddings.js";

const host = "https://siliconflow.test";
const client = new SiliconFlowClient({ apiKey: "sk-x", baseURL: `${host}/v1`, maxRetries: 0 });
const vision = new SiliconFlowEmbeddings({ client, model: "Qwen/Qwen3-VL-Embedding-8B" });
const png = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const pngUrl = `data:image/png;base64,${Buffer.from(png).toString("base64")}`;
let sent: { input: unknown[] }[];

beforeEach(() => {
  sent = [];
  nock.disableNetConnect();
});
afterEach(() => {
  const unused = nock.pendingMocks();
  nock.cleanAll();
  if (unused.length > 0) throw new Error(`never asked for: ${unused.join()}`);
});

/** Answers so many requests: each input with the vector `[number of the request, its place]`. */
function answer(times: number, status: (request: number) => number = () => 200) {
  nock(host)
    .post("/v1/embeddings", (request: { input: unknown[] }) => {
      sent.push(request);
      return true;
    })
    .times(times)
    .reply(() => {
      const data = sent.at(-1)!.input.map((_, index) => ({ index, embedding: [sent.length, index + 1] }));
      return [status(sent.length), { object: "list", data, usage: { prompt_tokens: 5, total_tokens: 5 } }];
    });
}

describe("what is sent", () => {
  test.each<[string, EmbeddingContent, unknown]>([
    ["a text", "a", "a"],
    ["an object with a text", { text: "a" }, { text: "a" }],
    ["LangChain's block of a text", { type: "text", text: "a" }, { text: "a" }],
    ["an address", { image: "https://x.test/a.png" }, { image: "https://x.test/a.png" }],
    ["a URL", { image: new URL("https://x.test/a.png") }, { image: "https://x.test/a.png" }],
    ["a data URL", { image: pngUrl }, { image: pngUrl }],
    ["bare base64", { image: "A".repeat(40) }, { image: "A".repeat(40) }],
    ["bytes", { image: png }, { image: pngUrl }],
    ["a Blob, whatever it calls itself", { image: new Blob([png], { type: "text/plain" }) }, { image: pngUrl }],
    [
      "a Blob of a type that only its name tells",
      { image: new Blob(["II*"], { type: "image/tiff" }) },
      { image: "data:image/tiff;base64,SUkq" },
    ],
    [
      "LangChain's block of an address",
      { type: "image", url: "https://x.test/a.png" },
      { image: "https://x.test/a.png" },
    ],
    ["LangChain's block of bytes", { type: "image", data: png, mimeType: "image/png" }, { image: pngUrl }],
    [
      "LangChain's block of base64",
      { type: "image", data: "A".repeat(40), mimeType: "image/webp" },
      { image: `data:image/webp;base64,${"A".repeat(40)}` },
    ],
    ["OpenAI's part", { type: "image_url", image_url: { url: pngUrl } }, { image: pngUrl }],
    ["fields that nobody has documented", { image: pngUrl, max_pixels: 4 } as never, { image: pngUrl, max_pixels: 4 }],
  ])("%s", async (_name, content, wire) => {
    answer(1);
    await vision.embedContents([content]);
    expect(sent[0]!.input).toEqual([wire]);
  });

  test("of a model for texts, texts alone, in the form it takes", async () => {
    answer(1);
    const model = new SiliconFlowEmbeddings({ client, model: "BAAI/bge-m3" });
    await model.embedContents(["a", { text: "b" }, { type: "text", text: "c" }]);
    expect(sent[0]!.input).toEqual(["a", "b", "c"]);
  });

  test("of a model nobody has heard of, whatever it is given", async () => {
    answer(1);
    await new SiliconFlowEmbeddings({ client, model: "new/model" }).embedContents([{ image: pngUrl }]);
    expect(sent[0]!.input).toEqual([{ image: pngUrl }]);
  });
});

describe("is refused before anything is sent, with its position", () => {
  test.each<[string, unknown, string]>([
    ["an empty text", { text: "" }, "has no text, or an empty one"],
    ["nothing", {}, "must be a text, or an object"],
    ["null", null, "must be a text, or an object"],
    ["bytes alone", png, "must be a text, or an object"],
    ["a text and an image at once", { text: "a", image: pngUrl }, "one of the two"],
    ["a video", { video: "https://x.test/a.mp4" }, "one of the two"],
    ["a block of sound", { type: "audio", url: "https://x.test/a.mp3" }, 'is a content block of type "audio"'],
    ["a block without an image", { type: "image", fileId: "1" }, "must be a text, or an object"],
    ["a path", { image: "pictures/cat.png" }, "Give the bytes of a file"],
    ["a file: URL", { image: "file:///etc/passwd" }, "Give the bytes of a file"],
    ["a data URL of something else", { image: "data:text/html;base64,PGI+" }, "data:image/png;base64,"],
    ["an empty data URL", { image: "data:image/png;base64," }, "data:image/png;base64,"],
    ["no bytes", { image: new Uint8Array() }, "is an empty picture"],
    ["bytes of no picture", { image: Buffer.from("<html>") }, "is no PNG, JPEG"],
    ["a Blob of no picture", { image: new Blob(["<html>"]) }, "is no PNG, JPEG"],
    ["a number", { image: 4 }, "has no image"],
  ])("%s", async (_name, content, message) => {
    await expect(vision.embedContents(["a", content as EmbeddingContent])).rejects.toMatchObject({
      name: "InvalidInputError",
      position: 1,
      message: expect.stringMatching(/^contents\[1\] /),
    });
    await expect(vision.embedContents(["a", content as EmbeddingContent])).rejects.toThrow(message);
  });

  test("a picture for a model that is known to take text only", async () => {
    const model = new SiliconFlowEmbeddings({ client, model: "BAAI/bge-m3" });
    await expect(model.embedContents([{ image: png }])).rejects.toMatchObject({
      name: "InvalidInputError",
      position: 0,
      message: expect.stringContaining("BAAI/bge-m3 takes text only"),
    });
  });

  test("a picture that no request can hold", async () => {
    const blob = new Blob([png]);
    Object.defineProperty(blob, "size", { value: 2 ** 30 });
    await expect(vision.embedContents([{ image: blob }])).rejects.toMatchObject({ reason: "tooLarge", position: 0 });
  });
});

describe("the guarantees of embedDocuments", () => {
  test("a request holds 16 MB of pictures at most, and a larger one goes alone", async () => {
    answer(3);
    const pictureOf = (mebibytes: number) => ({
      image: Object.defineProperty(new Blob([png]), "size", { value: mebibytes * 2 ** 20 }),
    });
    const model = new SiliconFlowEmbeddings({ client, model: "Qwen/Qwen3-VL-Embedding-8B", maxConcurrency: 1 });
    const vectors = await model.embedContents([pictureOf(5), pictureOf(5), "a", pictureOf(30), pictureOf(5), "b"]);
    expect(sent.map(({ input }) => input.length)).toEqual([3, 1, 2]);
    expect(vectors).toEqual([
      [1, 1],
      [1, 2],
      [1, 3],
      [2, 1],
      [3, 1],
      [3, 2],
    ]);
  });

  test("what arrived is kept when a part fails, and the missing is asked for again", async () => {
    answer(3, (request) => (request === 2 ? 400 : 200));
    const model = new SiliconFlowEmbeddings({
      client,
      model: "Qwen/Qwen3-VL-Embedding-8B",
      batchSize: 1,
      maxConcurrency: 1,
    });
    const failure: unknown = await model
      .embedContents([{ image: png }, { image: pngUrl }])
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({
      name: "PartialFailureError",
      results: [[1, 1], undefined],
      failures: [{ position: 1 }],
    });
    await expect((failure as { resume(): Promise<unknown> }).resume()).resolves.toEqual([
      [1, 1],
      [3, 1],
    ]);
    expect(sent.map(({ input }) => input)).toEqual([[{ image: pngUrl }], [{ image: pngUrl }], [{ image: pngUrl }]]);
  });

  test("a signal that fired before sends nothing", async () => {
    const reason = new Error("enough");
    await expect(vision.embedContents([{ image: png }], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
