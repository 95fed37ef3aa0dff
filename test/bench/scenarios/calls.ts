/** Answers in one piece, and what it costs when one request in ten is refused. */
import { readingOfCompletion } from "../answers.ts";
import { type Role, type Scenario, startWarm } from "../scenario.ts";
import type { Behaviour } from "../service.ts";

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
    entrants: chatModels.map(([name, role, contender]) => ({
      name,
      role,
      expected,
      start: (service) =>
        startWarm(service, {
          contender,
          task: { job: "invoke", calls, atOnce },
          // The reference has more turns than anyone else: with less, it alone would be compiled to the last.
          warmUp: { task: { job: "invoke", calls: 3000, atOnce } },
        }),
    })),
    rounds: { full: 5, short: 3 },
  };
}

/** The reference is ours on a clean run. */
const clean: Partial<Behaviour> = { latencyMs: 20 };
const refusing: Partial<Behaviour> = { latencyMs: 20, refuseEvery: 10 };
const refused: readonly (readonly [string, Role, string, Partial<Behaviour>])[] = [
  ["ChatSiliconFlow, none refused", "reference", "siliconflow-chat", clean],
  ["ChatSiliconFlow", "ours", "siliconflow-chat", refusing],
  ["ChatDeepSeek", "peer", "chat-deepseek", refusing],
  ["ChatOpenAI", "peer", "chat-openai", refusing],
  ["openai", "other", "openai", refusing],
  ["openai, none refused", "other", "openai", clean],
];

export const callScenarios: readonly Scenario[] = [
  invoke("invoke", "invoke, one call after the other", 300, 1),
  invoke("invoke-64", "invoke, 64 calls at once", 1280, 64),
  {
    name: "refusals",
    title: "240 calls, 16 at once, answers after 20 ms, every tenth of them a 429 with Retry-After: 0",
    figures: { wall: "wall, µs a call", cpu: "CPU, µs a call" },
    entrants: refused.map(([name, role, contender, behaviour]) => ({
      name,
      role,
      expected,
      start: (service) =>
        startWarm(service, {
          contender,
          behaviour,
          task: { job: "invoke", calls: 240, atOnce: 16 },
          warmUp: { behaviour: {}, task: { job: "invoke", calls: 100, atOnce: 16 } },
        }),
    })),
    rounds: { full: 5, short: 1 },
  },
];
