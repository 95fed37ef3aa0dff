import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { PartialFailureError } from "@langchain-siliconflow/client";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { EmbeddedText } from "./embedding-stream.js";
import { SiliconFlowEmbeddings, type SiliconFlowEmbeddingsInput } from "./siliconflow-embeddings.js";

let server: Server;
let url: string;
let requests: string[][];
let open: number;
let reply: (input: string[], response: ServerResponse) => void;

beforeEach(async () => {
  requests = [];
  open = 0;
  reply = accept;
  server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      const { input } = JSON.parse(body) as { input: string[] };
      requests.push(input);
      open++;
      response.on("close", () => open--);
      reply(input, response);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, "close");
});

function accept(input: string[], response: ServerResponse, length = 2) {
  const vector = (text: string) => [Number(text), 1, ...Array.from({ length: length - 2 }, () => 1)];
  const data = input.map((text, index) => ({ object: "embedding", index, embedding: vector(text) }));
  response.end(JSON.stringify({ object: "list", model: "m", data, usage: { prompt_tokens: 1, total_tokens: 1 } }));
}

function refuse(response: ServerResponse, status: number, body: unknown = { code: 50_000, message: "broken" }) {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function embeddings(fields: Partial<SiliconFlowEmbeddingsInput> = {}) {
  return new SiliconFlowEmbeddings({
    model: "m",
    apiKey: "sk-test",
    baseURL: url,
    maxRetries: 0,
    batchSize: 2,
    maxConcurrency: 3,
    ...fields,
  });
}

/** Numbers as texts, one after another; tells how many were read and whether it was closed. */
function source(count: number, give: (index: number) => unknown = String) {
  const seen = { read: 0, closed: 0 };
  async function* texts() {
    try {
      while (seen.read < count) yield (await give(seen.read++)) as string;
    } finally {
      seen.closed++;
    }
  }
  return { seen, texts: texts() };
}

async function collect(stream: AsyncIterable<EmbeddedText>, into: EmbeddedText[] = []): Promise<EmbeddedText[]> {
  for await (const embedded of stream) into.push(embedded);
  return into;
}

const rows = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, place) => {
    const index = from + place;
    return { index, text: String(index), vector: [index, 1] };
  });

