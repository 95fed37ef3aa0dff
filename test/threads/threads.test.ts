import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { answerServer } from "../views/answer-server.js";
import { thinking } from "../views/answers.js";

test("models work in threads, several at once, and let each thread end by itself", async () => {
  await using server = await answerServer(thinking);
  const answers = Array.from({ length: 2 }, async () => {
    const worker = new Worker(new URL("ask.mjs", import.meta.url), { workerData: { url: server.url } });
    const ended = once(worker, "exit");
    const [answer] = (await once(worker, "message")) as [unknown];
    // An open socket or timer would hold it.
    expect(await ended).toEqual([0]);
    return answer;
  });

  const expected = { text: "Lima", types: ["reasoning", "text"], usage_metadata: { total_tokens: 36 } };
  expect(await Promise.all(answers)).toMatchObject([expected, expected]);
  expect(server.requests).toHaveLength(2);
});
