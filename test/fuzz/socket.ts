import { SiliconFlowClient } from "@langchain-siliconflow/client";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Case, readsOf } from "./cases.ts";
import type { Lines } from "./check.ts";
import { headersOf, readersOf } from "./ours.ts";

/** Reads over a connection: a server sends what comes next, each read in a packet of its own as far as the kernel allows. */
export async function readersBySocket(): Promise<Lines & { close(): Promise<void> }> {
  let current: Case | undefined;
  const server = createServer(async (request, response) => {
    request.resume();
    response.writeHead(200, headersOf(current!));
    for (const bytes of readsOf(current!)) {
      if (response.destroyed) return;
      response.write(bytes);
      // Packets of single bytes would take longer than all the rest.
      if (bytes.length > 10) await new Promise((resolve) => setImmediate(resolve));
    }
    response.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const client = new SiliconFlowClient({ apiKey: "sk-fuzz", maxRetries: 0, baseURL });
  return {
    readers: readersOf(client),
    next: (answer) => void (current = answer),
    async close() {
      await client.close();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
