import type { Answering, FaultServer, Reply } from "./fault-server.ts";
import type { Way } from "./ways.ts";
import {
  completion,
  done,
  finish,
  first,
  message,
  messageStream,
  ranking,
  sse,
  text,
  textCompletion,
  textPiece,
  vectors,
} from "./wire.ts";

/**
 * The ways of asking: a chat model's two, those of the other two endpoints of models, lists, a chat model again over
 * the client that sends with `fetch`, and the client's own for pictures, sound, videos, files, batches, and what links lead to.
 */
export type Asking =
  | "invoke"
  | "stream"
  | "messages"
  | "messagesStream"
  | "complete"
  | "completeStream"
  | "embed"
  | "rerank"
  | "models"
  | "fetch"
  | "fetchStream"
  | "image"
  | "speak"
  | "speakStream"
  | "transcribe"
  | "video"
  | "submitVideo"
  | "upload"
  | "batch"
  | "createBatch"
  | "download";

/** Each of them is one request; a chat model by way of batches takes many. */
export type Target = Asking | "viaBatch";

/** What the user sees at the end of a call that succeeds; only the fields that matter to the case are named. */
export interface Seen {
  text?: string;
  /** Of several answers, in the order of what was asked. */
  texts?: string[];
  reasoning?: string;
  blocks?: string[];
  toolCalls?: { name: string; args: Record<string, unknown> }[];
  invalidToolCalls?: string[];
  usage?: { input_tokens: number; output_tokens: number; total_tokens: number };
  finishReason?: string;
  vectors?: number[][];
  ranking?: { index: number; relevanceScore: number }[];
  models?: string[];
  /** Where something is, or what it is called. */
  links?: string[];
}

/** How a subject is set up for a case. */
export interface Setup {
  url: string;
  apiKey: string;
  maxRetries: number;
  /** The host will fall silent: the limits of time are to be short. */
  quiet: boolean;
  /** Bytes of one answer. */
  maxBytes?: number;
  /** Which of the service's two sites it is; it stands at `url`. */
  site?: "cn" | "global";
}

/** What a call is given. */
export interface Ask {
  /** For lists, and batches. */
  texts?: readonly string[];
  signal?: AbortSignal;
  /** An address that a message shows a picture from. */
  image?: string;
}

/** Whoever is put through the cases: ours, or another library. */
export interface Subject {
  name: string;
  /** Ours must do all that an entry says; of others it is not expected to use our words, options and fields. */
  ours: boolean;
  /** Makes one object and says how to call it. What is missing here has no such endpoint. */
  make: Partial<Record<Target, (setup: Setup) => (ask?: Ask) => Promise<Seen>>>;
  /** The text of a stream as it comes, for readers who leave. */
  read(setup: Setup): (signal?: AbortSignal) => AsyncIterable<string>;
}

/** What a case that is no plain data is given to work with. */
interface Stage {
  subject: Subject;
  target: Target;
  server: FaultServer;
  /** Who signed the server's certificate, if it has one. */
  authority: string | undefined;
  setup: Setup;
}

export interface Case {
  /** Number of the fault: cases of one number belong together. */
  row: number | "49b";
  fault: string;
  targets: readonly Target[];
  /** Answers of the server, the last one again and again. */
  replies?: readonly Answering[];
  /** What lies before the server, where that is at fault. */
  way?: Way;

  /** Either what is returned, or what is thrown: fields of the error. */
  returns?: Seen;
  throws?: Record<string, unknown>;
  /** Requests that reach the server. */
  requests?: number;
  /** The message must say this, whoever throws it … */
  says?: RegExp;
  /** … and ours must advise this … */
  advises?: RegExp;
  /** … and must not hold this anywhere: it is nobody else's business … */
  hides?: RegExp;
  /** … or, in ours, is noise. */
  tidies?: RegExp;
  /** Another look at what others return, where ours does more than the row asks for. */
  theirs?(seen: Seen): string | undefined;
  /** In place of all that: does what the case is about, and says what was wrong. */
  run?(stage: Stage): Promise<string | undefined>;
  /** A last look, once the call is over: says what is wrong. */
  check?(stage: Stage): string | undefined;

