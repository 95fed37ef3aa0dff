import { ChatSiliconFlow, SiliconFlow } from "@langchain-siliconflow/chat";
import { SiliconFlowClient } from "@langchain-siliconflow/client";
import { SiliconFlowClient as FetchClient } from "@langchain-siliconflow/client/fetch";
import { SiliconFlowEmbeddings } from "@langchain-siliconflow/embeddings";
import { SiliconFlowRerank } from "@langchain-siliconflow/rerank";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type FaultServer, type Reply, startFaultServer } from "../faults/fault-server.ts";
import * as wire from "../faults/wire.ts";
import { clientAskings, langChainAskings, Onlooker } from "./asking.ts";
import { secrets } from "./canaries.ts";
import { successes } from "./echoes.ts";

let service: FaultServer;
let stranger: FaultServer;
let reply: (body: Record<string, unknown>) => Reply;

beforeAll(async () => {
  stranger = await startFaultServer([{ body: wire.completion({ content: "Give me your key." }) }]);
  service = await startFaultServer([(body) => reply(body)]);
});
afterAll(async () => {
  await service.close();
  await stranger.close();
});

const builtIn = Reflect.ownKeys(Object.prototype);
const polluted: string[] = [];

function pollute(properties: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(properties)) {
    polluted.push(name);
    // oxlint-disable-next-line no-extend-native -- somebody else's fault is what is tested
    Object.defineProperty(Object.prototype, name, { value, configurable: true, writable: true, enumerable: false });
  }
}

function clean(): void {
  for (const name of polluted.splice(0)) Reflect.deleteProperty(Object.prototype, name);
}

beforeEach(() => {
  reply = successes;
});
afterEach(clean);

describe("an answer with names of prototypes", () => {
  /** Every object of the answer gets them, as JSON brings them: as own properties. */
  const spoil = (text: string): string =>
    text.replaceAll(
      /\{(?=")/g,
      '{"__proto__":{"spoiled":1,"tool_calls":[1]},"constructor":{"prototype":{"spoiled":1}},"toString":"no","hasOwnProperty":1,',
    );

  it("changes no prototype, whoever asks", async () => {
    reply = (body) => {
      const { body: text, ...rest } = successes(body);
      return { ...rest, body: [text].flat().map((piece) => spoil(String(piece))) };
    };
    const onlooker = new Onlooker();
    const outcomes = await Promise.allSettled(
      [...clientAskings(service.url, onlooker), ...langChainAskings(service.url, onlooker)].map(({ ask }) => ask()),
    );
    expect(outcomes.some(({ status }) => status === "fulfilled")).toBe(true);
    expect(Reflect.ownKeys(Object.prototype)).toEqual(builtIn);
    for (const made of [{}, [], () => {}, ""]) expect((made as { spoiled?: unknown }).spoiled).toBeUndefined();
  });

  it("is told from one whose fields are there: what a prototype brings does not count", async () => {
    reply = () => ({ body: '{"__proto__":{"choices":[{"message":{"content":"Hi."}}]}}' });
    const client = new SiliconFlowClient({ apiKey: secrets.key, baseURL: service.url, maxRetries: 0 });
    const asked = client.chat.create({ model: "m", messages: [{ role: "user", content: "Hi." }] });
    await expect(asked).rejects.toMatchObject({ reason: "malformed" });
  });
});

describe("names of prototypes from the caller", () => {
  it.each(["__proto__", "constructor", "toString", "hasOwnProperty", "prototype"])("work as %s", async (name) => {
    const fields = { apiKey: secrets.key, baseURL: service.url, maxRetries: 0 };
    const model = new ChatSiliconFlow({ ...fields, model: name });
    await expect(model.invoke("Hi.", { headers: { [`x-${name}`]: "1" } })).resolves.toBeDefined();
    await expect(
      model.bindTools([{ type: "function", function: { name, parameters: { type: "object" } } }]).invoke("Hi."),
    ).resolves.toMatchObject({ tool_calls: [{ name }] });
    await new SiliconFlowEmbeddings({ ...fields, model: name }).embedQuery("Hi.");
    expect(Reflect.ownKeys(Object.prototype)).toEqual(builtIn);
  });
});

describe("a prototype that somebody else has spoiled", () => {
  const fields = { model: "m", apiKey: secrets.key };
  const messages = [{ role: "user" as const, content: "Hi." }];
  const ways: Record<string, (baseURL: { baseURL?: string }) => Promise<unknown>> = {
    client: (given) => new SiliconFlowClient({ apiKey: secrets.key, ...given }).chat.create({ model: "m", messages }),
    "client/fetch": (given) => new FetchClient({ apiKey: secrets.key, ...given }).chat.create({ model: "m", messages }),
    ChatSiliconFlow: (given) => new ChatSiliconFlow({ ...fields, ...given }).invoke("Hi."),
    "ChatSiliconFlow, with a model": (given) =>
      new ChatSiliconFlow("m", { apiKey: secrets.key, ...given }).invoke("Hi."),
    "ChatSiliconFlow, configured": (given) => new ChatSiliconFlow({ ...fields, configuration: given }).invoke("Hi."),
    SiliconFlow: (given) => new SiliconFlow({ ...fields, ...given }).invoke("Hi."),
    SiliconFlowEmbeddings: (given) => new SiliconFlowEmbeddings({ ...fields, ...given }).embedQuery("Hi."),
    SiliconFlowRerank: (given) => new SiliconFlowRerank({ ...fields, ...given }).rerank(["a"], "Hi."),
  };
  const bait = (): Record<string, unknown> => ({
    baseURL: stranger.url,
    SILICONFLOW_BASE_URL: stranger.url,
    configuration: { baseURL: stranger.url },
    HTTP_PROXY: new URL(stranger.url).origin,
    http_proxy: new URL(stranger.url).origin,
  });

  it.each(Object.keys(ways))("does not say where %s sends the key", async (way) => {
    const before = service.requests.length;
    // Set before, as an environment is: it is no option of the caller, but an own variable.
    process.env["SILICONFLOW_BASE_URL"] = service.url;
    try {
      for (const [name, value] of Object.entries(bait())) {
        pollute({ [name]: value });
        await expect(ways[way]!({})).resolves.toBeDefined();
        clean();
      }
    } finally {
      delete process.env["SILICONFLOW_BASE_URL"];
    }
    expect(stranger.requests).toEqual([]);
    expect(service.requests.length - before).toBe(Object.keys(bait()).length);
  });
});
