/** What a scenario is, and how those who take part in it are started. */
import { fork } from "node:child_process";
import { once } from "node:events";
import type { Report, Sample, Task } from "./contender.ts";
import type { Behaviour, Service } from "./service.ts";

/** `ours` is judged, against the best `peer`; an `other` is only shown. */
export type Role = "reference" | "ours" | "peer" | "other";

export interface Scenario {
  /** As in `--only`. */
  name: string;
  title: string;
  /** The figures of a sample in the order of the table, each with its unit. */
  figures: Record<string, string>;
  /** The first is the reference: it runs again right before each of the others, and they are measured by it. */
  entrants: readonly Entrant[];
  /** How often everyone takes a turn: as a rule, and in the short form (0: never). */
  rounds: { full: number; short: number };
}

export interface Entrant {
  name: string;
  role: Role;
  /** What must have been read. Left out where there is nothing to read. */
  expected?: string;
  start(service: Service): Promise<Running>;
}

export interface Running {
  measure(): Promise<Sample>;
  end(): Promise<void>;
}

export interface Work {
  /** A file in `contenders`. */
  contender: string;
  behaviour?: Partial<Behaviour>;
  task: Task;
  /** Done before anything counts, so that what is loaded and compiled is not measured. */
  warmUp?: { behaviour?: Partial<Behaviour>; task: Task };
  /** For Node.js, beyond the usual ones. */
  flags?: readonly string[];
}

/** One process for all rounds. */
export async function startWarm(service: Service, work: Work): Promise<Running> {
  const contender = await startContender(service, work);
  return { measure: () => perform(service, contender, work), end: () => ended(contender) };
}

/** A contender of a scenario: the name of its row, its part, and its file in `contenders`. */
export type Listed = readonly [name: string, role: Role, contender: string];

/** All of these at the same work, each in one process for all rounds. */
export function warmEntrants(
  list: readonly Listed[],
  expected: string,
  work: (contender: string) => Omit<Work, "contender">,
): Entrant[] {
  return list.map(([name, role, contender]) => ({
    name,
    role,
    expected,
    start: (service) => startWarm(service, { contender, ...work(contender) }),
  }));
}

/** A process for each figure: where what one run leaves behind would be in the next one's, such as the peak of memory. */
export async function startFresh(service: Service, work: Work): Promise<Running> {
  return {
    async measure() {
      const contender = await startContender(service, work);
      const sample = await perform(service, contender, work);
      await ended(contender);
      return sample;
    },
    end: async () => {},
  };
}

type Process = ReturnType<typeof fork>;

/** A key, a tracer or a proxy of the machine must not decide what is measured. */
export const environment = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^(OPENAI|DEEPSEEK|SILICONFLOW|COHERE|CO|LANGSMITH|LANGCHAIN|LC)_|_proxy$|^NODE_OPTIONS$/i.test(name),
  ),
);

/** For all contenders that are started from here on. */
export function leaveUncollected(): void {
  environment["BENCH_UNCOLLECTED"] = "yes";
}

async function startContender(
  service: Service,
  { contender: name, behaviour, warmUp, flags = [] }: Work,
): Promise<Process> {
  const contender = fork(new URL("contender.ts", import.meta.url), [name, service.url], {
    // The collections before each measurement would throw away the bytecode of whoever waits for his turn: megabytes that come
    // and go, and compilation in the middle of a figure.
    execArgv: ["--expose-gc", "--no-flush-bytecode", ...flags],
    env: environment,
    // What libraries print would tear the tables.
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  if (warmUp !== undefined) await perform(service, contender, { behaviour, ...warmUp });
  return contender;
}

async function perform(
  service: Service,
  contender: Process,
  { behaviour, task }: { behaviour?: Partial<Behaviour> | undefined; task: Task },
): Promise<Sample> {
  await service.behave(behaviour ?? {});
  contender.send(task);
  const over = new AbortController();
  const report = await Promise.race([
    once(contender, "message", { signal: over.signal }).then(([message]) => message as Report),
    once(contender, "exit", { signal: over.signal }).then((): Report => ({ error: "its process ended" })),
  ]);
  over.abort();
  if ("error" in report) throw new Error(report.error);
  return report.sample;
}

async function ended(contender: Process): Promise<void> {
  const exit = once(contender, "exit");
  contender.disconnect();
  await exit;
}
