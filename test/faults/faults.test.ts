import { inspect } from "node:util";
import { isSiliconFlowError } from "@langchain-siliconflow/client";
import type { AIMessage, AIMessageChunk, UsageMetadata } from "@langchain/core/messages";
import { ChatSiliconFlow, SiliconFlow, SiliconFlowEmbeddings, SiliconFlowRerank } from "langchain-siliconflow";
import { afterEach, describe, expect, test } from "vitest";
import { startFaultServer, type FaultServer } from "./fault-server.js";
import { matrix, type Case, type Seen, type Target } from "./matrix.js";
import { completion, done, failure, finish, first, limited, sse, text, vectors } from "./wire.js";

const key = "sk-canary-key";
let server: FaultServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

/** Limits short enough for a test, long enough for a busy machine. */
const options = (url: string, maxRetries = 3) => ({
  apiKey: key,
  baseURL: url,
  maxRetries,
  timeouts: { firstByteMs: 600, idleMs: 300 },
});

const callers: Record<Target, (url: string, maxRetries?: number) => Promise<Seen>> = {
  async invoke(url, maxRetries) {
    const model = new ChatSiliconFlow({ model: "Qwen/Qwen3-8B", ...options(url, maxRetries) });
    return seenIn(await model.invoke("Hello"));
  },
  async stream(url, maxRetries) {
    const model = new ChatSiliconFlow({ model: "Qwen/Qwen3-8B", ...options(url, maxRetries) });
    let whole: AIMessageChunk | undefined;
    for await (const chunk of await model.stream("Hello")) whole = whole ? whole.concat(chunk) : chunk;
    return seenIn(whole!);
  },
  async messages(url, maxRetries) {
    const model = new ChatSiliconFlow({ model: "zai-org/GLM-4.6", api: "messages", ...options(url, maxRetries) });
    return seenIn(await model.invoke("Hello"));
  },
  async messagesStream(url, maxRetries) {
    const model = new ChatSiliconFlow({ model: "zai-org/GLM-4.6", api: "messages", ...options(url, maxRetries) });
    let whole: AIMessageChunk | undefined;
    for await (const chunk of await model.stream("Hello")) whole = whole ? whole.concat(chunk) : chunk;
    return seenIn(whole!);
  },
  async complete(url, maxRetries) {
    const model = new SiliconFlow({ model: "Qwen/Qwen3-Coder-30B-A3B-Instruct", ...options(url, maxRetries) });
    return { text: await model.invoke("Hello") };
  },
  async completeStream(url, maxRetries) {
    const model = new SiliconFlow({
      model: "Qwen/Qwen3-Coder-30B-A3B-Instruct",
      streaming: true,
      ...options(url, maxRetries),
    });
    const { generations } = await model.generate(["Hello"]);
    const { text, generationInfo } = generations[0]![0]!;
    return { text, finishReason: generationInfo?.["finish_reason"] as string };
  },
  async embed(url, maxRetries) {
    const embeddings = new SiliconFlowEmbeddings({ model: "BAAI/bge-m3", ...options(url, maxRetries) });
    return { vectors: await embeddings.embedDocuments(["one", "two"]) };
  },
  async rerank(url, maxRetries) {
    const reranker = new SiliconFlowRerank({ model: "BAAI/bge-reranker-v2-m3", ...options(url, maxRetries) });
    return { ranking: await reranker.rerank(["one", "two", "three"], "which?") };
  },
};

function seenIn(message: AIMessage | AIMessageChunk): Seen {
  const reasoning = message.additional_kwargs["reasoning_content"];
  // The union of both message types has no usage type of its own.
  const usage = message.usage_metadata as UsageMetadata | undefined;
  return {
    text: message.text,
    blocks: message.contentBlocks.map((block) => block.type),
    toolCalls: (message.tool_calls ?? []).map(({ name, args }) => ({ name, args })),
    invalidToolCalls: (message.invalid_tool_calls ?? []).map(({ name }) => name ?? ""),
    finishReason: message.response_metadata["finish_reason"] as string,
    ...(typeof reasoning === "string" && { reasoning }),
    ...(usage && {
      usage: { input_tokens: usage.input_tokens, output_tokens: usage.output_tokens, total_tokens: usage.total_tokens },
    }),
  };
}

