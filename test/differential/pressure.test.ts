import { ChatSiliconFlow } from "@langchain-siliconflow/chat";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { event } from "./answers.js";
import { CorePath, type ChatClass } from "./core-path.js";
import { key } from "./scenario.js";
import { scriptServer } from "./script-server.js";

/** What one read of a socket brings at most. */
const socketRead = 65_536;
const text = event({ content: "x".repeat(1_000) });
/** 26 MB: more than all buffers between the server and the reader hold. */
const times = 20_000;

/** How far a stream has come when its reader takes so many chunks and then no more. */
async function readSome(Chat: ChatClass, chunks: number, heard = true): Promise<{ tokens: number; bytes: number }> {
  const sockets: Socket[] = [];
  const connected = (message: unknown): void => void sockets.push((message as { socket: Socket }).socket);
  subscribe("undici:client:connected", connected);
  await using server = await scriptServer((asked) => asked.flood(text, times));
  let tokens = 0;
  const counting = { handleLLMNewToken: () => void (tokens += 1) };
  const model = new Chat({ model: "m", apiKey: key, baseURL: server.url, maxRetries: 0 });
  const stream = await model.stream("Capital?", heard ? { callbacks: [counting] } : {});
  for (let count = 0; count < chunks; count += 1) await stream.next();
  const [socket] = sockets;
  let bytes = -1;
  // Until nothing moves.
  while (socket!.bytesRead !== bytes) {
    bytes = socket!.bytesRead;
    for (let count = 0; count < 200; count += 1) await turn();
  }
  unsubscribe("undici:client:connected", connected);
  await stream.cancel().catch(() => stream.return());
  return { tokens, bytes };
}

describe.each([0, 1, 50, 2_000])("a reader who has taken %i chunks and takes no more", (chunks) => {
  test("has the same number of chunks read ahead as on core's path", async () => {
    const core = await readSome(CorePath, chunks);
    const ours = await readSome(ChatSiliconFlow, chunks);
    expect(ours.tokens).toBe(core.tokens);
  });

  test.each([true, false])("has no more of the network read ahead, but for one read (handlers: %s)", async (heard) => {
    const core = await readSome(CorePath, chunks, heard);
    const ours = await readSome(ChatSiliconFlow, chunks, heard);
    expect(core.bytes).toBeGreaterThan(0);
    expect(core.bytes).toBeLessThan((times * text.length) / 4);
    expect(ours.bytes).toBeLessThanOrEqual(core.bytes + socketRead);
  });
});

test("the request is sent when stream() is called, on both paths, and one chunk is fetched before it is asked for", async () => {
  for (const Chat of [CorePath, ChatSiliconFlow]) {
    await using server = await scriptServer();
    const opening = new Chat({ model: "m", apiKey: key, baseURL: server.url, maxRetries: 0 }).stream("Capital?");
    let opened = false;
    void opening.then(() => (opened = true));
    const asked = await server.request(1);
    // Headers alone do not open the stream: its first chunk does.
    asked.send("");
    for (let count = 0; count < 50; count += 1) await turn();
    expect(opened).toBe(false);
    asked.send(event({ content: "Li" }));
    const stream = await opening;
    await stream.cancel();
    await asked.closed;
    expect(asked.hungUp()).toBe(true);
  }
});
