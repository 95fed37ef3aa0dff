import type { HostedModel } from "./catalog.js";
import type { Clock } from "./clock.js";
import { chat } from "./endpoints/chat.js";
import { completions } from "./endpoints/completions.js";
import { embeddings } from "./endpoints/embeddings.js";
import { messages } from "./endpoints/messages.js";
import { models } from "./endpoints/models.js";
import { rerank } from "./endpoints/rerank.js";
import type { EndpointName } from "./journal.js";
import type { RateLimits } from "./limits.js";
import type { Settings } from "./options.js";
import type { Reply } from "./reply.js";
import type { ChatAnswer, ChatChunks } from "./script.js";
import type { SentenceEncoder } from "./semantic.js";

/** What every endpoint works with. */
export interface Service {
  settings: Settings;
  models: ReadonlyMap<string, HostedModel>;
  clock: Clock;
  limits: RateLimits;
  /** Loaded only with `models: "semantic"`. */
  semantic: SentenceEncoder | undefined;
  /** 32 hex digits that grow with time, as the service's ids do. */
  nextId(): string;
}

/** One request to an endpoint. */
interface Call {
  body: unknown;
  query: URLSearchParams;
  /** What the script wants the chat model to say. */
  scripted: ChatAnswer | ChatChunks | undefined;
}

/** Answers a call, or throws a `Refusal`. */
export type Endpoint = (call: Call, service: Service) => Reply | Promise<Reply>;

/** An endpoint with its name and the method it takes. */
export interface Route {
  name: EndpointName;
  method: "GET" | "POST";
  answer: Endpoint;
}

const routes = new Map<string, Route>([
  ["/v1/chat/completions", { name: "chat", method: "POST", answer: chat }],
  ["/v1/completions", { name: "completions", method: "POST", answer: completions }],
  ["/v1/messages", { name: "messages", method: "POST", answer: messages }],
  ["/v1/embeddings", { name: "embeddings", method: "POST", answer: embeddings }],
  ["/v1/rerank", { name: "rerank", method: "POST", answer: rerank }],
  ["/v1/models", { name: "models", method: "GET", answer: models }],
]);

/** The endpoint of a method and path; undefined for what is not served. */
export function routeOf(method: string, path: string): Route | undefined {
  const route = routes.get(path);
  return route?.method === method ? route : undefined;
}
