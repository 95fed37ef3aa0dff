/** Embeddings at their defaults, and reranking. */
import { digestOfScores, digestOfVectors, scoresFor, vectorsFor } from "../answers.ts";
import type { Task } from "../contender.ts";
import { type Scenario, startFresh, warmEntrants } from "../scenario.ts";

const texts = 4096;
const dimensions = 1024;

function embed(latencyMs: number, rounds: Scenario["rounds"]): Scenario {
  const arrays = digestOfVectors(vectorsFor(texts, dimensions));
  const views = `${arrays} that are no arrays`;
  const list = [
    ["raw undici, 16 at once, Float32Array", "reference", "raw", views],
    ["SiliconFlowEmbeddings", "ours", "siliconflow-embeddings", arrays],
    ["OpenAIEmbeddings", "peer", "openai-embeddings", arrays],
  ] as const;
  return {
    name: `embed-${latencyMs}`,
    title: `embeddings of ${texts} texts, ${dimensions} dimensions, answers after ${latencyMs} ms`,
    figures: { cpu: "CPU, µs a text", wall: "wall, µs a text", rss: "peak RSS, MiB" },
    entrants: list.map(([name, role, contender, expected]) => ({
      name,
      role,
      expected,
      start: (service) =>
        startFresh(service, {
          contender,
          behaviour: { latencyMs, dimensions },
          task: { job: "embed", texts },
          warmUp: { behaviour: { dimensions }, task: { job: "embed", texts: 320 } },
        }),
    })),
    rounds,
  };
}

function rerank(name: string, title: string, calls: number, atOnce: number, rounds: Scenario["rounds"]): Scenario {
  const documents = 1000;
  const task: Task = { job: "rerank", documents, calls, atOnce };
  const list = [
    ["raw undici", "reference", "raw"],
    ["SiliconFlowRerank", "ours", "siliconflow-rerank"],
    ["CohereRerank", "peer", "cohere-rerank"],
  ] as const;
  return {
    name,
    title,
    figures: { cpu: "CPU, µs a call", wall: "wall, µs a call" },
    entrants: warmEntrants(list, digestOfScores(scoresFor(documents)), () => ({
      task,
      // As with invoke: after 300 the reference was 10 % faster than a second process of itself that had fewer turns, after these 6 %.
      warmUp: { task: { ...task, calls: 1500 } },
    })),
    rounds,
  };
}

export const listScenarios: readonly Scenario[] = [
  embed(20, { full: 5, short: 2 }),
  embed(200, { full: 5, short: 1 }),
  rerank("rerank", "reranking 1,000 documents, one call after the other", 240, 1, { full: 5, short: 3 }),
  rerank("rerank-16", "the same, 16 at once", 128, 16, { full: 3, short: 0 }),
];
