import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { ChatSiliconFlow } from "@langchain-siliconflow/chat";
import { isSiliconFlowError, SiliconFlowClient, type ClientOptions } from "@langchain-siliconflow/client";
import { SiliconFlowClient as FetchClient } from "@langchain-siliconflow/client/fetch";
import { SiliconFlowEmbeddings } from "@langchain-siliconflow/embeddings";
import { SiliconFlowRerank } from "@langchain-siliconflow/rerank";
import { HumanMessage } from "@langchain/core/messages";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FaultServer, type Reply, startFaultServer } from "../faults/fault-server.ts";
import * as wire from "../faults/wire.ts";
import { successes } from "./echoes.ts";

let server: FaultServer;
let reply: (body: Record<string, unknown>) => Reply;

beforeAll(async () => {
  server = await startFaultServer([(body) => reply(body)]);
});
afterAll(() => server.close());

const clients: Record<string, (options: ClientOptions) => SiliconFlowClient | FetchClient> = {
  undici: (options) => new SiliconFlowClient(options),
  fetch: (options) => new FetchClient(options),
};
const request = { model: "m", messages: [{ role: "user" as const, content: "Hi." }] };
const options = (more: ClientOptions = {}) => ({ apiKey: "sk-test", baseURL: server.url, maxRetries: 0, ...more });
const model = (): ChatSiliconFlow => new ChatSiliconFlow({ model: "m", ...options() });

async function drain(items: AsyncIterable<unknown>): Promise<number> {
  let count = 0;
  for await (const _ of items) count += 1;
  return count;
}

const mebibyte = 1024 * 1024;

describe.each(Object.keys(clients))("a decompression bomb, over %s", (entry) => {
  const zeros = Buffer.alloc(64 * mebibyte, " ");
  const bombs: Record<string, Buffer> = {
    gzip: gzipSync(zeros),
    deflate: deflateSync(zeros),
    br: brotliCompressSync(zeros.subarray(0, 32 * mebibyte)),
    "gzip, gzip": gzipSync(gzipSync(zeros)),
    "gzip, br": brotliCompressSync(gzipSync(zeros)),
  };
  const kinds: [string, Partial<Reply>][] = [
    ["an answer", {}],
    ["an error", { status: 500 }],
    ["a stream", { headers: wire.sse }],
  ];

  it.each(kinds)("in %s costs no more memory than an answer may", async (kind, more) => {
    const client = clients[entry]!(options({ maxResponseBytes: mebibyte }));
    for (const [encoding, body] of Object.entries(bombs)) {
      reply = () => ({
        ...more,
        body,
        headers: { ...more.headers, "content-encoding": encoding, connection: "close" },
      });
      const before = process.memoryUsage();
      const asked = kind === "a stream" ? drain(client.chat.stream(request)) : client.chat.create(request);
      const error: unknown = await asked.catch((thrown: unknown) => thrown);
      const after = process.memoryUsage();
      expect({ encoding, known: isSiliconFlowError(error) }).toEqual({ encoding, known: true });
      // Buffers: what the answer itself would need is 64 MiB.
      expect(after.arrayBuffers + after.external - before.arrayBuffers - before.external).toBeLessThan(40 * mebibyte);
    }
  });

  it("of a thousand layers is refused, or an error", async () => {
    const names = Array.from({ length: 1000 }, () => "gzip").join(", ");
    reply = () => ({ body: gzipSync("{}"), headers: { "content-encoding": names } });
    await expect(clients[entry]!(options()).chat.create(request)).rejects.toSatisfy(isSiliconFlowError);
  });
});

