import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTcpServer, type Socket } from "node:net";
import { deflateRawSync, deflateSync } from "node:zlib";
import { Agent } from "undici";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Client } from "../client.js";
import type { StreamError } from "../errors.js";
import { failureOf } from "../failure-of.js";
import { SiliconFlowClient as FetchClient } from "../fetch-client.js";
import { listen } from "../local-server.js";
import type { ClientOptions } from "../options.js";
import { SiliconFlowClient } from "../undici-client.js";

const request = { model: "m", messages: [{ role: "user", content: "1+1?" }] };
const answer = JSON.stringify({
  choices: [{ index: 0, message: { role: "assistant", content: "2" }, finish_reason: "stop" }],
});

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

function keep<C extends Client>(client: C): C {
  cleanUps.push(() => client.close());
  return client;
}

/** What speaks, or does not, on a bare socket. `socket` is told which connection it is, from 1. */
async function speak(handle: (socket: Socket, number: number) => void): Promise<{ port: number; connections: number }> {
  const seen = { port: 0, connections: 0 };
  const server = createTcpServer((socket) => {
    socket.on("error", () => {});
    handle(socket, (seen.connections += 1));
  });
  seen.port = await listen(server);
  return seen;
}

async function serve(handle: (response: ServerResponse, request: IncomingMessage) => void): Promise<string> {
  const server = createServer((message, response) => void message.resume().on("end", () => handle(response, message)));
  return `http://127.0.0.1:${await listen(server)}/v1`;
}

describe.each<[string, (options: ClientOptions) => Client]>([
  ["over undici", (options) => new SiliconFlowClient({ apiKey: "sk-secret", ...options })],
  ["over fetch", (options) => new FetchClient({ apiKey: "sk-secret", ...options })],
])("%s", (wire, make) => {
  test.each(["100 Continue", "101 Switching Protocols"])(
    "%s, unasked, is no answer and not asked for again",
    async (line) => {
      const server = await speak((socket) => {
        socket.once("data", () =>
          socket.write(`HTTP/1.1 ${line}\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}`),
        );
      });
      const client = keep(make({ baseURL: `http://127.0.0.1:${server.port}` }));
      expect(await failureOf(client.chat.create(request))).toMatchObject({
        name: "InvalidResponseError",
        reason: "malformed",
        attempts: 1,
      });
    },
  );

  test.each(["102 Processing", "103 Early Hints"])("%s is passed over", async (line) => {
    const server = await speak((socket) => {
      socket.once("data", () =>
        socket.write(
          `HTTP/1.1 ${line}\r\nlink: </x>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: ${answer.length}\r\n\r\n${answer}`,
        ),
      );
    });
    const client = keep(make({ baseURL: `http://127.0.0.1:${server.port}` }));
    await expect(client.chat.create(request)).resolves.toHaveProperty("choices");
  });

  test("a header that never ends is cut off long before its end", async () => {
    let sent = 0;
    const closed = new Promise<void>((resolve) => {
      void speak((socket) => {
        const piece = Buffer.alloc(64 * 1024, "x");
        const more = (): void => {
          while (sent < 100 * 1024 * 1024 && socket.writable) {
            sent += piece.length;
            if (!socket.write(piece)) break;
          }
        };
        socket.on("drain", more).on("close", () => resolve());
        socket.once("data", () => {
          socket.write("HTTP/1.1 200 OK\r\nx-long: ");
          more();
        });
      }).then(({ port }) => ports.push(port));
    });
    const ports: number[] = [];
    await expect.poll(() => ports.length).toBe(1);
    const client = keep(make({ baseURL: `http://127.0.0.1:${ports[0]}` }));
    expect(await failureOf(client.chat.create(request))).toMatchObject({
      name: "InvalidResponseError",
      reason: "tooLarge",
      attempts: 1,
    });
    await closed;
    expect(sent).toBeLessThan(20 * 1024 * 1024);
  });

  test.each([
    ["with its head", deflateSync(answer)],
    ["without", deflateRawSync(answer)],
  ])("deflate is undone %s", async (_, bytes) => {
    const url = await serve((response) => response.setHeader("content-encoding", "deflate").end(bytes));
    await expect(keep(make({ baseURL: url })).chat.create(request)).resolves.toHaveProperty("choices");
  });

  test("deflate of nothing is no answer", async () => {
    const url = await serve((response) => response.setHeader("content-encoding", "deflate").end());
    expect(await failureOf(keep(make({ baseURL: url, maxRetries: 0 })).chat.create(request))).toMatchObject({
      reason: expect.stringMatching(/empty|truncated/),
      retryable: true,
    });
  });

  test("deflate that breaks off is not taken for an answer", async () => {
    const url = await serve((response) =>
      response.setHeader("content-encoding", "deflate").end(deflateRawSync(answer).subarray(0, 20)),
    );
    expect(await failureOf(keep(make({ baseURL: url, maxRetries: 0 })).chat.create(request))).toMatchObject({
      reason: expect.stringMatching(/truncated|malformed|empty/),
      retryable: true,
    });
  });

  test("TLS that is cut off in its handshake is tried again", async () => {
    const server = await speak((socket, number) => {
      socket.once("data", () => (number === 1 ? socket.resetAndDestroy() : socket.end()));
    });
    const client = keep(make({ baseURL: `https://127.0.0.1:${server.port}`, maxRetries: 2 }));
    expect(await failureOf(client.chat.create(request))).toMatchObject({
      name: "ConnectionError",
      reason: "reset",
      retryable: true,
      attempts: 3,
    });
    expect(server.connections).toBe(3);
  });

  test("closing the client ends a stream that is being read, and a wait", async () => {
    const url = await serve((response) => {
      if (busy) return void response.writeHead(503, { "retry-after": "30" }).end();
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write('data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}\n\n');
    });
    let busy = false;
    const dispatcher = new Agent();
    cleanUps.push(() => dispatcher.destroy());
    let waiting!: () => void;
    const waits = new Promise<void>((resolve) => (waiting = resolve));
    // One that is the caller's, and stays open.
    const given = wire === "over undici" ? { dispatcher } : {};
    const client = make({ baseURL: url, ...given, onRetry: () => waiting() });
    const chunks = client.chat.stream(request);
    await chunks.next();
    const next = failureOf(chunks.next());
    busy = true;
    const call = failureOf(client.chat.create(request));
    await waits;
    await client.close();
    expect((await next) as StreamError).toMatchObject({
      name: "StreamError",
      message: "The stream broke: The client was closed.",
      partial: { content: "a" },
    });
    expect(await call).toMatchObject({ name: "ConnectionError", message: "The client was closed." });
  });
});

