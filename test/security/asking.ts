import { ChatSiliconFlow, initSiliconFlowModel, SiliconFlow } from "@langchain-siliconflow/chat";
import { SiliconFlowClient, type ClientOptions, type RateLimiter } from "@langchain-siliconflow/client";
import { SiliconFlowClient as FetchClient } from "@langchain-siliconflow/client/fetch";
import { SiliconFlowEmbeddings } from "@langchain-siliconflow/embeddings";
import { RerankedRetriever, SiliconFlowRerank } from "@langchain-siliconflow/rerank";
import { BaseCache } from "@langchain/core/caches";
import { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import { Document } from "@langchain/core/documents";
import type { Generation } from "@langchain/core/outputs";
import { BaseRetriever } from "@langchain/core/retrievers";
import { BaseTracer, type Run } from "@langchain/core/tracers/base";
import { createAgent } from "langchain";
import { prompt, secrets } from "./canaries.ts";

/** What others in the process get to see while something is asked. */
export class Onlooker {
  /** Cache keys, runs as tracers store them, and events: of these a prompt and an answer are the very content. */
  readonly seen: unknown[] = [];

  readonly onRetry = (event: unknown): void => void this.seen.push(event);
  readonly onWait = (event: unknown): void => void this.seen.push(event);

  readonly limiter: RateLimiter = {
    acquire: async (request) => {
      this.seen.push({ ...request });
      return { settle: (usage) => void this.seen.push(usage), penalize: (hit) => void this.seen.push(hit) };
    },
  };

  readonly cache = new RecordingCache(this.seen);
  readonly callbacks = [new RecordingTracer(this.seen), eventRecorder(this.seen)];
}

class RecordingCache extends BaseCache<Generation[]> {
  readonly #seen: unknown[];

  constructor(seen: unknown[]) {
    super();
    this.#seen = seen;
  }

  override async lookup(...key: [string, string]): Promise<Generation[] | null> {
    this.#seen.push(...key);
    return null;
  }

  override async update(...entry: [string, string, Generation[]]): Promise<void> {
    this.#seen.push(...entry);
  }
}

/** The runs in the shape in which LangSmith stores them. */
class RecordingTracer extends BaseTracer {
  readonly name = "recording";
  readonly #seen: unknown[];

  constructor(seen: unknown[]) {
    super();
    this.#seen = seen;
  }

  protected override async persistRun(run: Run): Promise<void> {
    this.#seen.push(run);
  }
}

/** Everything that core tells a handler, whatever its name. */
function eventRecorder(seen: unknown[]): BaseCallbackHandler {
  const handler = BaseCallbackHandler.fromMethods({});
  for (const name of handlerMethods) {
    Object.defineProperty(handler, name, { value: (...event: unknown[]): void => void seen.push(event) });
  }
  return handler;
}

const handlerMethods = [
  "handleChatModelStart",
  "handleLLMStart",
  "handleLLMNewToken",
  "handleLLMError",
  "handleLLMEnd",
  "handleChainStart",
  "handleChainError",
  "handleChainEnd",
  "handleRetrieverStart",
  "handleRetrieverError",
  "handleRetrieverEnd",
  "handleCustomEvent",
  "handleChatModelStreamEvent",
];

/** One way into the packages. `made` is what the caller holds; it is looked through as well. */
export interface Asking {
  name: string;
  made: unknown;
  ask(): Promise<unknown>;
}

const headers = { "x-session-key": secrets.callHeader };
const schema = { title: "diagnosis", type: "object", properties: { name: { type: "string" } }, required: ["name"] };
const messages = [{ role: "user" as const, content: prompt }];

async function drain(items: AsyncIterable<unknown> | Promise<AsyncIterable<unknown>>): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const item of await items) all.push(item);
  return all;
}

class Fixed extends BaseRetriever {
  lc_namespace = ["test"];
  override async _getRelevantDocuments(): Promise<Document[]> {
    return [new Document({ pageContent: prompt }), new Document({ pageContent: "Another one." })];
  }
}

/** The client's ways, over both wires. */
export function clientAskings(baseURL: string, onlooker: Onlooker, more: ClientOptions = {}): Asking[] {
  const options = clientOptions(baseURL, onlooker, more);
  const client = new SiliconFlowClient(options);
  const fetching = new FetchClient(options);
  const model = "canary-model";
  return Object.entries({ client, "client/fetch": fetching }).flatMap(([entry, each]): Asking[] =>
    Object.entries({
      "chat.create": () => each.chat.create({ model, messages }, { headers }),
      "chat.stream": () => drain(each.chat.stream({ model, messages }, { headers })),
      "messages.create": () => each.messages.create({ model, messages, max_tokens: 9 }, { headers }),
      "messages.stream": () => drain(each.messages.stream({ model, messages, max_tokens: 9 }, { headers })),
      "completions.create": () => each.completions.create({ model, prompt }, { headers }),
      "completions.stream": () => drain(each.completions.stream({ model, prompt }, { headers })),
      "embeddings.create": () => each.embeddings.create({ model, input: prompt }, { headers }),
      "rerank.create": () => each.rerank.create({ model, query: prompt, documents: [prompt] }, { headers }),
      "models.list": () => each.models.list({}, { headers }),
    }).map(([name, ask]) => ({ name: `${entry} ${name}`, made: each, ask })),
  );
}

