import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** One request, and the hands on its answer. */
export interface Asked {
  body: { stream?: boolean; messages: unknown[]; [field: string]: unknown };
  headers: IncomingHttpHeaders;
  /** Sends the head, unless it has gone, and then these bytes in one packet. */
  send(text: string): void;
  /** The rest, and the end. */
  end(text?: string): void;
  /** Resets the connection. */
  reset(): void;
  /** Answers with an error. */
  refuse(status: number, body: object): void;
  /** Writes as fast as the reader takes it, so many times. */
  flood(text: string, times: number): void;
  /** Whether the answer was still open when its connection closed. */
  hungUp(): boolean;
  /** Resolves when the answer is over, or its connection is. */
  closed: Promise<void>;
}

/** A server on 127.0.0.1 that does what it is told, request by request. */
export interface ScriptServer extends AsyncDisposable {
  url: string;
  asked: Asked[];
  /** Waits for that many requests, and gives the last of them. */
  request(count: number): Promise<Asked>;
}

export async function scriptServer(serve?: (asked: Asked, index: number) => void): Promise<ScriptServer> {
  const asked: Asked[] = [];
  let arrived: (() => void)[] = [];
  const server = createServer({ noDelay: true }, async (request, response) => {
    let text = "";
    for await (const bytes of request) text += String(bytes);
    const entry = { headers: request.headers, ...hands(JSON.parse(text || "{}") as Asked["body"], response) };
    asked.push(entry);
    serve?.(entry, asked.length - 1);
    for (const tell of arrived) tell();
    arrived = [];
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    asked,
    async request(count) {
      while (asked.length < count) await new Promise<void>((resolve) => arrived.push(resolve));
      return asked[count - 1]!;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function hands(body: Asked["body"], response: ServerResponse): Omit<Asked, "headers"> {
  const head = () => {
    if (response.headersSent) return;
    response.writeHead(200, { "content-type": "text/event-stream", "x-siliconcloud-trace-id": "ti_1" });
  };
  let hungUp = false;
  const closed = once(response, "close").then(() => {
    hungUp = !response.writableFinished;
  });
  return {
    body,
    send(text) {
      head();
      response.write(text);
    },
    end(text) {
      head();
      response.end(text);
    },
    reset: () => void response.socket?.resetAndDestroy(),
    refuse: (status, error) =>
      void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(error)),
    flood(text, times) {
      head();
      void (async () => {
        for (; times > 0 && !response.destroyed; times -= 1) {
          if (!response.write(text)) await Promise.race([once(response, "drain"), closed]);
        }
        response.end();
      })();
    },
    hungUp: () => hungUp,
    closed,
  };
}
