/**
 * Put search results in order of how well they answer a question.
 *
 *   npm run example retrieval/rerank              offline, against the emulator
 *   SILICONFLOW_API_KEY=sk-… npm run example retrieval/rerank
 */
import { Document } from "@langchain/core/documents";
import { SiliconFlowRerank } from "langchain-siliconflow";

const reranker = new SiliconFlowRerank({ model: "BAAI/bge-reranker-v2-m3", topN: 3 });

const found = [
  "Green tea should not be brewed with boiling water.",
  "The kettle was invented in the nineteenth century.",
  "Brew green tea at about 80 °C for two to three minutes.",
  "Black tea is brewed with boiling water.",
].map((pageContent, index) => new Document({ pageContent, metadata: { foundAt: index + 1 } }));

const best = await reranker.compressDocuments(found, "How many °C for green tea?");

for (const { pageContent, metadata } of best) {
  console.log(`${metadata["relevanceScore"].toFixed(3)}  (was ${metadata["foundAt"]})  ${pageContent}`);
}
