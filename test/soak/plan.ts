import { mix, Random } from "../fuzz/random.ts";

/** What each call does, and what happens to it: the same for a seed and a number, in the process that calls and in the service. */

export const kinds = [
  "chat.create",
  "chat.stream",
  "messages.create",
  "messages.stream",
  "completions.create",
  "completions.stream",
  "ChatSiliconFlow.invoke",
  "ChatSiliconFlow.stream",
  // A list of texts would be asked for again one by one where one fails: more requests than retries.
  "embedQuery",
  "rerank",
  "models.list",
] as const;
export type Kind = (typeof kinds)[number];

/** How the caller behaves. Those who leave early are given an answer that does not end. */
type Caller = "patient" | "aborts" | "breaks off" | "has a deadline";

/**
 * What a fault is to end in. `retried`: the next attempt succeeds unseen, or, where every attempt is hit, the call fails with
 * this error. `fails`: with this error, at once.
 */
type Ending = { retried: string } | { fails: string } | { succeeds: true };
interface FaultKind {
  whole: Ending;
  /** Where a stream ends otherwise: a part of it has been shown. */
  stream?: Ending;
}

const broken: FaultKind = { whole: { retried: "ConnectionError" }, stream: { fails: "StreamError" } };

export const faults = {
  "500": { whole: { retried: "ServiceUnavailableError" } },
  "503": { whole: { retried: "ServiceUnavailableError" } },
  "429, try again now": { whole: { retried: "RateLimitError" } },
  "400": { whole: { fails: "BadRequestError" } },
  "401": { whole: { fails: "AuthenticationError" } },
  "reset before the headers": { whole: { retried: "ConnectionError" } },
  "closed before the headers": { whole: { retried: "ConnectionError" } },
  "silent before the headers": { whole: { retried: "TimeoutError" } },
  "cut before the first event": { whole: { retried: "ConnectionError" } },
  "cut in the middle": broken,
  "reset in the middle": broken,
  "silent in the middle": { whole: { retried: "TimeoutError" }, stream: { fails: "TimeoutError" } },
  "one byte after the other": { whole: { succeeds: true } },
  "damaged in the middle": { whole: { fails: "InvalidResponseError" }, stream: { fails: "StreamError" } },
  "an error under 200": { whole: { fails: "BadRequestError" }, stream: { fails: "StreamError" } },
  "a page": { whole: { fails: "InvalidResponseError" } },
  "an empty body": { whole: { retried: "InvalidResponseError" } },
} as const satisfies Record<string, FaultKind>;
type FaultName = keyof typeof faults;

export interface Plan {
  number: number;
  kind: Kind;
  caller: Caller;
  fault: FaultName | undefined;
  /** Every attempt is hit, not the first alone. */
  always: boolean;
  /** The answer of a model. */
  text: string;
  /** A number of many: which text, which delay. */
  variety: number;
}

const names = Object.keys(faults) as FaultName[];
const words = ["Lima ", "深度求索", "🦊 ", "is the capital. ", "\n\n", "data: [DONE]\n\n", '"{}"', "你好，"];

export function planOf(seed: number, number: number): Plan {
  const random = new Random(mix(seed, number));
  const kind = random.pick(kinds);
  const early = random.pick(["aborts", "breaks off", "has a deadline"] as const);
  const caller = random.chance(0.94) ? "patient" : early === "breaks off" && !isStream(kind) ? "aborts" : early;
  // One in ten of all.
  const fault = caller === "patient" && random.chance(0.1 / 0.94) ? random.pick(names) : undefined;
  let text = `${number}: `;
  for (let count = 5 + random.below(20); count > 0; count -= 1) text += random.pick(words);
  return { number, kind, caller, fault, always: random.chance(0.2), text: `${text}.`, variety: random.below(1000) };
}

export function isStream(kind: Kind): boolean {
  return kind.endsWith(".stream");
}

/** The error that a call is to end in, by its name; `undefined` where it is to succeed. */
export function expectedError({ kind, fault, always }: Plan): string | undefined {
  if (fault === undefined) return undefined;
  const { whole, stream }: FaultKind = faults[fault];
  const ending = isStream(kind) ? (stream ?? whole) : whole;
  if ("fails" in ending) return ending.fails;
  return "retried" in ending && always ? ending.retried : undefined;
}

/** Whether it is known that the request arrives: who leaves by the clock may leave before. */
export function isCounted({ kind, caller }: Plan): boolean {
  return caller === "patient" || caller === "breaks off" || (caller === "aborts" && isStream(kind));
}
