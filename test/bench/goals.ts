/** The goals, as data. `verdict.ts` reads the results by them. */

type Against = "reference" | "peer" | "nothing";

/** One number that must not be exceeded. */
export interface Bound {
  goal: string;
  what: string;
  scenario: string;
  figure: string;
  /** The row that is judged. */
  ours: string;
  /** The reference of the scenario; the best of the peers; or nothing: the figure itself. */
  against: Against;
  limit: number;
  /** What counts in the short form, where twice the limit is not right. */
  short?: number;
}

/** By what a row is judged, and its limit; of two, the second counts in the short form. */
type Limits = Partial<Record<Against, number | [limit: number, short: number]>>;
type Row = [goal: string, what: string, scenario: string, figure: string, ours: string, limits: Limits];

const chat = "ChatSiliconFlow";
const embeddings = "SiliconFlowEmbeddings";

const rows: readonly Row[] = [
  ["1", "stream, CPU a chunk", "stream", "cpu", chat, { reference: 2, peer: 0.37 }],
  ["2", "100 streams at once, CPU a chunk", "hundred", "cpu", chat, { reference: 1.8, peer: 0.37 }],
  ["3", "a token handler attached, CPU a chunk", "handler", "cpu", chat, { reference: 3.2, peer: 0.33 }],
  ["4", "streamEvents, CPU a chunk", "events", "cpu", chat, { reference: 2.5, peer: [0.5, 1.5] }],
  ["5", "time to the first chunk, p50", "first-chunk", "p50", chat, { reference: 1.8, peer: [0.45, 1.2] }],
  ["6", "heap of an open stream", "heap", "heap", chat, { reference: [3.5, 10], peer: [0.15, 0.5] }],
  ["7", "invoke one by one, CPU a call", "invoke", "cpu", chat, { reference: 2.3, peer: 0.45 }],
  ["7", "invoke 64 at once, CPU a call", "invoke-64", "cpu", chat, { reference: 2.3, peer: 0.45 }],
  ["8", "embeddings, CPU a text", "embed-20", "cpu", embeddings, { reference: 1.4, peer: 0.6 }],
  ["8", "embeddings, wall, 20 ms", "embed-20", "wall", embeddings, { peer: 0.25 }],
  ["8", "embeddings, wall, 200 ms", "embed-200", "wall", embeddings, { peer: 0.15 }],
  ["8", "embeddings, peak RSS", "embed-20", "rss", embeddings, { peer: 1 }],
  ["9", "reranking, CPU a call", "rerank", "cpu", "SiliconFlowRerank", { reference: 1.35, peer: [0.4, 1] }],
  ["10", "import of chat, CPU", "import", "user", "@langchain-siliconflow/chat", { reference: [1.15, 1.6] }],
  ["10", "import of embeddings, CPU", "import", "user", "@langchain-siliconflow/embeddings", { reference: 0.4 }],
  [
    "10",
    "import of rerank/compressor, CPU",
    "import",
    "user",
    "@langchain-siliconflow/rerank/compressor",
    { reference: 0.4 },
  ],
  [
    "10",
    "import of rerank with the retriever, CPU",
    "import",
    "user",
    "@langchain-siliconflow/rerank",
    { reference: [0.4, 0.9] },
  ],
  ["11", "every tenth refused, wall", "refusals", "wall", chat, { reference: 1.4, peer: 0.12 }],
  ["12", "upload of a path, memory over idle, MiB", "memory", "growth", "upload of a path", { nothing: 32 }],
  ["12", "sound saved, memory over idle, MiB", "memory", "growth", "sound saved", { nothing: 32 }],
  ["12", "video to a file, memory over idle, MiB", "memory", "growth", "video to a file", { nothing: 32 }],
  ...["growth", "growth-handler", "growth-events", "growth-tool-calls"].map((scenario): Row => [
    "growth",
    `${scenario}: CPU a chunk at 100,000 chunks, of that at 1,000`,
    scenario,
    "cpu",
    `${chat}, 100,000 chunks`,
    { reference: 1.25 },
  ]),
  [
    "growth",
    "embedStream: peak RSS at 100,000 texts, of that at 50,000",
    "growth-embed-stream",
    "rss",
    `${embeddings}, 100,000 texts`,
    { reference: 1.25 },
  ],
];

export const goals: readonly Bound[] = rows.flatMap(([goal, what, scenario, figure, ours, limits]) =>
  (["reference", "peer", "nothing"] as const).flatMap((against): Bound[] => {
    const { [against]: given } = limits;
    if (given === undefined) return [];
    const [limit, short] = typeof given === "number" ? [given] : given;
    return [{ goal, what, scenario, figure, ours, against, limit, ...(short !== undefined && { short }) }];
  }),
);
