/**
 * A million spoiled streams and 200,000 spoiled answers, each read by us and judged by the oracle: `npm run fuzz`.
 *
 * `--streams n --answers n --seed s` for another number or another million, `--from n` to begin at the case of that number;
 * `--stream n` or `--answer n` shows one case. Whoever stops it is told what had come of it until then.
 */
import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { inspect, parseArgs } from "node:util";
import { makeCase } from "./cases.ts";
import { addTally, check, emptyTally, type Tally } from "./check.ts";
import { judge } from "./oracle.ts";
import { canRead, readersByFetch, ways } from "./ours.ts";
import type { Batch, Report } from "./worker.ts";

const batchSize = 1000;
const batchLimitMs = 120_000;
/** What a process may have more of at its end than after its first batches, in bytes. */
const heapAllowance = 16 * 1024 * 1024;

const { values } = parseArgs({
  options: {
    streams: { type: "string", default: "1000000" },
    answers: { type: "string", default: "200000" },
    from: { type: "string", default: "0" },
    seed: { type: "string", default: "1" },
    stream: { type: "string" },
    answer: { type: "string" },
  },
});
const seed = Number(values.seed);
const first = Number(values.from);
if (values.stream !== undefined) await show("stream", Number(values.stream));
else if (values.answer !== undefined) await show("answer", Number(values.answer));
else await run();

/** One case in full: its bytes, the oracle's verdict, and what each of our ways makes of it. */
async function show(kind: Batch["kind"], number: number): Promise<void> {
  const answer = makeCase(seed, number, kind);
  const { readers, next } = readersByFetch();
  console.log(Buffer.from(answer.bytes).toString());
  console.log(inspect({ asked: answer.asked, oracle: judge(answer.bytes, answer.asked) }, { depth: 10 }));
  const tally = emptyTally();
  const readings = ways.filter((way) => canRead(way, answer)).map((way) => ({ way, lines: { readers, next } }));
  await check({ seed, number, kind }, readings, tally);
  for (const problem of [...tally.crashes, ...tally.disagreements]) console.log(problem);
  console.log(`${tally.readings} readings, ${tally.crashes.length + tally.disagreements.length} problems`);
  process.exitCode = tally.crashes.length + tally.disagreements.length > 0 ? 1 : 0;
}

async function run(): Promise<void> {
  const counts = { stream: Number(values.streams), answer: Number(values.answers) };
  const tallies = { stream: emptyTally(), answer: emptyTally() };
  const failures: string[] = [];
  const heaps: { start: number; end: number }[] = [];
  const batches = batchesOf(counts);
  const started = performance.now();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => failures.push(`stopped: ${signal}`));

  await Promise.all(
    Array.from({ length: Math.min(2, availableParallelism()) }, async (_, position) => {
      const worker = fork(new URL("worker.ts", import.meta.url), { execArgv: ["--expose-gc"] });
      const seen: number[] = [];
      await new Promise<void>((resolve) => {
        let batch: Batch | undefined;
        let limit: NodeJS.Timeout | undefined;
        const give = (): void => {
          clearTimeout(limit);
          batch = failures.length > 0 ? undefined : batches.next().value;
          if (batch === undefined) return void worker.disconnect();
          worker.send(batch);
          limit = setTimeout(() => worker.kill("SIGKILL"), batchLimitMs);
        };
        worker.on("message", (report: Report) => {
          if ("hung" in report) failures.push(`hang: ${report.hung}`);
          else if ("unhandled" in report) failures.push(`unhandled rejection: ${report.unhandled}`);
          else {
            addTally(tallies[batch!.kind], report.done);
            seen.push(report.heap);
            if (position === 0) progress(tallies, counts);
            give();
          }
        });
        worker.on("exit", (code, signal) => {
          clearTimeout(limit);
          if (batch !== undefined) failures.push(`the process ended (${signal ?? code}) in ${JSON.stringify(batch)}`);
          resolve();
        });
        give();
      });
      // The first batches compile and fill caches.
      if (seen.length > 0) heaps.push({ start: seen[Math.min(5, seen.length - 1)]!, end: seen.at(-1)! });
    }),
  );
  print(tallies, failures, heaps, performance.now() - started);
}

function* batchesOf(counts: Record<Batch["kind"], number>): Generator<Batch, undefined> {
  for (const kind of ["stream", "answer"] as const) {
    const end = first + counts[kind];
    for (let from = first; from < end; from += batchSize)
      yield { seed, kind, from, to: Math.min(from + batchSize, end) };
  }
}

function progress(tallies: Record<Batch["kind"], Tally>, counts: Record<Batch["kind"], number>): void {
  if (!process.stderr.isTTY) return;
  const done = tallies.stream.cases + tallies.answer.cases;
  process.stderr.write(`\r${Math.floor((100 * done) / (counts.stream + counts.answer))} %`);
}

function print(
  tallies: Record<Batch["kind"], Tally>,
  failures: string[],
  heaps: { start: number; end: number }[],
  elapsedMs: number,
): void {
  const share = (part: number, whole: number): string =>
    `${part} (${((100 * part) / Math.max(1, whole)).toFixed(1)} %)`;
  const megabytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
  console.log("| | streams | answers |\n| --- | --- | --- |");
  const row = (name: string, cell: (tally: Tally) => string | number): void =>
    console.log(`| ${name} | ${cell(tallies.stream)} | ${cell(tallies.answer)} |`);
  row("cases", ({ cases }) => cases);
  row("complete, by the oracle", ({ complete, cases }) => share(complete, cases));
  row("damaged, by the oracle", ({ damaged, cases }) => share(damaged, cases));
  row("readings by us", ({ readings }) => readings);
  row("disagreements", ({ disagreements }) => disagreements.length);
  row("crashes (errors of no type of ours)", ({ crashes }) => crashes.length);
  const of = (what: string): number => failures.filter((failure) => failure.startsWith(what)).length;
  console.log(`\nhangs: ${of("hang")}, unhandled rejections: ${of("unhandled")}, processes lost: ${of("the process")}`);
  for (const { start, end } of heaps) console.log(`heap after collection: ${megabytes(start)} → ${megabytes(end)}`);
  console.log(`seed ${seed}, from ${first}, ${(elapsedMs / 1000).toFixed(1)} s`);

  const grown = heaps.filter(({ start, end }) => end - start > heapAllowance);
  const problems = [
    ...failures,
    ...Object.values(tallies).flatMap(({ crashes, disagreements }) => [...crashes, ...disagreements]),
    ...grown.map(({ start, end }) => `the heap grew from ${megabytes(start)} to ${megabytes(end)}`),
  ];
  for (const problem of problems.slice(0, 20)) console.error(`\n${problem}`);
  if (problems.length > 0)
    console.error(`\nTo see a case: npm run fuzz -- --seed ${seed} --stream (or --answer) and its number.`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
