import { getEventListeners } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connect, createServer as createTcpServer, type Socket } from "node:net";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { Client } from "../client.js";
import { SiliconFlowClient as FetchClient } from "../fetch-client.js";
import { listen } from "../local-server.js";
import { isSiliconFlowError, type SiliconFlowError, type StreamError, type TimeoutError } from "../errors.js";
import { failureOf } from "../failure-of.js";
import type { SharedClientOptions } from "../options.js";
import { SiliconFlowClient } from "../undici-client.js";

const request = { model: "m", messages: [{ role: "user", content: "1+1?" }] };
const answer = JSON.stringify({
  choices: [{ index: 0, message: { role: "assistant", content: "2" }, finish_reason: "stop" }],
});
const delta = (content: string, finish_reason: string | null = null) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason }] })}\n\n`;

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

interface Seen {
  url: string;
  requests: number;
  sockets: Socket[];
  server: Server;
}

/** A server on this machine. `handle` is told which request it has before it, from 1. */
async function serve(
  handle: (response: ServerResponse, number: number, request: IncomingMessage) => void,
): Promise<Seen> {
  const server = createServer((message, response) => {
    message.resume().on("end", () => handle(response, (seen.requests += 1), message));
  });
  const seen: Seen = { url: "", requests: 0, sockets: [], server };
  server.on("connection", (socket) => {
    seen.sockets.push(socket);
    socket.on("error", () => {});
  });
  seen.url = `http://127.0.0.1:${await listen(server)}/v1`;
  return seen;
}

function stream(response: ServerResponse, ...pieces: string[]): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const piece of pieces) response.write(piece);
}

const closing = (socket: Socket) =>
  new Promise<void>((resolve) => (socket.destroyed ? resolve() : socket.once("close", () => resolve())));

async function read(
  source: AsyncIterable<{ choices: { delta?: { content?: string | null } | null }[] }>,
): Promise<string> {
  let text = "";
  for await (const chunk of source) text += chunk.choices[0]?.delta?.content ?? "";
  return text;
}

const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;

test("a stream that fell silent waits no more, also where fetch hears of no abort", async () => {
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode(delta("a"))),
  });
  const headers = { "content-type": "text/event-stream" };
  const fetch = async () => new Response(body, { headers });
  const client = new FetchClient({ apiKey: "sk-secret", maxRetries: 0, fetch, timeouts: { idleMs: 20 } });
  const chunks = client.chat.stream(request);
  await chunks.next();
  await new Promise(setImmediate);
  expect(chunks.take()).toBeUndefined();
  let waits = 0;
  for (let waiting = chunks.wait(); waiting !== undefined && waits < 100; waiting = chunks.wait()) {
    await waiting;
    expect(chunks.take()).toBeUndefined();
    waits += 1;
  }
  expect(waits).toBe(1);
  expect(await failureOf(chunks.next())).toMatchObject({ name: "TimeoutError", partial: { content: "a" } });
});

