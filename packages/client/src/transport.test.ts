import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { Client } from "./client.js";
import type { Clock } from "./clock.js";
import { InvalidInputError, type RateLimitError } from "./errors.js";
import { failureOf } from "./failure-of.js";
import { resolveOptions, type SharedClientOptions } from "./options.js";
import type { Lease } from "./rate-limiter.js";
import type { Wire, WireBody, WireRequest, WireResponse } from "./wire.js";

const baseURL = "https://siliconflow.test/v1";
const request = { model: "m", messages: [{ role: "user", content: "1+1?" }] };
const answer = {
  choices: [{ index: 0, message: { role: "assistant", content: "2" }, finish_reason: "stop" }],
  usage: { total_tokens: 9 },
};

type Reply = { status?: number; body?: unknown; headers?: Record<string, string> } | Error;

/** Answers from a list, its last entry for ever. Records what was sent. */
class ScriptedWire implements Wire {
  readonly requests: WireRequest[] = [];
  readonly #replies: Reply[];

  constructor(replies: Reply[]) {
    this.#replies = replies;
  }

  async send(sent: WireRequest): Promise<WireResponse> {
    this.requests.push(sent);
    sent.onConnect(false);
    const reply = this.#replies[Math.min(this.requests.length, this.#replies.length) - 1]!;
    if (reply instanceof Error) throw reply;
    const { status = 200, body = answer, headers = {} } = reply;
    return {
      status,
      header: (name) => headers[name],
      body: wholeBody(typeof body === "string" ? body : JSON.stringify(body)),
    };
  }

  // Not asked for here.
  download(): never {
    throw new Error("no download");
  }

  async close(): Promise<void> {}
}

function wholeBody(text: string): WireBody {
  let rest: Uint8Array | null = text === "" ? null : Buffer.from(text);
  return {
    wake: undefined,
    read() {
      const bytes = rest;
      rest = null;
      return bytes;
    },
    cancel() {},
  };
}

/** Waits take no time and are written down. */
class TestClock implements Clock {
  time = Date.parse("2026-11-23T12:00:30Z");
  readonly waits: number[] = [];
  readonly chance: number;

  constructor(chance = 1) {
    this.chance = chance;
  }

  now = (): number => this.time;
  date = (): number => this.time;
  random = (): number => this.chance;
  after = (milliseconds: number, callback: () => void): (() => void) => {
    this.waits.push(milliseconds);
    this.time += milliseconds;
    queueMicrotask(callback);
    return () => {};
  };
}

class TestClient extends Client {
  constructor(options: SharedClientOptions, wire: Wire, clock: Clock) {
    super(resolveOptions({ apiKey: "sk-secret", baseURL, ...options }), wire, clock);
  }
}

function setUp(replies: Reply[], options: SharedClientOptions = {}, clock = new TestClock()) {
  const wire = new ScriptedWire(replies);
  return { wire, clock, client: new TestClient(options, wire, clock) };
}

const overloaded: Reply = { status: 503, body: { code: 50505, message: "Model service overloaded." } };
const limited = (limit: string, headers = {}): Reply => ({
  status: 429,
  body: { message: `Details:${limit} limit reached.`, data: null },
  headers,
});
const networkError = (code: string) => Object.assign(new Error(code), { code });

