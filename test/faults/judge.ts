import { inspect } from "node:util";
import { isSiliconFlowError } from "@langchain-siliconflow/client";
import type { Case, Seen, Setup, Subject, Target } from "./case.ts";
import { layRoad } from "./ways.ts";

const canaryKey = "sk-canary-key";

/** How a call ended. */
type Outcome = { value: Seen } | { error: unknown } | { hangs: true };

/** One case on one target, as it went: `wrong` is what was not as it must be, in a few words. */
interface Verdict {
  wrong: string | undefined;
  outcome: Outcome | undefined;
}

/** Runs one case for one target on servers of its own. */
export async function play(entry: Case, target: Target, subject: Subject, limitMs = Infinity): Promise<Verdict> {
  const road = await layRoad(entry.replies ?? [{}], entry.way);
  const { server } = road;
  const setup: Setup = {
    url: road.url,
    apiKey: canaryKey,
    maxRetries: entry.maxRetries ?? 3,
    quiet: entry.quiet ?? false,
    ...(entry.maxBytes !== undefined && { maxBytes: entry.maxBytes }),
    ...(entry.site && { site: entry.site }),
  };
  const stage = { subject, target, server, setup, authority: road.authority };
  Object.assign(process.env, road.environment);
  try {
    if (entry.run !== undefined) {
      const end = await outcomeOf(entry.run(stage), limitMs);
      if ("hangs" in end) return { wrong: "hangs", outcome: undefined };
      if ("error" in end) return { wrong: `throws ${brief(end.error)}`, outcome: { error: end.error } };
      return { wrong: end.value, outcome: undefined };
    }
    const outcome = await outcomeOf(ask(entry, subject.make[target]!(setup)), limitMs);
    const wrong =
      judge(entry, outcome, subject) ?? countRequests(entry, subject, server.requests.length) ?? entry.check?.(stage);
    return { wrong, outcome };
  } finally {
    for (const name of Object.keys(road.environment)) delete process.env[name];
    await road.close();
  }
}

async function ask(entry: Case, call: ReturnType<NonNullable<Subject["make"][Target]>>): Promise<Seen> {
  const { texts, image } = entry;
  for (let count = 1; count < (entry.calls ?? 1); count += 1) await call();
  return call({ ...(texts && { texts }), ...(image !== undefined && { image }) });
}

async function outcomeOf<Value>(
  call: Promise<Value>,
  limitMs: number,
): Promise<{ value: Value } | { error: unknown } | { hangs: true }> {
  let timer: NodeJS.Timeout | undefined;
  const settled = call.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if (limitMs === Infinity) return settled;
  const limit = new Promise<{ hangs: true }>((resolve) => {
    timer = setTimeout(() => resolve({ hangs: true }), limitMs);
  });
  return Promise.race([settled, limit]).finally(() => clearTimeout(timer));
}

function judge(entry: Case, outcome: Outcome, subject: Subject): string | undefined {
  if ("hangs" in outcome) return "hangs";
  if ("value" in outcome) {
    if (!subject.ours && entry.theirs) return entry.theirs(outcome.value);
    if (entry.returns === undefined) return `silent success: ${summary(outcome.value)}`;
    const where = difference(outcome.value, entry.returns);
    if (where === undefined) return undefined;
    return where.startsWith("vectors") ? "wrong vectors" : `returns ${where}`;
  }
  const { error } = outcome;
  if (entry.returns !== undefined) return `throws ${brief(error)}`;
  return subject.ours ? judgeOurs(entry, error) : judgeOthers(entry, error);
}

function judgeOurs(entry: Case, error: unknown): string | undefined {
  if (!isSiliconFlowError(error)) return `throws ${brief(error)}`;
  const where = difference(error, entry.throws!);
  if (where !== undefined) return `error with ${where}: ${error.message}`;
  for (const words of [entry.says, entry.advises])
    if (words && !words.test(error.message)) return `does not say ${words}: ${error.message}`;
  return leaks(error, entry.hides, entry.tidies);
}

