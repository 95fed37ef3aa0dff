/** The goals, as data. `verdict.ts` reads the results by them. */

/** One number that must not be exceeded. */
export interface Bound {
  goal: string;
  what: string;
  scenario: string;
  figure: string;
  /** The row that is judged. */
  ours: string;
  /** The reference of the scenario; the best of the peers; another row; or nothing: the figure itself. */
  against: "reference" | "peer" | { row: string } | "nothing";
  limit: number;
  /** What counts in the short form, where twice the limit is not right. */
  short?: number;
}

const chat = "ChatSiliconFlow";

/** What is judged by the reference and by the best peer alike. */
function both(
  bound: Omit<Bound, "against" | "limit" | "short">,
  limits: { reference?: number; peer?: number },
  short: { reference?: number; peer?: number } = {},
): Bound[] {
  return (["reference", "peer"] as const).flatMap((against) => {
    const limit = limits[against];
    const shortLimit = short[against];
    return limit === undefined
      ? []
      : [{ ...bound, against, limit, ...(shortLimit !== undefined && { short: shortLimit }) }];
  });
}

export const goals: readonly Bound[] = [
  ...both(
    { goal: "1", what: "stream, CPU a chunk", scenario: "stream", figure: "cpu", ours: chat },
    { reference: 2, peer: 0.37 },
  ),
  ...both(
    { goal: "2", what: "100 streams at once, CPU a chunk", scenario: "hundred", figure: "cpu", ours: chat },
    { reference: 1.8, peer: 0.37 },
  ),
  ...both(
    { goal: "3", what: "a token handler attached, CPU a chunk", scenario: "handler", figure: "cpu", ours: chat },
    { reference: 3.2, peer: 0.33 },
  ),
  ...both(
    { goal: "4", what: "streamEvents, CPU a chunk", scenario: "events", figure: "cpu", ours: chat },
    { reference: 2.5, peer: 0.5 },
    { peer: 1.5 },
  ),
  ...both(
    { goal: "5", what: "time to the first chunk, p50", scenario: "first-chunk", figure: "p50", ours: chat },
    { reference: 1.8, peer: 0.45 },
    { peer: 1.2 },
  ),
  ...both(
    { goal: "6", what: "heap of an open stream", scenario: "heap", figure: "heap", ours: chat },
    { reference: 3.5, peer: 0.15 },
    { reference: 10, peer: 0.5 },
  ),
  ...both(
    { goal: "7", what: "invoke one by one, CPU a call", scenario: "invoke", figure: "cpu", ours: chat },
    { reference: 2.3, peer: 0.45 },
  ),
  ...both(
    { goal: "7", what: "invoke 64 at once, CPU a call", scenario: "invoke-64", figure: "cpu", ours: chat },
    { reference: 2.3, peer: 0.45 },
  ),
  ...both(
    { goal: "8", what: "embeddings, CPU a text", scenario: "embed-20", figure: "cpu", ours: "SiliconFlowEmbeddings" },
    { reference: 1.4, peer: 0.6 },
  ),
  ...both(
    { goal: "8", what: "embeddings, wall, 20 ms", scenario: "embed-20", figure: "wall", ours: "SiliconFlowEmbeddings" },
    { peer: 0.25 },
  ),
  ...both(
    {
      goal: "8",
      what: "embeddings, wall, 200 ms",
      scenario: "embed-200",
      figure: "wall",
      ours: "SiliconFlowEmbeddings",
    },
    { peer: 0.15 },
  ),
  ...both(
    { goal: "8", what: "embeddings, peak RSS", scenario: "embed-20", figure: "rss", ours: "SiliconFlowEmbeddings" },
    { peer: 1 },
  ),
  ...both(
    { goal: "9", what: "reranking, CPU a call", scenario: "rerank", figure: "cpu", ours: "SiliconFlowRerank" },
    { reference: 1.35, peer: 0.4 },
    { peer: 1 },
  ),
  ...both(
    {
      goal: "10",
      what: "import of chat, CPU",
      scenario: "import",
      figure: "user",
      ours: "@langchain-siliconflow/chat",
    },
    { reference: 1.15 },
    { reference: 1.6 },
  ),
  ...both(
    {
      goal: "10",
      what: "import of embeddings, CPU",
      scenario: "import",
      figure: "user",
      ours: "@langchain-siliconflow/embeddings",
    },
    { reference: 0.4 },
  ),
  ...both(
    {
      goal: "10",
      what: "import of rerank/compressor, CPU",
      scenario: "import",
      figure: "user",
      ours: "@langchain-siliconflow/rerank/compressor",
    },
    { reference: 0.4 },
  ),
  ...both(
    {
      goal: "10",
      what: "import of rerank with the retriever, CPU",
      scenario: "import",
      figure: "user",
      ours: "@langchain-siliconflow/rerank",
    },
    { reference: 0.4 },
    { reference: 0.9 },
  ),
  ...both(
    { goal: "11", what: "every tenth refused, wall", scenario: "refusals", figure: "wall", ours: chat },
    { reference: 1.4, peer: 0.12 },
  ),
  ...["upload of a path", "sound saved", "video to a file"].map((ours): Bound => ({
    goal: "12",
    what: `${ours}, memory over idle, MiB`,
    scenario: "memory",
    figure: "growth",
    ours,
    against: "nothing",
    limit: 32,
  })),
  ...["growth", "growth-handler", "growth-events", "growth-tool-calls"].map((scenario): Bound => ({
    goal: "growth",
    what: `${scenario}: CPU a chunk at 100,000 chunks, of that at 1,000`,
    scenario,
    figure: "cpu",
    ours: `${chat}, 100,000 chunks`,
    against: "reference",
    limit: 1.25,
  })),
  {
    goal: "growth",
    what: "embedStream: peak RSS at 100,000 texts, of that at 50,000",
    scenario: "growth-embed-stream",
    figure: "rss",
    ours: "SiliconFlowEmbeddings, 100,000 texts",
    against: "reference",
    limit: 1.25,
  },
];