describe.each<[string, (options: SharedClientOptions) => Client]>([
  ["over undici", (options) => new SiliconFlowClient({ apiKey: "sk-secret", ...options })],
  ["over fetch", (options) => new FetchClient({ apiKey: "sk-secret", ...options })],
])("%s", (kind, make) => {
  function clientFor(server: Seen, options: SharedClientOptions = {}): Client {
    const client = make({ baseURL: server.url, maxRetries: 0, ...options });
    cleanUps.push(() => client.close());
    return client;
  }

  describe("an abort", () => {
    test("before the call sends nothing", async () => {
      const server = await serve((response) => response.end(answer));
      const client = clientFor(server);
      const signal = AbortSignal.abort("mine");
      expect(await failureOf(client.chat.create(request, { signal }))).toBe("mine");
      expect(await failureOf(read(client.chat.stream(request, { signal })))).toBe("mine");
      expect(server.sockets).toHaveLength(0);
    });

    test("before the first byte closes the socket, with the caller's own reason", async () => {
      const controller = new AbortController();
      const reason = new Error("mine");
      const server = await serve(() => controller.abort(reason));
      expect(await failureOf(clientFor(server).chat.create(request, { signal: controller.signal }))).toBe(reason);
      await closing(server.sockets[0]!);
    });

    test("in the middle of a body closes the socket", async () => {
      const controller = new AbortController();
      const server = await serve((response) => {
        response.write('{"choices":');
        setImmediate(() => controller.abort());
      });
      const error = await failureOf(clientFor(server).chat.create(request, { signal: controller.signal }));
      expect(error).toBe(controller.signal.reason);
      await closing(server.sockets[0]!);
    });

    test("between two chunks is heard at once, also when others have already come", async () => {
      const controller = new AbortController();
      const server = await serve((response) => stream(response, delta("a") + delta("b") + delta("c")));
      const chunks = clientFor(server).chat.stream(request, { signal: controller.signal });
      await chunks.next();
      controller.abort();
      expect(await failureOf(chunks.next())).toBe(controller.signal.reason);
      await closing(server.sockets[0]!);
      expect(await chunks.next()).toEqual({ done: true, value: undefined });
    });

    test("while a chunk is waited for is heard at once", async () => {
      const controller = new AbortController();
      const server = await serve((response) => stream(response, delta("a")));
      const chunks = clientFor(server).chat.stream(request, { signal: controller.signal });
      await chunks.next();
      const next = failureOf(chunks.next());
      controller.abort();
      expect(await next).toBe(controller.signal.reason);
      await closing(server.sockets[0]!);
    });

    test("while waiting to try again is heard at once", async () => {
      const controller = new AbortController();
      const server = await serve((response) => response.writeHead(503, { "retry-after": "30" }).end());
      const client = clientFor(server, { maxRetries: 3, onRetry: () => setImmediate(() => controller.abort()) });
      const start = performance.now();
      expect(await failureOf(client.chat.create(request, { signal: controller.signal }))).toBe(
        controller.signal.reason,
      );
      expect(performance.now() - start).toBeLessThan(5_000);
      expect(server.requests).toBe(1);
    });

    test("by AbortSignal.timeout() is a TimeoutError of the whole call", async () => {
      const server = await serve(() => {});
      const signal = AbortSignal.timeout(50);
      const error = await failureOf(clientFor(server).chat.create(request, { signal }));
      expect(error).toMatchObject({ name: "TimeoutError", phase: "total", reason: "timeout", attempts: 1 });
      expect(error.cause).toBe(signal.reason);
    });
  });

  describe("leaving a stream", () => {
    test("by break closes the socket", async () => {
      const server = await serve((response) => stream(response, delta("a"), delta("b")));
      for await (const _ of clientFor(server).chat.stream(request)) break;
      await closing(server.sockets[0]!);
      expect(server.requests).toBe(1);
    });

    test("by return() ends a next() that is still waiting", async () => {
      const server = await serve((response) => stream(response, delta("a")));
      const chunks = clientFor(server).chat.stream(request);
      await chunks.next();
      const next = chunks.next();
      await chunks.return();
      expect(await next).toEqual({ done: true, value: undefined });
      await closing(server.sockets[0]!);
    });

    test("by return() between two attempts sends no other", async () => {
      const server = await serve((response) => {
        stream(response);
        response.end();
      });
      let next: Promise<unknown> | undefined;
      await new Promise<void>((resolve) => {
        const onRetry = (): void => void chunks.return().then(() => resolve());
        const chunks = clientFor(server, { maxRetries: 1, onRetry }).chat.stream(request);
        next = chunks.next();
      });
      expect(await next).toEqual({ done: true, value: undefined });
      expect(server.requests).toBe(1);
    });
  });

  describe("silence", () => {
    test("before the answer ends with the first-byte limit", async () => {
      const server = await serve(() => {});
      // Time enough for a busy machine to connect: fetch does not tell when it has.
      const error = (await failureOf(
        clientFor(server, { timeouts: { firstByteMs: 400 } }).chat.create(request),
      )) as TimeoutError;
      expect(error).toMatchObject({ name: "TimeoutError", phase: "firstByte", retryable: true, attempts: 1 });
      await closing(server.sockets[0]!);
    });

    test("after the headers still counts as before the answer", async () => {
      const server = await serve((response) => response.flushHeaders());
      const error = await failureOf(clientFor(server, { timeouts: { firstByteMs: 60 } }).chat.create(request));
      expect(error).toMatchObject({ phase: "firstByte" });
    });

    test("broken only by comments is no answer", async () => {
      const server = await serve((response) => {
        stream(response);
        const timer = setInterval(() => response.write(": wait\n\n"), 10);
        response.on("close", () => clearInterval(timer));
      });
      const error = await failureOf(read(clientFor(server, { timeouts: { firstByteMs: 80 } }).chat.stream(request)));
      expect(error).toMatchObject({ name: "TimeoutError", phase: "firstByte" });
      expect((error as TimeoutError).partial).toBeUndefined();
    });

    test("in a body ends with the idle limit, and the body is asked for again", async () => {
      const server = await serve((response, number) =>
        number === 1 ? response.write('{"choices":') : response.end(answer),
      );
      const client = clientFor(server, { maxRetries: 1, timeouts: { idleMs: 60 } });
      await expect(client.chat.create(request)).resolves.toMatchObject({ choices: [{ finish_reason: "stop" }] });
      expect(server.requests).toBe(2);
    });

    test("in a stream ends with the idle limit, keeps what had arrived, and is final", async () => {
      const server = await serve((response) => stream(response, delta("a")));
      const error = (await failureOf(
        read(clientFor(server, { maxRetries: 3, timeouts: { idleMs: 60 } }).chat.stream(request)),
      )) as TimeoutError;
      expect(error).toMatchObject({
        name: "TimeoutError",
        phase: "idle",
        retryable: false,
        attempts: 1,
        partial: { content: "a" },
      });
      expect(server.requests).toBe(1);
      await closing(server.sockets[0]!);
    });

    test("in a stream is put off by comments, but not for ever", async () => {
      let comments = 0;
      const server = await serve((response) => {
        stream(response, delta("a"));
        const timer = setInterval(() => {
          comments += 1;
          response.write(": wait\n\n");
        }, 40);
        response.on("close", () => clearInterval(timer));
      });
      // Far longer than a pause between two comments, also on a machine that is busy.
      const error = await failureOf(read(clientFor(server, { timeouts: { idleMs: 400 } }).chat.stream(request)));
      expect(error).toMatchObject({ phase: "idle", partial: { content: "a" } });
      expect(comments).toBeGreaterThan(10);
    });

    test("of a slow reader is not the service's", async () => {
      const server = await serve((response) => {
        stream(response, delta("a"));
        setTimeout(() => response.end(delta("b", "stop")), 10);
      });
      const chunks = clientFor(server, { timeouts: { idleMs: 60 } }).chat.stream(request);
      await chunks.next();
      await new Promise((resolve) => setTimeout(resolve, 150));
      expect(await read(chunks)).toBe("b");
    });

    test("after the finish_reason does not spoil the answer", async () => {
      const server = await serve((response) => stream(response, delta("a", "stop")));
      expect(await read(clientFor(server, { timeouts: { idleMs: 60 } }).chat.stream(request))).toBe("a");
    });

    test("after [DONE] is not waited for", async () => {
      const server = await serve((response) => stream(response, `${delta("a", "stop")}data: [DONE]\n\n`));
      expect(await read(clientFor(server).chat.stream(request))).toBe("a");
      await closing(server.sockets[0]!);
    });

    test("is bounded by the total limit over all attempts", async () => {
      const slow = await serve((response) => response.writeHead(503, { "retry-after": "20" }).end());
      expect(
        await failureOf(clientFor(slow, { maxRetries: 3, timeouts: { totalMs: 100 } }).chat.create(request)),
      ).toMatchObject({
        name: "TimeoutError",
        phase: "total",
        attempts: 1,
      });
    });
  });

  describe("a broken connection", () => {
    test("before the answer is tried again", async () => {
      const server = await serve((response, number) =>
        number === 1 ? response.socket!.resetAndDestroy() : response.end(answer),
      );
      await expect(clientFor(server, { maxRetries: 1 }).chat.create(request)).resolves.toBeDefined();
      expect(server.requests).toBe(2);
    });

    test("before the first event of a stream is tried again", async () => {
      const server = await serve((response, number) => {
        if (number > 1) {
          stream(response, delta("a", "stop"));
          return void response.end();
        }
        stream(response, ": wait\n\n", 'data: {"cho');
        setImmediate(() => response.socket!.resetAndDestroy());
      });
      expect(await read(clientFor(server, { maxRetries: 1 }).chat.stream(request))).toBe("a");
      expect(server.requests).toBe(2);
    });

    test("after the first event is final and keeps what had arrived", async () => {
      const server = await serve((response) => {
        stream(response, delta("a"));
        setTimeout(() => response.socket!.resetAndDestroy(), 20);
      });
      const error = (await failureOf(read(clientFor(server, { maxRetries: 3 }).chat.stream(request)))) as StreamError;
      expect(error).toMatchObject({ name: "StreamError", retryable: false, attempts: 1, partial: { content: "a" } });
      expect(error.reason).toMatch(/reset|truncated/);
      expect(isSiliconFlowError(error.cause)).toBe(true);
      expect(server.requests).toBe(1);
    });

    test("in a body shorter than its length is tried again, and never an answer", async () => {
      const server = await serve((response) => {
        response.writeHead(200, { "content-length": "1000" });
        response.write(answer, () => response.socket!.end());
      });
      const error = await failureOf(clientFor(server, { maxRetries: 1 }).chat.create(request));
      expect(error).toMatchObject({ name: "ConnectionError", retryable: true, attempts: 2 });
      expect(error.reason).toMatch(kind === "over undici" ? /^truncated$/ : /truncated|reset/);
    });

    test("to a port where nothing listens names the host", async () => {
      const server = await serve(() => {});
      const { host } = new URL(server.url);
      await new Promise((resolve) => server.server.close(resolve));
      const error = await failureOf(clientFor(server).chat.create(request));
      expect(error).toMatchObject({ name: "ConnectionError", reason: "refused", retryable: true });
      expect(error.message).toContain(host);
    });
  });

  test("an error body of 50 MB is read in part", async () => {
    let written = 0;
    const server = await serve((response) => {
      response.writeHead(400);
      const piece = Buffer.alloc(256 * 1024, "x");
      const more = (): void => {
        while (written < 50_000_000 && !response.destroyed) {
          written += piece.length;
          if (!response.write(piece)) return void response.once("drain", more);
        }
      };
      more();
    });
    expect(await failureOf(clientFor(server).chat.create(request))).toMatchObject({ name: "BadRequestError" });
    await closing(server.sockets[0]!);
    expect(written).toBeLessThan(40_000_000);
  });

  test("a slow reader holds the sender back", async () => {
    let written = 0;
    const server = await serve((response) => {
      stream(response);
      const piece = delta("x".repeat(10_000));
      const more = (): void => {
        while (written < 60_000_000 && !response.destroyed) {
          written += piece.length;
          if (!response.write(piece)) return void response.once("drain", more);
        }
      };
      more();
    });
    const chunks = clientFor(server).chat.stream(request);
    await chunks.next();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(written).toBeLessThan(30_000_000);
    await chunks.return();
  });

  test("sockets are used again, after streams too", async () => {
    const server = await serve((response, number) => {
      if (number % 2 === 0) return response.end(answer);
      stream(response, delta("a"), delta("b", "stop"), "data: [DONE]\n\n");
      setImmediate(() => response.end());
    });
    const client = clientFor(server);
    for (let round = 0; round < 5; round += 1) {
      expect(await read(client.chat.stream(request))).toBe("ab");
      await client.chat.create(request);
    }
    expect(server.requests).toBe(10);
    // A runtime's own fetch may open a second one while the first is still busy with ending its first answer.
    expect(server.sockets.length).toBeLessThanOrEqual(kind === "over undici" ? 1 : 2);
  });

  test("nothing is left behind after a call", async () => {
    const server = await serve((response, number) => {
      if (number === 1) return response.end(answer);
      if (number === 2) return response.writeHead(400).end("no");
      stream(response, delta("a"));
    });
    const client = clientFor(server);
    const controller = new AbortController();
    const options = { signal: controller.signal, timeouts: { totalMs: 60_000 } };
    const before = timers();
    await client.chat.create(request, options);
    await failureOf(client.chat.create(request, options));
    for await (const _ of client.chat.stream(request, options)) break;
    expect(timers()).toBeLessThanOrEqual(before + 1);
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
  });
});

