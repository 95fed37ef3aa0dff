/**
 * One library at work, in a process of its own: started by `scenario.ts`, which tells it what to do and gets figures back.
 * CPU is this process's own, collection and compilation included; the server's is not in it.
 */
import { setTimeout } from "node:timers/promises";
import "../guard/loopback-only.mjs";
import { digestOfScores, digestOfVectors, type Score, Sum, textAt } from "./answers.ts";
import { common, Reading } from "./reading.ts";

/** Where the service is: `url` with `/v1`, `origin` without. */
export interface Host {
  origin: string;
  url: string;
  apiKey: string;
}

/** What a library can be asked to do. Each file in `contenders` exports a `make(host)` that returns one. */
export interface Contender {
  stream?(reading: Reading, options?: StreamOptions): Promise<void>;
  /** With a handler that is told each token, which goes to `told`. */
  streamTelling?(reading: Reading, told: Reading, options?: StreamOptions): Promise<void>;
  streamEvents?(reading: Reading, options?: StreamOptions): Promise<void>;
  invoke?(reading: Reading): Promise<void>;
  embed?(texts: string[]): Promise<ArrayLike<number>[]>;
  /** All vectors, one after the other. */
  embedStream?(texts: Iterable<string>): AsyncIterable<{ vector: ArrayLike<number> }>;
  rerank?(query: string, documents: string[]): Promise<Score[]>;
}

export interface StreamOptions {
  /** Whether the model is offered one. */
  tools?: boolean;
}

export type Task =
  | { job: "stream"; way?: "handler" | "events"; tools?: boolean; streams: number; atOnce?: number; chunks: number }
  | { job: "first chunk"; streams: number }
  | { job: "heap"; streams: number; pieces: number }
  | { job: "invoke"; calls: number; atOnce: number }
  | { job: "embed"; texts: number }
  | { job: "embed stream"; texts: number }
  | { job: "rerank"; documents: number; calls: number; atOnce: number };

/** Figures by name, and what was read, for comparison. */
export interface Sample {
  figures: Record<string, number>;
  evidence: string;
}

export type Report = { sample: Sample } | { error: string };

const [name = "", origin = ""] = process.argv.slice(2);
// `await` at the top would be too late for the first message.
const made = import(`./contenders/${name}.ts`).then(({ make }: { make(host: Host): Contender }) =>
  make({ origin, url: `${origin}/v1`, apiKey: "sk-bench" }),
);

process.on("message", (task: Task) => {
  made
    .then((contender) => perform(contender, task))
    .then((sample): Report => ({ sample }))
    .catch((error: unknown): Report => ({
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    }))
    .then((report) => process.send!(report));
});
process.on("disconnect", () => process.exit());

async function perform(contender: Contender, task: Task): Promise<Sample> {
  switch (task.job) {
    case "stream":
      return stream(contender, task);
    case "first chunk":
      return firstChunk(contender, task);
    case "heap":
      return heap(contender, task);
    case "invoke": {
      const readings = Array.from({ length: task.calls }, () => new Reading());
      const spent = await measured(() => atOnce(task.atOnce, readings, (reading) => contender.invoke!(reading)));
      return { figures: perUnit(spent, task.calls), evidence: common(readings) };
    }
    case "embed": {
      const texts = Array.from({ length: task.texts }, (_, index) => textAt(index));
      const { result: vectors, ...spent } = await measured(() => contender.embed!(texts));
      const figures = { ...perUnit(spent, task.texts), rss: peakMebibytes() };
      const real = vectors.every((vector) => Array.isArray(vector)) ? "" : " that are no arrays";
      return { figures, evidence: digestOfVectors(vectors) + real };
    }
    case "embed stream":
      return embedStream(contender, task);
    case "rerank": {
      const documents = Array.from({ length: task.documents }, (_, index) => `${textAt(index)} ${textAt(index)}`);
      const calls = Array.from({ length: task.calls }, (): Score[] => []);
      const spent = await measured(() =>
        atOnce(task.atOnce, [...calls.keys()], async (index) => {
          calls[index] = await contender.rerank!("fox", documents);
        }),
      );
      return { figures: perUnit(spent, task.calls), evidence: [...new Set(calls.map(digestOfScores))].join(" / ") };
    }
  }
}

