import {
  MemoryRateLimiter,
  SharedRateLimiter,
  SiliconFlowClient,
  type ClientOptions,
  type Lease,
  type RateLimiter,
  type SiliconFlowError,
} from "@langchain-siliconflow/client";
import { startEmulator, type Emulator, type Limits } from "@langchain-siliconflow/emulator";
import { RateLimiterMemory } from "rate-limiter-flexible";
import { afterEach, describe, expect, test, vi } from "vitest";

const model = "BAAI/bge-m3";
let emulator: Emulator;
const clients: SiliconFlowClient[] = [];

async function open(limits: Limits = {}): Promise<void> {
  emulator = await startEmulator({ limits });
}

function connect(options: ClientOptions): SiliconFlowClient {
  const client = new SiliconFlowClient({ baseURL: emulator.url, apiKey: emulator.apiKey, maxRetries: 0, ...options });
  clients.push(client);
  return client;
}

afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await emulator.close();
});

/** Client, limiter and emulator live through minutes while their sockets take the time they take. */
async function inFastTime(work: Promise<unknown>): Promise<void> {
  const ended = new AbortController();
  const end = () => ended.abort();
  work.then(end, end);
  while (!ended.signal.aborted) {
    await vi.advanceTimersByTimeAsync(25);
    // Sockets.
    for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => void setImmediate(resolve));
  }
  await work;
}

function useFastTime(): void {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"] });
}

describe.each(["sliding", "fixed"] as const)("asked for twice what the limit allows, by %s windows", (window) => {
  test("every request is answered, once, and none is refused", async () => {
    useFastTime();
    await open({ requestsPerMinute: 300, window, ...(window === "fixed" && { windowOffsetMs: 17_000 }) });
    const client = connect({ limiter: new MemoryRateLimiter({ requestsPerMinute: 300 }) });
    const count = 1000;
    const calls = Array.from({ length: count }, async (_, index) => {
      // At 600 a minute.
      await new Promise((resolve) => setTimeout(resolve, index * 100));
      return await client.embeddings.create({ model, input: `text ${index}` });
    });
    await inFastTime(Promise.all(calls));

    const texts = emulator.requests.map(({ body }) => (body as { input: string }).input);
    expect(texts).toHaveLength(count);
    expect(new Set(texts).size).toBe(count);
  });

  test("several clients over a store of rate-limiter-flexible meet no 429 either", async () => {
    useFastTime();
    await open({
      requestsPerMinute: 100,
      tokensPerMinute: 3000,
      window,
      ...(window === "fixed" && { windowOffsetMs: 1 }),
    });
    const store = new RateLimiterMemory({ points: 1, duration: 60 });
    const calls = [1, 2, 3].flatMap((one) => {
      const limiter = new SharedRateLimiter({ store, requestsPerMinute: 100, tokensPerMinute: 3000 });
      const client = connect({ limiter });
      return Array.from({ length: 70 }, (_, index) =>
        client.embeddings.create({ model, input: `text ${one} ${index}` }),
      );
    });
    await inFastTime(Promise.all(calls));
    expect(emulator.requests).toHaveLength(210);
  });
});

describe("what a limiter refuses", () => {
  test("is never sent, and says so", async () => {
    await open();
    const limiter = new MemoryRateLimiter({ requestsPerDay: 1, tokensPerMinute: 500 });
    const client = connect({ limiter, maxRetries: 3 });
    const chat = { model: "Qwen/Qwen3-8B", messages: [{ role: "user", content: "1+1?" }], max_tokens: 600 };
    const large = await failureOf(client.chat.create(chat));
    expect(large).toMatchObject({ name: "InvalidInputError", reason: "neverFits", attempts: 0 });
    expect(large.message).toMatch(/max_tokens/);
    expect(emulator.requests).toHaveLength(0);

    await client.embeddings.create({ model, input: "a" });
    const used = await failureOf(client.embeddings.create({ model, input: "b" }));
    expect(used).toMatchObject({ name: "RateLimitError", status: 429, limit: "RPD", attempts: 0 });
    expect(emulator.requests).toHaveLength(1);
  });
});

