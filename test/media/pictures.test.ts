import { SiliconFlowClient } from "@langchain-siliconflow/client";
import { SiliconFlowEmbeddings } from "@langchain-siliconflow/embeddings";
import { startEmulator, type Emulator } from "@langchain-siliconflow/emulator";
import { RerankedRetriever, SiliconFlowRerank, type RerankUsage } from "@langchain-siliconflow/rerank";
import { MemoryVectorStore } from "@langchain/classic/vectorstores/memory";
import { Document } from "@langchain/core/documents";
import { afterAll, beforeAll, expect, test } from "vitest";

let emulator: Emulator;
let client: SiliconFlowClient;
let pictures: { prompt: string; url: string; bytes: Uint8Array }[];

beforeAll(async () => {
  // Two inputs at most in one request of embeddings: the adapter learns it from the refusal.
  emulator = await startEmulator({ batchCap: 2 });
  client = new SiliconFlowClient({ apiKey: emulator.apiKey, baseURL: emulator.url });
  pictures = await Promise.all(
    ["A lighthouse in a storm", "Boats in a harbour at night", "一只熊猫在吃竹子"].map(async (prompt) => {
      const { images } = await client.images.generate({ model: "Kwai-Kolors/Kolors", prompt, image_size: "1024x1024" });
      const { url } = images[0]!;
      return { prompt, url, bytes: (await client.assets.download(url)).bytes };
    }),
  );
});
afterAll(async () => {
  await client.close();
  await emulator.close();
});

test.each([
  ["links", ({ url }: (typeof pictures)[number]) => url],
  ["bytes", ({ bytes }: (typeof pictures)[number]) => bytes],
  ["Blobs", ({ bytes }: (typeof pictures)[number]) => new Blob([bytes as Uint8Array<ArrayBuffer>])],
])("words find pictures given as %s, and a reranker looks at them", async (_form, imageOf) => {
  const usages: RerankUsage[] = [];
  const embeddings = new SiliconFlowEmbeddings({ client, model: "Qwen/Qwen3-VL-Embedding-8B" });
  const store = new MemoryVectorStore(embeddings);
  await store.addVectors(
    await embeddings.embedContents(pictures.map((picture) => ({ image: imageOf(picture) }))),
    pictures.map(
      (picture, index) => new Document({ pageContent: `${index}.png`, metadata: { image: imageOf(picture) } }),
    ),
  );
  const retriever = new RerankedRetriever({
    retriever: store.asRetriever(),
    reranker: new SiliconFlowRerank({
      client,
      model: "Qwen/Qwen3-VL-Reranker-8B",
      onUsage: (usage) => usages.push(usage),
    }),
    fetchK: 3,
    topN: 1,
  });

  expect(await retriever.invoke("a harbour")).toMatchObject([{ pageContent: "1.png" }]);
  expect(await retriever.invoke("熊猫")).toMatchObject([{ pageContent: "2.png" }]);
  // Three pictures of 37 × 37 squares of 28 pixels.
  expect(usages[0]).toMatchObject({ imageTokens: 3 * 37 * 37 });
});

test("a picture finds itself, and the text that tells of it", async () => {
  const embeddings = new SiliconFlowEmbeddings({ client, model: "Qwen/Qwen3-VL-Embedding-8B" });
  const { bytes, url, prompt } = pictures[0]!;
  const [one, same, text] = await embeddings.embedContents([{ image: bytes }, { image: url }, prompt]);
  expect(same).toEqual(one);
  expect(text).toEqual(one);

  const reranker = new SiliconFlowRerank({ client, model: "Qwen/Qwen3-VL-Reranker-8B" });
  const [best] = await reranker.rerank(["Sheep eat grass.", "The lighthouse stood in the storm."], { image: bytes });
  expect(best).toMatchObject({ index: 1 });
});
