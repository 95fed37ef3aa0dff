import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { SiliconFlowClient } from "@langchain-siliconflow/client";
import { startEmulator } from "@langchain-siliconflow/emulator";
import { describe, expect, test } from "vitest";
import { wrongInAnswered } from "./openapi.js";
import { wrongSoFar } from "./recorder.js";

/** What is complained of after a client was used on an emulator. */
async function complaintsAfter(use: (client: SiliconFlowClient) => Promise<unknown>): Promise<string> {
  const emulator = await startEmulator();
  const client = new SiliconFlowClient({ apiKey: emulator.apiKey, baseURL: emulator.url, maxRetries: 0 });
  await use(client).catch(() => {});
  await client.close();
  await emulator.close();
  return (await wrongSoFar()).join("\n");
}

const messages = [{ role: "user" as const, content: "Hello" }];
const model = "Qwen/Qwen3-8B";

describe("a request is found", () => {
  test.each<[string, string, (client: SiliconFlowClient) => Promise<unknown>]>([
    [
      "with a field of the wrong type",
      "/top_k must be number",
      (client) => client.chat.create({ model, messages, top_k: "many" as unknown as number }),
    ],
    [
      "with a field that nobody knows",
      "must NOT have additional properties: topK",
      (client) => client.chat.create({ model, messages, topK: 3 }),
    ],
    [
      "with a query that nobody knows",
      "the query after is not described",
      (client) => client.batches.list({ after: "x" }),
    ],
    [
      "with a form that has another field",
      "POST /v1/files: / must NOT have additional properties: lines",
      (client) => client.files.upload({ file: new File(["{}\n"], "a.jsonl"), lines: 1 }),
    ],
  ])("%s", async (_, complaint, use) => {
    expect(await complaintsAfter(use)).toContain(complaint);
  });

  test("with one that is as described, nothing is", async () => {
    const file = new File(["{}\n"], "a.jsonl");
    expect(await complaintsAfter((client) => client.files.upload({ file }))).toBe("");
    expect(await complaintsAfter((client) => client.chat.create({ model, messages }))).toBe("");
  });

  test("also on its way to another server, and to a path that is none", async () => {
    const server = createServer((_, response) => void response.end("{}")).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    const client = new SiliconFlowClient({ apiKey: "sk-1", baseURL: `http://127.0.0.1:${port}/v1`, maxRetries: 0 });
    await client.chat.create({ model, messages, topK: 3 }).catch(() => {});
    await client.close();
    server.close();
    expect(await wrongSoFar()).toEqual(["POST /v1/chat/completions: / must NOT have additional properties: topK"]);
  });

  test("not when somebody else sends it", async () => {
    const complaints = await complaintsAfter(async (client) => {
      const headers = { "user-agent": "somebody" };
      await client.chat.create({ model, messages, topK: 3 }, { headers });
    });
    expect(complaints).toBe("");
  });
});

describe("an answer is found", () => {
  const request = { endpoint: "chat", method: "POST", path: "/v1/chat/completions", headers: {}, body: {} };
  const json = { "content-type": "application/json; charset=utf-8" };
  test.each([
    ["of another type", { "content-type": "text/html" }, "<html>", "the type text/html is not described"],
    ["of another shape", json, '{"id":1}', "/id must be string"],
    ["with a chunk of another shape", { "content-type": "text/event-stream" }, ['data: {"id":1}\n\n'], "/id must be"],
  ])("%s", (_, headers, body, complaint) => {
    const wrong = wrongInAnswered({ request, status: 200, headers, body, own: true });
    expect(wrong.join("\n")).toContain(complaint);
  });

  test("with a status that no page has", () => {
    const wrong = wrongInAnswered({ request, status: 302, headers: json, body: "{}", own: true });
    expect(wrong).toEqual(["POST /v1/chat/completions answered with 302: the status is not described"]);
  });

  test("unless a fault or a script is to blame", async () => {
    const emulator = await startEmulator();
    const headers = { authorization: `Bearer ${emulator.apiKey}` };
    emulator.fault({ status: 418 });
    emulator.script([{ body: { nothing: "described" } }]);
    await fetch(`${emulator.url}/models`, { headers });
    await fetch(`${emulator.url}/models`, { headers });
    await emulator.close();
    expect(await wrongSoFar()).toEqual([]);
  });
});
