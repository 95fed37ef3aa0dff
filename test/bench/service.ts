/** The server's process as the scenarios see it. */
import { fork } from "node:child_process";
import { once } from "node:events";
import type { Answer } from "./answers.ts";

export interface Behaviour {
  answer: Answer;
  /** One event a packet; 32 events a packet; 32 events a packet and a chunk of HTTP. */
  layout: "packet" | "burst" | "coalesced";
  /** Streams stop after so many events until they are released. 0: they do not. */
  holdAfter: number;
  /** Before an answer begins. */
  latencyMs: number;
  /** Each so-manieth request is answered 429 with `Retry-After: 0`. 0: none. */
  refuseEvery: number;
  dimensions: number;
}

export const defaults: Behaviour = {
  answer: { says: "text", chunks: 5000 },
  layout: "packet",
  holdAfter: 0,
  latencyMs: 0,
  refuseEvery: 0,
  dimensions: 1024,
};

export interface Service {
  /** Without a path. */
  url: string;
  behave(behaviour: Partial<Behaviour>): Promise<void>;
  close(): void;
}

export async function startService(): Promise<Service> {
  const server = fork(new URL("server.ts", import.meta.url));
  const [url] = (await once(server, "message")) as [string];
  return {
    url,
    async behave(behaviour) {
      const done = once(server, "message");
      server.send({ ...defaults, ...behaviour });
      await done;
    },
    close: () => server.disconnect(),
  };
}
