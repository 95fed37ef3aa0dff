/**
 * How well the emulator's models find and quote, measured over HTTP on collections in the BEIR layout.
 *
 *   node test/retrieval/measure.ts <data folder> [--lexical]
 *
 * The folder holds `xquad/en`, `xquad/zh` and `cranfield`, each with `corpus.jsonl`, `queries.jsonl` and `qrels/test.tsv`.
 * `--lexical` leaves the semantic model out. Ends with 1 when a goal of the lexical models is missed.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { emulatorModels, startEmulator, type Emulator } from "@langchain-siliconflow/emulator";

interface Collection {
  documents: { id: string; title: string; text: string }[];
  queries: { id: string; text: string; answers: string[] }[];
  /** Query id → document id → gain. */
  gains: Map<string, Map<string, number>>;
}

/** Percentages, but for nDCG. */
interface Figures {
  collection: string;
  embedding: string;
  "recall@1": string;
  "recall@20": string;
  "first after rerank": string;
  "nDCG@10 embedding": string;
  "nDCG@10 rerank": string;
}

/** Document numbers, best first, per query. */
type Rankings = number[][];

const fetched = 20;
const goal = 92;

const [folder, ...flags] = process.argv.slice(2);
if (!folder || !existsSync(join(folder, "xquad"))) {
  console.error("Usage: node test/retrieval/measure.ts <data folder with xquad and cranfield> [--lexical]");
  process.exit(1);
}

const emulator = await start(flags.includes("--lexical") ? "lexical" : "semantic");
const lexical = "BAAI/bge-m3";
const figures: Figures[] = [];
const answers: Record<string, string>[] = [];
let missed = false;

for (const name of ["xquad/en", "xquad/zh", "cranfield"]) {
  const collection = read(join(folder, name));
  const models = [lexical];
  if (name !== "xquad/zh" && (await served(emulator, emulatorModels.semanticEmbedding))) {
    models.push(emulatorModels.semanticEmbedding);
  }
  for (const model of models) {
    const found = await search(emulator, model, collection);
    const reranked = await rerank(emulator, collection, found);
    const row = judge(name, model, collection, found, reranked);
    figures.push(row);
    if (model !== lexical || name === "cranfield") continue;
    if (Number(row["first after rerank"]) < goal) missed = true;
    answers.push(await judgeAnswers(emulator, name, collection, found, reranked));
  }
}
await emulator.close();

console.log(
  "Finding the right paragraph (recall and first place in %; reranker of the top 20: BAAI/bge-reranker-v2-m3)",
);
console.table(figures);
console.log("Answering from five paragraphs (%)");
console.table(answers);
if (missed) console.error(`The right paragraph is first for fewer than ${goal} % of the questions.`);
process.exitCode = missed ? 1 : 0;

async function start(models: "lexical" | "semantic"): Promise<Emulator> {
  try {
    return await startEmulator({ models });
  } catch (error) {
    if (models === "lexical") throw error;
    console.error(`Without the semantic model: ${error instanceof Error ? error.message : String(error)}`);
    return startEmulator();
  }
}

function read(path: string): Collection {
  const rows = (file: string) =>
    readFileSync(join(path, file), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { _id: string; title?: string; text: string; answers?: string[] });
  const gains: Collection["gains"] = new Map();
  for (const line of readFileSync(join(path, "qrels/test.tsv"), "utf8").trim().split("\n").slice(1)) {
    const [query, document, gain] = line.split("\t") as [string, string, string];
    if (!gains.has(query)) gains.set(query, new Map());
    gains.get(query)!.set(document, Number(gain));
  }
  return {
    // Cranfield has two empty abstracts, and the service refuses empty texts.
    documents: rows("corpus.jsonl").map(({ _id, title = "", text }) => ({ id: _id, title, text: text || "-" })),
    queries: rows("queries.jsonl")
      .map(({ _id, text, answers: given = [] }) => ({ id: _id, text, answers: given }))
      .filter(({ id }) => gains.has(id)),
    gains,
  };
}

async function search(service: Emulator, model: string, { documents, queries }: Collection): Promise<Rankings> {
  const vectors = await embed(
    service,
    model,
    documents.map(({ text }) => text),
  );
  const questions = await embed(
    service,
    model,
    queries.map(({ text }) => text),
  );
  return questions.map((question) =>
    vectors
      .map((vector, document) => ({
        document,
        nearness: vector.reduce((sum, value, place) => sum + value * question[place]!, 0),
      }))
      .toSorted((one, other) => other.nearness - one.nearness)
      .slice(0, fetched)
      .map(({ document }) => document),
  );
}

async function embed(service: Emulator, model: string, texts: string[]): Promise<Float32Array[]> {
  const vectors: Float32Array[] = [];
  for (let start = 0; start < texts.length; start += 32) {
    const body = { model, input: texts.slice(start, start + 32), encoding_format: "base64" };
    const { data } = await post<{ data: { index: number; embedding: string }[] }>(service, "embeddings", body);
    for (const { index, embedding } of data) {
      vectors[start + index] = new Float32Array(Uint8Array.from(Buffer.from(embedding, "base64")).buffer);
    }
  }
  return vectors;
}

async function rerank(service: Emulator, { documents, queries }: Collection, found: Rankings): Promise<Rankings> {
  const rankings: Rankings = [];
  for (const [position, query] of queries.entries()) {
    const candidates = found[position]!;
    const { results } = await post<{ results: { index: number }[] }>(service, "rerank", {
      model: "BAAI/bge-reranker-v2-m3",
      query: query.text,
      documents: candidates.map((document) => documents[document]!.text),
    });
    rankings.push(results.map(({ index }) => candidates[index]!));
  }
  return rankings;
}