describe("over undici alone", () => {
  function clientFor(
    server: { url: string },
    options: ConstructorParameters<typeof SiliconFlowClient>[0] = {},
  ): SiliconFlowClient {
    const client = new SiliconFlowClient({ apiKey: "sk-secret", baseURL: server.url, maxRetries: 0, ...options });
    cleanUps.push(() => client.close());
    return client;
  }

  /** A port that takes connections into its backlog only, so that they never complete: none on loopback; a TLS server that says nothing comes close. */
  async function silentPort(): Promise<{ url: string; sockets: Socket[] }> {
    const sockets: Socket[] = [];
    const server = createTcpServer((socket) => {
      sockets.push(socket);
      socket.on("error", () => {});
      socket.resume();
    });
    return { url: `https://127.0.0.1:${await listen(server)}/v1`, sockets };
  }

  test("a connection that does not come about ends with the connect limit, and is closed", async () => {
    const port = await silentPort();
    // Time enough for a busy machine to begin: the limit must meet a socket that is on its way.
    const error = await failureOf(clientFor(port, { timeouts: { connectMs: 300 } }).chat.create(request));
    expect(error).toMatchObject({ name: "TimeoutError", phase: "connect", retryable: true });
    await expect.poll(() => port.sockets.length).toBe(1);
    await closing(port.sockets[0]!);
  });

  test("an abort while connecting is heard at once, and closes the socket", async () => {
    const port = await silentPort();
    const controller = new AbortController();
    const call = failureOf(clientFor(port).chat.create(request, { signal: controller.signal }));
    await expect.poll(() => port.sockets.length).toBe(1);
    controller.abort("mine");
    expect(await call).toBe("mine");
    await closing(port.sockets[0]!);
  });

  test("https to a port that speaks http says so, and is not tried again", async () => {
    const server = await serve((response) => response.end(answer));
    const client = clientFor({ url: server.url.replace("http:", "https:") }, { maxRetries: 3 });
    expect(await failureOf(client.chat.create(request))).toMatchObject({
      name: "ConnectionError",
      reason: "tls",
      attempts: 1,
    });
  });

  test("a fresh socket that breaks is not replaced for free", async () => {
    const server = await serve((response) => response.socket!.resetAndDestroy());
    const error = await failureOf(clientFor(server, { maxRetries: 0 }).chat.create(request));
    expect(error).toMatchObject({ name: "ConnectionError", reason: "reset", attempts: 1 });
    expect(server.requests).toBe(1);
  });

  test("a kept socket that has gone stale is replaced without a retry", async () => {
    const server = await serve((response, number) => {
      if (number === 2) return response.socket!.resetAndDestroy();
      response.end(answer);
    });
    const events: number[] = [];
    const client = clientFor(server, { maxRetries: 0, onRetry: ({ delayMs }) => events.push(delayMs) });
    await client.chat.create(request);
    expect(await client.chat.create(request)).toHaveProperty("attempts", 2);
    expect(server.requests).toBe(3);
    expect(events).toEqual([0]);
  });

  test("a kept socket that is found reset before it is used costs no retry either", async () => {
    const server = await serve((response) => response.end(answer));
    const events: number[] = [];
    const client = clientFor(server, { maxRetries: 0, onRetry: ({ delayMs }) => events.push(delayMs) });
    await client.chat.create(request);
    server.sockets[0]!.resetAndDestroy();
    await client.chat.create(request);
    expect(server.requests).toBe(2);
    expect(events).toEqual([0]);
  });

  test("what does not speak HTTP says so, and is not tried again", async () => {
    const server = createTcpServer((socket) =>
      socket
        .on("error", () => {})
        .resume()
        .end("SSH-2.0-OpenSSH_9.9\r\n"),
    );
    const port = await listen(server);
    const client = new SiliconFlowClient({
      apiKey: "sk-secret",
      baseURL: `http://127.0.0.1:${port}/v1`,
    });
    cleanUps.push(() => client.close());
    expect(await failureOf(client.chat.create(request))).toMatchObject({
      name: "InvalidResponseError",
      reason: "malformed",
      attempts: 1,
    });
  });

  test("compressions without end are refused before any is undone", async () => {
    const server = await serve((response) => {
      response.setHeader("content-encoding", Array(1000).fill("gzip").join(","));
      response.end("x");
    });
    const error = await failureOf(clientFor(server).chat.create(request));
    expect(error).toMatchObject({ name: "InvalidResponseError", reason: "malformed" });
    expect((error.cause as Error).message).toContain("1000 times");
  });

  test("closing the client ends a wait for another attempt", async () => {
    const server = await serve((response) => response.writeHead(503, { "retry-after": "30" }).end());
    const before = timers();
    let client!: Client;
    const failure = await new Promise<SiliconFlowError>((resolve) => {
      client = clientFor(server, { maxRetries: 1, onRetry: () => setImmediate(() => client.close()) });
      resolve(failureOf(client.chat.create(request)));
    });
    expect(failure).toMatchObject({ name: "ConnectionError", message: "The client was closed.", attempts: 1 });
    expect(timers()).toBeLessThanOrEqual(before);
  });

  test("a given dispatcher is used, and left open", async () => {
    const { Agent } = await import("undici");
    const dispatcher = new Agent();
    cleanUps.push(() => dispatcher.close());
    const dispatch = vi.spyOn(dispatcher, "dispatch");
    const server = await serve((response) => response.end(answer));
    const client = clientFor(server, { dispatcher });
    await client.chat.create(request);
    expect(dispatch).toHaveBeenCalledTimes(1);
    await client.close();
    expect(dispatcher.closed).toBe(false);
  });

  test("closing the client ends its sockets and its calls", async () => {
    const server = await serve((response) => stream(response, delta("a")));
    const client = clientFor(server);
    const chunks = client.chat.stream(request);
    await chunks.next();
    const next = failureOf(chunks.next());
    await client.close();
    expect(await next).toMatchObject({ name: "StreamError", partial: { content: "a" } });
    await closing(server.sockets[0]!);
  });

  test("headers without end are an error of the answer", async () => {
    const server = await serve((response) => response.setHeader("x-long", "x".repeat(100_000)).end(answer));
    expect(await failureOf(clientFor(server).chat.create(request))).toMatchObject({
      name: "InvalidResponseError",
      reason: "tooLarge",
    });
  });
});

