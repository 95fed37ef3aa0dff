/**
 * How fast, and how much faster than others: `npm run bench`. Our packages, undici alone, and the libraries one would use
 * otherwise, side by side; the service is a process on this machine. Prints the goals and then every scenario, and writes all
 * of it, round by round, to a file.
 *
 *     --only stream,embed    the scenarios whose names begin with one of these
 *     --rounds 9             turns of everyone, instead of each scenario's own number
 *     --short                few rounds, what the goals are about alone, limits about twice as wide
 *     --check                leave with 1 when a goal is missed or could not be measured
 *     --json results.json    another file than this one beside the program
 *     --uncollected          no collection before each figure. The goals are set with one; V8 then throws away the code made for
 *                            objects of which none is alive, and a process that runs on does not pay for that
 *     --profile chat-openai  where the time of a contender goes (a file in `contenders`), instead of all this;
 *                            --way handler, events, tool-calls, tool-call-events, invoke, embed, rerank for something else
 *                            than a stream
 */
import { writeFileSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import "../guard/loopback-only.mjs";
import { type Asked, readArguments } from "./arguments.ts";
import { goals } from "./goals.ts";
import { type Outcome, runRounds } from "./pairing.ts";
import { contenders, profile, ways } from "./profile.ts";
import { scenarios } from "./scenarios/all.ts";
import { memoryName, runMemory } from "./scenarios/memory.ts";
import { leaveUncollected, type Scenario } from "./scenario.ts";
import { type Service, startService } from "./service.ts";
import { goalTable, outcomeTable } from "./table.ts";
import { exitCode, judge, restlessness } from "./verdict.ts";

const asked = readAsked();
const { short, check } = asked;
const chosen = (name: string): boolean => asked.only?.some((prefix) => name.startsWith(prefix)) ?? true;
const roundsOf = ({ rounds }: Scenario): number => {
  if (short && rounds.short === 0) return 0;
  return asked.rounds ?? rounds[short ? "short" : "full"];
};

if (asked.uncollected) leaveUncollected();
if (asked.profile === undefined) await bench();
else await profile(asked.profile.contenders, asked.profile.way);

function readAsked(): Asked {
  try {
    return readArguments(process.argv.slice(2), {
      scenarios: [...scenarios.map(({ name }) => name), memoryName],
      contenders,
      ways,
    });
  } catch (error) {
    console.error((error as Error).message);
    process.exit(1);
  }
}

async function bench(): Promise<void> {
  const outcomes = await measureAll();
  const verdicts = goals.flatMap((bound) => {
    const outcome = outcomes.find(({ scenario }) => scenario === bound.scenario);
    return outcome === undefined ? [] : [judge(bound, outcome, short)];
  });
  console.log(goalTable(verdicts));
  for (const outcome of outcomes) console.log(outcomeTable(outcome));
  writeFileSync(
    file(asked.json),
    JSON.stringify({ node: process.version, short, uncollected: asked.uncollected, verdicts, outcomes }, null, 1),
  );
  process.exitCode = exitCode(verdicts, outcomes, { check, short });
}

async function measureAll(): Promise<Outcome[]> {
  const measured: Outcome[] = [];
  const service = await startService();
  try {
    for (const scenario of scenarios.filter(({ name }) => chosen(name)))
      if (roundsOf(scenario) > 0) measured.push(await measure(short ? shortened(scenario) : scenario, service));
  } finally {
    service.close();
  }
  if (chosen(memoryName)) measured.push(await timed(memoryName, () => runMemory(short ? 256 : 1024)));
  return measured;
}

/** Without those that no goal is about. */
function shortened(scenario: Scenario): Scenario {
  return { ...scenario, entrants: scenario.entrants.filter(({ role }) => role !== "other") };
}

/** A second time, if the machine was restless; then it is given up. */
async function measure(scenario: Scenario, service: Service): Promise<Outcome> {
  const once = () => timed(scenario.name, () => runRounds(scenario, roundsOf(scenario), service));
  const first = await once();
  const restless = restlessness(first, goals, short);
  if (restless === undefined) return first;
  console.error(`  once more: ${restless}`);
  const second = await once();
  const discarded = restlessness(second, goals, short);
  return discarded === undefined ? second : { ...second, discarded };
}

async function timed<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  const begun = performance.now();
  const result = await work();
  console.error(`${name}: ${((performance.now() - begun) / 1000).toFixed(0)} s`);
  return result;
}

/** Relative to where the command was given. */
function file(named: string | undefined): string {
  if (named === undefined) return join(import.meta.dirname, "results.json");
  return isAbsolute(named) ? named : join(process.env["INIT_CWD"] ?? process.cwd(), named);
}