async function stream(contender: Contender, task: Task & { job: "stream" }): Promise<Sample> {
  const { way, tools = false, streams, chunks } = task;
  const readings = Array.from({ length: streams }, () => ({ reading: new Reading(), told: new Reading() }));
  const spent = await measured(() =>
    atOnce(task.atOnce ?? 1, readings, ({ reading, told }) => {
      if (way === "handler") return contender.streamTelling!(reading, told, { tools });
      if (way === "events") return contender.streamEvents!(reading, { tools });
      return contender.stream!(reading, { tools });
    }),
  );
  const told = way === "handler" ? `; told ${common(readings.map((each) => each.told))}` : "";
  return {
    figures: perUnit(spent, streams * chunks),
    evidence: common(readings.map((each) => each.reading)) + told,
  };
}

async function firstChunk(contender: Contender, { streams }: Task & { job: "first chunk" }): Promise<Sample> {
  const waits: number[] = [];
  const readings: Reading[] = [];
  const spent = await measured(async () => {
    for (let index = 0; index < streams; index += 1) {
      const begun = performance.now();
      const reading = new Reading((pieces) => {
        if (pieces === 1) waits.push((performance.now() - begun) * 1000);
      });
      readings.push(reading);
      await contender.stream!(reading);
    }
  });
  waits.sort((one, other) => one - other);
  const figures = { ...perUnit(spent, streams), p50: waits[streams >> 1]!, p90: waits[Math.floor(streams * 0.9)]! };
  return { figures, evidence: common(readings) };
}

/** Streams that stand still in the middle, and what each of them keeps. */
async function heap(contender: Contender, { streams, pieces }: Task & { job: "heap" }): Promise<Sample> {
  let open = 0;
  const { promise: allOpen, resolve } = Promise.withResolvers<void>();
  const readings = Array.from(
    { length: streams },
    () =>
      new Reading((read) => {
        if (read === pieces && ++open === streams) resolve();
      }),
  );
  const before = await settledMemory();
  const ends = readings.map((reading) => contender.stream!(reading));
  await Promise.race([allOpen, Promise.all(ends)]);
  const { heapUsed, external, rss } = await settledMemory();
  await fetch(`${origin}/release`, { method: "POST" });
  await Promise.all(ends);
  const each = (bytes: number): number => bytes / 1024 / streams;
  return {
    figures: {
      heap: each(heapUsed - before.heapUsed),
      external: each(external - before.external),
      rss: each(rss - before.rss),
    },
    evidence: common(readings),
  };
}

async function embedStream(contender: Contender, { texts }: Task & { job: "embed stream" }): Promise<Sample> {
  function* all(): Generator<string> {
    for (let index = 0; index < texts; index += 1) yield textAt(index);
  }
  // A number of each vector, and then it is dropped: keeping them all would be what is measured.
  const sum = new Sum();
  const before = peakMebibytes();
  const spent = await measured(async () => {
    for await (const { vector } of contender.embedStream!(all())) sum.add(vector);
  });
  const rss = peakMebibytes();
  return {
    figures: { ...perUnit(spent, texts), rss, growth: rss - before },
    evidence: String(sum),
  };
}

async function atOnce<Item>(limit: number, items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const left = items.values();
  const workers = Array.from({ length: Math.min(limit, items.length) }, async () => {
    for (const item of left) await work(item);
  });
  await Promise.all(workers);
}

interface Spent {
  /** In microseconds, both. */
  cpu: number;
  wall: number;
}

async function measured<Result>(work: () => Promise<Result>): Promise<Spent & { result: Result }> {
  if (process.env["BENCH_UNCOLLECTED"] === undefined) collect();
  const cpuBefore = process.cpuUsage();
  const begun = performance.now();
  const result = await work();
  const wall = (performance.now() - begun) * 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { cpu: user + system, wall, result };
}

function perUnit({ cpu, wall }: Spent, units: number): { cpu: number; wall: number } {
  return { cpu: cpu / units, wall: wall / units };
}

/** Until a collection frees next to nothing: what is finalised holds other things until the next one. */
async function settledMemory(): Promise<NodeJS.MemoryUsage> {
  for (let last = Infinity, round = 0; ; round += 1) {
    collect();
    const now = process.memoryUsage();
    if (round > 1 && (last - now.heapUsed < 16 * 1024 || round === 20)) return now;
    last = now.heapUsed;
    await setTimeout(50);
  }
}

/** Twice: what the first frees may hold more. */
function collect(): void {
  globalThis.gc!();
  globalThis.gc!();
}

function peakMebibytes(): number {
  return process.resourceUsage().maxRSS / 1024;
}