  /** @defaultValue 3 */
  maxRetries?: number;
  /** The host falls silent: short limits of time. */
  quiet?: true;
  maxBytes?: number;
  site?: "cn" | "global";
  texts?: readonly string[];
  image?: string;
  /** Calls of one object, one after the other; the last one is judged. @defaultValue 1 */
  calls?: number;

  /** It changes what belongs to the whole process, or moves so much that others would wait: nothing may run beside it. */
  alone?: true;

  /** Why the case says nothing about other libraries. */
  oursOnly?: string;
  /** Where the case is proven, if not here: a file of the repository, and a test in it. */
  elsewhere?: { file: string; test: string };
}

/** Of the client alone: what no adapter for models asks for. What may be repeated of it, and comes whole. */
const media = ["image", "speak", "transcribe", "video", "upload", "batch"] as const;
const whole = ["invoke", "messages", "complete", "embed", "rerank"] as const;
/** Ways of asking for an answer in one piece. */
export const wholes = [...whole, "models", "fetch", ...media] as const;
/** Ways of asking for a stream. */
export const streams = ["stream", "messagesStream", "completeStream", "fetchStream"] as const;
/** All that ask a model. */
export const every = [...whole, "stream", "messagesStream", "completeStream", "fetch", "fetchStream"] as const;
/** All that may be repeated, of the service itself. */
export const everything = [...every, "models", ...media, "speakStream"] as const;
/** Each of these is paid for: what may have been begun is not asked for again. */
export const paid = ["submitVideo", "createBatch"] as const;
/** All that ask the service, once. */
export const services = [...everything, ...paid] as const;
/** All, with files that lie at links. */
export const all = [...services, "download"] as const;

/** A stream of these pieces. */
export const stream = (...body: (string | Uint8Array)[]): Reply => ({ headers: sse, body });

const spoken = stream(first, text("Hello"), text(" there"), finish(), done);
const answered = { body: completion({ content: "Hello there" }) };

const link = "https://files.example.test/outputs/1.png";
/** The beginning of an MP3 file, and more of it that nothing can make smaller. */
const sound = Buffer.from([..."ID3\u0004"].map((letter) => letter.charCodeAt(0)).concat(noise(400)));

function noise(length: number): number[] {
  let state = 1;
  return Array.from({ length }, () => (state = (state * 48_271) % 2_147_483_647) & 255);
}

/** The healthy answer to each way of asking … */
export const healthy: Record<Asking, Reply> = {
  stream: spoken,
  fetchStream: spoken,
  invoke: answered,
  fetch: answered,
  messages: { body: message([{ type: "text", text: "Hello there" }]) },
  messagesStream: stream(...messageStream("Hello", " there")),
  complete: { body: textCompletion("Hello there") },
  completeStream: stream(textPiece("Hello"), textPiece(" there"), textPiece("", "stop"), done),
  embed: { body: vectors([[1, 0], [0, 1]]) }, // prettier-ignore
  rerank: {
    body: ranking([
      { index: 1, relevance_score: 0.9 },
      { index: 0, relevance_score: 0.5 },
      { index: 2, relevance_score: 0.1 },
    ]),
  },
  models: { body: JSON.stringify({ object: "list", data: [{ id: "Qwen/Qwen3-8B", object: "model" }] }) },
  image: { body: JSON.stringify({ images: [{ url: link }], timings: { inference: 2.4 }, seed: 1 }) },
  speak: { body: sound, headers: { "content-type": "application/audio" } },
  speakStream: { body: sound, headers: { "content-type": "application/audio" } },
  transcribe: { body: JSON.stringify({ text: "Hello there" }) },
  video: { body: JSON.stringify({ status: "Succeed", reason: "", results: { videos: [{ url: link }], seed: 1 } }) },
  submitVideo: { body: JSON.stringify({ requestId: "request-1" }) },
  upload: { body: JSON.stringify({ code: 20_000, message: "Ok", status: true, data: { id: "file-1", bytes: 3 } }) },
  batch: { body: JSON.stringify({ id: "batch_1", object: "batch", status: "completed", errors: null }) },
  createBatch: { body: JSON.stringify({ id: "batch_1", object: "batch", status: "in_queue", errors: null }) },
  download: { body: sound, headers: { "content-type": "audio/mpeg" } },
};

