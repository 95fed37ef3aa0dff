/** What the command was asked for. A slip of the pen must neither measure everything for a quarter of an hour, nor nothing. */
import { parseArgs } from "node:util";

export interface Asked {
  /** Prefixes of scenarios' names; `undefined` for all. */
  only: string[] | undefined;
  rounds: number | undefined;
  short: boolean;
  check: boolean;
  json: string | undefined;
  /** No collection is forced before a figure. */
  uncollected: boolean;
  /** Who is profiled, and doing what, instead of all this. */
  profile: { contenders: string[]; way: string } | undefined;
}

export interface Known {
  scenarios: readonly string[];
  contenders: readonly string[];
  ways: readonly string[];
}

/** @throws {Error} that says what there is to choose from */
export function readArguments(args: string[], { scenarios, contenders, ways }: Known): Asked {
  const { values } = parsed(args);
  const { short, check, json, uncollected, way } = values;
  const only = values.only?.split(",");
  const [nothing] = only?.filter((prefix) => !scenarios.some((name) => name.startsWith(prefix))) ?? [];
  if (nothing !== undefined) throw choice("--only", "scenario", nothing, scenarios);
  const profiled = values.profile?.split(",");
  const [stranger] = profiled?.filter((name) => !contenders.includes(name)) ?? [];
  if (stranger !== undefined) throw choice("--profile", "contender", stranger, contenders);
  if (way !== undefined && profiled === undefined) throw new Error("--way belongs to --profile <contender>.");
  if (way !== undefined && !ways.includes(way)) throw choice("--way", "way", way, ways);
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0))
    throw new Error("--rounds must be a whole number from 1.");
  if (uncollected && check)
    throw new Error("--check judges by the goals' own method, which collects: leave --uncollected out.");
  return {
    only,
    rounds,
    short,
    check,
    json,
    uncollected,
    profile: profiled && { contenders: profiled, way: way ?? "stream" },
  };
}

const options = {
  only: { type: "string" },
  rounds: { type: "string" },
  short: { type: "boolean", default: false },
  check: { type: "boolean", default: false },
  json: { type: "string" },
  uncollected: { type: "boolean", default: false },
  profile: { type: "string" },
  way: { type: "string" },
} as const;

function parsed(args: string[]) {
  try {
    return parseArgs({ args, options });
  } catch (error) {
    const names = Object.keys(options).map((name) => `--${name}`);
    throw new Error(`${(error as Error).message}. The options are ${names.join(", ")}.`, { cause: error });
  }
}

function choice(option: string, what: string, given: string, all: readonly string[]): Error {
  return new Error(`${option}: there is no ${what} "${given}". Choose from: ${all.join(", ")}.`);
}
