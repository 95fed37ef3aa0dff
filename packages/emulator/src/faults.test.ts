import { Agent, request as httpRequest, type IncomingMessage } from "node:http";
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startEmulator, type Emulator } from "./index.js";

let emulator: Emulator;
let agent: Agent;
beforeEach(async () => {
  emulator = await startEmulator();
  agent = new Agent();
});
afterEach(async () => {
  agent.destroy();
  await emulator.close();
});

/** What a client sees: bytes as they come, and how it ended. */
interface Seen {
  status: number | undefined;
  headers: IncomingMessage["headers"];
  chunks: Buffer[];
  text: string;
  /** Undefined when the body ended properly. */
  broke: string | undefined;
}

async function send(path: string, body: unknown): Promise<Seen> {
  const request = httpRequest(`${emulator.url}${path}`, {
    agent,
    method: "POST",
    headers: { authorization: `Bearer ${emulator.apiKey}` },
  });
  // A reset reaches request and response; the response is the one that tells.
  request.on("error", () => undefined);
  request.end(JSON.stringify(body));
  const seen: Seen = { status: undefined, headers: {}, chunks: [], text: "", broke: undefined };
  try {
    const [response] = (await once(request, "response")) as [IncomingMessage];
    seen.status = response.statusCode;
    seen.headers = response.headers;
    for await (const chunk of response as AsyncIterable<Buffer>) seen.chunks.push(chunk);
  } catch (error) {
    seen.broke = (error as NodeJS.ErrnoException).code ?? String(error);
  }
  seen.text = Buffer.concat(seen.chunks).toString();
  return seen;
}

const embed = () => send("/embeddings", { model: "BAAI/bge-m3", input: "a" });
const stream = () =>
  send("/chat/completions", {
    model: "emulator/quote",
    stream: true,
    messages: [{ role: "user", content: "hello" }],
  });
const events = (text: string) => text.split("\n\n").filter((event) => event !== "");

describe("which request is hit", () => {
  test("the first one by default, and only that", async () => {
    emulator.fault({ status: 503 });
    expect([(await embed()).status, (await embed()).status]).toEqual([503, 200]);
  });

  test("the x-th to one endpoint, however many others come between", async () => {
    emulator.fault({ endpoint: "embeddings", nth: 2, times: 2, status: 503 });
    const statuses = [];
    for (const call of [embed, stream, embed, stream, embed, embed]) statuses.push((await call()).status);
    expect(statuses).toEqual([200, 200, 503, 200, 503, 200]);
  });

  test("several faults take their turns", async () => {
    emulator.fault({ status: 503 });
    emulator.fault({ status: 504 });
    expect([(await embed()).status, (await embed()).status, (await embed()).status]).toEqual([503, 504, 200]);
  });

  test.each([
    [{ nth: 0 }, "nth takes a whole number of 1 or more, not 0."],
    [{ nth: NaN }, "nth takes"],
    [{ times: 1.5 }, "times takes a whole number of 1 or more, or Infinity, not 1.5."],
    [{ status: 99 }, "status takes a whole number from 200 to 599, not 99."],
    [{ stallMs: -1 }, "stallMs takes milliseconds of 0 or more, or Infinity, not -1."],
    [{ dripMs: Infinity }, "dripMs takes milliseconds of 0 or more, not Infinity."],
    [{ cutAfterBytes: NaN }, "cutAfterBytes takes a whole number of 0 or more, not NaN."],
    [{ splitBytes: 0 }, "splitBytes takes a whole number of 1 or more, not 0."],
    [{ endpoint: "pictures" as "chat" }, 'endpoint takes "chat"'],
    [{ headers: { "retry-after": 2 as unknown as string } }, "headers takes names and texts"],
    [{ reset: 1 as unknown as boolean }, "reset takes true or false, not 1."],
    [{ stallAfterEvents: 2 }, "stallAfterEvents says where, and stallMs for how long: give both."],
    [{ cutAfter: 2 } as object, 'there is no field "cutAfter"'],
  ])("a fault that cannot happen is refused: %o", (fault, message) => {
    expect(() => emulator.fault(fault)).toThrow(message);
  });
});

describe("what is answered", () => {
  test.each([
    [401, '"Invalid token"'],
    [402, '{"code":30001,"message":"Sorry, your account balance is insufficient","data":null}'],
    [503, '{"code":50505,"message":"Model service overloaded. Please try again later.","data":null}'],
  ])("a status of %i brings its documented body", async (status, text) => {
    emulator.fault({ status });
    expect(await embed()).toMatchObject({ status, text });
  });

  test("a body of any form, with headers of its own", async () => {
    emulator.fault({
      status: 504,
      body: "<html>busy</html>",
      headers: { "Content-Type": "text/html", "Retry-After": "2" },
    });
    expect(await embed()).toMatchObject({
      status: 504,
      text: "<html>busy</html>",
      headers: { "content-type": "text/html", "retry-after": "2" },
    });
  });

  test("an empty body with status 200", async () => {
    emulator.fault({ body: "" });
    expect(await embed()).toMatchObject({ status: 200, text: "", broke: undefined });
  });

  test("bytes are sent as they are", async () => {
    emulator.fault({ body: Uint8Array.of(0xff, 0x00, 0x7b) });
    expect(Buffer.concat((await embed()).chunks)).toEqual(Buffer.of(0xff, 0x00, 0x7b));
  });

  test("headers alone leave the answer as it is", async () => {
    emulator.fault({ headers: { "x-extra": "1" } });
    const seen = await embed();
    expect(seen.headers["x-extra"]).toBe("1");
    expect(JSON.parse(seen.text)).toMatchObject({ object: "list" });
  });
});