describe("attempts", () => {
  test("are four for a service that stays down, half a second, one and two apart at most", async () => {
    const { client, wire, clock } = setUp([overloaded]);
    const error = await failureOf(client.chat.create(request));
    expect(error).toMatchObject({ name: "ServiceUnavailableError", attempts: 4, code: 50505 });
    expect(wire.requests).toHaveLength(4);
    expect(clock.waits).toEqual([500, 1000, 2000]);
  });

  test("stop with the first that succeeds", async () => {
    const { client, wire } = setUp([overloaded, networkError("ECONNRESET"), {}]);
    await expect(client.chat.create(request)).resolves.toMatchObject(answer);
    expect(wire.requests).toHaveLength(3);
  });

  test("are told with the answer, where nobody prints them", async () => {
    const { client } = setUp([overloaded, {}]);
    const completion = await client.chat.create(request);
    expect(completion.attempts).toBe(2);
    expect(JSON.stringify(completion) + Object.keys(completion).join()).not.toContain("attempts");
  });

  test.each<[string, Reply, number]>([
    ["reset", networkError("ECONNRESET"), 4],
    ["refused", networkError("ECONNREFUSED"), 4],
    ["resolver busy", networkError("EAI_AGAIN"), 4],
    ["unknown host", networkError("ENOTFOUND"), 2],
    ["certificate", networkError("CERT_HAS_EXPIRED"), 1],
    ["truncated", networkError("UND_ERR_RES_CONTENT_LENGTH_MISMATCH"), 4],
    ["damaged compression", networkError("Z_DATA_ERROR"), 4],
    ["400", { status: 400 }, 1],
    ["401", { status: 401 }, 1],
    ["402", { status: 402 }, 1],
    ["403", { status: 403 }, 1],
    ["404", { status: 404 }, 1],
    ["408", { status: 408 }, 4],
    ["413", { status: 413 }, 1],
    ["429 without a class", { status: 429 }, 4],
    ["429 per minute", limited("RPM"), 4],
    ["429 per hour", limited("RPH"), 1],
    ["429 per day", limited("TPD"), 1],
    ["429 of a used up balance", { status: 429, body: { code: 30001, message: "x" } }, 1],
    ["500", { status: 500 }, 4],
    ["501", { status: 501 }, 1],
    ["502", { status: 502 }, 4],
    ["504", { status: 504, body: "<html>504</html>" }, 4],
    ["redirect", { status: 302, headers: { location: "https://elsewhere.test/" } }, 1],
    ["empty", { body: "" }, 4],
    ["page", { body: "<html>Log in</html>" }, 1],
    ["cut JSON", { body: '{"choices":' }, 1],
    ["no choice", { body: { choices: [] } }, 1],
    ["overloaded inside a 200", { body: { code: 50505, message: "overloaded", data: null } }, 4],
  ])("%s", async (_, reply, attempts) => {
    const { client, wire } = setUp([reply]);
    expect(await failureOf(client.chat.create(request))).toMatchObject({ attempts });
    expect(wire.requests).toHaveLength(attempts);
  });

  test("can be set for a client and for a call", async () => {
    const { client, wire } = setUp([overloaded], { maxRetries: 1 });
    await failureOf(client.chat.create(request));
    expect(wire.requests).toHaveLength(2);
    await failureOf(client.chat.create(request, { maxRetries: 0 }));
    expect(wire.requests).toHaveLength(3);
  });

  test("of a stream are counted the same, until its first event", async () => {
    const stream = 'data: {"choices":[{"index":0,"delta":{"content":"2"},"finish_reason":"stop"}]}\n\n';
    const { client, wire } = setUp([overloaded, { body: "" }, { body: ": wait\n\n" }, { body: stream }]);
    let chunks = 0;
    for await (const _ of client.chat.stream(request)) chunks += 1;
    expect(chunks).toBe(1);
    expect(wire.requests).toHaveLength(4);
  });
});

describe("the retry budget", () => {
  /** Each call for a model of its own, so that none is taken to be down. */
  const forModel = (call: number) => ({ ...request, model: `m${call}` });

  test("is ten for all calls of a client, then failures are final", async () => {
    const { client, wire } = setUp([overloaded]);
    for (let call = 0; call < 5; call += 1) await failureOf(client.chat.create(forModel(call)));
    expect(wire.requests).toHaveLength(5 + 10);
  });

  test("grows by one with ten successes", async () => {
    const replies = [
      ...Array.from({ length: 14 }, () => overloaded),
      ...Array.from({ length: 10 }, () => ({})),
      overloaded,
    ];
    const { client, wire } = setUp(replies);
    for (let call = 0; call < 4; call += 1) await failureOf(client.chat.create(forModel(call)));
    expect(wire.requests).toHaveLength(14);
    for (let call = 0; call < 10; call += 1) await client.chat.create(request);
    await failureOf(client.chat.create(request));
    expect(wire.requests).toHaveLength(14 + 10 + 2);
  });

  test("is not touched by limits whose time is known: the cool-down paces those", async () => {
    const { client, wire } = setUp([limited("RPM", { "retry-after": "1" })]);
    for (let call = 0; call < 5; call += 1) await failureOf(client.chat.create(request));
    expect(wire.requests).toHaveLength(5 * 4);
  });
});

