import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { SiliconFlowClient } from "@langchain-siliconflow/client";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { SiliconFlowEmbeddings, type SiliconFlowEmbeddingsInput } from "./siliconflow-embeddings.js";

/** A server on this machine: what is under way, and how it is answered, is up to each test. */
let server: Server;
let url: string;
let requests: string[][];
let reply: (input: string[], response: ServerResponse) => void;

beforeEach(async () => {
  requests = [];
  reply = accept;
  server = createServer((request, response) => {
    if (request.method === "GET") return response.end();
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      const { input } = JSON.parse(body) as { input: string[] };
      requests.push(input);
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

const texts = (count: number) => Array.from({ length: count }, (_, index) => String(index));
const vectorOf = (text: string) => [Number(text), 1];
const vectorsOf = (list: string[]) => list.map(vectorOf);

function accept(input: string[], response: ServerResponse) {
  const data = input.map((text, index) => ({ object: "embedding", index, embedding: vectorOf(text) }));
  response.end(JSON.stringify({ object: "list", model: "m", data, usage: { prompt_tokens: 1, total_tokens: 1 } }));
}

function refuse(response: ServerResponse, status: number, body: unknown) {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function embeddings(fields: Partial<SiliconFlowEmbeddingsInput> = {}) {
  return new SiliconFlowEmbeddings({ model: "m", apiKey: "sk-test", baseURL: url, maxRetries: 0, ...fields });
}

/** Holds requests back until as many have come as are waited for. */
function held() {
  const waiting: [string[], ServerResponse][] = [];
  let peak = 0;
  let awaited: { count: number; resolve: () => void } | undefined;
  reply = (input, response) => {
    waiting.push([input, response]);
    peak = Math.max(peak, waiting.length);
    if (awaited && waiting.length >= awaited.count) awaited.resolve();
  };
  return {
    waiting,
    peak: () => peak,
    until: (count: number) =>
      new Promise<void>((resolve) => {
        if (waiting.length >= count) resolve();
        else awaited = { count, resolve };
      }),
    async release(count = waiting.length) {
      for (const [input, response] of waiting.splice(0, count)) accept(input, response);
    },
  };
}

/** By the time this is answered, requests sent before it have arrived. */
const roundTrip = async () => (await fetch(url)).arrayBuffer();

async function failureOf(promise: Promise<unknown>) {
  const error = await promise.then(
    () => expect.unreachable("no error came"),
    (reason: unknown) => reason,
  );
  return error as Error & {
    results: (number[] | undefined)[];
    failures: { position: number; error: Error }[];
    resume: (options?: { signal?: AbortSignal }) => Promise<number[][]>;
  };
}

describe("several requests at once", () => {
  test("16 by default, and the vectors in the order of the texts though answers come in another", async () => {
    const hold = held();
    const all = embeddings({ batchSize: 1 }).embedDocuments(texts(20));
    await hold.until(16);
    hold.waiting.reverse();
    await hold.release(10);
    await hold.until(10);
    reply = accept;
    await hold.release();
    await expect(all).resolves.toEqual(vectorsOf(texts(20)));
    expect(hold.peak()).toBe(16);
  });

  test("32 texts each by default", async () => {
    await expect(embeddings().embedDocuments(texts(70))).resolves.toEqual(vectorsOf(texts(70)));
    expect(requests.map((input) => input.length).sort((a, b) => b - a)).toEqual([32, 32, 6]);
  });

  test("one limit for all calls of one object", async () => {
    const hold = held();
    const model = embeddings({ batchSize: 1, maxConcurrency: 3 });
    const calls = [model.embedDocuments(texts(4)), model.embedDocuments(texts(4)), model.embedQuery("7")];
    for (let answered = 0; answered < 9; answered += 3) {
      await hold.until(3);
      await hold.release();
    }
    await expect(Promise.all(calls)).resolves.toEqual([vectorsOf(texts(4)), vectorsOf(texts(4)), [7, 1]]);
    expect(hold.peak()).toBe(3);
  });

  test("fewer after a 429, also one that the client's retry got over", async () => {
    let refused = false;
    reply = (input, response) => {
      if (refused) return accept(input, response);
      refused = true;
      response.setHeader("retry-after", "0");
      return refuse(response, 429, { message: "Details:RPM limit reached.", data: null });
    };
    const model = embeddings({ batchSize: 1, maxConcurrency: 8, maxRetries: 2 });
    await expect(model.embedDocuments(texts(4))).resolves.toEqual(vectorsOf(texts(4)));
    expect(requests).toHaveLength(5);
    const hold = held();
    const later = model.embedDocuments(texts(8));
    // 8 halved to 4, and 5 again after four answers.
    await hold.until(5);
    await roundTrip();
    expect(hold.peak()).toBe(5);
    reply = accept;
    await hold.release();
    await expect(later).resolves.toEqual(vectorsOf(texts(8)));
  });
});

describe("a batch that is too large", () => {
  const sizes = () => requests.map((input) => input.length);
  const upTo = (most: number, message: (size: number) => unknown) => {
    reply = (input, response) => {
      if (input.length <= most) accept(input, response);
      else refuse(response, 413, message(input.length));
    };
  };
  const named = (size: number) => ({
    code: 20042,
    message: `input batch size ${size} > maximum allowed batch size 10`,
    data: null,
  });

  test("is cut to the size the service names, which is kept for later calls", async () => {
    upTo(10, named);
    const model = embeddings({ maxConcurrency: 1 });
    await expect(model.embedDocuments(texts(40))).resolves.toEqual(vectorsOf(texts(40)));
    expect(sizes()).toEqual([32, 10, 10, 10, 2, 8]);
    requests.length = 0;
    await model.embedDocuments(texts(25));
    expect(sizes()).toEqual([10, 10, 5]);
  });

  test("is halved where no size is named, and the size that passes is kept", async () => {
    upTo(10, () => "Request Entity Too Large");
    const model = embeddings({ maxConcurrency: 1 });
    await expect(model.embedDocuments(texts(64))).resolves.toEqual(vectorsOf(texts(64)));
    expect(sizes().slice(0, 5)).toEqual([32, 16, 8, 8, 8]);
    requests.length = 0;
    await expect(model.embedDocuments(texts(20))).resolves.toEqual(vectorsOf(texts(20)));
    expect(sizes()).toEqual([8, 8, 4]);
  });

  test("one text that is too large is named, the others are kept, and batches stay as they were", async () => {
    reply = (input, response) => {
      if (input.includes("6")) refuse(response, 413, "Request Entity Too Large");
      else accept(input, response);
    };
    const model = embeddings();
    const error = await failureOf(model.embedDocuments(texts(40)));
    expect(error).toMatchObject({
      name: "PartialFailureError",
      failures: [
        {
          position: 6,
          error: {
            name: "InvalidInputError",
            reason: "tooLarge",
            position: 6,
            cause: { name: "PayloadTooLargeError" },
          },
        },
      ],
    });
    expect(error.results.filter((vector) => vector === undefined)).toHaveLength(1);
    requests.length = 0;
    reply = accept;
    await model.embedDocuments(texts(40));
    expect(sizes().sort()).toEqual([32, 8]);
  });

  test("a text that is longer than the model takes is found among the others", async () => {
    const message = "length of prompt_tokens (9000) must be less than max_seq_len (8192).";
    reply = (input, response) => {
      if (input.includes("9")) refuse(response, 400, { code: 20015, message, data: null });
      else accept(input, response);
    };
    const error = await failureOf(embeddings().embedDocuments(texts(32)));
    expect(error.failures).toMatchObject([{ position: 9, error: { name: "ContextLengthError" } }]);
    expect(error.results.filter((vector) => vector === undefined)).toHaveLength(1);
  });
});

describe("a batch that fails for good", () => {
  test("leaves the other thirty-nine, and resume() asks for its texts only", async () => {
    reply = (input, response) => {
      if (input.includes("21")) refuse(response, 500, { code: 50507, message: "Request failed", data: null });
      else accept(input, response);
    };
    const error = await failureOf(embeddings({ batchSize: 4 }).embedDocuments(texts(160)));
    expect(error).toMatchObject({
      name: "PartialFailureError",
      reason: "partial",
      cause: { name: "ServiceUnavailableError" },
    });
    expect(error.message).toContain("4 of 160 texts have no vector, the first is texts[20]");
    expect(error.failures.map(({ position }) => position)).toEqual([20, 21, 22, 23]);
    expect(error.results.filter((vector) => vector !== undefined)).toHaveLength(156);
    expect(error.results[24]).toEqual([24, 1]);
    expect(requests).toHaveLength(40);

    requests.length = 0;
    const again = await failureOf(error.resume());
    expect(again).toMatchObject({ name: "PartialFailureError", failures: [{ position: 20 }, {}, {}, {}] });

    reply = accept;
    await expect(again.resume()).resolves.toEqual(vectorsOf(texts(160)));
    await expect(error.resume()).resolves.toEqual(vectorsOf(texts(160)));
    expect(requests).toEqual(Array.from({ length: 3 }, () => ["20", "21", "22", "23"]));
  });

  test("a bad row in one of several batches is one failure", async () => {
    reply = (input, response) => {
      if (!input.includes("5")) return accept(input, response);
      const data = input.map((text, index) => ({ index, embedding: text === "5" ? [0, 0] : vectorOf(text) }));
      return response.end(JSON.stringify({ object: "list", model: "m", data }));
    };
    const error = await failureOf(embeddings({ batchSize: 4 }).embedDocuments(texts(8)));
    expect(error.failures).toMatchObject([
      { position: 5, error: { name: "InvalidResponseError", reason: "badVector", attempts: 2 } },
    ]);
    expect(error).toHaveProperty("attempts", 3);
    reply = accept;
    await expect(error.resume()).resolves.toEqual(vectorsOf(texts(8)));
  });

  test("vectors of different lengths in different batches are not mixed", async () => {
    reply = (input, response) => {
      const data = input.map((text, index) => ({ index, embedding: text === "0" ? [7] : vectorOf(text) }));
      response.end(JSON.stringify({ object: "list", model: "m", data }));
    };
    const error = await failureOf(embeddings({ batchSize: 1, maxConcurrency: 1 }).embedDocuments(texts(4)));
    // The first answer set the length; the second contradicted it, and was asked for again; the third decided.
    expect(error).toMatchObject({ name: "PartialFailureError" });
    expect(error.failures.map(({ position }) => position)).toContain(0);
    for (const vector of error.results) expect([undefined, 2]).toContain(vector?.length);
  });

  test.each([
    ["the key", 401, "Invalid token", "AuthenticationError"],
    [
      "the balance",
      403,
      { code: 30001, message: "Sorry, your account balance is insufficient" },
      "InsufficientBalanceError",
    ],
    ["the model", 400, { code: 20012, message: "Model does not exist." }, "NotFoundError"],
    ["the day's limit", 429, { message: "Details:RPD limit reached.", data: null }, "RateLimitError"],
  ])("an error that concerns %s stops the rest, and what arrived is kept", async (_, status, body, name) => {
    reply = (input, response) => {
      if (input[0] === "0") accept(input, response);
      else refuse(response, status, body);
    };
    const model = embeddings({ batchSize: 1, maxConcurrency: 1 });
    const error = await failureOf(model.embedDocuments(texts(40)));
    expect(requests).toHaveLength(2);
    expect(error).toMatchObject({ name: "PartialFailureError", cause: { name } });
    expect(error.results[0]).toEqual([0, 1]);
    expect(error.failures).toHaveLength(39);
    reply = accept;
    await expect(error.resume()).resolves.toEqual(vectorsOf(texts(40)));
  });

  test("nothing arrived: the error itself, and no forty requests for it", async () => {
    reply = (_, response) => refuse(response, 400, { code: 20015, message: "The parameter is invalid.", data: null });
    const model = embeddings({ batchSize: 1, maxConcurrency: 1, encodingFormat: "float" });
    await expect(model.embedDocuments(texts(40))).rejects.toMatchObject({ name: "BadRequestError", code: 20015 });
    expect(requests).toHaveLength(16);
  });

  test("a caller of LangChain's that was emptied is an error, not a list with holes", async () => {
    const model = embeddings();
    model.caller.call = () => Promise.reject(new Error("the queue is gone"));
    await expect(model.embedDocuments(texts(40))).rejects.toThrow("the queue is gone");
  });

  test("a host that cannot be reached is tried once", async () => {
    const model = embeddings({ batchSize: 1, maxConcurrency: 1, baseURL: "http://127.0.0.1:1/v1" });
    await expect(model.embedDocuments(texts(3))).rejects.toMatchObject({ name: "ConnectionError", reason: "refused" });
  });

  test("errors of another copy of the client are understood", async () => {
    const failing = Object.assign(new Error("no"), {
      status: 401,
      reason: "auth",
      [Symbol.for("siliconflow.error")]: true,
    });
    let calls = 0;
    const client = {
      embeddings: {
        create: async () => {
          calls++;
          throw failing;
        },
      },
    };
    const model = new SiliconFlowEmbeddings({ model: "m", client, batchSize: 1, maxConcurrency: 1 });
    await expect(model.embedDocuments(texts(3))).rejects.toBe(failing);
    expect(calls).toBe(1);
  });
});

describe("an abort", () => {
  test("rejects with the caller's own reason, closes what is open and starts nothing more", async () => {
    const hold = held();
    const controller = new AbortController();
    const reason = new Error("enough");
    const all = embeddings({ batchSize: 1, maxConcurrency: 2 }).embedDocuments(texts(10), {
      signal: controller.signal,
    });
    await hold.until(2);
    const closed = hold.waiting.map(([, response]) => once(response, "close"));
    controller.abort(reason);
    await expect(all).rejects.toBe(reason);
    await Promise.all(closed);
    expect(requests).toHaveLength(2);
  });

  test("is heard while another call has all the room", async () => {
    const hold = held();
    const model = embeddings({ maxConcurrency: 1 });
    const first = model.embedQuery("1");
    await hold.until(1);
    const controller = new AbortController();
    const second = model.embedQuery("2", { signal: controller.signal });
    controller.abort("a reason that is no error");
    await expect(second).rejects.toBe("a reason that is no error");
    await hold.release();
    await expect(first).resolves.toEqual([1, 1]);
    expect(requests).toEqual([["1"]]);
  });

  test("before the call sends nothing", async () => {
    const reason = new Error("before");
    await expect(embeddings().embedDocuments(["1"], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(requests).toEqual([]);
  });

  test("by a deadline is a TimeoutError of the whole call", async () => {
    held();
    await expect(embeddings().embedQuery("1", { signal: AbortSignal.timeout(50) })).rejects.toMatchObject({
      name: "TimeoutError",
      phase: "total",
      cause: { name: "TimeoutError" },
    });
  });

  test("ends a resumed call too", async () => {
    reply = (input, response) => {
      if (input[0] === "1") refuse(response, 500, "no");
      else accept(input, response);
    };
    const error = await failureOf(embeddings({ batchSize: 1 }).embedDocuments(texts(2)));
    const reason = new Error("enough");
    await expect(error.resume({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

test("the caller may change the list while it is being embedded", async () => {
  const hold = held();
  const list = texts(3);
  const all = embeddings({ batchSize: 1, maxConcurrency: 1 }).embedDocuments(list);
  await hold.until(1);
  list.reverse();
  list.push("");
  reply = accept;
  await hold.release();
  await expect(all).resolves.toEqual(vectorsOf(texts(3)));
});

test("one client serves several adapters", async () => {
  const client = new SiliconFlowClient({ apiKey: "sk-test", baseURL: url });
  const [one, two] = [
    new SiliconFlowEmbeddings({ model: "a", client }),
    new SiliconFlowEmbeddings({ model: "b", client }),
  ];
  await expect(Promise.all([one.embedQuery("1"), two.embedQuery("2")])).resolves.toEqual([
    [1, 1],
    [2, 1],
  ]);
  await client.close();
});