/** Turns of the event loop in which nothing new is asked for or read, which therefore waits for somebody. */
async function settled(count: () => number): Promise<number> {
  for (let last = -1, calm = 0; calm < 20; calm = count() === last ? calm + 1 : 0) {
    last = count();
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return count();
}

describe("embedStream", () => {
  test.each<[string, () => Iterable<string> | AsyncIterable<string>]>([
    ["a list", () => Array.from({ length: 11 }, (_, index) => String(index))],
    ["a generator", () => new Set(Array.from({ length: 11 }, (_, index) => String(index))).values()],
    ["an asynchronous generator", () => source(11).texts],
  ])("gives the vectors of %s in order, though answers come in another", async (_, texts) => {
    const waiting: (() => void)[] = [];
    reply = (input, response) => {
      waiting.push(() => accept(input, response));
      if (waiting.length === 3 || requests.length === 6) while (waiting.length > 0) waiting.pop()!();
    };
    expect(await collect(embeddings().embedStream(texts()))).toEqual(rows(0, 11));
    expect(requests.map((input) => input.length).sort()).toEqual([1, 2, 2, 2, 2, 2]);
  });

  test("gives nothing for nothing, and asks for nothing", async () => {
    expect(await collect(embeddings().embedStream([]))).toEqual([]);
    expect(requests).toEqual([]);
  });

  test("reads no more texts ahead than may be asked for at once, whatever the source still has", async () => {
    const { seen, texts } = source(Infinity);
    const stream = embeddings().embedStream(texts);
    let most = 0;
    for (let taken = 0; taken < 200; taken++) {
      const { value } = await stream.next();
      expect(value).toEqual(rows(taken, taken + 1)[0]);
      most = Math.max(most, seen.read - taken - 1);
    }
    expect(most).toBeLessThanOrEqual(6);
    // Nobody takes any more.
    expect(await settled(() => seen.read)).toBeLessThanOrEqual(206);
    await stream.return();
    expect(seen.closed).toBe(1);
  });

  test("asks for what comes next while the consumer is busy", async () => {
    const { seen, texts } = source(100);
    const stream = embeddings().embedStream(texts);
    await stream.next();
    await settled(() => requests.length);
    expect(requests.length).toBeGreaterThanOrEqual(3);
    expect(seen.read).toBeGreaterThanOrEqual(6);
    await stream.return();
  });

  test("hands out what is ready while the source hesitates", async () => {
    const { texts } = source(9, (index) => (index < 2 ? String(index) : new Promise(() => {})));
    const stream = embeddings().embedStream(texts);
    expect((await stream.next()).value).toEqual({ index: 0, text: "0", vector: [0, 1] });
    expect((await stream.next()).value).toEqual({ index: 1, text: "1", vector: [1, 1] });
    await stream.return();
  });

  test("tells the cost once, of all requests", async () => {
    const onUsage = vi.fn<(usage: unknown) => void>();
    await collect(embeddings({ onUsage }).embedStream(source(5).texts));
    expect(onUsage.mock.calls).toEqual([[{ model: "m", promptTokens: 3, totalTokens: 3, requests: 3 }]]);
  });

  test.each([
    ["nothing", undefined, /source of many texts\.$/],
    ["one text", "a text", /embedQuery takes a single text\.$/],
    ["a number", 3, /source of many texts\.$/],
  ])("refuses %s in place of texts, and says what to give", (_, texts, advice) => {
    expect(() => embeddings().embedStream(texts as unknown as string[])).toThrow(advice);
  });
});

describe("a stream that is left", () => {
  test("closes its source and its requests", async () => {
    const { seen, texts } = source(Infinity);
    reply = (input, response) => {
      if (requests.length === 1) accept(input, response);
    };
    for await (const { index } of embeddings().embedStream(texts)) {
      expect(index).toBe(0);
      await vi.waitFor(() => expect(open).toBe(2));
      break;
    }
    expect(seen.closed).toBe(1);
    await vi.waitFor(() => expect(open).toBe(0));
  });

  test("does not wait for a source that gives nothing", async () => {
    const close = vi.fn<() => Promise<IteratorResult<string>>>(() => new Promise(() => {}));
    let given = 0;
    const texts: AsyncIterable<string> = {
      [Symbol.asyncIterator]: () => ({
        next: () => (given < 2 ? Promise.resolve({ done: false, value: String(given++) }) : new Promise(() => {})),
        return: close,
      }),
    };
    for await (const { index } of embeddings().embedStream(texts)) if (index === 1) break;
    expect(close).toHaveBeenCalledTimes(1);
  });

  describe.each([
    ["while an answer is awaited", 2],
    ["while the source is awaited", 0],
  ])("%s", (_, count) => {
    /** A stream of which the first vector is asked for, and never comes. */
    async function waiting() {
      reply = () => {};
      const close = vi.fn<() => Promise<IteratorResult<string>>>(async () => ({ done: true, value: undefined }));
      let given = 0;
      const texts: AsyncIterable<string> = {
        [Symbol.asyncIterator]: () => ({
          next: () =>
            given < count ? Promise.resolve({ done: false, value: String(given++) }) : new Promise(() => {}),
          return: close,
        }),
      };
      const stream = embeddings().embedStream(texts);
      const first = stream.next();
      first.catch(() => {});
      await vi.waitFor(() => expect([given, requests.length]).toEqual([count, count / 2]));
      return { stream, first, close };
    }

    test("ends at once, what is asked for and what waits", async () => {
      const { stream, first, close } = await waiting();
      expect(await stream.return()).toEqual({ done: true, value: undefined });
      expect(await first).toEqual({ done: true, value: undefined });
      expect(await stream.next()).toEqual({ done: true, value: undefined });
      expect(close).toHaveBeenCalledTimes(1);
      await vi.waitFor(() => expect(open).toBe(0));
    });

    test("with an error between two vectors rejects with it", async () => {
      const stream = embeddings().embedStream(["0", "1"]);
      await stream.next();
      const reason = new Error("enough");
      await expect(stream.throw(reason)).rejects.toBe(reason);
      expect(await stream.next()).toEqual({ done: true, value: undefined });
    });

    test("with an error rejects with it", async () => {
      const { stream, first, close } = await waiting();
      const reason = new Error("enough");
      await expect(stream.throw(reason)).rejects.toBe(reason);
      expect(await first).toEqual({ done: true, value: undefined });
      expect(close).toHaveBeenCalledTimes(1);
    });
  });

  test("because a pipe behind it broke ends the pipe", async () => {
    const { texts } = source(9, (index) => (index < 2 ? String(index) : new Promise(() => {})));
    const full = new Error("The disk is full.");
    const sink = new Writable({ objectMode: true, write: (_chunk, _encoding, told) => setImmediate(told, full) });
    await expect(pipeline(Readable.from(embeddings().embedStream(texts)), sink)).rejects.toBe(full);
  });

  test.each([
    ["while an answer is awaited", 2],
    ["while the source is awaited", 0],
  ])("by its signal %s rejects with the reason at once", async (_, count) => {
    reply = () => {};
    const controller = new AbortController();
    const { seen, texts } = source(9, (index) => (index < count ? String(index) : new Promise(() => {})));
    const first = embeddings().embedStream(texts, { signal: controller.signal }).next();
    await vi.waitFor(() => expect([seen.read, requests.length]).toEqual([count + 1, count / 2]));
    const reason = new Error("enough");
    controller.abort(reason);
    await expect(first).rejects.toBe(reason);
    await vi.waitFor(() => expect(open).toBe(0));
  });

  test("before it began reads nothing", async () => {
    const { seen, texts } = source(9);
    const reason = new Error("never");
    await expect(collect(embeddings().embedStream(texts, { signal: AbortSignal.abort(reason) }))).rejects.toBe(reason);
    expect(seen).toEqual({ read: 0, closed: 0 });
  });

  test("between two vectors rejects, and closes the source", async () => {
    const controller = new AbortController();
    const { seen, texts } = source(Infinity);
    const stream = embeddings().embedStream(texts, { signal: controller.signal });
    await stream.next();
    controller.abort(new Error("enough"));
    await expect(stream.next()).rejects.toThrow("enough");
    expect(await settled(() => seen.closed)).toBe(1);
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });
});

describe("a source that fails", () => {
  test("is told as it is, after the vectors of all texts before", async () => {
    const reason = new Error("the file has gone");
    const { texts } = source(9, (index) => (index < 5 ? String(index) : Promise.reject(reason)));
    const given: EmbeddedText[] = [];
    await expect(collect(embeddings().embedStream(texts), given)).rejects.toBe(reason);
    expect(given).toEqual(rows(0, 5));
  });

  test.each([
    ["an empty text", "", "texts[3] is empty"],
    ["what is no text", 7, "texts[3] must be a string"],
  ])("by %s is told which, and closed", async (_, wrong, message) => {
    const { seen, texts } = source(9, (index) => (index === 3 ? wrong : String(index)));
    const given: EmbeddedText[] = [];
    const error: unknown = await collect(embeddings().embedStream(texts), given).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: "InvalidInputError", position: 3, message: expect.stringContaining(message) });
    expect(given).toEqual(rows(0, 3));
    expect(seen.closed).toBe(1);
  });
});

