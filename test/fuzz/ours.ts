import { ChatSiliconFlow, SiliconFlow } from "@langchain-siliconflow/chat";
import { isSiliconFlowError, type SiliconFlowClient } from "@langchain-siliconflow/client";
import { SiliconFlowClient as FetchClient } from "@langchain-siliconflow/client/fetch";
import type { AIMessage, AIMessageChunk } from "@langchain/core/messages";
import { type Case, readsOf } from "./cases.ts";
import type { Json } from "./healthy.ts";

/** How an answer is read: each way has reading code of its own. */
export const ways = ["client stream", "client create", "model stream", "model invoke"] as const;
export type Way = (typeof ways)[number];

/** What came of it: an answer in whatever form the way has, or the error. */
export type Outcome =
  | { way: "client stream"; chunks: Json[] }
  | { way: "client create"; answer: Json }
  | { way: "model stream" | "model invoke"; message: AIMessage | AIMessageChunk }
  | { way: "model stream" | "model invoke"; text: string }
  | { way: Way; error: unknown };

/** Who carries the bytes: the tests' own `fetch`, or a client with sockets. */
export interface Readers {
  client: SiliconFlowClient;
  chat: ChatSiliconFlow;
  messages: ChatSiliconFlow;
  completions: SiliconFlow;
}

const options = { apiKey: "sk-fuzz", maxRetries: 0 };

export function readersOf(client: SiliconFlowClient): Readers {
  const model = "Qwen/Qwen3-8B";
  return {
    client,
    chat: new ChatSiliconFlow({ model, client }),
    messages: new ChatSiliconFlow({ model, client, api: "messages" }),
    completions: new SiliconFlow({ model, client }),
  };
}

/** Reads without a socket: `next` says which answer comes next. */
export function readersByFetch(): { readers: Readers; next(answer: Case): void } {
  let current: Case | undefined;
  const fetch = async (): Promise<Response> => {
    const reads = readsOf(current!);
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          const { done, value } = reads.next();
          if (done) controller.close();
          else controller.enqueue(value);
        },
      },
      { highWaterMark: 0 },
    );
    return new Response(body, { headers: headersOf(current!) });
  };
  const client = new FetchClient({ ...options, fetch, baseURL: "http://127.0.0.1:9/v1" });
  // The two clients are one class but for who sends: only their private fields keep the types apart.
  return { readers: readersOf(client as unknown as SiliconFlowClient), next: (answer) => void (current = answer) };
}

export function headersOf({ kind }: Case): Record<string, string> {
  return { "content-type": kind === "stream" ? "text/event-stream" : "application/json" };
}

/** Whether LangChain has such an answer at all: its streams hold one choice. */
export function canRead(way: Way, { asked }: Case): boolean {
  return way !== "model stream" || asked.choices === 1;
}

export async function read(way: Way, { asked }: Case, readers: Readers): Promise<Outcome> {
  try {
    if (way === "client stream") return { way, chunks: await collect(streamOf(asked, readers)) };
    if (way === "client create") return { way, answer: (await answerOf(asked, readers)) as Json };
    if (asked.endpoint === "completions") return { way, text: await textOf(way, asked.choices, readers) };
    const model = readers[asked.endpoint];
    const n = asked.choices === 1 ? {} : { n: asked.choices };
    if (way === "model invoke") return { way, message: await model.invoke("?", n) };
    let whole: AIMessageChunk | undefined;
    for await (const chunk of await model.stream("?")) whole = whole === undefined ? chunk : whole.concat(chunk);
    return { way, message: whole! };
  } catch (error) {
    return { way, error };
  }
}

/** What an answer must not end in: an error that nobody meant to throw. */
export function isCrash(outcome: Outcome): boolean {
  return "error" in outcome && !isSiliconFlowError(outcome.error);
}

type Asked = Case["asked"];

const question = { model: "m", messages: [{ role: "user" as const, content: "?" }] };

function streamOf({ endpoint, choices: n }: Asked, { client }: Readers): AsyncIterable<unknown> {
  if (endpoint === "messages") return client.messages.stream(question);
  if (endpoint === "chat") return client.chat.stream({ ...question, n });
  return client.completions.stream({ model: "m", prompt: "?", n });
}

async function answerOf({ endpoint, choices: n }: Asked, { client }: Readers): Promise<object> {
  if (endpoint === "messages") return client.messages.create(question);
  if (endpoint === "chat") return client.chat.create({ ...question, n });
  return client.completions.create({ model: "m", prompt: "?", n });
}

async function textOf(way: "model stream" | "model invoke", n: number, { completions: model, client }: Readers) {
  if (way === "model invoke") return new SiliconFlow({ model: "m", client, modelKwargs: { n } }).invoke("?");
  let text = "";
  for await (const piece of await model.stream("?")) text += piece;
  return text;
}

async function collect(chunks: AsyncIterable<unknown>): Promise<Json[]> {
  const all: Json[] = [];
  for await (const chunk of chunks) all.push(chunk as Json);
  return all;
}