describe("a limit", () => {
  test("with Retry-After is waited out, up to a minute", async () => {
    const { client, clock } = setUp([limited("RPD", { "retry-after": "60" }), {}]);
    await client.chat.create(request);
    expect(clock.waits).toEqual([60_000]);
  });

  test("with a longer Retry-After fails at once, and says when", async () => {
    const { client, clock } = setUp([limited("RPM", { "retry-after": "61" })]);
    const error = await failureOf(client.chat.create(request));
    expect(error).toMatchObject({ name: "RateLimitError", attempts: 1, retryAt: new Date(clock.time + 61_000) });
    expect(clock.waits).toEqual([]);
  });

  test("per minute is not waited for beyond its minute", async () => {
    const clock = new TestClock();
    clock.time = Date.parse("2026-11-23T12:00:59.800Z");
    const { client } = setUp([limited("TPM"), {}], {}, clock);
    await client.chat.create(request);
    expect(clock.waits).toEqual([200]);
  });

  test("per minute is waited out before the last attempt, so that quick retries are not all lost to one minute", async () => {
    const clock = new TestClock(0.5);
    const start = clock.time;
    const { client } = setUp([limited("RPM")], {}, clock);
    await failureOf(client.chat.create(request));
    expect(clock.waits.slice(0, 2)).toEqual([250, 500]);
    // Half of the spread after the full minute.
    expect(clock.time).toBe(start + 30_000 + 1_000);
  });

  test.each<[string, Record<string, string>, number[], number]>([
    ["seconds", { "retry-after": "7" }, [7_000], 2],
    ["a date", { "retry-after": "Mon, 23 Nov 2026 12:00:40 GMT" }, [10_000], 2],
    [
      "a date of a clock that is an hour ahead",
      { "retry-after": "Mon, 23 Nov 2026 13:00:40 GMT", date: "Mon, 23 Nov 2026 13:00:30 GMT" },
      [10_000],
      2,
    ],
    ["a date that has passed", { "retry-after": "Mon, 23 Nov 2026 11:00:00 GMT" }, [], 2],
    ["nothing that makes sense", { "retry-after": "soon" }, [500], 2],
    ["ten hours", { "retry-after": "36000" }, [], 1],
  ])("waits for %s", async (_, headers, waits, requests) => {
    const { client, clock, wire } = setUp([limited("RPM", headers), {}]);
    await client.chat.create(request).catch((error: unknown) => {
      expect(error).toMatchObject({ retryAfterMs: 36_000_000, retryAt: new Date(clock.time + 36_000_000) });
    });
    expect(clock.waits).toEqual(waits);
    expect(wire.requests).toHaveLength(requests);
  });

  test("per day says when it resets", async () => {
    const { client } = setUp([limited("RPD")]);
    expect(await failureOf(client.chat.create(request))).toMatchObject({
      limit: "RPD",
      retryAt: new Date("2026-11-23T16:00:00Z"),
    });
  });

  test("holds back other calls for the same model, and only those, and says so", async () => {
    const waits: { reason: string; delayMs: number }[] = [];
    const timers: (() => void)[] = [];
    const chances = [1, 0.2, 0.8];
    const clock = new TestClock();
    clock.random = () => chances.shift()!;
    clock.after = (milliseconds, callback) => {
      timers.push(() => {
        clock.time += milliseconds;
        callback();
      });
      return () => {};
    };
    const { client, wire } = setUp([limited("RPM"), {}], { onWait: (event) => waits.push(event) }, clock);

    const first = client.chat.create(request);
    await expect.poll(() => timers.length).toBe(1);
    const others = [client.chat.create(request), client.chat.create(request)];
    await client.chat.create({ ...request, model: "another" });
    expect(wire.requests).toHaveLength(2);
    // Not at once: they would meet the limit again.
    expect(waits).toEqual([
      { reason: "rate limit of m", delayMs: 600 },
      { reason: "rate limit of m", delayMs: 900 },
    ]);

    for (const fire of timers) fire();
    await Promise.all([first, ...others]);
    expect(wire.requests).toHaveLength(5);
  });
});

