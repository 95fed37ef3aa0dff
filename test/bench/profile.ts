/** Where the time of one library goes: the samples of V8's profiler, by part and by function, as shares of the time it was busy. */
import { readdirSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Task } from "./contender.ts";
import { startWarm } from "./scenario.ts";
import { startService } from "./service.ts";

const stream = { job: "stream", streams: 60, chunks: 5000 } as const;

/** What can be profiled, enough of it to bury what loading and compiling cost. */
const tasks: Record<string, Task> = {
  stream,
  handler: { ...stream, way: "handler" },
  events: { ...stream, way: "events" },
  "tool-calls": { ...stream, tools: true },
  "tool-call-events": { ...stream, way: "events", tools: true },
  invoke: { job: "invoke", calls: 5000, atOnce: 16 },
  embed: { job: "embed", texts: 32_768 },
  rerank: { job: "rerank", documents: 1000, calls: 1000, atOnce: 4 },
};

/** Names for `--way`. */
export const ways = Object.keys(tasks);

/** Names for `--profile`: the files in `contenders`, without those that others are made of. */
export const contenders = readdirSync(new URL("contenders", import.meta.url))
  .map((file) => file.replace(/\.ts$/, ""))
  .filter((name) => !["langchain-chat", "wire"].includes(name));

interface Frame {
  functionName: string;
  url: string;
  lineNumber: number;
}

export interface Profile {
  nodes: { id: number; callFrame: Frame }[];
  samples: number[];
  timeDeltas: number[];
}

/** What is not counted: waiting, and loading what `import` asks for. */
const notCounted =
  /^\(idle\)$|node:internal\/(modules|bootstrap|deps\/(cjs|amaro|minimatch)|process|vm)|^(internalModuleStat|compile\w+|read|lstat)$/;

/** The first that fits. */
const parts: readonly (readonly [part: string, test: RegExp])[] = [
  ["garbage collection", /^\(garbage collector\)/],
  ["not attributed by V8", /^\(program\)/],
  ["our chat", /packages\/chat\//],
  ["our client", /packages\/client\//],
  ["our other packages", /packages\/[\w-]+\//],
  ["core: messages, their concatenation", /@langchain\/core\/dist\/(messages|outputs|load)/],
  ["core: chat model", /@langchain\/core\/dist\/language_models/],
  [
    "core: callbacks, tracers, context",
    /@langchain\/core\/dist\/(callbacks|tracers|singletons)|p-queue|eventemitter3|langsmith/,
  ],
  ["core: streams, runnables, the rest", /@langchain\/core\//],
  ["LangChain's other packages", /@langchain\//],
  ["openai", /node_modules\/openai\//],
  ["AI SDK", /node_modules\/(ai|@ai-sdk)\//],
  ["cohere", /node_modules\/cohere-ai\//],
  ["undici, HTTP, sockets", /undici|llhttp|node:(net|_http|http|internal\/stream_base)|wasm/],
  ["streams of Node", /node:(internal\/(webstreams|streams)|events|stream)/],
  ["context of Node", /node:(async_hooks|internal\/async)/],
  ["Node, the rest", /node:/],
  ["the contender's own file", /test\/bench\/contenders\//],
  ["the benchmark's reading", /test\/bench\//],
  ["other packages", /node_modules\//],
  ["built-ins (JSON, strings, arrays, promises)", /^/],
];

/** Shares of the busy time, largest first. */
export function sharesOf({ nodes, samples, timeDeltas }: Profile): {
  parts: [string, number][];
  functions: [string, number][];
} {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const byPart = new Map<string, number>();
  const byFunction = new Map<string, number>();
  let busy = 0;
  for (const [index, id] of samples.entries()) {
    const { functionName, url, lineNumber } = frames.get(id)!;
    const place = url === "" ? functionName : url;
    if (notCounted.test(place)) continue;
    const spent = timeDeltas[index]!;
    busy += spent;
    const [part] = parts.find(([, test]) => test.test(place))!;
    byPart.set(part, (byPart.get(part) ?? 0) + spent);
    const short = url.split("/node_modules/").at(-1)!.split("/").slice(-3).join("/");
    const name = `${functionName || "(anonymous)"}${short && ` ${short}:${lineNumber + 1}`}`;
    byFunction.set(name, (byFunction.get(name) ?? 0) + spent);
  }
  const shares = (spent: Map<string, number>): [string, number][] =>
    [...spent]
      .map(([name, microseconds]): [string, number] => [name, microseconds / busy])
      .sort(([, one], [, other]) => other - one);
  return { parts: shares(byPart), functions: shares(byFunction) };
}

/**
 * @param names of `contenders`
 * @param way of `ways`
 */
export async function profile(names: readonly string[], way: string): Promise<void> {
  const task = tasks[way]!;
  const service = await startService();
  try {
    for (const contender of names) {
      const folder = await mkdtemp(join(tmpdir(), "profile-"));
      const says = task.job === "stream" && task.tools ? "tool call" : "text";
      const running = await startWarm(service, {
        contender,
        // Packets alone would be what is seen.
        behaviour: { layout: "burst", answer: { says, chunks: stream.chunks } },
        task,
        flags: ["--cpu-prof", `--cpu-prof-dir=${folder}`, "--cpu-prof-interval=250"],
      });
      const { figures } = await running.measure();
      await running.end();
      const [file] = await readdir(folder);
      const { parts: shares, functions } = sharesOf(JSON.parse(await readFile(join(folder, file!), "utf8")) as Profile);
      await rm(folder, { recursive: true });
      console.log(`\n${contender}, ${way}: ${figures["cpu"]!.toFixed(1)} µs of CPU, under the profiler\n`);
      console.log("| part | of the busy time |\n| --- | --- |");
      for (const [part, share] of shares) console.log(`| ${part} | ${(share * 100).toFixed(1)} % |`);
      console.log("\n| function | itself |\n| --- | --- |");
      for (const [name, share] of functions.slice(0, 16))
        console.log(`| \`${name}\` | ${(share * 100).toFixed(1)} % |`);
    }
  } finally {
    service.close();
  }
}
