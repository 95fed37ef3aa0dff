/** One of several processes that share accounts: started by `run.ts`, which tells it what to do. */
import { SharedRateLimiter, SiliconFlowClient, type RateLimitStore } from "@langchain-siliconflow/client";
import { Redis } from "ioredis";
import { Pool } from "pg";
import { RateLimiterPostgres, RateLimiterRedis } from "rate-limiter-flexible";
import "../guard/loopback-only.mjs";

/** What a process is to do at one account. */
export interface Task {
  name: string;
  url: string;
  apiKey: string;
  store: { kind: "redis" | "postgres"; port: number };
  limits: { requestsPerMinute?: number; tokensPerMinute?: number };
  localShare: number;
  /** Calls that are under way at any time, waiting or sent. */
  callers: number;
  /** When it begins. */
  afterMs: number;
}

/** What a process tells. */
export type News =
  | { task: string; kind: "used"; at: number; tokens: number }
  | { task: string; kind: "failed"; error: string };

const label = process.env["PROCESS"] ?? "?";
const stopping = new AbortController();
const closing: (() => Promise<unknown>)[] = [];

process.on("unhandledRejection", (error) => {
  tell({ task: "*", kind: "failed", error: `unhandled: ${String(error)}` });
});
// Nobody is left to tell.
process.on("disconnect", () => process.exit());
process.on("message", (message: { tasks: Task[] } | "stop") => {
  if (message === "stop") void stop();
  else for (const task of message.tasks) void perform(task);
});

async function perform(task: Task): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, task.afterMs));
  const store = await openStore(task);
  const limiter = new SharedRateLimiter({ store, localShare: task.localShare, ...task.limits });
  const client = new SiliconFlowClient({
    baseURL: task.url,
    apiKey: task.apiKey,
    limiter,
    maxRetries: 0,
    headers: { "x-process": label },
  });
  closing.push(() => client.close());
  const ask = task.limits.tokensPerMinute === undefined ? embed : chat;
  await Promise.all(Array.from({ length: task.callers }, () => keepAsking(task, () => ask(client))));
}

async function keepAsking(task: Task, ask: () => Promise<number>): Promise<void> {
  while (!stopping.signal.aborted) {
    try {
      const tokens = await ask();
      tell({ task: task.name, kind: "used", at: Date.now(), tokens });
    } catch (error) {
      if (stopping.signal.aborted) return;
      tell({ task: task.name, kind: "failed", error: String(error) });
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

async function embed(client: SiliconFlowClient): Promise<number> {
  const { usage } = await client.embeddings.create({ model: "BAAI/bge-m3", input: "a" });
  return usage?.total_tokens ?? 0;
}

/** Of a length that nobody knows before it ends. */
async function chat(client: SiliconFlowClient): Promise<number> {
  const content = Math.random() < 0.5 ? "Tell me a story. ".repeat(5) : "给我讲一个故事。".repeat(8);
  let tokens = 0;
  for await (const chunk of client.chat.stream({ model: "Qwen/Qwen3-8B", messages: [{ role: "user", content }] }))
    tokens = chunk.usage?.total_tokens ?? tokens;
  return tokens;
}

async function openStore({ store: { kind, port }, name }: Task): Promise<RateLimitStore> {
  const keyPrefix = `account-${name}`;
  if (kind === "redis") {
    const storeClient = new Redis({ port, host: "127.0.0.1", enableOfflineQueue: false, maxRetriesPerRequest: 0 });
    storeClient.on("error", () => {});
    closing.push(async () => storeClient.disconnect());
    await new Promise((resolve) => storeClient.once("ready", resolve));
    return new RateLimiterRedis({ storeClient, keyPrefix, points: 1, duration: 60 });
  }
  const storeClient = new Pool({ port, host: "127.0.0.1", user: "limits", database: "postgres", max: 4 });
  storeClient.on("error", () => {});
  closing.push(() => storeClient.end());
  return await new Promise((resolve, reject) => {
    const options = { storeClient, keyPrefix, tableName: "limits", points: 1, duration: 60 };
    const limiter = new RateLimiterPostgres(options, (error) => (error ? reject(error) : resolve(limiter)));
  });
}

async function stop(): Promise<void> {
  stopping.abort();
  await Promise.allSettled(closing.map((close) => close()));
  process.exit(0);
}

function tell(news: News): void {
  process.send?.(news);
}
