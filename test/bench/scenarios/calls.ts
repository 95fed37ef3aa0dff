/** Answers in one piece, and what it costs when one request in ten is refused. */
import { readingOfCompletion } from "../answers.ts";
import { type Entrant, type Listed, type Scenario, warmEntrants } from "../scenario.ts";

const expected = readingOfCompletion().toString();

const chatModels = [
  ["raw undici", "reference", "raw"],
  ["ChatSiliconFlow", "ours", "siliconflow-chat"],
  ["ChatDeepSeek", "peer", "chat-deepseek"],
  ["ChatOpenAI", "peer", "chat-openai"],
  ["client alone", "other", "siliconflow-client"],
  ["openai", "other", "openai"],
  ["AI SDK", "other", "ai-sdk"],
] as const;

function invoke(name: string, title: string, calls: number, atOnce: number): Scenario {
  return {
    name,
    title,
    figures: { cpu: "CPU, µs a call", wall: "wall, µs a call" },
    entrants: warmEntrants(chatModels, expected, () => ({
      task: { job: "invoke", calls, atOnce },
      // The reference has more turns than anyone else: with less, it alone would be compiled to the last.
      warmUp: { task: { job: "invoke", calls: 3000, atOnce } },
    })),
    rounds: { full: 5, short: 3 },
  };
}

function refused(refuseEvery: number, list: readonly Listed[]): Entrant[] {
  return warmEntrants(list, expected, () => ({
    behaviour: { latencyMs: 20, refuseEvery },
    task: { job: "invoke", calls: 240, atOnce: 16 },
    warmUp: { behaviour: {}, task: { job: "invoke", calls: 100, atOnce: 16 } },
  }));
}

export const callScenarios: readonly Scenario[] = [
  invoke("invoke", "invoke, one call after the other", 300, 1),
  // With 1,280 calls the reference was 1.27 times as costly as itself: a tenth of a second, most of it compiling again after the collection.
  invoke("invoke-64", "invoke, 64 calls at once", 5120, 64),
  {
    name: "refusals",
    title: "240 calls, 16 at once, answers after 20 ms, every tenth of them a 429 with Retry-After: 0",
    figures: { wall: "wall, µs a call", cpu: "CPU, µs a call" },
    entrants: [
      // The reference is ours on a clean run.
      ...refused(0, [["ChatSiliconFlow, none refused", "reference", "siliconflow-chat"]]),
      ...refused(10, [
        ["ChatSiliconFlow", "ours", "siliconflow-chat"],
        ["ChatDeepSeek", "peer", "chat-deepseek"],
        ["ChatOpenAI", "peer", "chat-openai"],
        ["openai", "other", "openai"],
      ]),
      ...refused(0, [["openai, none refused", "other", "openai"]]),
    ],
    rounds: { full: 5, short: 1 },
  },
];
