import type { Batches } from "./batches.js";
import type { HostedModel } from "./catalog.js";
import type { Clock } from "./clock.js";
import { account } from "./endpoints/account.js";
import { cancelBatch, createBatch, getBatch, listBatches } from "./endpoints/batches.js";
import { chat } from "./endpoints/chat.js";
import { completions } from "./endpoints/completions.js";
import { embeddings } from "./endpoints/embeddings.js";
import { fileContent, listFiles, uploadFile } from "./endpoints/files.js";
import { images } from "./endpoints/images.js";
import { messages } from "./endpoints/messages.js";
import { models } from "./endpoints/models.js";
import { outputs } from "./endpoints/outputs.js";
import { rerank } from "./endpoints/rerank.js";
import type { Files } from "./files.js";
import { submitVideo, videoStatus } from "./endpoints/videos.js";
import { speech } from "./endpoints/speech.js";
import { transcriptions } from "./endpoints/transcriptions.js";
import { deleteVoice, listVoices, uploadVoice } from "./endpoints/voices.js";
import type { EndpointName } from "./journal.js";
import type { RateLimits } from "./limits.js";
import type { Settings } from "./options.js";
import type { Outputs } from "./outputs.js";
import type { Reply } from "./reply.js";
import type { ChatAnswer, ChatChunks } from "./script.js";
import type { SentenceEncoder } from "./semantic.js";
import type { VideoJobs } from "./video-jobs.js";
import type { Voices } from "./voices.js";

/** What every endpoint works with. */
export interface Service {
  settings: Settings;
  models: ReadonlyMap<string, HostedModel>;
  clock: Clock;
  limits: RateLimits;
  /** What was made, at links. */
  outputs: Outputs;
  /** What was uploaded for batches. */
  files: Files;
  batches: Batches;
  /** Films in the making. */
  videos: VideoJobs;
  /** What was uploaded to speak with. */
  voices: Voices;
  /** Loaded only with `models: "semantic"`. */
  semantic: SentenceEncoder | undefined;
  /** 32 hex digits that grow with time, as the service's ids do. */
  nextId(): string;
}

/** One request to an endpoint. */
export interface Call {
  /** JSON, or the fields of a form with its files. */
  body: unknown;
  query: URLSearchParams;
  /** The parts of the path that the route leaves open. */
  params: Readonly<Record<string, string>>;
  /** What the script wants the chat model to say. */
  scripted: ChatAnswer | ChatChunks | undefined;
}

/** Answers a call, or throws a `Refusal`. */
export type Endpoint = (call: Call, service: Service) => Reply | Promise<Reply>;

/** An endpoint with its name and the method it takes. */
export interface Route {
  name: EndpointName;
  method: "GET" | "POST";
  /** `{name}` stands for one part of a path. */
  path: string;
  answer: Endpoint;
  /** Asked without a key. */
  open?: boolean;
  /** Sent without a body as well. */
  bodyless?: boolean;
}

const routes: readonly Route[] = [
  { name: "chat", method: "POST", path: "/v1/chat/completions", answer: chat },
  { name: "completions", method: "POST", path: "/v1/completions", answer: completions },
  { name: "messages", method: "POST", path: "/v1/messages", answer: messages },
  { name: "embeddings", method: "POST", path: "/v1/embeddings", answer: embeddings },
  { name: "rerank", method: "POST", path: "/v1/rerank", answer: rerank },
  { name: "files", method: "POST", path: "/v1/files", answer: uploadFile },
  { name: "files", method: "GET", path: "/v1/files", answer: listFiles },
  { name: "files", method: "GET", path: "/v1/files/{id}/content", answer: fileContent },
  { name: "batches", method: "POST", path: "/v1/batches", answer: createBatch },
  { name: "batches", method: "GET", path: "/v1/batches", answer: listBatches },
  { name: "batches", method: "GET", path: "/v1/batches/{id}", answer: getBatch },
  { name: "batches", method: "POST", path: "/v1/batches/{id}/cancel", answer: cancelBatch, bodyless: true },
  { name: "images", method: "POST", path: "/v1/images/generations", answer: images },
  { name: "videos", method: "POST", path: "/v1/video/submit", answer: submitVideo },
  { name: "videos", method: "POST", path: "/v1/video/status", answer: videoStatus },
  { name: "speech", method: "POST", path: "/v1/audio/speech", answer: speech },
  { name: "transcriptions", method: "POST", path: "/v1/audio/transcriptions", answer: transcriptions },
  { name: "voices", method: "POST", path: "/v1/uploads/audio/voice", answer: uploadVoice },
  { name: "voices", method: "GET", path: "/v1/audio/voice/list", answer: listVoices },
  { name: "voices", method: "POST", path: "/v1/audio/voice/deletions", answer: deleteVoice },
  { name: "models", method: "GET", path: "/v1/models", answer: models },
  { name: "account", method: "GET", path: "/v1/user/info", answer: account },
  { name: "outputs", method: "GET", path: "/outputs/{name}", answer: outputs, open: true },
];

/** Paths without an open part, which most requests ask for. */
const fixed = new Map(routes.map((route) => [`${route.method} ${route.path}`, route]));
const open = routes
  .filter(({ path }) => path.includes("{"))
  .map((route) => ({
    route,
    pattern: new RegExp(`^${route.path.replaceAll(/\{(\w+)\}/g, "(?<$1>[^/]+)")}$`),
  }));

/** The endpoint of a method and path; undefined for what is not served. */
export function routeOf(method: string, path: string): { route: Route; params: Record<string, string> } | undefined {
  const route = fixed.get(`${method} ${path}`);
  if (route !== undefined) return { route, params: {} };
  for (const { route, pattern } of open) {
    const found = route.method === method ? pattern.exec(path) : null;
    if (found !== null) return { route, params: { ...found.groups } };
  }
  return undefined;
}
