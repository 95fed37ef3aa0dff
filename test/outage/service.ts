/** A service in a process of its own, whose health is told to it. Reports what has reached it. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Health, Report } from "./outage.ts";

const latencyMs = 250;
const answer = JSON.stringify({
  object: "chat.completion",
  choices: [{ index: 0, message: { role: "assistant", content: "2" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
});
const busy = JSON.stringify({ code: 50505, message: "Model service overloaded. Please try again later.", data: null });

let health: Health = "healthy";
let port = 0;
/** When each request came. */
let arrivals: number[] = [];

const server = createServer((request, response) => {
  arrivals.push(Date.now());
  if (health === "hanging") return;
  const failing = health === "failing";
  request.resume();
  setTimeout(() => {
    response.writeHead(failing ? 503 : 200, { "content-type": "application/json" }).end(failing ? busy : answer);
  }, latencyMs);
});
server.keepAliveTimeout = 60_000;
server.on("clientError", (_, socket) => socket.destroy());

const listen = () =>
  new Promise<void>((resolve) =>
    server.listen(port, "127.0.0.1", 511, () => {
      port = (server.address() as AddressInfo).port;
      resolve();
    }),
  );

async function become(next: Health): Promise<void> {
  if (next === "refusing") {
    server.close();
    server.closeAllConnections();
  } else if (health === "refusing") await listen();
  // What hung is not answered later: the machine that should have is gone.
  else if (health === "hanging") server.closeAllConnections();
  health = next;
}

process.on("message", async (next: Health | "report") => {
  if (next === "report") {
    process.send!({ arrivals } satisfies Report);
    arrivals = [];
    return;
  }
  await become(next);
  process.send!({ at: Date.now() } satisfies Report);
});
process.on("disconnect", () => process.exit());

await listen();
process.send!({ port } satisfies Report);