const hello: Seen = { text: "Hello there" };
/** … and what the user sees of it. */
export const answers: Record<Asking, Seen> = {
  stream: hello,
  fetchStream: hello,
  invoke: hello,
  fetch: hello,
  messages: hello,
  messagesStream: hello,
  complete: hello,
  completeStream: hello,
  embed: { vectors: [[1, 0], [0, 1]] }, // prettier-ignore
  rerank: {
    ranking: [
      { index: 1, relevanceScore: 0.9 },
      { index: 0, relevanceScore: 0.5 },
      { index: 2, relevanceScore: 0.1 },
    ],
  },
  models: { models: ["Qwen/Qwen3-8B"] },
  image: { links: [link] },
  speak: { text: sound.toString("latin1") },
  speakStream: { text: sound.toString("latin1") },
  transcribe: hello,
  video: { links: [link] },
  submitVideo: { links: ["request-1"] },
  upload: { links: ["file-1"] },
  batch: { links: ["batch_1"] },
  createBatch: { links: ["batch_1"] },
  download: { text: sound.toString("latin1") },
};

/** A last look: no more than this was taken of a body, the rest of it was left. */
export const takesAtMost =
  (mebibytes: number): NonNullable<Case["check"]> =>
  ({ server }) => {
    const taken = server.bytesWritten() / 1024 / 1024;
    return taken > mebibytes ? `${Math.round(taken)} MiB were taken` : undefined;
  };

/**
 * The fault first, then the healthy answer of each target: the user must not notice. Where each request is paid for, the user
 * must be told instead, unless the service has said that nothing was begun.
 */
export const unnoticed = (
  row: Case["row"],
  fault: string,
  targets: readonly Asking[],
  faults: readonly Reply[],
  more: Partial<Case> = {},
): Case[] =>
  targets.map((target) => {
    const mayBePaid = paid.some((name) => name === target) && faults.some(({ status = 200 }) => !unbegun.has(status));
    return {
      row,
      fault: mayBePaid ? `${fault}: not sent again, for it may have been begun` : fault,
      targets: [target],
      replies: [...faults, healthy[target]],
      ...(mayBePaid
        ? { throws: { retryable: false, attempts: 1 }, requests: 1, says: /may have been begun/ }
        : { returns: answers[target], requests: faults.length + 1 }),
      ...more,
    };
  });

/** Refused before anything was done. */
const unbegun = new Set([429, 503]);

/** One answer that every target must refuse with the same error. */
export const refused = (
  row: Case["row"],
  fault: string,
  reply: Answering,
  throws: Record<string, unknown>,
  more: Partial<Case> = {},
): Case => ({ row, fault, targets: every, replies: [reply], throws, requests: 1, ...more });

/** A stream that must end in an error. */
export const broken = (
  row: Case["row"],
  fault: string,
  body: readonly (string | Uint8Array)[],
  throws: Record<string, unknown>,
  more: Partial<Case> & { then?: NonNullable<Reply["then"]> } = {},
): Case => {
  const { then = "end", ...rest } = more;
  return { row, fault, targets: ["stream"], replies: [{ headers: sse, body, then }], throws, requests: 1, ...rest };
};

/** A stream that is only unusual. */
export const reads = (
  row: Case["row"],
  fault: string,
  body: readonly (string | Uint8Array)[],
  returns: Seen,
  more: Partial<Case> = {},
): Case => ({ row, fault, targets: ["stream"], replies: [stream(...body)], returns, requests: 1, ...more });

/** A whole answer that is only unusual. */
export const returned = (
  row: Case["row"],
  fault: string,
  content: Record<string, unknown>,
  reason: string,
  returns: Seen,
): Case => ({
  row,
  fault,
  targets: ["invoke"],
  replies: [{ body: completion(content, reason) }],
  returns,
  requests: 1,
});

/** What a `StreamError` carries of the answer. */
export const partial = (content: string, more: Record<string, unknown> = {}): { partial: Record<string, unknown> } => ({
  partial: { content, ...more },
});
