/**
 * An agent with a search, a brush and a voice: it looks something up in your documents, draws it, and reads the summary aloud.
 *
 *   npm run example agent/research-draw-read      offline, against the emulator
 *   npm run example agent/research-draw-read "Search the notes for …, then make a picture of …, then read the summary aloud."
 *   SILICONFLOW_API_KEY=sk-… npm run example agent/research-draw-read
 */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryVectorStore } from "@langchain/classic/vectorstores/memory";
import { Document } from "@langchain/core/documents";
import { AIMessage, createAgent, tool, ToolMessage } from "langchain";
import {
  ChatSiliconFlow,
  DirectoryArtifactStore,
  RerankedRetriever,
  SiliconFlowClient,
  SiliconFlowEmbeddings,
  SiliconFlowRerank,
  SiliconFlowToolkit,
} from "langchain-siliconflow";
import { z } from "zod";

const [
  task = "Search the notes for the keeper of the lighthouse, then make a picture of the lighthouse at night, then read the summary aloud.",
] = process.argv.slice(2);
const client = new SiliconFlowClient();
const directory = await mkdtemp(join(tmpdir(), "siliconflow-agent-"));

// 1. The documents: yours would be read from files, as in retrieval/rag.
const notes = [
  "The keeper of the lighthouse, Ada Lind, lights the lamp at dusk and keeps a diary of every ship that passes.",
  "The ferry leaves on weekdays at seven and on Sundays at half past nine.",
  "Herring is smoked behind the harbour office from May to September.",
].map((pageContent) => new Document({ pageContent }));
const store = await MemoryVectorStore.fromDocuments(notes, new SiliconFlowEmbeddings({ client, model: "BAAI/bge-m3" }));
const retriever = new RerankedRetriever({
  retriever: store.asRetriever(),
  reranker: new SiliconFlowRerank({ client, model: "BAAI/bge-reranker-v2-m3" }),
  topN: 1,
});

// 2. The tools: a search of our own, and two of the toolkit. What they make goes to the folder, not into the conversation.
const search = tool(
  async ({ query }) => (await retriever.invoke(query)).map(({ pageContent }) => pageContent).join("\n"),
  {
    name: "search_notes",
    description: "Searches the user's notes.",
    schema: z.object({ query: z.string().describe("What to look for, in a few words") }),
  },
);
const media = new SiliconFlowToolkit({
  client,
  include: ["image", "speech"],
  store: new DirectoryArtifactStore({ directory }),
});

// 3. The agent decides what to call, and when.
const agent = createAgent({
  model: new ChatSiliconFlow({ client, model: "Qwen/Qwen3-32B", enableThinking: false }),
  tools: [search, ...media.tools],
});
const { messages } = await agent.invoke({ messages: [{ role: "user", content: task }] });

for (const message of messages) {
  const calls = AIMessage.isInstance(message) ? (message.tool_calls ?? []) : [];
  for (const call of calls) console.log(`calls   ${call.name}(${JSON.stringify(call.args)})`);
  if (message.text) console.log(`${message.type.padEnd(7)} ${message.text}`);
  if (ToolMessage.isInstance(message) && message.artifact) console.log(`file    ${message.artifact.path}`);
}