function judge(name: string, model: string, collection: Collection, found: Rankings, reranked: Rankings): Figures {
  const within = (rankings: Rankings, depth: number) =>
    percent(collection, (position) => {
      const gains = collection.gains.get(collection.queries[position]!.id)!;
      return rankings[position]!.slice(0, depth).some((document) => gains.has(collection.documents[document]!.id));
    });
  return {
    collection: name,
    embedding: model === lexical ? `lexical (${model})` : model,
    "recall@1": within(found, 1),
    "recall@20": within(found, fetched),
    "first after rerank": within(reranked, 1),
    "nDCG@10 embedding": gain(collection, found).toFixed(3),
    "nDCG@10 rerank": gain(collection, reranked).toFixed(3),
  };
}

/** nDCG@10 with the judged gain itself, as trec_eval counts it. */
function gain({ documents, queries, gains }: Collection, rankings: Rankings): number {
  const discounted = (values: number[]) =>
    values.slice(0, 10).reduce((sum, value, place) => sum + value / Math.log2(place + 2), 0);
  const each = queries.map(({ id }, position) => {
    const judged = gains.get(id)!;
    const ideal = discounted([...judged.values()].toSorted((one, other) => other - one));
    return discounted(rankings[position]!.map((document) => judged.get(documents[document]!.id) ?? 0)) / ideal;
  });
  return each.reduce((sum, value) => sum + value, 0) / each.length;
}

/** Asks the chat model every question three times: with the best five paragraphs, and twice with five that cannot answer. */
async function judgeAnswers(
  service: Emulator,
  name: string,
  collection: Collection,
  found: Rankings,
  reranked: Rankings,
): Promise<Record<string, string>> {
  const { documents, queries, gains } = collection;
  const titles = [...new Set(documents.map(({ title }) => title))];
  const counts = { answered: 0, first: 0, any: 0, right: 0, foreign: 0, near: 0, quotes: 0, verbatim: 0 };

  for (const [position, query] of queries.entries()) {
    const right = documents.findIndex(({ id }) => gains.get(query.id)!.has(id));
    const best = reranked[position]!.slice(0, 5);
    const quotes = await ask(
      service,
      query.text,
      best.map((document) => documents[document]!.text),
    );
    counts.quotes += quotes.length;
    counts.verbatim += quotes.filter(({ text, number }) => documents[best[number - 1]!]!.text.includes(text)).length;
    const holds = ({ text }: { text: string }) => query.answers.some((answer) => plain(text).includes(plain(answer)));
    if (quotes.length > 0) counts.answered += 1;
    if (quotes.slice(0, 1).some(holds)) counts.first += 1;
    if (quotes.some(holds)) counts.any += 1;
    if (quotes.some(({ number }) => best[number - 1] === right)) counts.right += 1;

    const { title } = documents[right]!;
    const elsewhere = titles[(titles.indexOf(title) + titles.length / 2) % titles.length];
    const foreign = documents.filter((document) => document.title === elsewhere).map(({ text }) => text);
    if ((await ask(service, query.text, foreign)).length > 0) counts.foreign += 1;

    const near = found[position]!.map((document) => documents[document]!).filter(
      (document) => document.title !== title,
    );
    if (
      (
        await ask(
          service,
          query.text,
          near.slice(0, 5).map(({ text }) => text),
        )
      ).length > 0
    )
      counts.near += 1;
  }

  const share = (count: number, all = queries.length) => ((100 * count) / all).toFixed(1);
  return {
    collection: name,
    answered: share(counts.answered),
    "gold answer in first quote": share(counts.first),
    "in any quote": share(counts.any),
    "right paragraph cited": share(counts.right),
    "quotes verbatim": share(counts.verbatim, counts.quotes),
    "quotes per answer": (counts.quotes / counts.answered).toFixed(2),
    "answered from another article": share(counts.foreign),
    "answered from the nearest other articles": share(counts.near),
  };
}

async function ask(
  service: Emulator,
  question: string,
  passages: string[],
): Promise<{ text: string; number: number }[]> {
  const numbered = passages.map((text, index) => `[${index + 1}] ${text}`).join("\n\n");
  const { choices } = await post<{ choices: { message: { content: string } }[] }>(service, "chat/completions", {
    model: emulatorModels.chat,
    messages: [{ role: "user", content: `${numbered}\n\nQuestion: ${question}` }],
  });
  const quote = /(?:"([^"]+)"|“([^“”]+)”|「([^「」]+)」|«([^«»]+)») \[(\d+)\]/g;
  return Array.from(choices[0]!.message.content.matchAll(quote), ([, a, b, c, d, number]) => ({
    text: (a ?? b ?? c ?? d)!,
    number: Number(number),
  }));
}

async function post<T>(service: Emulator, path: string, body: object): Promise<T> {
  const response = await fetch(`${service.url}/${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${service.apiKey}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

async function served(service: Emulator, model: string): Promise<boolean> {
  const response = await fetch(`${service.url}/models?sub_type=embedding`, {
    headers: { authorization: `Bearer ${service.apiKey}` },
  });
  const { data } = (await response.json()) as { data: { id: string }[] };
  return data.some(({ id }) => id === model);
}

function percent({ queries }: Collection, hit: (position: number) => boolean): string {
  return ((100 * queries.filter((_query, position) => hit(position)).length) / queries.length).toFixed(1);
}

function plain(text: string): string {
  return text.normalize("NFKC").toLowerCase().replaceAll(/\s+/g, "");
}
