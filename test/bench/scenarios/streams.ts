/** Streams of chat models: text and tool calls, plain, with a token handler and as events; the first chunk; what one keeps. */
import { type Answer, readingOf, toldOf } from "../answers.ts";
import type { Task } from "../contender.ts";
import { type Listed, type Scenario, warmEntrants } from "../scenario.ts";
import type { Behaviour } from "../service.ts";

const perChunk = { cpu: "CPU, µs a chunk", wall: "wall, µs a chunk" };
const text: Answer = { says: "text", chunks: 5000 };
const toolCall: Answer = { says: "tool call", chunks: 5000 };

const raw = ["raw undici", "reference", "raw"] as const;
const ours = ["ChatSiliconFlow", "ours", "siliconflow-chat"] as const;
const chatDeepSeek = ["ChatDeepSeek", "peer", "chat-deepseek"] as const;
const chatOpenAI = ["ChatOpenAI", "peer", "chat-openai"] as const;
const clientAlone = ["client alone", "other", "siliconflow-client"] as const;
const langChain = [raw, ours, chatDeepSeek, chatOpenAI] as const;
const everyone = [...langChain, clientAlone, ["openai", "other", "openai"], ["AI SDK", "other", "ai-sdk"]] as const;

type StreamTask = Task & { job: "stream" };

function streams(
  name: string,
  title: string,
  list: readonly Listed[],
  { answer = text, layout = "packet", ...task }: Partial<StreamTask & Behaviour>,
  rounds = { full: 5, short: 3 },
): Scenario {
  const { way, atOnce = 1, streams: count = 4 } = task;
  const work = (contender: string) => ({
    behaviour: { answer, layout },
    task: {
      job: "stream" as const,
      streams: count,
      atOnce,
      chunks: answer.chunks,
      tools: answer.says === "tool call",
      // The reference has neither handlers nor events.
      ...(way && contender !== "raw" && { way }),
    },
  });
  const expected = readingOf(answer).toString();
  const told = `${expected}; told ${toldOf(answer)}`;
  return {
    name,
    title,
    figures: perChunk,
    entrants: warmEntrants(list, expected, (contender) => {
      const measured = work(contender);
      return { ...measured, warmUp: { task: { ...measured.task, streams: Math.max(8, atOnce) } } };
    }).map((entrant) => (way === "handler" && entrant.role !== "reference" ? { ...entrant, expected: told } : entrant)),
    rounds,
  };
}

const short: Answer = { says: "text", chunks: 8 };
const halfOpen: Answer = { says: "text", chunks: 1002 };

/** Shown, but no goal is about them. */
const reported = { full: 3, short: 0 };

export const streamScenarios: readonly Scenario[] = [
  streams("stream", "one stream of 5,000 chunks, each in a packet of its own", everyone, {}),
  streams("stream-burst", "the same, 32 chunks a packet", everyone, { layout: "burst" }, reported),
  streams(
    "stream-coalesced",
    "the same, 32 chunks a packet and a chunk of HTTP",
    everyone,
    { layout: "coalesced" },
    reported,
  ),
  streams(
    "hundred",
    "100 streams of 500 chunks at once",
    [...langChain, clientAlone],
    { answer: { says: "text", chunks: 500 }, streams: 100, atOnce: 100 },
    { full: 5, short: 2 },
  ),
  streams("handler", "one stream with a token handler", langChain, { way: "handler" }),
  streams("events", "one stream, through streamEvents", langChain, { way: "events" }),
  streams(
    "tool-calls",
    "one stream of a tool call with 5,000 pieces of arguments",
    everyone,
    { answer: toolCall },
    reported,
  ),
  streams(
    "tool-call-events",
    "the same, through streamEvents",
    langChain,
    { answer: toolCall, way: "events" },
    reported,
  ),
  {
    name: "first-chunk",
    title: "the first chunk, of streams of 8 chunks one after the other",
    figures: { p50: "p50, µs", p90: "p90, µs", cpu: "CPU, µs a stream" },
    entrants: warmEntrants(everyone, readingOf(short).toString(), () => ({
      behaviour: { answer: short },
      task: { job: "first chunk", streams: 150 },
      warmUp: { task: { job: "first chunk", streams: 300 } },
    })),
    rounds: { full: 5, short: 3 },
  },
  {
    name: "heap",
    title: "100 open streams, each after 1,000 chunks",
    figures: { heap: "heap, KiB a stream", external: "external, KiB a stream", rss: "RSS, KiB a stream" },
    entrants: warmEntrants([...langChain, clientAlone], readingOf(halfOpen).toString(), () => ({
      behaviour: { answer: halfOpen, holdAfter: 1000 },
      task: { job: "heap", streams: 100, pieces: 1000 },
      warmUp: { task: { job: "heap", streams: 100, pieces: 1000 } },
    })),
    rounds: { full: 5, short: 2 },
  },
];
