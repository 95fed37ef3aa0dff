/**
 * Embed a file of any size, line by line, without holding it or its vectors in memory.
 *
 *   npm run example retrieval/embed-stream               offline, against the emulator: 2,000 lines are made up
 *   npm run example retrieval/embed-stream texts.txt
 *   SILICONFLOW_API_KEY=sk-… npm run example retrieval/embed-stream texts.txt
 */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { SiliconFlowEmbeddings } from "langchain-siliconflow";

const [file] = process.argv.slice(2);
const embeddings = new SiliconFlowEmbeddings({
  model: "BAAI/bge-m3",
  onUsage: ({ requests, totalTokens }) => console.log(`${requests} requests, ${totalTokens} tokens`),
});

async function* lines(): AsyncGenerator<string> {
  if (file === undefined) for (let line = 1; line <= 2_000; line++) yield `Line ${line} is about the number ${line}.`;
  else for await (const line of createInterface(createReadStream(file))) if (line !== "") yield line;
}

for await (const { index, text, vector } of embeddings.embedStream(lines())) {
  // Here it would be written to a database. The lines are read as fast as that goes, and no faster.
  if (index % 500 === 0) console.log(`${index}: ${vector.length} numbers for "${text}"`);
}