describe("an answer made to exhaust", () => {
  const deep = 100_000;
  const nested = (open: string, close: string): string => open.repeat(deep) + "1" + close.repeat(deep);
  const deepObject = nested('{"a":', "}");
  const call = (args: string, index: number | string = 0): string =>
    `{"index":${index},"id":"call_1","type":"function","function":{"name":"f","arguments":${args}}}`;
  const chunk = (delta: string, finish = "null", index: number | string = 0): string =>
    `data: {"choices":[{"index":${index},"delta":${delta},"finish_reason":${finish}}]}\n\n`;
  const streamed = (...events: string[]): Reply => ({
    headers: wire.sse,
    body: [...events, chunk("{}", '"tool_calls"'), wire.done].join(""),
  });
  const whole = (message: string): Reply => ({
    body: `{"choices":[{"index":0,"message":${message},"finish_reason":"tool_calls"}]}`,
  });

  const replies: Record<string, () => Reply> = {
    "arguments nested deep": () =>
      whole(`{"role":"assistant","content":"","tool_calls":[${call(JSON.stringify(deepObject))}]}`),
    "arguments as a deep object": () => whole(`{"role":"assistant","content":"","tool_calls":[${call(deepObject)}]}`),
    "a deep answer": () => ({ body: nested("[", "]") }),
    "a deep unknown field": () => ({ body: `{"x":${deepObject},${wire.completion({ content: "Hi." }).slice(1)}` }),
    "a deep error": () => ({ status: 400, body: `{"error":${deepObject}}` }),
    "a call numbered a thousand million": () => streamed(chunk(`{"tool_calls":[${call('"{}"', 1e9)}]}`)),
    "a choice numbered a thousand million": () =>
      streamed(chunk('{"content":"Hi."}', "null", 1e9), chunk("{}", '"stop"', 1e9)),
    "10 MB of arguments": () =>
      whole(`{"role":"assistant","content":"","tool_calls":[${call(`"{\\"a\\":\\"${"x".repeat(10_000_000)}\\"}"`)}]}`),
    "ten thousand choices": () => ({
      body: `{"choices":[${Array.from({ length: 10_000 }, (_, index) => `{"index":${index},"message":{"content":"a"},"finish_reason":"stop"}`).join()}]}`,
    }),
    "numbers beyond all bounds": () => ({
      body: '{"choices":[{"index":1e999,"message":{"content":"a"},"finish_reason":"stop"}],"created":1e999,"usage":{"prompt_tokens":1e999,"completion_tokens":-1e999,"total_tokens":1e999}}',
    }),
    "deep arguments in a stream": () => streamed(chunk(`{"tool_calls":[${call(deepObject)}]}`)),
    "deep arguments as text in a stream": () => streamed(chunk(`{"tool_calls":[${call(JSON.stringify(deepObject))}]}`)),
  };

  it.each(Object.entries(replies))("by %s ends as an answer or as one of our errors", async (_, make) => {
    reply = make;
    const clientOf = new SiliconFlowClient(options());
    const asked = await Promise.allSettled([
      clientOf.chat.create(request),
      drain(clientOf.chat.stream(request)),
      model().invoke("Hi."),
      (async () => drain(await model().stream("Hi.")))(),
    ]);
    const foreign = asked.filter((each) => each.status === "rejected" && !isSiliconFlowError(each.reason));
    expect(foreign).toEqual([]);
  });

  it("never hands a tool arguments that are deep or long", async () => {
    for (const name of ["arguments nested deep", "arguments as a deep object", "10 MB of arguments"]) {
      reply = replies[name]!;
      const answer = await model()
        .invoke("Hi.")
        .catch(() => undefined);
      expect(answer?.tool_calls ?? []).toEqual([]);
    }
  });

  it("by a hundred thousand tiny events is read in the end", async () => {
    const events = chunk('{"content":"a"}').repeat(100_000);
    reply = () => ({ headers: wire.sse, body: events + chunk("{}", '"stop"') + wire.done });
    expect(await drain(new SiliconFlowClient(options()).chat.stream(request))).toBe(100_001);
  });

  it("by places a thousand million away is no vector and no score", async () => {
    reply = () => ({ body: wire.vectors([{ index: 1e9 }]) });
    const embeddings = new SiliconFlowEmbeddings({ model: "m", ...options() });
    await expect(embeddings.embedQuery("Hi.")).rejects.toMatchObject({ reason: "malformed" });
    reply = () => ({ body: wire.ranking([{ index: 1e9, relevance_score: 1 }]) });
    const reranker = new SiliconFlowRerank({ model: "m", ...options() });
    await expect(reranker.rerank(["a"], "Hi.")).rejects.toMatchObject({ reason: "malformed" });
  });

  it.each(["1e9", "99999999999999999999", "-1", "Infinity", "NaN", "Fri, 31 Dec 9999 23:59:59 GMT", "x".repeat(8000)])(
    "by a Retry-After of %s does not hold a call",
    async (value) => {
      reply = () => ({ status: 503, body: "{}", headers: { "retry-after": value, date: "x" } });
      await expect(new SiliconFlowClient(options()).chat.create(request)).rejects.toMatchObject({ status: 503 });
    },
  );
});

