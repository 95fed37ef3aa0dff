import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import { codeOf } from "../connection-error.js";
import { InvalidInputError } from "../errors.js";
import type { DownloadRequest, Wire, WireRequest, WireResponse } from "../wire.js";
import { NodeBody, readHeader } from "./node-body.js";
import { decompress } from "./decompress.js";
import { downloadWithUndici } from "./undici-download.js";
import { blameProxy, isFromProxy, proxyFor, proxySecrets, refusedByProxy } from "./proxies.js";

/** How long an idle socket is kept when the service names no time of its own. A stale one costs a replay, not an error. */
const keepAliveMs = 30_000;

type Undici = typeof import("undici");

interface Connection {
  /** With the announcement of connected sockets composed in. */
  dispatcher: Dispatcher;
  close(): Promise<void>;
  /** An own agent, whose sockets are made here. */
  own: boolean;
  proxy: URL | undefined;
}

/** Sends with undici's `request`, over an own keep-alive `Agent`, the proxies of the environment, or a given dispatcher. */
export class UndiciWire implements Wire {
  readonly #given: Dispatcher | undefined;
  readonly #baseURL: URL;
  readonly #origin: string;
  readonly #connectMs: number;
  #connection: Promise<Connection> | undefined;
  /** The same once it is there: most calls have nothing to wait for. */
  #opened: Connection | undefined;
  /** Sockets on their way, and how many requests wait for one: when the last of these gives up, the sockets are closed. */
  readonly #connecting = new Set<Socket>();
  #waiting = 0;
  /** While the pool is told of a new socket: it sends its first request within that call. */
  #connectingNow = false;
  /** What kept a new socket from coming about. Any other failure of a request that did not go out comes from an idle one. */
  readonly #connectFailures = new WeakSet<object>();
  /** A body has just ended: its socket can be used again in the next turn, and a request sent before would open another. */
  #freeing = false;

  constructor(baseURL: string, connectMs: number, dispatcher: Dispatcher | undefined) {
    this.#baseURL = new URL(baseURL);
    this.#origin = this.#baseURL.origin;
    this.#connectMs = connectMs;
    this.#given = dispatcher;
  }

  /**
   * undici waits after each piece that fills the socket until all of it has gone out. Of other dispatchers it is not known.
   */
  get sendsInTurn(): boolean {
    return this.#given === undefined;
  }

  get secrets(): readonly string[] {
    return this.#given === undefined ? proxySecrets(this.#baseURL) : [];
  }