describe("a model that does not exist", () => {
  const unknown: Reply = { status: 400, body: { code: 20012, message: "Model does not exist.", data: null } };
  const list: Reply = {
    body: { object: "list", data: [{ id: "Qwen/Qwen3-8B" }, { id: "sk-secret" }, null, { id: 1 }] },
  };
  const misspelt = { ...request, model: "qwen3-8b" };

  test("is looked for among those that do, once in five minutes", async () => {
    const { client, wire, clock } = setUp([unknown, list, unknown, unknown, list]);
    const error = await failureOf(client.chat.create(misspelt));
    expect(error).toMatchObject({
      name: "NotFoundError",
      reason: "notFound",
      code: 20012,
      attempts: 1,
      model: "qwen3-8b",
      suggestions: ["Qwen/Qwen3-8B"],
    });
    expect(error.message).toContain('The nearest of them: "Qwen/Qwen3-8B".');
    expect(wire.requests[1]).toMatchObject({
      method: "GET",
      url: `${baseURL}/models`,
      headers: { authorization: "Bearer sk-secret" },
    });
    await failureOf(client.chat.create(misspelt));
    expect(wire.requests).toHaveLength(3);
    clock.time += 300_001;
    await failureOf(client.chat.create(misspelt));
    expect(wire.requests).toHaveLength(5);
  });

  test("that resembles none is named alone, and no key that a list might hold", async () => {
    const { client } = setUp([unknown, list]);
    const error = await failureOf(client.chat.create({ ...request, model: "sk-secre" }));
    expect(error).toMatchObject({ model: "sk-secre", suggestions: [] });
  });

  test.each<[string, Reply]>([
    ["fails", overloaded],
    ["breaks", networkError("ECONNRESET")],
    ["is a page", { body: "<html></html>" }],
    ["is no list", { body: { data: {} } }],
  ])("is the same error when the list %s", async (_, reply) => {
    const { client, wire } = setUp([unknown, reply]);
    const error = await failureOf(client.chat.create(misspelt));
    expect(error).toMatchObject({ name: "NotFoundError", code: 20012, attempts: 1, suggestions: [] });
    expect(wire.requests).toHaveLength(2);
  });

  test("under a 404 is told from a path that does not exist", async () => {
    const gone = setUp([{ status: 404, body: "model 'qwen3-8b' not found" }, list]);
    expect(await failureOf(gone.client.chat.create(misspelt))).toMatchObject({ suggestions: ["Qwen/Qwen3-8B"] });
    const path = setUp([{ status: 404, body: '"404 page not found"' }, list]);
    expect(await failureOf(path.client.chat.create(misspelt))).toMatchObject({ model: undefined, suggestions: [] });
    expect(path.wire.requests).toHaveLength(1);
  });
});

describe("callbacks", () => {
  test("onRetry hears of each further attempt before its wait", async () => {
    const events: unknown[] = [];
    const { client } = setUp([overloaded, overloaded, {}], {
      onRetry: ({ attempt, delayMs, error }) => events.push([attempt, delayMs, error.name]),
    });
    await client.chat.create(request);
    expect(events).toEqual([
      [1, 500, "ServiceUnavailableError"],
      [2, 1000, "ServiceUnavailableError"],
    ]);
  });

  test("that throw do not break the call", async () => {
    const { client } = setUp([limited("RPM"), {}], {
      onRetry() {
        throw new Error("mine");
      },
    });
    await expect(client.chat.create(request)).resolves.toMatchObject(answer);
  });

  test("that reject do not end the process", async () => {
    const { client } = setUp([limited("RPM"), {}], {
      async onRetry() {
        throw new Error("mine");
      },
    });
    const unhandled: unknown[] = [];
    const note = (error: unknown) => unhandled.push(error);
    process.on("unhandledRejection", note);
    await expect(client.chat.create(request)).resolves.toMatchObject(answer);
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", note);
    expect(unhandled).toEqual([]);
  });
});

