import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import { SiliconFlowClient } from "@langchain-siliconflow/client";
import { load } from "@langchain/core/load";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { collect } from "./read-stream.js";
import type { SiliconFlowFields } from "./completion-fields.js";
import { SiliconFlow } from "./siliconflow.js";

const key = "sk-sentinel-4711";

interface Sent {
  url: string | undefined;
  headers: Record<string, unknown>;
  body: Record<string, unknown>;
}

let server: Server;
let sent: Sent[];
let answer: (response: ServerResponse, request: Sent) => void;

beforeEach(async () => {
  sent = [];
  answer = (response, { body }) => {
    response.setHeader("x-siliconcloud-trace-id", "ti_1");
    if (!body["stream"]) return void response.end(JSON.stringify(whole));
    response.setHeader("content-type", "text/event-stream");
    response.end(streamed.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join("") + "data: [DONE]\n\n");
  };
  server = createServer(async (request, response) => {
    let text = "";
    for await (const bytes of request) text += String(bytes);
    const entry = { url: request.url, headers: request.headers, body: JSON.parse(text) as Sent["body"] };
    sent.push(entry);
    answer(response, entry);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, "close");
});

const usage = { prompt_tokens: 14, completion_tokens: 9, total_tokens: 23 };
const head = { id: "019c", object: "text_completion", created: 1, model: "m" };
const whole = {
  ...head,
  choices: [{ index: 0, text: "3.14 * r * r", finish_reason: "eos", logprobs: null }],
  usage,
};
const streamed = [
  { ...head, choices: [{ index: 0, text: "3.14", finish_reason: null }], usage: { ...usage, completion_tokens: 3 } },
  { ...head, choices: [{ index: 0, text: " * r * r", finish_reason: null }], usage },
  { ...head, choices: [{ index: 0, text: "", finish_reason: "stop" }], usage },
];

function address(): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}

function llm(fields: Partial<SiliconFlowFields> = {}): SiliconFlow {
  return new SiliconFlow({ model: "m", apiKey: key, baseURL: address(), maxRetries: 0, ...fields });
}

describe("what is sent", () => {
  test("the prompt, and nothing that was not asked for", async () => {
    expect(await llm().invoke("def area(r):")).toBe("3.14 * r * r");
    expect(sent).toMatchObject([{ url: "/v1/completions", headers: { authorization: `Bearer ${key}` } }]);
    expect(sent[0]!.body).toEqual({ model: "m", prompt: "def area(r):", stream: false });
  });

  test("options of the constructor, and those of the call over them", async () => {
    const model = llm({ suffix: "end", maxTokens: 5, temperature: 0.1, topK: 3, stop: "a", modelKwargs: { extra: 1 } });
    await model.invoke("x");
    await model.invoke("x", { suffix: "other", maxTokens: 7, topP: 0.5, stop: ["b"], headers: { "x-own": "1" } });
    expect(sent.map(({ body }) => body)).toEqual([
      {
        model: "m",
        prompt: "x",
        stream: false,
        suffix: "end",
        max_tokens: 5,
        temperature: 0.1,
        top_k: 3,
        stop: ["a"],
        extra: 1,
      },
      {
        model: "m",
        prompt: "x",
        stream: false,
        suffix: "other",
        max_tokens: 7,
        temperature: 0.1,
        top_p: 0.5,
        top_k: 3,
        stop: ["b"],
        extra: 1,
      },
    ]);
    expect(sent[1]!.headers).toMatchObject({ "x-own": "1" });
  });

  test("headers beside a shared client reach the service, and so do those of the call", async () => {
    const client = new SiliconFlowClient({ apiKey: key, baseURL: address() });
    await new SiliconFlow({ model: "m", client, headers: { "x-own": "1" } }).invoke("x", {
      headers: { "x-call": "2" },
    });
    expect(sent[0]!.headers).toMatchObject({ "x-own": "1", "x-call": "2" });
  });
});

describe("what comes back", () => {
  const info = { finish_reason: "stop", model: "m", usage, trace_id: "ti_1" };

  test("usage and the finish reason, whole", async () => {
    const { generations, llmOutput } = await llm().generate(["a", "b"]);
    expect(generations).toEqual([
      [{ text: "3.14 * r * r", generationInfo: info }],
      [{ text: "3.14 * r * r", generationInfo: info }],
    ]);
    expect(llmOutput).toEqual({ tokenUsage: { promptTokens: 28, completionTokens: 18, totalTokens: 46 } });
  });

  test("the same from a model that streams beneath the surface, whose callbacks see tokens", async () => {
    const tokens: [string, number][] = [];
    const { generations, llmOutput } = await llm({ streaming: true }).generate(["a"], undefined, [
      { handleLLMNewToken: (token: string, position) => void tokens.push([token, position.prompt]) },
    ]);
    expect(tokens).toEqual([
      ["3.14", 0],
      [" * r * r", 0],
      ["", 0],
    ]);
    expect(generations[0]![0]).toMatchObject({ text: "3.14 * r * r", generationInfo: info });
    expect(llmOutput).toEqual({ tokenUsage: { promptTokens: 14, completionTokens: 9, totalTokens: 23 } });
    expect(sent[0]!.body).toMatchObject({ stream: true });
  });

  test("pieces, with their callbacks", async () => {
    const tokens: string[] = [];
    let output: unknown;
    const pieces = await collect(
      await llm().stream("a", {
        suffix: "end",
        callbacks: [
          {
            handleLLMNewToken: (token: string) => void tokens.push(token),
            handleLLMEnd: (result) => void (output = result.generations[0]?.[0]),
          },
        ],
      }),
    );
    expect(pieces.join("")).toBe("3.14 * r * r");
    expect(tokens.join("")).toBe("3.14 * r * r");
    expect(output).toMatchObject({ text: "3.14 * r * r", generationInfo: info });
    expect(sent[0]!.body).toEqual({ model: "m", prompt: "a", suffix: "end", stream: true });
  });

  test("one answer for each text of a batch", async () => {
    answer = (response, { body }) =>
      void response.end(JSON.stringify({ ...whole, choices: [{ ...whole.choices[0], text: `${body["prompt"]}!` }] }));
    expect(await llm().batch(["a", "b", "c"])).toEqual(["a!", "b!", "c!"]);
  });

  test("what breaks off is an error that holds what had come", async () => {
    answer = (response) => {
      response.setHeader("content-type", "text/event-stream");
      response.end(`data: ${JSON.stringify(streamed[0])}\n\n`);
    };
    await expect(collect(await llm().stream("a"))).rejects.toMatchObject({
      name: "StreamError",
      reason: "truncated",
      partial: { content: "3.14" },
    });
  });
});

