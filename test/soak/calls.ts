import { ChatSiliconFlow } from "@langchain-siliconflow/chat";
import { isSiliconFlowError, type RequestOptions, type SiliconFlowClient } from "@langchain-siliconflow/client";
import { SiliconFlowEmbeddings } from "@langchain-siliconflow/embeddings";
import { isDeepStrictEqual } from "node:util";
import { expectedError, isStream, type Plan } from "./plan.ts";

export type Result = "right answer" | "expected error" | "left as meant" | "retry budget spent";

const model = "Qwen/Qwen3-8B";
const embedding = "BAAI/bge-m3";
const reranker = "BAAI/bge-reranker-v2-m3";
const texts = Array.from(
  { length: 40 },
  (_, position) => `Text ${position} of a shelf, 第${position}篇: rivers, ports and salt.`,
);

/** What the endpoints that compute their answers say, asked once without a fault. */
export interface Known {
  vectors: number[][];
  ranking: unknown;
  models: unknown;
}

export async function learn(client: SiliconFlowClient): Promise<Known> {
  const vectors = await new SiliconFlowEmbeddings({ client, model: embedding }).embedDocuments(texts);
  const ranking = (await client.rerank.create({ model: reranker, query: "salt", documents: texts })).results;
  return { vectors, ranking, models: (await client.models.list()).data };
}

/** Makes one call as planned. Returns what came of it; throws what should not have. */
export async function call(plan: Plan, client: SiliconFlowClient, known: Known): Promise<Result> {
  const leaving = new AbortController();
  const reason = new Error("The caller has left.");
  const silent = plan.fault?.startsWith("silent") === true;
  const options: RequestOptions = {
    signal: leaving.signal,
    headers: { "x-soak-call": String(plan.number) },
    // Every attempt fails: two say as much as four.
    ...(plan.always && { maxRetries: 1 }),
    timeouts: {
      ...(silent && { firstByteMs: 1500, idleMs: 1500 }),
      ...(plan.caller === "has a deadline" && { totalMs: 20 + (plan.variety % 200) }),
    },
  };
  const leave = (): void => leaving.abort(reason);
  const timer = plan.caller === "aborts" && !isStream(plan.kind) ? setTimeout(leave, plan.variety % 100) : undefined;
  try {
    const said = await ask(plan, client, options, plan.caller === "aborts" ? leave : undefined, known);
    if (said === "left") return "left as meant";
    if (plan.caller !== "patient") throw new Error(`It ended, though it was never whole: ${JSON.stringify(said)}`);
    const expected = expectedError(plan);
    if (expected !== undefined) throw new Error(`It succeeded in place of a ${expected}.`);
    if (said.is !== said.meant && !isDeepStrictEqual(said.is, said.meant))
      throw new Error(`It is ${JSON.stringify(said.is)}, not ${JSON.stringify(said.meant)}.`);
    return "right answer";
  } catch (error) {
    return judge(plan, error, reason);
  } finally {
    clearTimeout(timer);
  }
}

function judge(plan: Plan, error: unknown, reason: Error): Result {
  if (plan.caller === "aborts" && error === reason) return "left as meant";
  if (!isSiliconFlowError(error)) throw error;
  if (plan.caller === "has a deadline" && error.name === "TimeoutError" && "phase" in error && error.phase === "total")
    return "left as meant";
  const expected = expectedError(plan);
  if (error.name === expected) {
    const { partial } = error as { partial?: { content: string } };
    if (partial !== undefined && (!plan.text.startsWith(partial.content) || partial.content === ""))
      throw new Error(`What had arrived is not the beginning of the answer: ${JSON.stringify(partial.content)}`, {
        cause: error,
      });
    return "expected error";
  }
  // Hit once, and not asked again: allowed only while the client has spent what it may spend on retries.
  if (plan.fault !== undefined && error.retryable && error.attempts === 1 && expected === undefined)
    return "retry budget spent";
  throw error;
}

type ForCall = Partial<ChatSiliconFlow["ParsedCallOptions"]>;
type Said = { is: unknown; meant: unknown };

async function ask(
  { kind, text, variety, always, caller }: Plan,
  client: SiliconFlowClient,
  options: RequestOptions,
  leave: (() => void) | undefined,
  known: Known,
): Promise<Said | "left"> {
  const messages = [{ role: "user" as const, content: "Well?" }];
  const breaks = caller === "breaks off";
  if (kind === "chat.create") {
    const { choices } = await client.chat.create({ model, messages }, options);
    return { is: choices[0]!.message.content, meant: text };
  }
  if (kind === "messages.create") {
    const { content } = await client.messages.create({ model, messages, max_tokens: 512 }, options);
    return { is: content.map((block) => block.text ?? "").join(""), meant: text };
  }
  if (kind === "completions.create") {
    const { choices } = await client.completions.create({ model, prompt: "Well?" }, options);
    return { is: choices[0]!.text, meant: text };
  }
  if (kind === "models.list") return { is: (await client.models.list({}, options)).data, meant: known.models };
  if (kind === "rerank") {
    const { results } = await client.rerank.create({ model: reranker, query: "salt", documents: texts }, options);
    return { is: results, meant: known.ranking };
  }
  const { signal, headers, timeouts, maxRetries } = options;
  const forAdapter = {
    client,
    headers: headers!,
    ...(timeouts && { timeouts }),
    ...(always && { maxRetries: maxRetries! }),
  };
  const forCall: ForCall = {
    signal: signal!,
    headers: headers!,
    timeouts: timeouts!,
    ...(always && { maxRetries: 1 }),
  };
  if (kind === "embedQuery") {
    const position = variety % texts.length;
    const is = await new SiliconFlowEmbeddings({ ...forAdapter, model: embedding }).embedQuery(texts[position]!, {
      signal,
    });
    return { is, meant: known.vectors[position] };
  }
  if (kind === "ChatSiliconFlow.invoke") {
    const answer = await new ChatSiliconFlow({ client, model }).invoke("Well?", forCall);
    return { is: answer.text, meant: text };
  }

  let is = "";
  for await (const piece of streamOf(kind, client, options, forCall)) {
    is += piece;
    if (is === "") continue;
    if (breaks) return "left";
    leave?.();
  }
  return { is, meant: text };
}

async function* streamOf(
  kind: Plan["kind"],
  client: SiliconFlowClient,
  options: RequestOptions,
  forCall: ForCall,
): AsyncGenerator<string> {
  const messages = [{ role: "user" as const, content: "Well?" }];
  if (kind === "chat.stream") {
    for await (const chunk of client.chat.stream({ model, messages }, options))
      yield chunk.choices[0]?.delta?.content ?? "";
  } else if (kind === "messages.stream") {
    for await (const event of client.messages.stream({ model, messages, max_tokens: 512 }, options))
      yield event.delta?.text ?? "";
  } else if (kind === "completions.stream") {
    for await (const chunk of client.completions.stream({ model, prompt: "Well?" }, options))
      yield chunk.choices[0]?.text ?? "";
  } else {
    for await (const chunk of await new ChatSiliconFlow({ client, model }).stream("Well?", forCall)) yield chunk.text;
  }
}