/** Everything a log could make of an error. */
function shown(error: unknown): string {
  return [
    inspect(error, { depth: 12, showHidden: true }),
    JSON.stringify(error),
    String(error),
    (error as Error).stack,
  ].join("\n");
}

describe.each(groupedByRow())("fault %i", (_row, cases) => {
  test.each(cases)("$target: $fault", async ({ target, entry }) => {
    server = await startFaultServer(entry.replies);
    const call = callers[target](server.url, entry.maxRetries);

    if (entry.returns) {
      expect(await call).toMatchObject(entry.returns);
    } else {
      const error = await call.then(
        (value) => expect.unreachable(`ended as a success: ${inspect(value)}`),
        (reason: unknown) => reason,
      );
      expect(isSiliconFlowError(error), inspect(error)).toBe(true);
      expect(error).toMatchObject(entry.throws!);
      if (entry.says) expect((error as Error).message).toMatch(entry.says);
      if (entry.hides) expect(shown(error)).not.toMatch(entry.hides);
      expect(shown(error)).not.toContain(key);
    }
    expect(server.requests.length).toBe(entry.requests);
  });
});

function groupedByRow(): [number, { target: Target; fault: string; entry: Case }[]][] {
  const rows = new Map<number, { target: Target; fault: string; entry: Case }[]>();
  for (const entry of matrix) {
    for (const target of entry.targets)
      rows.set(entry.row, [...(rows.get(entry.row) ?? []), { target, fault: entry.fault, entry }]);
  }
  return [...rows];
}

describe("fault 30", () => {
  test("the connection is used again after data that follows [DONE]", async () => {
    server = await startFaultServer([{ headers: sse, body: [first, text("Hello"), finish(), done, text("more")] }]);
    const model = new ChatSiliconFlow({ model: "Qwen/Qwen3-8B", ...options(server.url) });
    for (let round = 0; round < 3; round += 1) await Array.fromAsync(await model.stream("Hello"));
    expect(server.requests.map(({ connection }) => connection)).toEqual([0, 0, 0]);
  });
});

describe("fault 45", () => {
  const endless = { headers: sse, body: [first, text("Hel")], forever: text("lo") };

  test("a reader who leaves the loop closes the connection", async () => {
    server = await startFaultServer([endless]);
    const model = new ChatSiliconFlow({ model: "Qwen/Qwen3-8B", ...options(server.url) });
    for await (const chunk of await model.stream("Hello")) if (chunk.text) break;
    await expect(server.closed).resolves.toBeUndefined();
  });

  test("a reader who aborts gets the reason, and the connection is closed", async () => {
    server = await startFaultServer([{ ...endless, everyMs: 5 }]);
    const controller = new AbortController();
    const model = new ChatSiliconFlow({ model: "Qwen/Qwen3-8B", ...options(server.url) });
    const reason = new Error("the reader has gone");
    const reading = (async () => {
      for await (const chunk of await model.stream("Hello", { signal: controller.signal }))
        if (chunk.text) controller.abort(reason);
    })();
    await expect(reading).rejects.toBe(reason);
    await server.closed;
  });

  test("a slow reader slows the server down instead of filling the memory", async () => {
    const large = text("x".repeat(64 * 1024));
    server = await startFaultServer([{ headers: sse, body: [first, text("Hel")], forever: large }]);
    const model = new ChatSiliconFlow({ model: "Qwen/Qwen3-8B", ...options(server.url) });
    const stream = await model.stream("Hello");
    const iterator = stream[Symbol.asyncIterator]();
    await iterator.next();
    await standsStill(() => server!.bytesWritten());
    // What the sockets of both ends and one read hold; an unbounded reader would have taken hundreds of megabytes.
    expect(server.bytesWritten()).toBeLessThan(32 * 1024 * 1024);
    await iterator.return?.();
    await server.closed;
  });
});