describe("a limiter", () => {
  test("is asked before each attempt, and told what was used and refused", async () => {
    const log: unknown[] = [];
    const lease: Lease = { settle: (usage) => log.push(usage), penalize: (hit) => log.push(hit) };
    const { client } = setUp([limited("TPM"), {}], {
      limiter: {
        async acquire({ model, tokens, signal }) {
          log.push([model, tokens > 0, signal instanceof AbortSignal]);
          return lease;
        },
      },
    });
    await client.chat.create(request);
    expect(log).toEqual([["m", true, true], { limit: "TPM" }, { tokens: 0 }, ["m", true, true], { tokens: 9 }]);
  });

  test("is told its estimate again when an answer does not say what it used", async () => {
    const log: number[] = [];
    const acquire = async ({ tokens }: { tokens: number }): Promise<Lease> => {
      log.push(tokens);
      return { settle: (usage) => log.push(usage.tokens), penalize() {} };
    };
    const { client } = setUp([{ body: { choices: answer.choices } }], { limiter: { acquire } });
    await client.chat.create({ ...request, max_tokens: 100 });
    expect(log).toEqual([expect.any(Number), log[0]]);
    expect(log[0]).toBeGreaterThan(100);
  });

  test("that fails is heard in its own words, and nothing is sent", async () => {
    const { client, wire } = setUp([{}], { limiter: { acquire: () => Promise.reject(new RangeError("full")) } });
    await expect(client.chat.create(request)).rejects.toThrow(RangeError);
    expect(wire.requests).toHaveLength(0);
  });

  test("that keeps a call waiting does not keep it from being aborted", async () => {
    const { client, wire } = setUp([{}], { limiter: { acquire: () => new Promise(() => {}) } });
    const controller = new AbortController();
    const call = failureOf(client.chat.create(request, { signal: controller.signal }));
    controller.abort("mine");
    expect(await call).toBe("mine");
    expect(wire.requests).toHaveLength(0);
  });
});

describe("while a model is down", () => {
  async function downModel(options: SharedClientOptions = {}) {
    const set = setUp([overloaded], options);
    for (let call = 0; call < 10; call += 1) await failureOf(set.client.chat.create(request, { maxRetries: 0 }));
    set.clock.waits.length = 0;
    return set;
  }

  test("a call waits before it is sent, and says so", async () => {
    const waits: unknown[] = [];
    const { client, clock, wire } = await downModel({ onWait: (event) => waits.push(event) });
    await failureOf(client.chat.create(request, { maxRetries: 0 }));
    expect(clock.waits).toEqual([500]);
    expect(waits).toEqual([{ reason: "outage of m", delayMs: 500 }]);
    expect(wire.requests).toHaveLength(11);
    await failureOf(client.chat.create({ ...request, model: "another" }, { maxRetries: 0 }));
    expect(clock.waits).toHaveLength(1);
  });

  test("what a limiter refuses says nothing of the service", async () => {
    let full = false;
    const acquire = async (): Promise<Lease> => {
      if (full) throw new InvalidInputError("too large", { reason: "neverFits" });
      return { settle() {}, penalize() {} };
    };
    const { client, clock } = await downModel({ limiter: { acquire } });
    full = true;
    for (let call = 1; call <= 3; call += 1) {
      expect(await failureOf(client.chat.create(request))).toMatchObject({ reason: "neverFits", attempts: 0 });
      expect(clock.waits).toHaveLength(call);
    }
  });
});

describe("a limiter that answers late", () => {
  test("gets back what it grants to a call that has ended", async () => {
    let grant!: (lease: Lease) => void;
    const granted = new Promise<Lease>((resolve) => (grant = resolve));
    const controller = new AbortController();
    const acquire = () => {
      queueMicrotask(() => controller.abort("mine"));
      return granted;
    };
    const { client } = setUp([{}], { limiter: { acquire } });
    const call = failureOf(client.chat.create(request, { signal: controller.signal }));
    expect(await call).toBe("mine");
    const settled = new Promise((resolve) => grant({ settle: resolve, penalize() {} }));
    expect(await settled).toEqual({ tokens: 0 });
  });
});