/** Others need not use our classes and fields: but the error must say what happened, and not be a mishap of the program. */
function judgeOthers(entry: Case, error: unknown): string | undefined {
  const chain = causes(error);
  const all = chain
    .map((each) => (each instanceof Error ? each.message : (JSON.stringify(each) ?? String(each))))
    .join("\n");
  if (chain.length === 1 && isMishap(error)) return brief(error);
  const says = entry.says ?? (entry.throws!["name"] === "TimeoutError" ? /time|abort/i : undefined);
  if (says?.test(all) === false) return `not said: ${brief(error)}`;
  const leak = leaks(error, entry.hides);
  if (leak !== undefined) return leak;
  const missing = ["partial", "results"].find(
    (field) => entry.throws![field] !== undefined && !chain.some((each) => field in (each as object)),
  );
  if (missing === "results") return "throws, the other vectors are lost";
  return missing === undefined ? undefined : "throws, without what had arrived";
}

/** Thrown by the engine on the way through what was not expected. Errors of these classes that say something on purpose are none. */
function isMishap(error: unknown): boolean {
  if (!(error instanceof Error) || !/^(TypeError|SyntaxError|RangeError|ReferenceError)$/.test(error.name))
    return false;
  return /^Cannot (read|set|destructure)|is not (iterable|defined|a function|valid JSON)|^Unexpected |^Maximum call stack/.test(
    error.message,
  );
}

/** What an error shows, by whatever means it is looked at, that it must not. */
function leaks(error: unknown, ...patterns: (RegExp | undefined)[]): string | undefined {
  const shown = [
    inspect(error, { depth: 12, showHidden: true }),
    safely(error),
    String(error),
    (error as Error).stack,
  ].join("\n");
  if (shown.includes(canaryKey)) return "the key is in the error";
  const pattern = patterns.find((each) => each?.test(shown));
  return pattern && `the error holds ${pattern}`;
}

/** Ours sends as often as is written; of others it only counts whether they repeat what cannot succeed. */
function countRequests(entry: Case, subject: Subject, sent: number): string | undefined {
  if (entry.requests === undefined || sent === entry.requests) return undefined;
  if (subject.ours) return `${sent} requests in place of ${entry.requests}`;
  return entry.throws !== undefined && entry.requests === 1 && entry.maxRetries !== 0 && sent > 1
    ? `sends it ${sent} times`
    : undefined;
}

/** Where `actual` is not what `expected` names, in a few words. Fields that are not named may be anything. */
function difference(actual: unknown, expected: unknown, path = ""): string | undefined {
  if (typeof expected !== "object" || expected === null) {
    return Object.is(actual, expected) ? undefined : `${path || "value"} ${show(actual)}`;
  }
  if (typeof actual !== "object" || actual === null) return `${path || "value"} ${show(actual)}`;
  if (Array.isArray(expected) && (actual as unknown[]).length !== expected.length) return `${path} ${show(actual)}`;
  for (const [name, value] of Object.entries(expected)) {
    const inner = Array.isArray(expected) ? `${path}[${name}]` : path ? `${path}.${name}` : name;
    const found = difference((actual as Record<string, unknown>)[name], value, inner);
    if (found !== undefined) return found;
  }
  return undefined;
}

function causes(error: unknown): unknown[] {
  const chain: unknown[] = [];
  for (let each = error; each !== undefined && each !== null && chain.length < 8;) {
    chain.push(each);
    const { cause, lastError } = each as { cause?: unknown; lastError?: unknown };
    each = cause ?? lastError;
  }
  return chain;
}

/** What matters of an answer that should not have been one. */
function summary({ text, toolCalls, vectors, finishReason }: Seen): string {
  if (vectors !== undefined) return show(vectors);
  const calls = toolCalls?.length ? `, calls ${show(toolCalls)}` : "";
  return `${show(text)}${calls}${finishReason === undefined ? "" : `, finish reason ${show(finishReason)}`}`;
}

const show = (value: unknown): string => shorten(inspect(value, { depth: 4, breakLength: Infinity }));

/** An error in a few words. */
function brief(error: unknown): string {
  return shorten(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}

function safely(error: unknown): string {
  try {
    return JSON.stringify(error);
  } catch (reason) {
    return String(reason);
  }
}
