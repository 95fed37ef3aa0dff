import { ChatSiliconFlow } from "@langchain-siliconflow/chat";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { type FaultServer, type Reply, startFaultServer } from "../faults/fault-server.ts";
import * as wire from "../faults/wire.ts";
import { type Asking, clientAskings, langChainAskings, Onlooker } from "./asking.ts";
import { answer, canariesIn, everythingIn, prompt, secrets, spellings } from "./canaries.ts";
import { damagedStreams, headerEchoes, refusals, successes } from "./echoes.ts";

/**
 * Where a canary may be found all the same, each with its reason. Beyond these there is none.
 *
 * - `partial` of an error: what had arrived of a stream, for the program. Not enumerable: no log prints it.
 * - `results`, `resume` of a PartialFailureError: what was paid for, for the program. Not enumerable either.
 * - `llmOutput` of an OutputParserException: LangChain's own field for the answer that could not be read.
 * - Prompts and answers (never a secret) in cache keys, runs and callback events: that is what these are for.
 */
const hidden = ["partial", "results", "resume", "llmOutput"];

let server: FaultServer;
let reply: Reply | ((body: Record<string, unknown>) => Reply);
const printed: string[] = [];
/** Stands for what the request brought: the server puts it there. */
const repeated = "REPEATED";

beforeAll(async () => {
  server = await startFaultServer([
    (body, sent) => {
      const { headers, ...rest } = typeof reply === "function" ? reply(body) : reply;
      const given = [sent.authorization, sent["x-tenant-token"], sent["x-session-key"]];
      if (JSON.stringify(body).includes(prompt)) given.push(prompt);
      const answered = JSON.stringify({ ...rest, headers: { connection: "close", ...headers } });
      return JSON.parse(answered.replaceAll(repeated, given.join(" "))) as Reply;
    },
  ]);
});
afterAll(() => server.close());

beforeEach(() => {
  printed.length = 0;
  for (const method of ["log", "info", "warn", "error", "debug", "trace"] as const) {
    vi.spyOn(console, method).mockImplementation((...words: unknown[]) => void printed.push(everythingIn(words)));
  }
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, "write").mockImplementation((text) => printed.push(String(text)) > 0);
  }
});

/** Asks in all these ways at once, and returns where a canary turned up outside the requests. */
async function leaksOf(askings: readonly Asking[], onlooker: Onlooker): Promise<{ leaks: string[]; failed: string[] }> {
  onlooker.seen.length = 0;
  const outcomes = await Promise.allSettled(askings.map(({ ask }) => ask()));
  // A run is told of its end in a turn of its own.
  await new Promise((resolve) => setImmediate(resolve));
  const leaks: string[] = [];
  const failed: string[] = [];
  for (const [number, outcome] of outcomes.entries()) {
    if (outcome.status === "fulfilled") continue;
    const shown = everythingIn(outcome.reason, hidden);
    failed.push(`${askings[number]!.name}: ${shown}`);
    const found = canariesIn(shown, { ...secrets, prompt, answer });
    if (found.length > 0)
      leaks.push(`${found.join(", ")} in the error of ${askings[number]!.name}: ${shown.slice(0, 200)}`);
  }
  leaks.push(...canariesIn(everythingIn(onlooker.seen)).map((name) => `${name} in what onlookers see`));
  leaks.push(...canariesIn(printed.join("\n"), { ...secrets, prompt, answer }).map((name) => `${name} printed`));
  return { leaks, failed };
}

describe("the search", () => {
  it.each(Object.entries(spellings))("finds a secret %s", (_, spell) => {
    expect(canariesIn(`It is ${spell(secrets.key)}, they say.`)).toEqual(["key"]);
  });

  it("looks into causes, hidden properties, collections and bytes", () => {
    const places: unknown[] = [
      new Error("outer", { cause: new Error("inner", { cause: secrets.key }) }),
      Object.defineProperty({}, "hidden", { value: secrets.key }),
      { [Symbol("hidden")]: new Map([["of", new Set([secrets.key])]]) },
      Object.create({
        get told() {
          return secrets.key;
        },
      }),
      { bytes: Buffer.from(secrets.key) },
      { [secrets.key]: 1 },
    ];
    for (const place of places) expect(canariesIn(everythingIn(place))).toEqual(["key"]);
  });
});