/** LangChain's ways. */
export function langChainAskings(baseURL: string, onlooker: Onlooker): Asking[] {
  const options = clientOptions(baseURL, onlooker);
  const { callbacks } = onlooker;
  const fields = { ...options, callbacks, cache: onlooker.cache };
  const model = new ChatSiliconFlow({ model: "canary-model", ...fields });
  const streaming = new ChatSiliconFlow({ model: "canary-model", ...fields, streaming: true });
  const overMessages = new ChatSiliconFlow({ model: "canary-model", ...fields, api: "messages" });
  const shared = new ChatSiliconFlow({ model: "canary-model", client: new SiliconFlowClient(options), callbacks });
  const configurable = new ChatSiliconFlow({ model: "canary-model", ...fields, configurableFields: ["model"] });
  const habits = new ChatSiliconFlow({
    model: "canary-model",
    callbacks,
    maxRetries: 0,
    configuration: { apiKey: secrets.key, baseURL, defaultHeaders: options.headers },
  });
  const initialised = initSiliconFlowModel("siliconflow:canary-model", fields);
  const text = new SiliconFlow({ model: "canary-model", ...fields });
  const embeddings = new SiliconFlowEmbeddings({ model: "canary-model", ...options });
  const reranker = new SiliconFlowRerank({ model: "canary-model", ...options });
  const retriever = new RerankedRetriever({ retriever: new Fixed(), reranker, callbacks });
  const forgiving = new RerankedRetriever({ retriever: new Fixed(), reranker, callbacks, onRerankError: "keepOrder" });
  const structured = model.withStructuredOutput(schema);
  const agent = createAgent({ model, tools: [] });
  const json = model.withStructuredOutput(schema, { method: "jsonMode" });

  return [
    { name: "ChatSiliconFlow.invoke", made: model, ask: () => model.invoke(prompt, { headers }) },
    { name: "ChatSiliconFlow.stream", made: model, ask: () => drain(model.stream(prompt, { headers })) },
    { name: "ChatSiliconFlow.batch", made: model, ask: () => model.batch([prompt], { headers }) },
    { name: "a streaming model", made: streaming, ask: () => streaming.invoke(prompt, { headers }) },
    {
      name: "streamEvents v2",
      made: model,
      ask: () => drain(model.streamEvents(prompt, { version: "v2", headers })),
    },
    {
      name: "streamEvents v3",
      made: model,
      // Awaited, it is the message.
      ask: async () => model.streamEvents(prompt, { headers }),
    },
    { name: "api messages", made: overMessages, ask: () => overMessages.invoke(prompt, { headers }) },
    { name: "api messages, streamed", made: overMessages, ask: () => drain(overMessages.stream(prompt, { headers })) },
    { name: "a shared client", made: shared, ask: () => shared.invoke(prompt, { headers }) },
    {
      name: "a configured call",
      made: configurable,
      ask: () => configurable.invoke(prompt, { headers, configurable: { model: "other", apiKey: secrets.callHeader } }),
    },
    { name: "ChatOpenAI's habits", made: habits, ask: () => habits.invoke(prompt, { options: { headers } }) },
    { name: "initSiliconFlowModel", made: initialised, ask: () => initialised.invoke(prompt, { headers }) },
    {
      name: "bound options",
      made: model.withConfig({ headers }),
      ask: () => model.withConfig({ headers }).invoke(prompt),
    },
    { name: "withStructuredOutput", made: structured, ask: () => structured.invoke(prompt, { headers } as never) },
    { name: "jsonMode", made: json, ask: () => json.invoke(prompt, { headers } as never) },
    { name: "createAgent", made: agent, ask: () => agent.invoke({ messages }, { callbacks }) },
    { name: "SiliconFlow.invoke", made: text, ask: () => text.invoke(prompt, { headers }) },
    { name: "SiliconFlow.stream", made: text, ask: () => drain(text.stream(prompt, { headers })) },
    { name: "embedDocuments", made: embeddings, ask: () => embeddings.embedDocuments([prompt, "Another one."]) },
    {
      name: "compressDocuments",
      made: reranker,
      ask: () => reranker.compressDocuments([new Document({ pageContent: prompt })], prompt),
    },
    { name: "RerankedRetriever", made: retriever, ask: () => retriever.invoke(prompt) },
    { name: "RerankedRetriever that keeps order", made: forgiving, ask: () => forgiving.invoke(prompt) },
  ];
}

function clientOptions(baseURL: string, { onRetry, onWait, limiter }: Onlooker, more: ClientOptions = {}) {
  return {
    apiKey: secrets.key,
    baseURL,
    headers: { "x-tenant-token": secrets.clientHeader },
    maxRetries: 0,
    onRetry,
    onWait,
    limiter,
    ...more,
  };
}
