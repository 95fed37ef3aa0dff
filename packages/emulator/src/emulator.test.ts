import { createServer } from "node:net";
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startEmulator, type Emulator } from "./index.js";

let emulator: Emulator;
beforeEach(async () => {
  emulator = await startEmulator({ limits: { requestsPerMinute: 2, tokensPerMinute: 100 } });
});
afterEach(() => emulator.close());

function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${emulator.url}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${emulator.apiKey}`, "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

const embed = (input: string) => post("/embeddings", { model: "BAAI/bge-m3", input });

describe("the server", () => {
  test("listens on this machine only, under /v1", () => {
    expect(emulator.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v1$/);
  });

  test("refuses a missing and a wrong key with the documented JSON string", async () => {
    const missing = await fetch(`${emulator.url}/models`);
    const wrong = await post("/embeddings", {}, { authorization: "Bearer sk-other" });

    expect([missing.status, await missing.json()]).toEqual([401, "Invalid token"]);
    expect([wrong.status, await wrong.json()]).toEqual([401, "Invalid token"]);
  });

  test("answers an unknown path, and a known one with the wrong method, with 404 as a JSON string", async () => {
    for (const response of [await post("/images/nothing", {}), await post("/models", {})]) {
      expect([response.status, await response.text()]).toEqual([404, '"404 page not found"']);
    }
  });

  test("gives every answer a trace id, the caller's own when one was sent", async () => {
    const own = await embed("a");
    const callers = await post("/embeddings", {}, { "x-trace-id": "trace-7" });

    expect(own.headers.get("x-siliconcloud-trace-id")).toMatch(/^[0-9a-f]{32}$/);
    expect(callers.headers.get("x-siliconcloud-trace-id")).toBe("trace-7");
  });

  test("refuses a body that is not JSON, or not an object", async () => {
    for (const body of ["{", "null", "[]", ""]) {
      const response = await post("/chat/completions", body);
      expect([response.status, await response.json()]).toMatchObject([400, { code: 20015, data: null }]);
    }
  });

  test("says in every listed model that it is an emulator, and filters by sub_type", async () => {
    const headers = { authorization: `Bearer ${emulator.apiKey}` };
    const list = async (query: string) =>
      (await (await fetch(`${emulator.url}/models${query}`, { headers })).json()) as {
        object: string;
        data: { id: string; owned_by: string; object: string }[];
      };
    const all = await list("");
    const rerankers = await list("?sub_type=reranker");

    expect(all.object).toBe("list");
    expect(new Set(all.data.map((model) => model.owned_by))).toEqual(new Set(["emulator"]));
    expect(all.data.map((model) => model.id)).toEqual(
      expect.arrayContaining(["Qwen/Qwen3-8B", "BAAI/bge-m3", "emulator/quote"]),
    );
    expect(rerankers.data.map((model) => model.id)).toContain("Qwen/Qwen3-Reranker-0.6B");
    expect(rerankers.data.map((model) => model.id)).not.toContain("BAAI/bge-m3");
  });
});

describe("the journal", () => {
  test("keeps method, path, headers and body, and never the key", async () => {
    await post(
      "/embeddings?x=1",
      { model: "BAAI/bge-m3", input: "a" },
      { "x-api-key": emulator.apiKey, "x-echo": `k=${emulator.apiKey}` },
    );
    await post("/rerank", "not json");

    expect(emulator.requests).toHaveLength(2);
    expect(emulator.requests[0]).toMatchObject({
      endpoint: "embeddings",
      method: "POST",
      path: "/v1/embeddings?x=1",
      body: { model: "BAAI/bge-m3", input: "a" },
      headers: { "content-type": "application/json", "x-echo": "k=***" },
    });
    expect(emulator.requests[1]!.body).toBe("not json");
    expect(JSON.stringify(emulator.requests)).not.toContain(emulator.apiKey);
  });

  test("reset forgets requests, script, faults and counted limits", async () => {
    emulator.script([{ endpoint: "embeddings", status: 500 }]);
    emulator.fault({ status: 503, times: Infinity });
    await embed("a");
    await embed("a");
    emulator.reset();

    expect(emulator.requests).toEqual([]);
    expect((await embed("a")).status).toBe(200);
  });
});

describe("rate limits", () => {
  const refusal = (limit: string) => ({
    message: `Request was rejected due to rate limiting. If you want more, please contact contact@siliconflow.cn. Details:${limit} limit reached.`,
    data: null,
  });

  test("refuse what is too much in a minute, without code and Retry-After, until the clock has moved on", async () => {
    await embed("a");
    await embed("a");
    const refused = await embed("a");

    expect([refused.status, await refused.json()]).toEqual([429, refusal("RPM")]);
    expect(refused.headers.has("retry-after")).toBe(false);

    emulator.advance(60_000);
    expect((await embed("a")).status).toBe(200);
  });

  test("count per model", async () => {
    await embed("a");
    await embed("a");
    const other = await post("/embeddings", { model: "Qwen/Qwen3-Embedding-0.6B", input: "a" });
    expect(other.status).toBe(200);
  });

  test("count tokens as well", async () => {
    await embed("word ".repeat(90));
    const refused = await embed("word ".repeat(20));
    expect(await refused.json()).toEqual(refusal("TPM"));
  });

  test.each([
    ["RPH", { requestsPerHour: 2 }, 3_600_000],
    ["RPD", { requestsPerDay: 2 }, 86_400_000],
    ["TPD", { tokensPerDay: 2 }, 86_400_000],
  ] as const)("of an hour or a day say %s", async (name, limits, windowMs) => {
    await emulator.close();
    emulator = await startEmulator({ limits });
    await embed("a");
    await embed("a");
    expect(await (await embed("a")).json()).toEqual(refusal(name));
    emulator.advance(windowMs - 60_000);
    expect((await embed("a")).status).toBe(429);
    emulator.advance(60_000);
    expect((await embed("a")).status).toBe(200);
  });

  test("of fixed windows are counted anew at the offset, not a minute after the request", async () => {
    await emulator.close();
    const windowOffsetMs = (Date.now() + 10_000) % 60_000;
    emulator = await startEmulator({ limits: { requestsPerMinute: 1, window: "fixed", windowOffsetMs } });
    await embed("a");
    expect((await embed("a")).status).toBe(429);
    emulator.advance(10_000);
    expect((await embed("a")).status).toBe(200);
    emulator.advance(40_000);
    expect((await embed("a")).status).toBe(429);
  });

  test("that make no sense are errors that name them", async () => {
    await expect(startEmulator({ limits: { requestsPerHour: 0 } })).rejects.toThrow(/limits\.requestsPerHour/);
    await expect(startEmulator({ limits: { window: "round" as "fixed" } })).rejects.toThrow(/limits\.window/);
    await expect(startEmulator({ limits: { windowOffsetMs: -1 } })).rejects.toThrow(/limits\.windowOffsetMs/);
  });
});

describe("start and stop", () => {
  test("close ends at once although an answer hangs and a connection idles", async () => {
    emulator.fault({ stallMs: Infinity, stallBeforeHeaders: true });
    const hanging = embed("a").catch((error: unknown) => error);
    const idle = await import("node:net").then((net) => net.connect(Number(new URL(emulator.url).port), "127.0.0.1"));
    await once(idle, "connect");
    while (emulator.requests.length === 0) await new Promise((resolve) => void setImmediate(resolve));

    const started = performance.now();
    await Promise.all([emulator.close(), emulator.close()]);

    expect(performance.now() - started).toBeLessThan(1000);
    expect(await hanging).toBeInstanceOf(Error);
    idle.destroy();
  });

  test("a taken port and options out of range are errors that say so", async () => {
    const squatter = createServer().listen(0, "127.0.0.1");
    await once(squatter, "listening");
    const { port } = squatter.address() as { port: number };

    await expect(startEmulator({ port })).rejects.toMatchObject({ code: "EADDRINUSE" });
    squatter.close();
    await expect(startEmulator({ batchCap: 0 })).rejects.toThrow("batchCap takes a whole number from 1");
    await expect(startEmulator({ quirks: { rerankshape: "A" } as object })).rejects.toThrow(
      "quirks has no rerankshape",
    );
    await expect(startEmulator({ quirks: { rerankShape: "C" as "A" } })).rejects.toThrow(
      'quirks.rerankShape takes "B", "A", not "C".',
    );
    await expect(startEmulator({ quirks: { maxMessages: 0.5 } })).rejects.toThrow(
      "quirks.maxMessages takes Infinity, a whole number from 1, not 0.5.",
    );
    await expect(startEmulator({ apiKey: "two words" })).rejects.toThrow("apiKey takes visible ASCII");
    await expect(startEmulator({ models: "huge" as "lexical" })).rejects.toThrow('models is "lexical" or "semantic"');
    expect(() => emulator.advance(-1)).toThrow("milliseconds of 0 or more");
  });
});