describe("a proxy", () => {
  beforeEach(() => {
    for (const name of ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"]) {
      vi.stubEnv(name, undefined);
      vi.stubEnv(name.toLowerCase(), undefined);
    }
  });

  const clientAt = (baseURL: string) => keep(new SiliconFlowClient({ apiKey: "sk-secret", baseURL, maxRetries: 0 }));

  /** Answers every request itself, and every tunnel too. */
  async function refusing(status: number, headers: Record<string, string>): Promise<string> {
    const server = createServer((_, response) => void response.writeHead(status, headers).end("no"));
    server.on("connect", (_, socket: Socket) => {
      socket.on("error", () => {}).end(`HTTP/1.1 ${status} No\r\n\r\n`);
    });
    // By name: undici connects to the address of a proxy under the name of the host that is asked for.
    return `localhost:${await listen(server)}`;
  }

  test.each([
    ["http", 403, false],
    ["http", 407, false],
    ["http", 502, true],
    ["https", 403, false],
    ["https", 407, false],
    ["https", 502, true],
  ] as const)("that refuses %s with %i is blamed, and not the service", async (protocol, status, retryable) => {
    const host = await refusing(status, { "x-squid-error": "ERR_ACCESS_DENIED 0" });
    vi.stubEnv("ALL_PROXY", `http://${host}`);
    const error = await failureOf(clientAt(`${protocol}://siliconflow.test/v1`).chat.create(request));
    expect(error).toMatchObject({ name: "ConnectionError", reason: "proxy", retryable });
    expect(error.message).toContain(`The proxy ${host} refused the request with status ${status}.`);
  });

  test("that is given as https, and speaks http, is told apart from the service", async () => {
    const host = await refusing(403, {});
    vi.stubEnv("HTTPS_PROXY", `https://${host}`);
    const error = await failureOf(clientAt("https://siliconflow.test/v1").chat.create(request));
    expect(error).toMatchObject({ name: "ConnectionError", reason: "proxy", retryable: false });
    expect(error.message).toContain(`The proxy ${host} does not speak TLS`);
    expect(error.message).toContain("Most are given as http://");
  });

  test("that passes on what the service says is not blamed for it", async () => {
    const host = await refusing(403, {});
    vi.stubEnv("HTTP_PROXY", `http://${host}`);
    expect(await failureOf(clientAt("http://siliconflow.test/v1").chat.create(request))).toMatchObject({
      name: "PermissionDeniedError",
    });
  });

  test.each(["socks5://127.0.0.1:1", "socks5h://127.0.0.1:1"])("at %s that is down is blamed", async (proxy) => {
    vi.stubEnv("ALL_PROXY", proxy);
    const error = await failureOf(clientAt("http://siliconflow.test/v1").chat.create(request));
    expect(error).toMatchObject({ name: "ConnectionError", reason: "proxy", retryable: true });
    expect(error.message).toContain("127.0.0.1:1");
  });

  test.each([
    ["siliconflow.test", true],
    [".siliconflow.test", true],
    ["*.test", true],
    ["test", true],
    ["SiliconFlow.Test:80", true],
    ["a.test, siliconflow.test", true],
    ["*", true],
    ["siliconflow.test:443", false],
    ["*.siliconflow.test", false],
    ["flow.test", false],
    ["", false],
  ])("is kept away by NO_PROXY=%j: %j", async (exempt, kept) => {
    const host = await refusing(407, {});
    vi.stubEnv("HTTP_PROXY", `http://${host}`);
    vi.stubEnv("NO_PROXY", exempt);
    const { reason } = await failureOf(clientAt("http://siliconflow.test/v1").chat.create(request));
    // A name that does not exist, asked for here or there.
    expect(reason === "proxy").toBe(!kept);
  });
});
