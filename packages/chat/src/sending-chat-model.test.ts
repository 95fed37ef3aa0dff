import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { createAgent } from "langchain";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ChatSiliconFlow } from "./chat-siliconflow.js";
import type { ChatSiliconFlowFields } from "./chat-fields.js";

/** A request that waits at the server for the test to say how it goes on. */
interface Waiting {
  body: { stream?: boolean };
  response: ServerResponse;
  /** Resolves when the other side has gone. */
  gone: Promise<unknown>;
}

let server: Server;
let waiting: Waiting[];
let arrived: (() => void) | undefined;
/** What the server does with each request; by default it waits. */
let serve: ((request: Waiting) => void) | undefined;

beforeEach(async () => {
  waiting = [];
  serve = undefined;
  server = createServer(async (request: IncomingMessage, response) => {
    let text = "";
    for await (const bytes of request) text += String(bytes);
    const entry = { body: JSON.parse(text) as Waiting["body"], response, gone: once(response, "close") };
    waiting.push(entry);
    serve?.(entry);
    arrived?.();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, "close");
});

async function requests(count: number): Promise<Waiting> {
  while (waiting.length < count) await new Promise<void>((resolve) => (arrived = resolve));
  return waiting[count - 1]!;
}

function chat(fields: Partial<ChatSiliconFlowFields> = {}): ChatSiliconFlow {
  const { port } = server.address() as AddressInfo;
  return new ChatSiliconFlow({
    model: "m",
    apiKey: "sk",
    baseURL: `http://127.0.0.1:${port}`,
    maxRetries: 0,
    ...fields,
  });
}

const chunk = (delta: object, finish: string | null = null) =>
  `data: ${JSON.stringify({ id: "019c", model: "m", choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;

function begin({ response }: Waiting, ...texts: string[]): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const text of texts) response.write(chunk({ content: text }));
}

function finish(request: Waiting): void {
  if (request.body.stream) request.response.end(`${chunk({ content: "" }, "stop")}data: [DONE]\n\n`);
  else {
    const message = { role: "assistant", content: "Lima" };
    const answer = { id: "019c", model: "m", choices: [{ index: 0, message, finish_reason: "stop" }] };
    request.response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
  }
}

describe("an abort comes through as the caller's own reason", () => {
  const reason = new Error("changed my mind");

  test("before anything is sent", async () => {
    const signal = AbortSignal.abort(reason);

    await expect(chat().invoke("hi", { signal })).rejects.toBe(reason);
    await expect(chat().stream("hi", { signal })).rejects.toBe(reason);
    await expect(chat().streamEvents("hi", { signal })).rejects.toBe(reason);
    expect(waiting).toHaveLength(0);
  });

  test("while invoke waits, and the socket is closed", async () => {
    const controller = new AbortController();
    const answer = chat().invoke("hi", { signal: controller.signal });
    const { gone } = await requests(1);
    controller.abort(reason);

    await expect(answer).rejects.toBe(reason);
    await gone;
  });

  test("in the middle of a stream", async () => {
    serve = (request) => begin(request, "Li");
    const controller = new AbortController();
    const seen: string[] = [];
    const read = async () => {
      for await (const part of await chat().stream("hi", { signal: controller.signal })) {
        seen.push(part.text);
        controller.abort(reason);
      }
    };
    await expect(read()).rejects.toBe(reason);
    expect(seen).toEqual(["Li"]);
    await (
      await requests(1)
    ).gone;
  });

  test("in the middle of invoke with streaming, and of events v3", async () => {
    for (const ask of [
      (signal: AbortSignal) => chat({ streaming: true }).invoke("hi", { signal }),
      (signal: AbortSignal) => chat().streamEvents("hi", { signal }).output,
    ]) {
      waiting = [];
      const controller = new AbortController();
      const failure = Promise.resolve(ask(controller.signal)).catch((error: unknown) => error);
      begin(await requests(1), "Li");
      await delay(20);
      controller.abort(reason);
      expect(await failure).toBe(reason);
      await waiting[0]!.gone;
    }
  });

  test("out of an agent as well", async () => {
    const controller = new AbortController();
    const agent = createAgent({ model: chat(), tools: [] });
    const input = { messages: [{ role: "user" as const, content: "hi" }] };
    const failure = agent.invoke(input, { signal: controller.signal }).catch((error: unknown) => error);
    const { gone } = await requests(1);
    controller.abort(reason);

    expect(await failure).toBe(reason);
    await gone;
  });

  test("a reason that is no Error as well, on invoke", async () => {
    const controller = new AbortController();
    const answer = chat().invoke("hi", { signal: controller.signal });
    await requests(1);
    controller.abort("enough");

    await expect(answer).rejects.toBe("enough");
  });
});

describe("time", () => {
  test("LangChain's timeout of a call is our TimeoutError, with its reason as the cause", async () => {
    await expect(chat().invoke("hi", { timeout: 30 })).rejects.toMatchObject({
      name: "TimeoutError",
      phase: "total",
      cause: { name: "TimeoutError" },
    });
    await waiting[0]?.gone;
  });

  test("a stream that falls silent is a TimeoutError with what had come", async () => {
    serve = (request) => begin(request, "Li");
    const read = async () => {
      for await (const _ of await chat({ timeouts: { idleMs: 50 } }).stream("hi")) continue;
    };
    await expect(read()).rejects.toMatchObject({ name: "TimeoutError", phase: "idle", partial: { content: "Li" } });
  });

  test("limits can be set for one call", async () => {
    await expect(chat().invoke("hi", { timeouts: { firstByteMs: 30 } })).rejects.toMatchObject({ phase: "firstByte" });
  });
});

describe("leaving a stream", () => {
  test("closes the socket at once, though the model says nothing more", async () => {
    serve = (request) => begin(request, "Li");
    const ends: string[] = [];
    const callbacks = [{ handleLLMEnd: () => void ends.push("end"), handleLLMError: () => void ends.push("error") }];
    for await (const part of await chat().stream("hi", { callbacks })) {
      expect(part.text).toBe("Li");
      break;
    }
    await (
      await requests(1)
    ).gone;
    expect(ends).toEqual(["end"]);
  });

  test("by return() of a stream that has not begun sends or leaves nothing behind", async () => {
    const events = chat()._streamIterator("hi");
    await events.return(undefined);

    expect(waiting).toHaveLength(0);
  });
});

describe("maxConcurrency", () => {
  test("counts streams until they end", async () => {
    const model = chat({ maxConcurrency: 1 });
    const first = await Promise.all([model.stream("a"), requests(1).then((request) => begin(request, "Li"))]);
    const second = model.invoke("b");
    for await (const part of first[0]) {
      if (part.text !== "Li") continue;
      await delay(30);
      expect(waiting).toHaveLength(1);
      finish(waiting[0]!);
    }
    finish(await requests(2));
    expect((await second).text).toBe("Lima");
  });

  test("frees the place of a stream that is left, and of one that fails", async () => {
    const model = chat({ maxConcurrency: 1 });
    serve = (request) => begin(request, "Li");
    for await (const _ of await model.stream("a")) break;
    serve = ({ response }) => response.writeHead(400).end("{}");
    await expect(model.stream("b")).rejects.toMatchObject({ status: 400 });
    serve = finish;

    expect((await model.invoke("c")).text).toBe("Lima");
  });

  test("counts events v3 as well", async () => {
    const model = chat({ maxConcurrency: 1 });
    const events = model.streamEvents("a");
    begin(await requests(1), "Li");
    const second = model.invoke("b");
    await delay(30);
    expect(waiting).toHaveLength(1);
    finish(waiting[0]!);
    expect(await events.text).toBe("Li");
    finish(await requests(2));
    await second;
  });

  test("a call that is aborted in the queue sends nothing, and the next one goes", async () => {
    const model = chat({ maxConcurrency: 1 });
    const first = model.invoke("a");
    await requests(1);
    const controller = new AbortController();
    const reason = new Error("too late");
    const queued = [model.invoke("b", { signal: controller.signal }), model.stream("c", { signal: controller.signal })];
    const outcome = Promise.all(queued.map((call) => expect(call).rejects.toBe(reason)));
    const last = model.invoke("d");
    controller.abort(reason);
    await outcome;
    finish(waiting[0]!);
    await first;
    finish(await requests(2));
    await last;

    expect(waiting).toHaveLength(2);
  });

  test("does not stand in the way without a limit", async () => {
    const model = chat();
    const answers = Array.from({ length: 20 }, (_, index) => model.invoke(String(index)));
    await requests(20);
    for (const request of waiting) finish(request);

    expect(await Promise.all(answers)).toHaveLength(20);
  });
});

test("a reset before the first event is retried without a word", async () => {
  serve = (request) => {
    if (waiting.length === 1) request.response.destroy();
    else {
      begin(request, "Lima");
      finish(request);
    }
  };
  let text = "";
  for await (const part of await chat({ maxRetries: 1 }).stream("hi")) text += part.text;

  expect(text).toBe("Lima");
  expect(waiting).toHaveLength(2);
});

test("a slow reader holds the service back: no more than a little is read ahead", async () => {
  let written = 0;
  serve = ({ response }) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    const more = (): void => {
      while (!response.destroyed) {
        written += 1;
        if (!response.write(chunk({ content: "x".repeat(8192) }))) break;
      }
    };
    response.on("drain", more);
    more();
  };
  for await (const _ of await chat().stream("hi")) {
    // Until the buffers of the two sockets are full, and nothing moves; or for ever, but for the limit.
    let moved = true;
    while (moved) {
      const before = written;
      for (let turns = 0; turns < 200; turns += 1) await new Promise((resolve) => setImmediate(resolve));
      moved = written !== before && written < 10_000;
    }
    expect(written).toBeLessThan(10_000);
    break;
  }
});
