/** Whether a chunk costs more in a long answer: ours against ours, in streams of 1,000, 10,000 and 100,000 chunks. */
import { type Answer, readingOf, Sum, toldOf, vectorsFor } from "../answers.ts";
import { type Entrant, type Scenario, startFresh, startWarm } from "../scenario.ts";
import { defaults } from "../service.ts";

/** How long, and how many of them, so that each has enough to measure. */
const lengths = [
  [1000, 40],
  [10_000, 4],
  [100_000, 1],
] as const;

function growth(name: string, title: string, says: Answer["says"], way?: "handler" | "events"): Scenario {
  const entrant = (contender: string, label: string, chunks: number, streams: number): Entrant => {
    const answer: Answer = { says, chunks };
    const tools = says === "tool call";
    const taken = contender === "raw" ? undefined : way;
    return {
      name: `${label}, ${chunks.toLocaleString("en")} chunks`,
      role: contender === "raw" ? "other" : chunks === lengths[0][0] ? "reference" : "ours",
      expected: taken === "handler" ? `${readingOf(answer)}; told ${toldOf(answer)}` : readingOf(answer).toString(),
      start: (service) =>
        startWarm(service, {
          contender,
          behaviour: { answer, layout: "burst" },
          task: { job: "stream", chunks, streams, tools, way: taken },
          warmUp: { task: { job: "stream", chunks, streams, tools, way: taken } },
        }),
    };
  };
  return {
    name,
    title,
    figures: { cpu: "CPU, µs a chunk", wall: "wall, µs a chunk" },
    entrants: [
      ...lengths.map(([chunks, streams]) => entrant("siliconflow-chat", "ChatSiliconFlow", chunks, streams)),
      ...lengths.map(([chunks, streams]) => entrant("raw", "raw undici", chunks, streams)),
    ],
    rounds: { full: 3, short: 0 },
  };
}

export const growthScenarios: readonly Scenario[] = [
  growth("growth", "longer and longer answers", "text"),
  growth("growth-handler", "the same, with a token handler", "text", "handler"),
  growth("growth-events", "the same, through streamEvents", "text", "events"),
  growth("growth-tool-calls", "longer and longer arguments of a tool call", "tool call"),
  {
    name: "growth-embed-stream",
    title: "more and more texts, through embedStream, their vectors dropped",
    figures: {
      rss: "peak RSS, MiB",
      growth: "of it since before, MiB",
      cpu: "CPU, µs a text",
      wall: "wall, µs a text",
    },
    entrants: [50_000, 100_000].map((texts, index) => ({
      name: `SiliconFlowEmbeddings, ${texts.toLocaleString("en")} texts`,
      role: index === 0 ? "reference" : "ours",
      expected: sumFor(texts),
      start: (service) =>
        startFresh(service, {
          contender: "siliconflow-embeddings",
          task: { job: "embed stream", texts },
          warmUp: { task: { job: "embed stream", texts: 2048 } },
        }),
    })),
    rounds: { full: 3, short: 1 },
  },
];

function sumFor(texts: number): string {
  const sum = new Sum();
  for (const vector of vectorsFor(texts, defaults.dimensions)) sum.add(vector);
  return String(sum);
}