describe("what is sent", () => {
  test("goes to the base URL with the key, and with headers of client and call", async () => {
    const { client, wire } = setUp([{}], { headers: { "X-A": "1", "X-B": "1" } });
    await client.chat.create(request, { headers: { "x-b": "2" }, traceId: "ti_mine" });
    const [sent] = wire.requests;
    expect(sent).toMatchObject({ method: "POST", url: `${baseURL}/chat/completions` });
    expect(sent!.headers).toMatchObject({
      authorization: "Bearer sk-secret",
      "x-a": "1",
      "x-b": "2",
      "x-trace-id": "ti_mine",
    });
    expect(JSON.parse(sent!.body as string)).toEqual({ ...request, stream: false });
  });

  test("a query cannot break out of its address, nor a model id out of the body", async () => {
    const { client, wire } = setUp([{ body: { object: "list", data: [] } }]);
    await client.models.list({ sub_type: "chat&type=image\r\nx: y" });
    expect(new URL(wire.requests[0]!.url).searchParams.get("sub_type")).toBe("chat&type=image\r\nx: y");
    expect(wire.requests[0]!.url).not.toMatch(/\s/);
  });

  test.each<[string, (client: Client) => Promise<unknown>]>([
    ["a trace id with a line end", (client) => client.chat.create(request, { traceId: "a\r\nb: c" })],
    ["a header with a line end", (client) => client.chat.create(request, { headers: { "x-a": "a\nb" } })],
    ["an impossible timeout", (client) => client.chat.create(request, { timeouts: { idleMs: -1 } })],
    ["no model", (client) => client.chat.create({ ...request, model: "" })],
    ["no message", (client) => client.chat.create({ ...request, messages: [] })],
    ["a BigInt", (client) => client.chat.create({ ...request, seed: 1n })],
    ["no input", (client) => client.embeddings.create({ model: "m" } as never)],
    ["no documents", (client) => client.rerank.create({ model: "m", query: "q" } as never)],
  ])("nothing, for %s", async (_, call) => {
    const { client, wire } = setUp([{}]);
    expect(await failureOf(call(client))).toMatchObject({
      name: "InvalidInputError",
      reason: "invalidOption",
      attempts: 0,
    });
    expect(wire.requests).toHaveLength(0);
  });

  test("follows a redirect inside the same origin once, and no other", async () => {
    const moved = (location: string): Reply => ({ status: 308, headers: { location } });
    const inside = setUp([moved("/v2/chat/completions"), {}]);
    await inside.client.chat.create(request);
    expect(inside.wire.requests.map(({ url }) => url)).toEqual([
      `${baseURL}/chat/completions`,
      "https://siliconflow.test/v2/chat/completions",
    ]);

    const circle = setUp([moved("/v1/chat/completions")]);
    expect(await failureOf(circle.client.chat.create(request))).toMatchObject({
      status: 308,
      reason: "blockedAddress",
    });
    expect(circle.wire.requests).toHaveLength(2);

    for (const location of [
      "https://evil.test/v1",
      "http://siliconflow.test/v1",
      "https://siliconflow.test:444/v1",
      "//evil.test/",
    ]) {
      const outside = setUp([moved(location)]);
      expect(await failureOf(outside.client.chat.create(request))).toMatchObject({
        status: 308,
        reason: "blockedAddress",
        attempts: 1,
      });
      expect(outside.wire.requests).toHaveLength(1);
    }
  });
});

describe("the key", () => {
  test.each<[string, Reply]>([
    ["a refusal", { status: 401, body: '"Invalid token: sk-secret"' }],
    ["a refusal that spells it in escapes", { status: 400, body: '{"message":"bad sk\\u002dsecret"}' }],
    ["a page", { body: "<html>Bearer sk-secret</html>" }],
    ["a header", { status: 400, headers: { "x-siliconcloud-trace-id": "sk-secret" } }],
    ["a redirect", { status: 302, headers: { location: "https://sk-secret.test/" } }],
    [
      "an error of the network",
      Object.assign(new Error("sk-secret"), { request: { headers: { authorization: "Bearer sk-secret" } } }),
    ],
  ])("is not repeated from %s", async (_, reply) => {
    const { client } = setUp([reply], { maxRetries: 0 });
    const error = await failureOf(client.chat.create(request));
    expect(error.attempts).toBe(1);
    expect(inspect(error, { depth: 9, showHidden: true }) + JSON.stringify(error) + error.stack).not.toContain(
      "sk-secret",
    );
  });
});