describe("an address of an image or a document", () => {
  it("is handed on, and asked by nobody here", async () => {
    const stranger = await startFaultServer([{ body: "{}" }]);
    const before = server.requests.length;
    reply = successes;
    const web = ["http://169.254.169.254/latest/meta-data/", stranger.url];
    const others = ["file:///etc/passwd", "gopher://a/"];
    const embeddings = new SiliconFlowEmbeddings({ model: "m", ...options() });
    const reranker = new SiliconFlowRerank({ model: "m", ...options() });
    for (const url of [...web, ...others]) {
      const messages = [
        { type: "image_url", image_url: { url } },
        { type: "image", url },
      ].map((block) => new HumanMessage({ content: [block] }));
      const asked: (() => Promise<unknown>)[] = [
        () => embeddings.embedContents([{ image: url }]),
        () => reranker.rerank([{ image: url }], "Hi."),
      ];
      for (const message of messages) asked.push(() => model().invoke([message]));
      for (const ask of asked) {
        if (web.includes(url)) await ask();
        // The service could not reach it either.
        else await expect(ask()).rejects.toMatchObject({ reason: "invalidOption", attempts: 0 });
      }
    }
    expect(stranger.requests).toEqual([]);
    const sent = server.requests.slice(before).map(({ body }) => JSON.stringify(body));
    for (const url of web) expect(sent.filter((body) => body.includes(url))).toHaveLength(4);
    for (const url of others) expect(sent.filter((body) => body.includes(url))).toEqual([]);
    await stranger.close();
  });
});

describe.each(Object.keys(clients))("what a caller is made to pass on, over %s", (entry) => {
  const nasty = ["a\r\nx-evil: 1", "a\nb", "a\rb", "a\0b", "a\r\n b", "\u2028", "名", "a\u010ab"];

  it.each(nasty)("cannot end a header early: %j", async (text) => {
    const client = clients[entry]!(options());
    const before = server.requests.length;
    expect(() => clients[entry]!(options({ headers: { "x-name": text } }))).toThrow(/header/);
    expect(() => clients[entry]!(options({ apiKey: text }))).toThrow(/API key/);
    await expect(client.chat.create(request, { traceId: text })).rejects.toThrow(/traceId/);
    await expect(client.chat.create(request, { headers: { "x-name": text } })).rejects.toThrow(/header/);
    await expect(client.chat.create(request, { headers: { [text]: "1" } })).rejects.toThrow(/header/);
    expect(server.requests).toHaveLength(before);
  });

  it("stays in the body, wherever it looks like a path or a header", async () => {
    reply = successes;
    const client = clients[entry]!(options());
    const before = server.requests.length;
    for (const id of [...nasty, "../../admin?x=1#y", "%2e%2e/%2e%2e", "m HTTP/1.1"]) {
      await client.chat.create({ ...request, model: id });
      await client.models.list({ type: id, sub_type: "a&b=c" });
    }
    for (const { path, headers } of server.requests.slice(before)) {
      expect(path).toMatch(/^\/v1\/(chat\/completions|models\?type=[\w%.*+-]+&sub_type=a%26b%3Dc)$/);
      expect(headers).not.toHaveProperty("x-evil");
    }
  });

  it("is no base URL that smuggles a request", () => {
    for (const baseURL of [
      "http://a@b/v1",
      "http://a/v1?x",
      "http://a/v1#x",
      "ftp://a",
      "http://a b/",
      "http://a\0/",
    ]) {
      expect(() => clients[entry]!(options({ baseURL }))).toThrow(/baseURL/);
    }
    const { baseURL } = clients[entry]!(options({ baseURL: "http://a/v1 HTTP/1.1\r\nx-evil: 1" }));
    expect(baseURL).not.toMatch(/[\s\0]/);
  });
});
