import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { Worker } from "node:worker_threads";
import { startFaultProxy, type Toxics } from "@langchain-siliconflow/emulator";
import { certificateFor, type CertificateKind } from "./certificates.ts";
import { startFaultServer, type Answering, type FaultServer } from "./fault-server.ts";
import { makeName, type NameAnswer } from "./resolver.ts";

/** What lies between a client and the server, where that is at fault. */
export type Way =
  /** The server has a name; look-up n of it gets answer n. At 127.0.0.2 nothing listens. */
  | { names: readonly NameAnswer[] }
  /** Nobody answers an attempt to connect. */
  | { blackhole: true }
  /** TLS, under a name of the test's own unless it is told. So many handshakes are reset before one comes about. */
  | { certificate: CertificateKind; resets?: number; host?: "localhost" }
  /** The proxy of `@langchain-siliconflow/emulator`. */
  | { toServer?: Toxics; toClient?: Toxics }
  /** No HTTP server at all: these bytes, in place of any answer; the last piece for ever where `endless` says so. */
  | { bytes: readonly string[]; endless?: true }
  /** A proxy from the environment, and hosts that do without it. */
  | { proxy: ProxyKind; noProxy?: true };

/** What becomes of the variables for proxies. */
type ProxyKind = "works" | "is down" | "wants a password" | "is a SOCKS proxy that is down";

/** A way that has been laid. */
interface Road {
  url: string;
  server: FaultServer;
  /** Who signed the server's certificate, if it has one. */
  authority: string | undefined;
  /** Set while the case runs. */
  environment: Record<string, string>;
  close(): Promise<void>;
}

/** Starts the server of a case, and whatever stands before it. */
export async function layRoad(replies: readonly Answering[], way: Way | undefined): Promise<Road> {
  const name = makeName(way !== undefined && "names" in way ? way.names : ["127.0.0.1"]);
  const isSecure = way !== undefined && "certificate" in way;
  const isNamed = way !== undefined && (isSecure || "names" in way || "proxy" in way);
  const host = isSecure && way.host ? way.host : isNamed ? name.host : "127.0.0.1";
  const secure = isSecure ? await certificateFor(host, way.certificate) : undefined;
  const server = await startFaultServer(replies, secure);
  const front = way === undefined ? undefined : await standBefore(server, way);
  const scheme = secure ? "https" : "http";
  return {
    url: `${scheme}://${host}:${front?.port ?? server.port}/v1`,
    server,
    authority: secure?.authority,
    environment: front?.environment?.(name.host) ?? {},
    async close() {
      await front?.close();
      await server.close();
    },
  };
}

interface Front {
  port?: number;
  environment?(host: string): Record<string, string>;
  close(): Promise<void>;
}

async function standBefore(server: FaultServer, way: Way): Promise<Front | undefined> {
  if ("blackhole" in way) return blackhole();
  if ("bytes" in way) return speaking(way.bytes, way.endless ?? false);
  if ("toServer" in way || "toClient" in way) return startFaultProxy({ port: server.port, seed: 1, ...way });
  if ("resets" in way) return resetting(way.resets ?? 0, server.port);
  if ("proxy" in way) return proxied(way.proxy, way.noProxy ?? false);
  return undefined;
}

/** A listener in a thread that never turns to it: once its short queue is full, the system answers no attempt any more. */
async function blackhole(): Promise<Front> {
  const source = `
    const { parentPort } = require("node:worker_threads");
    const server = require("node:net").createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
      parentPort.postMessage(server.address().port);
      setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
    });`;
  const worker = new Worker(source, { eval: true, execArgv: [] });
  const [port] = (await once(worker, "message")) as [number];
  const fillers: Socket[] = [];
  for (let answered = true; answered;) {
    if (fillers.length > 64) throw new Error("This system answers although nobody listens: no case can be made of it.");
    const socket = connect(port, "127.0.0.1").on("error", () => {});
    fillers.push(socket);
    answered = await Promise.race([
      once(socket, "connect").then(() => true),
      new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 100)),
    ]);
  }
  return {
    port,
    async close() {
      for (const socket of fillers) socket.destroy();
      await worker.terminate();
    },
  };
}

/** Answers whatever is said with bytes of its own. */
function speaking(pieces: readonly string[], endless: boolean): Promise<Front> {
  return listening((socket) => {
    socket.once("data", async () => {
      for (const piece of pieces) socket.write(piece);
      if (!endless) return socket.end();
      while (!socket.destroyed) {
        const flowing = socket.write(pieces.at(-1)!);
        await (flowing ? new Promise((resolve) => setImmediate(resolve)) : flows(socket));
      }
    });
  });
}

/** Resolves once more can be written, or nothing ever will. */
async function flows(socket: Socket): Promise<void> {
  if (!socket.destroyed)
    await new Promise<void>((resolve) => void socket.once("drain", resolve).once("close", resolve));
}

/** Resets so many connections as soon as anything is said on them; later ones are passed through. */
function resetting(resets: number, port: number): Promise<Front> {
  let seen = 0;
  return listening((socket) => {
    seen += 1;
    if (seen <= resets) socket.once("data", () => socket.resetAndDestroy());
    else passThrough(socket, port);
  });
}

async function proxied(kind: ProxyKind, noProxy: boolean): Promise<Front> {
  const proxy = await listening((socket) => {
    socket.once("data", (bytes: Buffer) => {
      if (kind === "wants a password") {
        socket.end(
          "HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\ncontent-length: 0\r\n\r\n",
        );
        return;
      }
      const [, method, port] = /^(\w+) (?:http:\/\/)?[^/ ]+:(\d+)/.exec(String(bytes)) ?? [];
      const target = passThrough(socket, Number(port));
      if (method === "CONNECT") socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      else target.write(bytes);
    });
  });
  const down = kind.endsWith("is down");
  if (down) await proxy.close();
  const address = `${kind.includes("SOCKS") ? "socks5" : "http"}://127.0.0.1:${proxy.port}`;
  return {
    environment: (host) => ({
      [kind.includes("SOCKS") ? "ALL_PROXY" : "HTTP_PROXY"]: address,
      ...(noProxy && { NO_PROXY: host }),
    }),
    close: async () => void (down || (await proxy.close())),
  };
}

function passThrough(socket: Socket, port: number): Socket {
  const target = connect(port, "127.0.0.1").on("error", () => socket.destroy());
  socket.on("error", () => target.destroy()).on("close", () => target.destroy());
  socket.pipe(target).pipe(socket);
  return target;
}

async function listening(serve: (socket: Socket) => void): Promise<Front & { port: number }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket.on("error", () => {}).on("close", () => sockets.delete(socket)));
    serve(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = once(server.close(), "close");
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