test.each<[string, Reply]>([
  ["the code of a refusal", { status: 400, body: '{"code":"\\u0073k-secret","message":"no"}' }],
  ["the message of a refusal", { status: 400, body: '{"code":1,"message":"for \\u0073k-secret"}' }],
  ["the trace id of a refusal", { status: 400, headers: { "x-siliconcloud-trace-id": "sk-secret" } }],
  ["the trace id of an empty answer", { body: "", headers: { "x-siliconcloud-trace-id": "sk-secret" } }],
])("a key that comes back as %s is not repeated", async (_, reply) => {
  const { client } = setUp([reply], { maxRetries: 0 });
  const error = await failureOf(client.chat.create(request));
  expect(inspect(error, { depth: 9, showHidden: true }) + JSON.stringify(error) + error.stack).not.toContain(
    "sk-secret",
  );
});

test.each<[string, Reply]>([
  ["a refusal", { status: 401, body: '"Invalid session: canary-of-a-call"' }],
  ["a page", { body: "<html>canary-of-a-call</html>" }],
  ["a header", { status: 400, headers: { "x-siliconcloud-trace-id": "canary-of-a-call" } }],
  ["an error of the network", new Error("canary-of-a-call")],
])("a secret in the headers of one call is not repeated from %s", async (_, reply) => {
  const { client } = setUp([reply], { maxRetries: 0, headers: { "x-gateway-key": "canary-of-the-client" } });
  for (const headers of [{ "x-api-key": "canary-of-a-call" }, { cookie: "session=canary-of-a-call; a=b" }]) {
    const error = await failureOf(client.chat.create(request, { headers }));
    const shown = inspect(error, { depth: 9, showHidden: true }) + JSON.stringify(error) + error.stack;
    expect(shown).toContain("***");
    expect(shown).not.toContain("canary");
  }
});

test.each(["\\u6df1\\u5ea6\\u6c42\\u7d22\\u7684\\u56de\\u7b54\\u662f\\u4ec0\\u4e48", "深度求索的回答是什么"])(
  "a prompt that a refusal spells as %s is not repeated",
  async (spelled) => {
    const prompt = { model: "m", messages: [{ role: "user", content: "深度求索的回答是什么" }] };
    for (const body of [`{"code":1,"message":"cannot answer ${spelled}"}`, `cannot answer ${spelled}`]) {
      const { client } = setUp([{ status: 400, body }], { maxRetries: 0 });
      const { message } = await failureOf(client.chat.create(prompt));
      expect(message).toContain("cannot answer [input]");
    }
  },
);

test("a prompt that a refusal quotes cut short is not repeated", async () => {
  const prompt = { model: "m", messages: [{ role: "user", content: "The plans of our company for the next year" }] };
  const { client } = setUp([
    { status: 400, body: { code: 20015, message: "bad input 'The plans of our compan...year'" } },
  ]);
  const { message } = await failureOf(client.chat.create(prompt));
  expect(message).toContain("bad input '[input]...year'");
});

test("a prompt that looks like the body of a refusal does not hide what it says", async () => {
  const { client } = setUp([{ status: 400, body: '{"code":20012,"message":"Model does not exist."}' }]);
  const call = client.chat.create({ model: "m", messages: [{ role: "user", content: '"message":' }] });
  expect(await failureOf(call)).toMatchObject({ name: "NotFoundError", code: 20012 });
});

test("a Retry-After beyond all calendars still gives a date", async () => {
  const { client, wire } = setUp([limited("TPM", { "retry-after": "9".repeat(400) })]);
  const { retryAt } = await failureOf<RateLimitError>(client.chat.create(request));
  expect(Number.isFinite(retryAt!.getTime())).toBe(true);
  expect(wire.requests).toHaveLength(1);
});

test("a closed client says so", async () => {
  const { client, wire } = setUp([{}]);
  await client.close();
  expect((await failureOf(client.chat.create(request))).message).toContain("closed");
  expect(wire.requests).toHaveLength(0);
});