  async send(request: WireRequest): Promise<WireResponse> {
    const connection = this.#opened ?? (await (this.#connection ??= this.#open()));
    if (this.#freeing) await new Promise((resolve) => setImmediate(resolve));
    if (request.attempt.ended) throw new Error("The attempt has ended.");

    let waiting = true;
    this.#waiting += 1;
    const leave = (): void => {
      if (!waiting) return;
      waiting = false;
      this.#waiting -= 1;
    };
    const onConnect = (): void => {
      if (!waiting) return;
      leave();
      // Of other dispatchers it is not known: taken for fresh.
      request.onConnect(connection.own && !this.#connectingNow);
    };
    let answered = false;
    // undici takes an emitter for a signal. Of what other dispatchers do with it nothing is known.
    const signal = connection.own ? new EventEmitter() : request.attempt.signal;
    request.attempt.onEnd = () => {
      // undici itself hears of an abort only when the connection has come about.
      if (!answered) {
        leave();
        if (this.#waiting === 0)
          for (const socket of this.#connecting) socket.destroy(new Error("No request waits for this connection."));
      }
      if (signal instanceof EventEmitter) signal.emit("abort");
    };
    try {
      const origin = this.#origin;
      // Always below this origin: the transport follows no redirect to another.
      const path = request.url.slice(origin.length);
      const response = await connection.dispatcher.request({
        origin,
        path,
        method: request.method,
        headers: request.headers,
        // The types know Node's streams; any async iterable is sent as well as they are.
        body: (request.body as string | Readable | undefined) ?? null,
        signal,
        opaque: onConnect,
        // The client's own limits count.
        headersTimeout: 0,
        bodyTimeout: 0,
      });
      const { headers } = response;
      if (connection.proxy !== undefined && isFromProxy(response)) {
        response.body.on("error", () => {}).destroy();
        throw refusedByProxy(connection.proxy, response.statusCode, undefined);
      }
      const encoding = readHeader(headers["content-encoding"]);
      return {
        status: response.statusCode,
        header: (name) => readHeader(headers[name]),
        body: new NodeBody(
          encoding === undefined ? response.body : await decompress(response.body, encoding),
          connection.own && encoding === undefined,
          this.#free,
        ),
      };
    } catch (error) {
      // undici looks at an idle socket before it uses it: found reset, the request fails without having gone out.
      if (waiting && connection.own && isReset(error) && !this.#connectFailures.has(error)) request.onConnect(true);
      throw blameProxy(error, connection.proxy);
    } finally {
      leave();
      answered = true;
    }
  }

  download(request: DownloadRequest): Promise<WireResponse> {
    return downloadWithUndici(request, this.#given);
  }

  readonly #free = (): void => {
    if (this.#freeing) return;
    this.#freeing = true;
    setImmediate(() => {
      this.#freeing = false;
    });
  };

  async close(): Promise<void> {
    const connection = await this.#connection?.catch(() => undefined);
    await connection?.close();
  }

  async #open(): Promise<Connection> {
    const undici = await loadUndici();
    const given = this.#given;
    if (given !== undefined) {
      const dispatcher = given.compose(announceConnection);
      return (this.#opened = { dispatcher, close: async () => {}, own: false, proxy: undefined });
    }

    const options = { allowH2: false, keepAliveTimeout: keepAliveMs, headersTimeout: 0, bodyTimeout: 0 };
    const proxy = proxyFor(this.#baseURL);
    const agent =
      proxy === undefined
        ? new undici.Agent({ ...options, connect: this.#connector(undici) })
        : new undici.EnvHttpProxyAgent({
            ...options,
            connectTimeout: this.#connectMs,
            httpProxy: proxy.href,
            httpsProxy: proxy.href,
            // That has been looked at already.
            noProxy: "",
          });
    return (this.#opened = {
      dispatcher: agent.compose(announceConnection),
      close: () => agent.destroy(),
      own: proxy === undefined,
      proxy,
    });
  }

  #connector(undici: Undici): ReturnType<Undici["buildConnector"]> {
    // No limit of its own: the deadline of each request has one.
    const connect = undici.buildConnector({ allowH2: false, timeout: 0 });
    return (options, callback) => {
      // The types say void; the documented example of a custom connector uses the socket it returns.
      const socket = connect(options, (...result) => {
        this.#connecting.delete(socket);
        const [failure] = result;
        if (failure !== null) this.#connectFailures.add(failure);
        this.#connectingNow = true;
        callback(...result);
        this.#connectingNow = false;
      }) as unknown as Socket;
      this.#connecting.add(socket);
      return socket;
    };
  }
}

/** Not a failed connection: on an older Node.js it would be tried again and again. */
async function loadUndici(): Promise<Undici> {
  try {
    return await import("undici");
  } catch (cause) {
    throw new InvalidInputError(
      `undici could not be loaded. It needs Node.js 22.19 or later, and this is ${process.version}: upgrade, or use the client of "@langchain-siliconflow/client/fetch".`,
      { cause },
    );
  }
}

/** Tells each request, through `opaque`, when it goes out on a socket. */
const announceConnection: Dispatcher.DispatcherComposeInterceptor = (dispatch) => (options, handler) => {
  const { opaque } = options as { opaque?: () => void };
  if (typeof opaque === "function") {
    const start = handler.onRequestStart;
    // The handler was made for this request alone. A wrapper around it would cost a call for each piece of the body.
    handler.onRequestStart = (controller, context) => {
      opaque();
      start?.call(handler, controller, context);
    };
  }
  return dispatch(options, handler);
};

function isReset(error: unknown): error is Error {
  return error instanceof Error && ["ECONNRESET", "EPIPE"].includes(codeOf(error));
}