describe("a request that fails", () => {
  /** Refuses the request that holds the text, and those after it wait until it has been refused. */
  function refusing(text: string) {
    reply = (input, response) => (input.includes(text) ? refuse(response, 500) : accept(input, response));
  }

  test("keeps what was paid for beyond it, and says where to go on", async () => {
    refusing("4");
    const { seen, texts } = source(100);
    const given: EmbeddedText[] = [];
    const error = (await collect(embeddings().embedStream(texts), given).catch(
      (reason: unknown) => reason,
    )) as PartialFailureError<number[]>;
    expect(error).toBeInstanceOf(PartialFailureError);
    expect(given).toEqual(rows(0, 4));
    expect(seen.closed).toBe(1);
    expect(error.failures.slice(0, 2).map(({ position }) => position)).toEqual([4, 5]);
    expect(error.message).toContain("texts[4]");
    const read = error.results.length;
    expect(read).toBeGreaterThanOrEqual(6);
    expect(read).toBeLessThanOrEqual(10);
    for (const [index, vector] of error.results.entries()) {
      const isKnown = index >= 4 && !error.failures.some(({ position }) => position === index);
      expect(vector).toEqual(isKnown ? [index, 1] : undefined);
    }

    requests = [];
    reply = accept;
    const resumed: [number, number[]][] = [];
    (await error.resume()).forEach((vector, index) => resumed.push([index, vector]));
    expect(resumed).toEqual(rows(4, read).map(({ index, vector }) => [index, vector]));
    expect(requests.flat()).toEqual(error.failures.map(({ position }) => String(position)));
  });

  test("can fail again, and still counts from the beginning", async () => {
    refusing("4");
    const error = (await collect(embeddings().embedStream(source(6).texts)).catch(
      (reason: unknown) => reason,
    )) as PartialFailureError<number[]>;
    refusing("5");
    const again: unknown = await error.resume().catch((reason: unknown) => reason);
    expect(again).toMatchObject({ status: 500 });
  });

  test("before anything arrived is the error itself", async () => {
    reply = (_, response) => refuse(response, 401, "Invalid token");
    const { seen, texts } = source(100);
    await expect(collect(embeddings().embedStream(texts))).rejects.toMatchObject({ name: "AuthenticationError" });
    expect(seen.closed).toBe(1);
    expect(requests.length).toBeLessThanOrEqual(3);
  });

  test("names the text that cannot be trusted, from the beginning of the stream", async () => {
    reply = (input, response) => {
      if (!input.includes("4")) return accept(input, response);
      const data = input.map((text, index) => ({ index, embedding: text === "4" ? [null] : [Number(text), 1] }));
      response.end(JSON.stringify({ object: "list", model: "m", data }));
    };
    const error = (await collect(embeddings().embedStream(source(6).texts)).catch(
      (reason: unknown) => reason,
    )) as PartialFailureError<number[]>;
    expect(error.failures).toMatchObject([{ position: 4, error: { name: "InvalidResponseError", position: 4 } }]);
    expect(error.failures[0]!.error.message).toContain("texts[4]: number 0 of the vector is null; asked twice");
    expect(error.results[5]).toEqual([5, 1]);
  });

  test("is also a vector of another length than those that were handed out", async () => {
    reply = (input, response) => accept(input, response, Number(input[0]) < 4 ? 2 : 3);
    const given: EmbeddedText[] = [];
    const error: unknown = await collect(embeddings({ maxConcurrency: 1 }).embedStream(source(20).texts), given).catch(
      (reason: unknown) => reason,
    );
    expect(given).toEqual(rows(0, 4));
    expect(error).toMatchObject({
      name: "PartialFailureError",
      failures: [{ position: 4, error: { reason: "badVector" } }, { position: 5 }],
    });
  });
});