describe("fault 46", () => {
  test("the wait is announced, and other calls to the model wait as well", async () => {
    const reply = (): { body: string } => ({ body: completion({ content: "Hello" }) });
    server = await startFaultServer([{ status: 429, body: limited("TPM"), headers: { "retry-after": "1" } }, reply]);
    const { SiliconFlowClient } = await import("@langchain-siliconflow/client");
    const retries: number[] = [];
    const waits: string[] = [];
    const client = new SiliconFlowClient({
      ...options(server.url),
      onRetry: ({ attempt }) => retries.push(attempt),
      onWait: ({ reason }) => waits.push(reason),
    });
    const request = { model: "Qwen/Qwen3-8B", messages: [{ role: "user", content: "Hello" }] };
    const one = client.chat.create(request);
    await expect.poll(() => retries.length).toBe(1);
    const sent = server.requests.length;
    const two = client.chat.create(request);
    await expect.poll(() => waits.length).toBeGreaterThan(0);
    expect(server.requests.length).toBe(sent);
    await Promise.all([one, two]);
    expect(server.requests.length).toBe(3);
    await client.close();
  });

  test.each(["RPH", "RPD", "TPD"])("a %s limit fails at once, with the time of its end", async (limit) => {
    server = await startFaultServer([{ status: 429, body: limited(limit) }]);
    const error = await callers.invoke(server.url).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: "RateLimitError", limit, attempts: 1 });
    expect((error as { retryAt: Date }).retryAt.getTime()).toBeGreaterThan(Date.now());
  });
});

describe("fault 52", () => {
  const texts = Array.from({ length: 40 }, (_, index) => `text ${index + 1}`);

  test("a batch that is too large is cut to the size the service names, and later calls start with that size", async () => {
    const sizes: number[] = [];
    server = await startFaultServer([
      (body) => {
        const input = body["input"] as string[];
        sizes.push(input.length);
        if (input.length > 10)
          return {
            status: 413,
            body: failure(20042, `input batch size ${input.length} > maximum allowed batch size 10`),
          };
        return { body: vectors(input.map((each) => [Number(each.slice(5)), 1])) };
      },
    ]);
    const embeddings = new SiliconFlowEmbeddings({ model: "BAAI/bge-m3", maxConcurrency: 1, ...options(server.url) });
    expect((await embeddings.embedDocuments(texts)).map(([number]) => number)).toEqual(
      texts.map((_, index) => index + 1),
    );
    const refusals = sizes.filter((size) => size > 10).length;
    expect(refusals).toBe(1);
    sizes.length = 0;
    await embeddings.embedDocuments(texts);
    expect(sizes.every((size) => size <= 10)).toBe(true);
  });

  test("a batch that is too large is halved where the service names no size", async () => {
    server = await startFaultServer([
      (body) => {
        const input = body["input"] as string[];
        if (input.length > 5) return { status: 413, body: '"Request Entity Too Large"' };
        return { body: vectors(input.map((each) => [Number(each.slice(5)), 1])) };
      },
    ]);
    const embeddings = new SiliconFlowEmbeddings({ model: "BAAI/bge-m3", ...options(server.url) });
    expect((await embeddings.embedDocuments(texts)).map(([number]) => number)).toEqual(
      texts.map((_, index) => index + 1),
    );
  });

  test("one text that is too large is named by its position, and the others are kept", async () => {
    server = await startFaultServer([
      (body) => {
        const input = body["input"] as string[];
        if (input.includes("text 7")) return { status: 413, body: '"Request Entity Too Large"' };
        return { body: vectors(input.map((each) => [Number(each.slice(5)), 1])) };
      },
    ]);
    const embeddings = new SiliconFlowEmbeddings({ model: "BAAI/bge-m3", ...options(server.url) });
    const error = await embeddings.embedDocuments(texts).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: "PartialFailureError", failures: [{ position: 6 }] });
    const { results } = error as { results: (number[] | undefined)[] };
    expect(results.filter((vector) => vector !== undefined).length).toBe(39);
    expect(results[6]).toBeUndefined();
    expect(results[7]).toEqual([8, 1]);
  });
});

/** Resolves once a figure has not changed over several looks. */
async function standsStill(figure: () => number): Promise<void> {
  let last = -1;
  for (let same = 0; same < 5;) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    same = figure() === last ? same + 1 : 0;
    last = figure();
  }
}
