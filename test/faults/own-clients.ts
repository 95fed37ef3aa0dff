/** Cases about hooks and limiters, which need a client of their own. Each says what was wrong. */
import { MemoryRateLimiter, SharedRateLimiter, SiliconFlowClient } from "@langchain-siliconflow/client";
import type { Setup } from "./case.ts";
import type { FaultServer } from "./fault-server.ts";

const request = { model: "Qwen/Qwen3-8B", messages: [{ role: "user", content: "Hello" }] };

export async function waitsTogether(
  { url: baseURL, apiKey }: Setup,
  { requests }: FaultServer,
): Promise<string | undefined> {
  const retries: number[] = [];
  let two: Promise<unknown> | undefined;
  let told: (() => void) | undefined;
  const waits = new Promise<void>((resolve) => (told = resolve));
  const client = new SiliconFlowClient({
    apiKey,
    baseURL,
    onRetry({ attempt }) {
      retries.push(attempt);
      two = client.chat.create(request);
    },
    onWait: () => told!(),
  });
  const one = client.chat.create(request);
  await waits;
  const meanwhile = requests.length;
  await Promise.all([one, two]);
  await client.close();
  if (meanwhile !== 1) return "the other call did not wait";
  return retries.length === 1 && requests.length === 3 ? undefined : `${requests.length} requests`;
}

export async function tellsTheLimiter({ url: baseURL, apiKey }: Setup): Promise<string | undefined> {
  const told: string[] = [];
  const client = new SiliconFlowClient({
    apiKey,
    baseURL,
    limiter: {
      acquire: async () => ({
        settle: ({ tokens }) => void told.push(`used ${tokens}`),
        penalize: ({ limit }) => void told.push(`limit ${limit}`),
      }),
    },
  });
  await client.chat.create(request);
  await client.close();
  const seen = told.join(", ");
  return seen === "limit TPM, used 0, used 15" ? undefined : `the limiter was told: ${seen}`;
}

export async function neverFits(
  { url: baseURL, apiKey }: Setup,
  { requests }: FaultServer,
): Promise<string | undefined> {
  const limiter = new MemoryRateLimiter({ tokensPerMinute: 100 });
  const client = new SiliconFlowClient({ apiKey, baseURL, limiter });
  const error = await client.chat.create({ ...request, max_tokens: 101 }).catch((reason: unknown) => reason);
  await client.close();
  if ((error as { reason?: unknown }).reason !== "neverFits") return `ends with ${String(error)}`;
  return requests.length === 0 ? undefined : "it was sent";
}

/** What is remembered of a model, by limiter and client, must not be looked up among the names every object has. */
export async function asksForModel(
  model: string,
  { url: baseURL, apiKey }: Setup,
  { requests }: FaultServer,
): Promise<string | undefined> {
  const limiter = new MemoryRateLimiter({ requestsPerMinute: 1000 });
  const client = new SiliconFlowClient({ apiKey, baseURL, limiter });
  const { choices } = await client.chat.create({ ...request, model });
  await client.close();
  if (choices[0]?.message.content !== "Hello there") return "another answer";
  return requests.every(({ body }) => body["model"] === model) ? undefined : "another model was asked for";
}

export async function keepsItsShare(
  { url: baseURL, apiKey }: Setup,
  { requests }: FaultServer,
): Promise<string | undefined> {
  const down = async (): Promise<never> => {
    throw new Error("the store is down");
  };
  const store = { penalty: down, reward: down, get: down };
  const limiter = new SharedRateLimiter({ store, requestsPerMinute: 40, localShare: 0.25 });
  const client = new SiliconFlowClient({ apiKey, baseURL, limiter, timeouts: { totalMs: 1500 } });
  await Promise.allSettled(Array.from({ length: 20 }, () => client.chat.create(request)));
  await client.close();
  const sent = requests.length;
  return sent > 0 && sent <= 10 ? undefined : `${sent} requests are sent where 10 are its share`;
}
