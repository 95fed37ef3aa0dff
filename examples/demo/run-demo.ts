import { createHash } from "node:crypto";
import { realpath } from "node:fs/promises";
import { ChatSiliconFlow, SiliconFlowEmbeddings, SiliconFlowRerank } from "langchain-siliconflow";
import { answerFrom } from "./answer.ts";
import { type Chunk, nameOf, splitIntoChunks } from "./chunks.ts";
import { findCitations } from "./citations.ts";
import { openDatabase } from "./database.ts";
import { DocumentIndex, type IndexReport, type VectorSpace } from "./document-index.ts";
import type { SourceDocument } from "./documents.ts";
import { naming } from "./failure.ts";
import { type Host, openHost } from "./host.ts";
import { type Options, retrieved } from "./options.ts";
import { repository } from "./own-documents.ts";
import { printable } from "./printable.ts";
import { citationLines, sourceTable, styled } from "./report.ts";
import { type Hit, search } from "./search.ts";

/** The whole job, once the documents are read: index, search, answer, check. */
export async function runDemo(options: Options, documents: SourceDocument[], signal: AbortSignal): Promise<void> {
  const chunks = (await Promise.all(documents.map(splitIntoChunks))).flat();

  const host = await openHost(tell, options.seed);
  try {
    const usage = { embedding_tokens: 0, rerank_tokens: 0 };
    const embeddings = new SiliconFlowEmbeddings({
      client: host.client,
      model: options.embeddingModel,
      onUsage: ({ totalTokens }) => (usage.embedding_tokens += totalTokens),
    });
    const space = await vectorSpace(host, embeddings, signal);
    const database = await openDatabase();
    let hits: Hit[];
    try {
      const docs = await realpath(options.docs ?? repository);
      const stored = new DocumentIndex(database, docs, space);
      await bringUpToDate(stored, chunks, embeddings, documents.length, options, signal);
      hits = await search(options.question, {
        retriever: stored.retriever(embeddings, retrieved),
        reranker: options.rerank
          ? new SiliconFlowRerank({
              client: host.client,
              model: options.rerankModel,
              onUsage: ({ inputTokens }) => (usage.rerank_tokens += inputTokens),
            })
          : undefined,
        topN: options.topN,
        signal,
      });
    } finally {
      await database.close();
    }
    await answer(options, host, hits, documents, usage, signal);
  } finally {
    await host.close();
  }
}

/** One short request tells the length of the vectors, and whether host, key and model are right, before anything is stored. */
async function vectorSpace(host: Host, embeddings: SiliconFlowEmbeddings, signal: AbortSignal): Promise<VectorSpace> {
  const probe = await naming("--embedding-model", embeddings.model, embeddings.embedQuery("SiliconFlow", { signal }));
  // An emulator's address changes with each start, and its seed does not show: its vectors themselves tell it apart.
  const print = createHash("sha256")
    .update(probe.map((value) => value.toFixed(4)).join())
    .digest("hex")
    .slice(0, 12);
  return {
    host: host.emulator ? `emulator ${print}` : host.client.baseURL,
    model: embeddings.model,
    dimensions: probe.length,
  };
}

async function bringUpToDate(
  stored: DocumentIndex,
  chunks: Chunk[],
  embeddings: SiliconFlowEmbeddings,
  files: number,
  options: Options,
  signal: AbortSignal,
): Promise<void> {
  if (options.reset) await stored.reset();
  const before = await stored.open();
  const report = await stored.update(chunks, embeddings, {
    signal,
    onStart: (missing) => {
      if (before.otherSpace && missing > 0) {
        tell("These documents were indexed with another host, emulator or embedding model before.");
        tell("Vectors of different models cannot be compared: everything is embedded anew.");
      }
      if (before.unfinished && missing < chunks.length) {
        tell(`Going on where an earlier run stopped: ${chunks.length - missing} of ${chunks.length} chunks are there.`);
      }
      if (missing > 0) tell(`Embedding ${missing} of ${chunks.length} chunks from ${count(files, "file")} …`);
    },
  });
  tell(summary(report, files));
}

function summary({ chunks, embedded, removed, seconds }: IndexReport, files: number): string {
  const gone = removed > 0 ? `, ${removed} old removed` : "";
  return `${count(files, "file")}: ${embedded} of ${chunks} chunks new${gone} (${seconds.toFixed(1)} s).`;
}

async function answer(
  options: Options,
  host: Host,
  hits: Hit[],
  documents: SourceDocument[],
  spent: { embedding_tokens: number; rerank_tokens: number },
  signal: AbortSignal,
): Promise<void> {
  const { stdout, stderr } = process;
  const chat = new ChatSiliconFlow({ client: host.client, model: options.model });
  const passages = hits.map((hit) => hit.passage);
  let thinking = false;

  if (!options.json) stderr.write(`\n${styled("bold", printable(options.question), stderr)}\n\n`);
  const answering = answerFrom(chat, options.question, passages, {
    signal,
    onReasoning: (piece) => {
      if (options.json) return;
      thinking = true;
      stderr.write(styled("dim", printable(piece), stderr));
    },
    onText: (piece) => {
      if (options.json) return;
      if (thinking) stderr.write("\n\n");
      thinking = false;
      stdout.write(printable(piece));
    },
  });
  const { text, reasoning, usage } = await naming("--model", options.model, answering);
  const citations = findCitations(
    text,
    passages.map((passage) => ({ text: inDocument(passage, documents) })),
  );

  if (options.json) {
    const output = {
      question: options.question,
      answer: text,
      reasoning,
      citations: citations.map((citation) => ({ ...citation, ...placeOf(hits[citation.n - 1]) })),
      sources: hits.map(({ rankBefore, rankAfter, relevanceScore, passage }, index) => ({
        n: index + 1,
        ...placeOf({ passage }),
        rankBefore,
        rankAfter,
        relevanceScore,
      })),
      usage: { ...usage, ...spent },
      emulator: host.emulator,
    };
    stdout.write(`${JSON.stringify(output, undefined, 2)}\n`);
    return;
  }
  const sections = [
    ...(citations.length > 0
      ? ["", styled("bold", "Quotes, checked in the documents", stdout), ...citationLines(citations, hits, stdout)]
      : []),
    "",
    styled("bold", "Passages the model was given", stdout),
    ...sourceTable(hits, stdout),
  ];
  stdout.write(`\n${sections.join("\n")}\n`);
}

/** The passage as it stands in the file that was just read: a quote is checked against the document, not against our copy of it. */
function inDocument({ metadata }: Chunk, documents: SourceDocument[]): string {
  const document = documents.find((each) => each.source === metadata.source);
  return document?.text.slice(metadata.start, metadata.end) ?? "";
}

function placeOf(hit: Pick<Hit, "passage"> | undefined) {
  if (!hit) return { source: null };
  const { source, heading, page, start, end } = hit.passage.metadata;
  return { source, heading, page, start, end, place: nameOf(hit.passage.metadata) };
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

function tell(line: string): void {
  process.stderr.write(`${printable(line)}\n`);
}
