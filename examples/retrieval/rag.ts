/**
 * Answer a question from your own documents, with quotes you can check: embed, retrieve, rerank, answer.
 *
 *   npm run example retrieval/rag                 offline, against the emulator
 *   npm run example retrieval/rag notes.md "What did we decide?"
 *   SILICONFLOW_API_KEY=sk-… npm run example retrieval/rag
 */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { MemoryVectorStore } from "@langchain/classic/vectorstores/memory";
import { Document } from "@langchain/core/documents";
import { StringOutputParser } from "@langchain/core/output_parsers";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import { RunnableSequence } from "@langchain/core/runnables";
import { RecursiveCharacterTextSplitter } from "@langchain/textsplitters";
import { ChatSiliconFlow, RerankedRetriever, SiliconFlowEmbeddings, SiliconFlowRerank } from "langchain-siliconflow";

const langchainReadme = fileURLToPath(import.meta.resolve("@langchain/core/package.json")).replace(
  "package.json",
  "README.md",
);
const [file = langchainReadme, question = "What does @langchain/core contain?"] = process.argv.slice(2);

// 1. Cut the document into passages, and store a vector for each.
const splitter = new RecursiveCharacterTextSplitter({ chunkSize: 1000, chunkOverlap: 120 });
const passages = await splitter.splitDocuments([
  new Document({ pageContent: await readFile(file, "utf8"), metadata: { source: file } }),
]);
const store = await MemoryVectorStore.fromDocuments(passages, new SiliconFlowEmbeddings({ model: "BAAI/bge-m3" }));

// 2. Fetch twenty passages by their vectors, and let the reranker choose the best three.
const retriever = new RerankedRetriever({
  retriever: store.asRetriever(),
  reranker: new SiliconFlowRerank({ model: "BAAI/bge-reranker-v2-m3" }),
  fetchK: 20,
  topN: 3,
});

// 3. Answer from them, in their own words.
const prompt = ChatPromptTemplate.fromMessages([
  [
    "system",
    'Answer from the numbered passages only. Copy the words that answer the question between double quotes, followed by the passage\'s number: "…" [1]. If the passages do not answer the question, say so.',
  ],
  ["human", "Passages:\n\n{passages}\n\nQuestion: {question}"],
]);

const chain = RunnableSequence.from([
  async (asked: string) => {
    const found = await retriever.invoke(asked);
    for (const [index, { metadata }] of found.entries()) {
      const { lines } = metadata["loc"];
      console.log(`[${index + 1}] lines ${lines.from}–${lines.to}, score ${metadata["relevanceScore"].toFixed(3)}`);
    }
    return { question: asked, passages: found.map(({ pageContent }, n) => `[${n + 1}] ${pageContent}`).join("\n\n") };
  },
  prompt,
  new ChatSiliconFlow({ model: "Qwen/Qwen3-8B", enableThinking: false }),
  new StringOutputParser(),
]);

console.log(`${question}\n`);
for await (const text of await chain.stream(question)) process.stdout.write(text);
console.log();
