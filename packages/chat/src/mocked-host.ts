import nock from "nock";
import { afterEach, beforeEach } from "vitest";
import type { ChatSiliconFlowFields } from "./chat-fields.js";
import { ChatSiliconFlow } from "./chat-siliconflow.js";

// For tests: a host that nock plays, and a model that asks it. Importing this file keeps every test of a file off the network.

export const host = "https://siliconflow.test";
export const key = "sk-sentinel-4711";

let unexpected = 0;
nock.emitter.on("no match", () => (unexpected += 1));

beforeEach(() => {
  nock.disableNetConnect();
  unexpected = 0;
});
afterEach(() => {
  const pending = nock.pendingMocks();
  nock.cleanAll();
  if (pending.length > 0) throw new Error(`Never asked: ${pending.join(", ")}`);
  // nock answers these itself, which could pass for an error of the service.
  if (unexpected > 0) throw new Error(`${unexpected} requests that nobody expected.`);
});

export function chat(fields: Partial<ChatSiliconFlowFields> = {}): ChatSiliconFlow {
  return new ChatSiliconFlow({ model: "Qwen/Qwen3-8B", apiKey: key, baseURL: host, maxRetries: 0, ...fields });
}

interface Sent {
  body: Record<string, unknown>;
  headers: Record<string, string>;
}

/** Answers one request, and resolves to what was sent. */
function serve(status: number, body: unknown, type: string): Promise<Sent> {
  return new Promise((resolve) => {
    nock(host)
      .post("/v1/chat/completions")
      .reply(async (request: Request) => {
        const sent = (await request.json()) as Sent["body"];
        resolve({ body: sent, headers: Object.fromEntries(request.headers) });
        return [status, body, { "content-type": type, "x-siliconcloud-trace-id": "ti_1" }];
      });
  });
}

export function reply(status = 200, body: unknown = answer()): Promise<Sent> {
  return serve(status, typeof body === "string" ? body : JSON.stringify(body), "application/json");
}

export function answer(message: object = { content: "Lima" }, finish = "stop"): object {
  return {
    id: "019c",
    object: "chat.completion",
    created: 1,
    model: "Qwen/Qwen3-8B",
    choices: [{ index: 0, message: { role: "assistant", ...message }, finish_reason: finish }],
    usage: { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 },
  };
}

const events = [{ content: "", role: "assistant" }, { content: "Li" }, { content: "ma" }].map((delta) => ({
  id: "019c",
  model: "Qwen/Qwen3-8B",
  choices: [{ index: 0, delta, finish_reason: null }],
}));
const stream = [
  ...events,
  {
    ...events[0],
    choices: [{ index: 0, delta: { content: "" }, finish_reason: "stop" }],
    usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
  },
]
  .map((event) => `data: ${JSON.stringify(event)}\n\n`)
  .concat("data: [DONE]\n\n")
  .join("");

export function replyStream(): Promise<Sent> {
  return serve(200, stream, "text/event-stream");
}