describe("how it is sent", () => {
  test("cut after n bytes: the announced length is not reached", async () => {
    emulator.fault({ cutAfterBytes: 10 });
    const seen = await embed();
    expect(seen.chunks.reduce((sum, chunk) => sum + chunk.length, 0)).toBe(10);
    expect(Number(seen.headers["content-length"])).toBeGreaterThan(10);
    expect(seen.broke).toBe("ECONNRESET");
  });

  test("cut after n events: whole events, then nothing, no [DONE]", async () => {
    emulator.fault({ cutAfterEvents: 3 });
    const seen = await stream();
    expect(events(seen.text)).toHaveLength(3);
    expect(seen.text.endsWith("\n\n")).toBe(true);
    expect(seen.broke).toBe("ECONNRESET");
  });

  test("cut after the last event still breaks the body", async () => {
    const whole = events((await stream()).text).length;
    emulator.fault({ cutAfterEvents: whole });
    const seen = await stream();
    expect(seen.text).toContain("[DONE]");
    expect(seen.broke).toBe("ECONNRESET");
  });

  test("reset: no byte of an answer", async () => {
    emulator.fault({ reset: true });
    expect(await embed()).toMatchObject({ status: undefined, broke: "ECONNRESET" });
  });

  test("reset after events: they arrive first", async () => {
    emulator.fault({ reset: true, cutAfterEvents: 2 });
    const seen = await stream();
    expect(events(seen.text)).toHaveLength(2);
    expect(seen.broke).toBe("ECONNRESET");
  });

  test("byte by byte: every byte its own chunk, the answer unharmed", async () => {
    emulator.script([{ content: "想" }]);
    emulator.fault({ splitBytes: 1 });
    const seen = await stream();
    expect(Math.max(...seen.chunks.map((chunk) => chunk.length))).toBeLessThanOrEqual(4);
    expect(seen.text).toContain("想");
    expect(seen.text.trimEnd().endsWith("data: [DONE]")).toBe(true);
  });

  test("drip: a pause after every event", async () => {
    emulator.script([{ content: ["a", "b"] }]);
    emulator.fault({ dripMs: 15 });
    const started = performance.now();
    const seen = await stream();
    // First, a, b, last and [DONE]: five pauses. Timers may fire a millisecond early.
    expect(performance.now() - started).toBeGreaterThanOrEqual(5 * 14);
    expect(seen.broke).toBeUndefined();
  });
});

describe("stalls", () => {
  /** Sends a request that will stall, and says what has come once nothing more does. */
  async function begun(body: object): Promise<{ chunks: string[]; ended: Promise<void> }> {
    const request = httpRequest(`${emulator.url}/chat/completions`, {
      agent,
      method: "POST",
      headers: { authorization: `Bearer ${emulator.apiKey}` },
    });
    request.end(JSON.stringify({ model: "emulator/quote", messages: [{ role: "user", content: "hello" }], ...body }));
    const [response] = (await once(request, "response")) as [IncomingMessage];
    const chunks: string[] = [];
    response.setEncoding("utf8").on("data", (chunk: string) => chunks.push(chunk));
    return { chunks, ended: once(response, "end").then(() => undefined) };
  }

  test("after the headers by default, until the clock is moved", async () => {
    emulator.fault({ stallMs: 3_600_000 });
    const { chunks, ended } = await begun({ stream: true });
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(chunks).toEqual([]);

    emulator.advance(3_600_000);
    await ended;
    expect(chunks.join("")).toContain("[DONE]");
  });

  test("after n events", async () => {
    emulator.fault({ stallMs: 3_600_000, stallAfterEvents: 2 });
    const { chunks, ended } = await begun({ stream: true });
    await expect.poll(() => events(chunks.join("")).length).toBe(2);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(events(chunks.join(""))).toHaveLength(2);

    emulator.advance(3_600_000);
    await ended;
  });

  test("after n bytes of a body in one piece", async () => {
    emulator.fault({ stallMs: 3_600_000, stallAfterBytes: 5 });
    const { chunks, ended } = await begun({});
    await expect.poll(() => chunks.join("")).toHaveLength(5);
    emulator.advance(3_600_000);
    await ended;
    expect(JSON.parse(chunks.join(""))).toMatchObject({ object: "chat.completion" });
  });

  test("before the headers: nothing comes, and the server notices that the caller has left", async () => {
    emulator.fault({ stallMs: Infinity, stallBeforeHeaders: true });
    const controller = new AbortController();
    const asked = fetch(`${emulator.url}/models`, {
      headers: { authorization: `Bearer ${emulator.apiKey}` },
      signal: controller.signal,
    });
    await expect.poll(() => emulator.requests.length).toBe(1);
    controller.abort();
    await expect(asked).rejects.toThrow("aborted");
    expect((await embed()).status).toBe(200);
  });

  test("before a reset that has no cut", async () => {
    emulator.fault({ reset: true, stallMs: 40 });
    const started = performance.now();
    expect(await stream()).toMatchObject({ status: undefined, broke: "ECONNRESET" });
    expect(performance.now() - started).toBeGreaterThanOrEqual(38);
  });

  test("a reset without a cut comes after a stall that has a place of its own", async () => {
    emulator.fault({ reset: true, stallMs: 40, stallAfterEvents: 2 });
    const seen = await stream();
    expect([events(seen.text).length, seen.broke]).toEqual([2, "ECONNRESET"]);
  });

  test("at the cut when there is one", async () => {
    emulator.fault({ stallMs: 40, cutAfterEvents: 1 });
    const started = performance.now();
    const seen = await stream();
    expect(performance.now() - started).toBeGreaterThanOrEqual(38);
    expect([events(seen.text).length, seen.broke]).toEqual([1, "ECONNRESET"]);
  });
});
