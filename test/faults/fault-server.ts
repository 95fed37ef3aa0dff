import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";

/** What the server does with one request. Everything left out is what a healthy server would do. */
export interface Reply {
  /** Accept the request and never answer. */
  silent?: true;
  /** Reset the connection once the request was read, before any byte of an answer. */
  refuses?: true;
  status?: number;
  headers?: Record<string, string>;
  /** Pieces are written one at a time, each in its own packet as far as the kernel allows. */
  body?: string | Uint8Array | readonly (string | Uint8Array)[];
  /** After the body: `end` it properly, `reset` the connection, `close` it without the end, or leave it `open`. */
  then?: "end" | "reset" | "close" | "open";
  /** Written again and again after the body, until the client is gone. */
  forever?: string;
  /** Milliseconds between repeated writes of {@link Reply.forever}. */
  everyMs?: number;
  /** Ends the answer after so many of them. */
  times?: number;
}

export interface FaultServer {
  url: string;
  port: number;
  /** Requests so far: what came, as text and parsed, and the connection it came on. */
  requests: {
    path: string;
    headers: IncomingMessage["headers"];
    text: string;
    body: Record<string, unknown>;
    connection: number;
  }[];
  /** Resolves once the connection of the first request is closed, by whichever side. */
  closed: Promise<void>;
  /** Bytes handed to sockets so far. */
  bytesWritten(): number;
  close(): Promise<void>;
}

/** A reply, or what makes one from a request; the requests so far are this one and those before it. */
export type Answering =
  | Reply
  | ((body: Record<string, unknown>, headers: IncomingMessage["headers"], soFar: FaultServer["requests"]) => Reply);

/** Answers request n with reply n, and every later request with the last reply. With a certificate, over TLS. */
export async function startFaultServer(
  replies: readonly Answering[],
  secure?: { key: string; cert: string },
): Promise<FaultServer> {
  const requests: FaultServer["requests"] = [];
  const sockets: Socket[] = [];
  let announceClosed: () => void;
  const closed = new Promise<void>((resolve) => (announceClosed = resolve));

  const listener = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let text = "";
    for await (const bytes of request) text += String(bytes);
    // A form stays text.
    const isForm = request.headers["content-type"]?.startsWith("multipart/");
    const body = text && !isForm ? (JSON.parse(text) as Record<string, unknown>) : {};
    requests.push({
      path: request.url ?? "",
      headers: request.headers,
      text,
      body,
      connection: sockets.indexOf(request.socket),
    });
    if (requests.length === 1) request.socket.once("close", () => announceClosed());
    const entry = replies[Math.min(requests.length, replies.length) - 1]!;
    await answer(typeof entry === "function" ? entry(body, request.headers, requests) : entry, response);
  };
  const server = secure ? createSecureServer(secure, listener) : createServer(listener);
  // The client decides how long a connection lives; Node's five seconds would decide for it.
  server.keepAliveTimeout = 60_000;
  server.on(secure ? "secureConnection" : "connection", (socket: Socket) => {
    sockets.push(socket);
    // A client that hangs up in the middle is what many cases are about.
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

  return {
    url: `${secure ? "https" : "http"}://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    port: (server.address() as AddressInfo).port,
    requests,
    closed,
    bytesWritten: () => sockets.reduce((sum, socket) => sum + socket.bytesWritten, 0),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(reply: Reply, response: ServerResponse): Promise<void> {
  if (reply.silent) return;
  if (reply.refuses) return void response.socket?.resetAndDestroy();
  const pieces =
    reply.body === undefined
      ? []
      : typeof reply.body === "string" || reply.body instanceof Uint8Array
        ? [reply.body]
        : reply.body;
  response.writeHead(reply.status ?? 200, {
    "content-type": "application/json; charset=utf-8",
    "x-siliconcloud-trace-id": "trace-of-the-server",
    ...reply.headers,
  });
  response.flushHeaders();
  for (const piece of pieces) {
    response.write(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (reply.forever !== undefined) await repeat(reply.forever, reply, response);
  if (reply.then === "open") return;
  if (reply.then === "reset") return void response.socket?.resetAndDestroy();
  if (reply.then === "close") return void response.socket?.destroySoon();
  response.end();
}

/** Writes until the client is gone; without a pause it stops whenever the client does not read. */
async function repeat(text: string, { everyMs, times = Infinity }: Reply, response: ServerResponse): Promise<void> {
  const gone = new Promise<void>((resolve) => response.once("close", resolve));
  for (let count = 0; count < times && !response.destroyed; count += 1) {
    const flowing = response.write(text);
    if (everyMs !== undefined) await new Promise((resolve) => setTimeout(resolve, everyMs));
    else if (!flowing) await Promise.race([gone, new Promise<void>((resolve) => response.once("drain", resolve))]);
  }
}