describe("a secret that the service repeats", () => {
  it.each(Object.keys(spellings))("%s is in no error of the client", async (spelling) => {
    const echo = Object.values(secrets).map(spellings[spelling]!).join(" and ");
    const found: string[] = [];
    for (const each of [...refusals(echo), ...headerEchoes(echo), ...damagedStreams(echo)]) {
      reply = each.reply;
      const onlooker = new Onlooker();
      // New clients each time: what failed often is not asked again at once.
      const askings = clientAskings(server.url, onlooker).filter(({ name }) => name.startsWith("client chat"));
      const { leaks } = await leaksOf(askings, onlooker);
      found.push(...leaks.map((leak) => `${each.name}: ${leak}`));
    }
    expect(found).toEqual([]);
  });

  it("is in nothing that any way of asking shows, nor is the prompt", async () => {
    const found: string[] = [];
    const few = [
      ...refusals(repeated).filter(({ name }) => /^(200|401|503)/.test(name)),
      ...headerEchoes(repeated).filter(({ name }) => /trace-id|^30[27]/.test(name)),
      ...damagedStreams(repeated),
    ];
    for (const each of few) {
      reply = each.reply;
      const onlooker = new Onlooker();
      const askings = [...clientAskings(server.url, onlooker), ...langChainAskings(server.url, onlooker)];
      const { leaks } = await leaksOf(askings, onlooker);
      found.push(...leaks.map((leak) => `${each.name}: ${leak}`));
    }
    expect(found).toEqual([]);
  }, 60_000);
});

describe("a way of asking that succeeds", () => {
  it("shows no secret", async () => {
    const onlooker = new Onlooker();
    reply = successes;
    const askings = [...clientAskings(server.url, onlooker), ...langChainAskings(server.url, onlooker)];
    expect(await leaksOf(askings, onlooker)).toEqual({ leaks: [], failed: [] });
    expect(onlooker.seen.length).toBeGreaterThan(0);
  });
});

describe("a structured answer that cannot be used", () => {
  const schema = z.object({ name: z.string(), age: z.number() });
  const said: Record<string, Reply> = {
    "is no JSON": { body: wire.completion({ content: answer }) },
    "does not fit": { body: wire.completion({ content: JSON.stringify({ name: answer, age: "old" }) }) },
    "is a call that does not fit": toolAnswer(JSON.stringify({ name: answer, age: "old" })),
    "is a call that is no JSON": toolAnswer(`{"name":"${answer}`),
  };

  it.each(Object.keys(said))("%s: its text is in no message", async (name) => {
    reply = said[name]!;
    const model = new ChatSiliconFlow({ model: "m", apiKey: secrets.key, baseURL: server.url, maxRetries: 0 });
    const method = name.includes("call") ? "functionCalling" : "jsonMode";
    const error: unknown = await model
      .withStructuredOutput(schema, { method })
      .invoke("Hi.")
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Error);
    expect(canariesIn(everythingIn(error, hidden), { answer })).toEqual([]);
  });

  function toolAnswer(args: string): Reply {
    const call = { id: "call_1", type: "function", function: { name: "extract", arguments: args } };
    return { body: wire.completion({ content: "", tool_calls: [call] }, "tool_calls") };
  }
});

describe("what a caller holds", () => {
  it("shows no secret to whoever walks through it, before and after a call", async () => {
    const onlooker = new Onlooker();
    const found: string[] = [];
    reply = successes;
    for (const { name, made, ask } of [
      ...clientAskings(server.url, onlooker),
      ...langChainAskings(server.url, onlooker),
    ]) {
      await ask();
      onlooker.seen.length = 0;
      const bound = name === "bound options" ? ["callHeader"] : [];
      const leaks = canariesIn(everythingIn(made)).filter((leak) => !bound.includes(leak));
      found.push(...leaks.map((leak) => `${name}: ${leak}`));
    }
    expect(found).toEqual([]);
  });
});
