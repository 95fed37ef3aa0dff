import { ChatSiliconFlow } from "@langchain-siliconflow/chat";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { words } from "./answers.js";
import { CorePath, type ChatClass } from "./core-path.js";
import { recording } from "./handlers.js";
import { Journal, quiet } from "./journal.js";
import { key } from "./scenario.js";
import { scriptServer } from "./script-server.js";

/** Ways to leave a stream of which nothing more comes. */
const ways: Record<string, (stream: AsyncIterable<unknown> & ReadableStream<unknown>) => Promise<unknown>> = {
  "break in the loop": async (stream) => {
    for await (const _ of stream) {
      await quiet();
      break;
    }
  },
  "an error in the loop": async (stream) => {
    for await (const _ of stream) {
      await quiet();
      throw new Error("mine");
    }
  },
  "cancel by a reader": async (stream) => {
    const reader = stream.getReader();
    await reader.read();
    await quiet();
    await reader.cancel("enough");
  },
};

/** Leaves a stream whose next chunk is awaited, and tells what had happened before the server said another word. */
async function leave(Chat: ChatClass, way: (typeof ways)[string]) {
  await using server = await scriptServer((asked) => asked.send(words(1)[0]!));
  const journal = new Journal();
  const handler = recording(journal, "handler", { awaitHandlers: true });
  const model = new Chat({ model: "m", apiKey: key, baseURL: server.url, maxRetries: 0 });
  const stream = await model.stream("Capital?", { callbacks: [handler] });
  let through = false;
  const left = way(stream)
    .catch(() => {})
    .then(() => (through = true));
  const [asked] = server.asked;
  await Promise.race([asked!.closed, manyTurns()]);
  await quiet();
  const before = { through, hungUp: asked!.hungUp() };
  asked!.end(words(2).slice(1).join(""));
  await left;
  await quiet();
  const { witnesses } = journal.record(true) as { witnesses: { handler: [method: string][] } };
  return { ...before, told: witnesses.handler.map(([method]) => method) };
}

/** Long enough for a socket on this machine to close. */
async function manyTurns(): Promise<void> {
  for (let count = 0; count < 500; count += 1) await turn();
}

/**
 * Where we differ from core's path by intention. A generator queues its `return()` behind the `next()` that waits for the
 * network, so that core's path keeps the socket, and its reader, until the model says its next word. The end of the run comes with
 * that: scenarios that leave a stream therefore let everything come to rest before they do.
 */
describe.each(Object.entries(ways))("leaving a stream that waits, by %s,", (_, way) => {
  test("closes the socket at once, and the reader goes on", async () => {
    expect(await leave(ChatSiliconFlow, way)).toMatchObject({ through: true, hungUp: true });
  });

  test("on core's path waits for the next word", async () => {
    expect(await leave(CorePath, way)).toMatchObject({ through: false, hungUp: false });
  });

  test("ends the run with what had arrived, where core's path leaves it open for ever", async () => {
    const begun = ["handleChatModelStart", "handleLLMNewToken"];
    expect((await leave(ChatSiliconFlow, way)).told).toEqual([...begun, "handleLLMEnd"]);
    expect((await leave(CorePath, way)).told).toEqual(begun);
  });
});
