/**
 * Find pictures by words: look at them once, search by what they show, and let a second model look again at the best.
 *
 *   npm run example retrieval/pictures            offline, against the emulator: pictures are drawn first
 *   npm run example retrieval/pictures "a dog on the beach" ~/Pictures/*.jpg
 *   SILICONFLOW_API_KEY=sk-… npm run example retrieval/pictures
 */
import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { MemoryVectorStore } from "@langchain/classic/vectorstores/memory";
import { Document } from "@langchain/core/documents";
import { RerankedRetriever, SiliconFlowClient, SiliconFlowEmbeddings, SiliconFlowRerank } from "langchain-siliconflow";

const [question = "boats in a harbour at night", ...own] = process.argv.slice(2);
const client = new SiliconFlowClient();
const files = own.length > 0 ? own : await draw();

// 1. A vector for each picture, in the same space as those of texts.
const embeddings = new SiliconFlowEmbeddings({ client, model: "Qwen/Qwen3-VL-Embedding-8B" });
const images = await Promise.all(files.map((file) => readFile(file)));
const store = new MemoryVectorStore(embeddings);
await store.addVectors(
  await embeddings.embedContents(images.map((image) => ({ image }))),
  files.map((file, index) => new Document({ pageContent: basename(file), metadata: { image: images[index] } })),
);

// 2. The four nearest to the words, of which a reranker that sees them chooses two.
const retriever = new RerankedRetriever({
  retriever: store.asRetriever(),
  reranker: new SiliconFlowRerank({ client, model: "Qwen/Qwen3-VL-Reranker-8B" }),
  fetchK: 4,
  topN: 2,
});

console.log(`\n${question}`);
for (const { pageContent, metadata } of await retriever.invoke(question)) {
  console.log(`  ${metadata["relevanceScore"].toFixed(3)}  ${pageContent}`);
}

/** Some pictures to look for, for those who have given none. */
async function draw(): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "siliconflow-pictures-"));
  const prompts = {
    "1.png": "A red lighthouse on a cliff in a storm",
    "2.png": "Fishing boats in a small harbour at night, lanterns on the water",
    "3.png": "A green meadow with sheep under a blue sky",
    "4.png": "A sailing boat on a lake in the morning",
    "5.png": "A night train in the snow",
    "6.png": "A bowl of oranges on a blue table",
  };
  console.log(`Drawing ${Object.keys(prompts).length} pictures in ${folder}`);
  return Promise.all(
    Object.entries(prompts).map(async ([name, prompt]) => {
      const { images: drawn } = await client.images.generate({
        model: "Kwai-Kolors/Kolors",
        prompt,
        image_size: "1024x1024",
      });
      const path = join(folder, name);
      await client.assets.download(drawn[0]!.url, { path });
      console.log(`  ${name}  ${prompt}`);
      return path;
    }),
  );
}