describe("how a call ends", () => {
  test("an aborted call rejects with the caller's own reason", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    answer = () => controller.abort(reason);
    await expect(llm().invoke("a", { signal: controller.signal })).rejects.toBe(reason);
  });

  test("whoever leaves the loop closes the connection", async () => {
    let closed: Promise<unknown> | undefined;
    answer = (response) => {
      closed = once(response, "close");
      response.setHeader("content-type", "text/event-stream");
      response.write(`data: ${JSON.stringify(streamed[0])}\n\n`);
    };
    for await (const piece of await llm().stream("a")) if (piece !== "") break;
    await expect(closed).resolves.toBeDefined();
  });

  test("the client retries, and LangChain does not add to that", async () => {
    answer = (response) => {
      response.statusCode = 503;
      response.setHeader("retry-after", "0");
      response.end();
    };
    await expect(llm({ maxRetries: 2 }).invoke("a")).rejects.toMatchObject({
      name: "ServiceUnavailableError",
      attempts: 3,
    });
    await expect(llm({ maxRetries: 2 }).invoke("a", { maxRetries: 0 })).rejects.toMatchObject({ attempts: 1 });
    expect(sent).toHaveLength(4);
  });

  test("no more requests at once than allowed", async () => {
    let open = 0;
    let most = 0;
    answer = (response) => {
      most = Math.max(most, (open += 1));
      setTimeout(() => {
        open -= 1;
        response.end(JSON.stringify(whole));
      }, 20);
    };
    await llm({ maxConcurrency: 2 }).batch(["a", "b", "c", "d", "e"]);
    expect(most).toBeLessThanOrEqual(2);
    expect(sent).toHaveLength(5);
  });
});

describe("saving and loading", () => {
  test("the key is in no text of the model", async () => {
    const seen: unknown[] = [];
    const model = llm({ headers: { "x-secret": "s3cret" } });
    await model.invoke("a", {
      headers: { "x-secret": "s3cret" },
      callbacks: [{ handleLLMStart: (...all: unknown[]) => void seen.push(all[0], all[1]) }],
    });
    const shown = [
      JSON.stringify(model),
      inspect(model, { depth: 9, showHidden: true }),
      JSON.stringify(model._identifyingParams()),
      model._getSerializedCacheKeyParametersForCall({ headers: { "x-secret": "s3cret" } }),
      JSON.stringify(seen),
    ].join("\n");
    expect(seen.length).toBeGreaterThan(0);
    expect(shown).not.toContain(key);
    expect(shown).not.toContain("s3cret");
  });

  test("a model that is loaded again has its options and asks for its key by name", async () => {
    const text = JSON.stringify(llm({ topK: 3, suffix: "end", stop: ["a"], maxRetries: 5 }));
    expect(JSON.parse(text)).toEqual({
      lc: 1,
      type: "constructor",
      id: ["langchain", "llms", "siliconflow", "SiliconFlow"],
      kwargs: {
        api_key: { lc: 1, type: "secret", id: ["SILICONFLOW_API_KEY"] },
        model: "m",
        base_url: address(),
        top_k: 3,
        suffix: "end",
        stop: ["a"],
        max_retries: 5,
      },
    });
    const loaded = await load<SiliconFlow>(text, {
      secretsMap: { SILICONFLOW_API_KEY: key },
      importMap: { llms__siliconflow: { SiliconFlow } },
    });
    expect(JSON.stringify(loaded)).toBe(text);
    await loaded.invoke("x");
    expect(sent[0]!.body).toMatchObject({ top_k: 3, suffix: "end", stop: ["a"] });
  });
});

test.each([
  [{ model: "" }, /needs a model/],
  [{ model: "m", enableThinking: true }, /no option "enableThinking"/],
  [{ model: "m", max_tokens: 5 }, /no option "max_tokens". Did you mean maxTokens\?/],
  [{ model: "m", maxTokens: "5" }, /maxTokens .* must be of type number/],
  [{ model: "m", modelKwargs: { prompt: "x" } }, /modelKwargs cannot set "prompt"/],
  [{ model: "m", stop: [1] }, /stop .* must be a string/],
])("%j is refused before anything is sent", (fields, message) => {
  expect(() => new SiliconFlow({ apiKey: key, ...fields } as SiliconFlowFields)).toThrow(message);
});
