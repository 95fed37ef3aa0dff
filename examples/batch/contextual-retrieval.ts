/**
 * Write a sentence of context for every chunk of a corpus, overnight and at half the price, then index the chunks with it.
 *
 * A chunk such as "It must be descaled every two months" does not say what "it" is, so no search finds it by the name.
 * Run it again, also after Ctrl-C: it goes on where it was, and pays for no chunk twice.
 *
 *   npm run example batch/contextual-retrieval    offline, against the emulator
 *   SILICONFLOW_API_KEY=sk-… npm run example batch/contextual-retrieval my-state-folder
 */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryVectorStore } from "@langchain/classic/vectorstores/memory";
import { Document } from "@langchain/core/documents";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import { ChatSiliconFlow, SiliconFlowEmbeddings } from "langchain-siliconflow";

const [state = mkdtempSync(join(tmpdir(), "contextual-retrieval-"))] = process.argv.slice(2);

const manuals = [
  `This is the manual of the Alder, an electric kettle for one litre.

It must be descaled every two months. Use vinegar, and rinse twice.

The lamp turns blue when the water has boiled.`,
  `This is the manual of the Birch, an electric kettle for three litres.

It must be descaled every six months. Use citric acid, and rinse once.

The lamp turns green when the water has boiled.`,
];

// 1. Cut the manuals into chunks.
const chunks = manuals.flatMap((manual) => manual.split("\n\n").map((text) => ({ document: manual, text })));

// 2. Ask for a context of each. The chain is any chain: only the model goes by way of batches.
const prompt = ChatPromptTemplate.fromTemplate(
  "<document>\n{document}\n</document>\n\nOne part of it is: {text}\n\n" +
    "Which sentence is to stand before that part, so that it is understood alone?\n\nQuestion: This is the manual of what?",
);
const model = new ChatSiliconFlow({ model: "deepseek-ai/DeepSeek-V3", temperature: 0 }).viaBatch({
  state,
  pollIntervalMs: 1_000,
  onProgress({ completed, total, batches }) {
    console.error(`${completed} of ${total} answered, ${batches.map(({ status }) => status).join(", ")}`);
  },
});
const contexts = await prompt.pipe(model).batch(chunks);

// 3. Index each chunk with its context before it, and each without, to compare.
const embeddings = new SiliconFlowEmbeddings({ model: "BAAI/bge-m3" });
const bare = chunks.map(({ text }) => new Document({ pageContent: text }));
const situated = chunks.map(({ text }, n) => new Document({ pageContent: `${contexts[n]!.text}\n${text}` }));

const question = "How often must the Birch be descaled?";
console.log(question);
for (const [name, documents] of Object.entries({ bare, situated })) {
  const store = await MemoryVectorStore.fromDocuments(documents, embeddings);
  const [best] = await store.similaritySearch(question, 1);
  console.log(`\n${name}:\n  ${best!.pageContent.replaceAll(/\n+/g, "\n  ")}`);
}
