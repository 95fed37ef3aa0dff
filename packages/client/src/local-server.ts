import type { AddressInfo, Server, Socket } from "node:net";
import { onTestFinished } from "vitest";

// For tests alone.

/** Opens a server on this machine, which goes with the test, its connections too. Resolves to its port. */
export async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => void sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}