test("a wait for the limiter is told to onWait, and ends with the signal", async () => {
  await open();
  const waits: { reason: string; delayMs: number }[] = [];
  const limiter = new MemoryRateLimiter({ requestsPerMinute: 1 });
  const client = connect({ limiter, onWait: (event) => void waits.push(event) });
  await client.embeddings.create({ model, input: "a" });
  const controller = new AbortController();
  const waiting = client.embeddings.create({ model, input: "b" }, { signal: controller.signal });
  await vi.waitFor(() => expect(waits).toHaveLength(1));
  expect(waits[0]).toEqual({ reason: `RPM limit of ${model}`, delayMs: expect.any(Number) });
  expect(waits[0]!.delayMs).toBeGreaterThan(59_000);
  controller.abort("mine");
  await expect(waiting).rejects.toBe("mine");
  expect(emulator.requests).toHaveLength(1);
});

test("a 429 of the service holds back the other requests for its model", async () => {
  useFastTime();
  await open();
  const client = connect({ limiter: new MemoryRateLimiter(), maxRetries: 1 });
  emulator.fault({ status: 429, headers: { "retry-after": "30" } });
  const started = Date.now();
  const calls = [client.embeddings.create({ model, input: "a" })];
  await vi.waitFor(() => expect(emulator.requests).toHaveLength(1));
  calls.push(client.embeddings.create({ model, input: "b" }));
  await inFastTime(Promise.all(calls));
  expect(emulator.requests).toHaveLength(3);
  expect(Date.now() - started).toBeGreaterThanOrEqual(29_900);
});

describe("estimates", () => {
  const texts = {
    English: "The quick brown fox jumps over the lazy dog, and nobody knows why it does so every single day. ".repeat(
      20,
    ),
    Chinese: "深度求索是一家专注于实现通用人工智能的公司，它的模型可以理解和生成中文文本。".repeat(20),
    both: "SiliconFlow 提供 OpenAI-compatible API，支持 embeddings 和 rerank。".repeat(20),
  };

  test.each(Object.entries(texts))("of %s are near what is used, in chat, embeddings and rerank", async (_, text) => {
    await open();
    const seen: { estimate: number; used: number }[] = [];
    const client = connect({ limiter: spy((estimate, used) => seen.push({ estimate, used })) });
    await client.embeddings.create({ model, input: [text.slice(0, 500), text.slice(500)] });
    await client.rerank.create({
      model: "BAAI/bge-reranker-v2-m3",
      query: text.slice(0, 40),
      documents: Array(8).fill(text),
    });
    emulator.script([{ content: "yes" }]);
    const messages = [{ role: "user", content: text }];
    for await (const chunk of client.chat.stream({ model: "Qwen/Qwen3-8B", messages })) void chunk;
    expect(seen).toHaveLength(3);
    for (const { estimate, used } of seen) {
      expect(estimate / used).toBeGreaterThan(0.75);
      expect(estimate / used).toBeLessThan(2);
    }
  });

  test("take no picture for text", async () => {
    await open();
    const seen: number[] = [];
    const client = connect({ limiter: spy((estimate) => seen.push(estimate)) });
    const picture = { type: "image_url", image_url: { url: `data:image/png;base64,${"A".repeat(1_000_000)}` } };
    const messages = [{ role: "user", content: [picture, { type: "text", text: "What is this?" }] }];
    await client.chat.create({ model: "Qwen/Qwen3-VL-8B-Instruct", messages });
    expect(seen[0]).toBeLessThan(2000);
  });
});

function spy(tell: (estimate: number, used: number) => void): RateLimiter {
  const acquire = async ({ tokens }: { tokens: number }): Promise<Lease> => ({
    settle: (usage) => tell(tokens, usage.tokens),
    penalize: () => {},
  });
  return { acquire };
}

function failureOf(call: Promise<unknown>): Promise<SiliconFlowError> {
  return call.then(
    () => Promise.reject(new Error("It succeeded.")),
    (error: unknown) => error as SiliconFlowError,
  );
}