describe("proxies", () => {
  const variables = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"];
  const none = () => {
    for (const name of variables) {
      vi.stubEnv(name, undefined);
      vi.stubEnv(name.toLowerCase(), undefined);
    }
  };

  /** A proxy that sends every request to one server, whatever host it names. */
  async function startProxy(target: Seen, refuse?: number): Promise<{ host: string; asked: string[] }> {
    const asked: string[] = [];
    const port = Number(new URL(target.url).port);
    const proxy = createServer((message, response) => {
      asked.push(`${message.method} ${message.url}`);
      if (refuse !== undefined) return void response.writeHead(refuse).end();
      message.resume().on("end", () => response.end(answer));
    });
    proxy.on("connect", (message, socket: Socket) => {
      asked.push(`CONNECT ${message.url}`);
      socket.on("error", () => {});
      if (refuse !== undefined) return void socket.end(`HTTP/1.1 ${refuse} No\r\n\r\n`);
      const upstream = connect(port, "127.0.0.1", () => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        upstream.pipe(socket).pipe(upstream);
      });
      upstream.on("error", () => socket.destroy());
    });
    // By name: undici connects to the address of a proxy under the name of the host that is asked for, which looks like a way out.
    return { host: `localhost:${await listen(proxy)}`, asked };
  }

  function clientAt(baseURL: string): SiliconFlowClient {
    const client = new SiliconFlowClient({ apiKey: "sk-secret", baseURL, maxRetries: 0 });
    cleanUps.push(() => client.close());
    return client;
  }

  test.each(["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])("%s carries http", async (name) => {
    none();
    const proxy = await startProxy(await serve((response) => response.end(answer)));
    vi.stubEnv(name, proxy.host);
    await clientAt("http://siliconflow.test/v1").chat.create(request);
    expect(proxy.asked).toEqual(["POST http://siliconflow.test/v1/chat/completions"]);
  });

  test.each(["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])("%s carries https through a tunnel", async (name) => {
    none();
    const proxy = await startProxy(await serve((response) => response.end(answer)));
    vi.stubEnv(name, `http://${proxy.host}`);
    // The server behind speaks no TLS: that the tunnel was asked for is what counts.
    expect(await failureOf(clientAt("https://siliconflow.test/v1").chat.create(request))).toMatchObject({
      reason: "tls",
    });
    expect(proxy.asked).toEqual(["CONNECT siliconflow.test:443"]);
  });

  test("NO_PROXY keeps a host from it", async () => {
    none();
    const proxy = await startProxy(await serve((response) => response.end(answer)));
    vi.stubEnv("HTTP_PROXY", proxy.host);
    vi.stubEnv("NO_PROXY", "other.test,siliconflow.test");
    await failureOf(clientAt("http://siliconflow.test/v1").chat.create(request));
    expect(proxy.asked).toEqual([]);
  });

  test("this machine is never asked for through a proxy", async () => {
    none();
    const server = await serve((response) => response.end(answer));
    const proxy = await startProxy(server);
    for (const name of variables.slice(0, 3)) vi.stubEnv(name, proxy.host);
    await clientAt(server.url).chat.create(request);
    await clientAt(server.url.replace("127.0.0.1", "localhost")).chat.create(request);
    expect(proxy.asked).toEqual([]);
    expect(server.requests).toBe(2);
  });

  test.each(["http", "https"])("one that asks for a password is named, for %s", async (protocol) => {
    none();
    const proxy = await startProxy(await serve((response) => response.end(answer)), 407);
    vi.stubEnv("ALL_PROXY", `http://${proxy.host}`);
    const error = await failureOf(clientAt(`${protocol}://siliconflow.test/v1`).chat.create(request));
    expect(error).toMatchObject({ name: "ConnectionError", reason: "proxy", retryable: false });
    expect(error.message).toContain(proxy.host);
  });

  test("one that is down is blamed, not the service, and its password stays out", async () => {
    none();
    vi.stubEnv("HTTPS_PROXY", "http://user:hunter2@127.0.0.1:1");
    const error = await failureOf(clientAt("https://siliconflow.test/v1").chat.create(request));
    expect(error).toMatchObject({ name: "ConnectionError", reason: "proxy" });
    expect(error.message).toContain("127.0.0.1:1");
    const { inspect } = await import("node:util");
    expect(inspect(error, { depth: 9 })).not.toContain("hunter2");
  });

  test("one for http that is down is blamed for https too, which it carries when there is no other", async () => {
    none();
    vi.stubEnv("HTTP_PROXY", "http://127.0.0.1:1");
    const error = await failureOf(clientAt("https://siliconflow.test/v1").chat.create(request));
    expect(error).toMatchObject({ name: "ConnectionError", reason: "proxy" });
  });

  test("one that makes no sense is refused before anything is sent", async () => {
    none();
    vi.stubEnv("HTTPS_PROXY", "ftp://hunter2@proxy.test");
    const error = await failureOf(clientAt("https://siliconflow.test/v1").chat.create(request));
    expect(error).toMatchObject({ name: "InvalidInputError" });
    expect(error.message).not.toContain("hunter2");
  });

  test("SOCKS5 carries http", async () => {
    none();
    const server = await serve((response) => response.end(answer));
    const asked: string[] = [];
    const socks = createTcpServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => {
        // Version 5, no password.
        socket.write(Buffer.from([5, 0]));
        socket.once("data", (command) => {
          asked.push(command.subarray(5, 5 + command[4]!).toString());
          const upstream = connect(Number(new URL(server.url).port), "127.0.0.1", () => {
            socket.write(Buffer.from([5, 0, 0, 1, 127, 0, 0, 1, 0, 80]));
            socket.pipe(upstream).pipe(socket);
          });
          upstream.on("error", () => socket.destroy());
        });
      });
    });
    vi.stubEnv("ALL_PROXY", `socks5h://127.0.0.1:${await listen(socks)}`);
    const client = clientAt("http://siliconflow.test/v1");
    await client.chat.create(request);
    expect(asked).toEqual(["siliconflow.test"]);
    await client.close();
  });
});
