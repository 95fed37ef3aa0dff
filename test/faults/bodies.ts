import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import {
  all,
  everything,
  healthy,
  answers,
  paid,
  refused,
  services,
  streams,
  takesAtMost,
  unnoticed,
  wholes,
  type Case,
  type Asking,
} from "./case.ts";
import type { Reply } from "./fault-server.ts";
import { failure, sse } from "./wire.ts";

const MiB = 1024 * 1024;
const quiet = { quiet: true } as const;
/** What comes whole: answers, and files. */
const files = [...wholes, "download"] as const;
const gzip = { "content-encoding": "gzip" };

/** The healthy answer of each target, made into something else. */
const instead = (
  row: number,
  fault: string,
  targets: readonly Asking[],
  change: (body: Buffer) => Reply,
  more: Partial<Case> = {},
): Case[] =>
  targets.map((target) => {
    const { body, headers } = healthy[target];
    const whole = Buffer.from(Array.isArray(body) ? body.join("") : (body as string));
    const reply = change(whole);
    const replies = more.throws || more.returns ? [reply] : [{ ...reply, headers: { ...headers, ...reply.headers } }];
    return {
      row,
      fault,
      targets: [target],
      replies,
      ...(!more.throws && { returns: answers[target] }),
      requests: 1,
      ...more,
    };
  });

/** The healthy answer, damaged: once unnoticed, always an error. */
const damaged = (
  row: number,
  fault: string,
  targets: readonly Asking[],
  change: (body: Buffer) => Reply,
  throws: Record<string, unknown>,
): Case[] => [
  ...targets.flatMap((target) => {
    const [bad] = instead(row, fault, [target], change)[0]!.replies as Reply[];
    return unnoticed(row, `${fault}, once`, [target], [bad!]);
  }),
  ...instead(row, `${fault}, always`, targets, change, { throws, maxRetries: 1, requests: 2 }),
];

/** JSON without what the answer is made of. */
const incomplete = (fault: string, targets: readonly Asking[], body: string): Case =>
  refused(17, fault, { body }, { name: "InvalidResponseError", reason: "malformed" }, { targets });

const endingEarly = (body: Buffer): Reply => ({ body: gzipSync(body).subarray(0, 30), headers: gzip });

/** 64 MiB of zeros, that fit into 64 KiB. */
let bomb: Buffer | undefined;
const explosive = (): Buffer => (bomb ??= gzipSync(Buffer.alloc(64 * MiB)));

export const bodies: readonly Case[] = [
  ...unnoticed(
    12,
    "silence inside the body, once",
    [...wholes, ...paid, "speakStream", "download"],
    [{ body: '{"a":', then: "open" }],
    quiet,
  ),
  refused(
    12,
    "silence inside the body, always",
    { body: '{"a":', then: "open" },
    { name: "TimeoutError", phase: "idle", retryable: true },
    { targets: [...wholes, "speakStream", "download"], maxRetries: 1, requests: 2, ...quiet },
  ),
  ...unnoticed(12, "a narrow line: slow, but never silent", all, [], {
    way: { toClient: { bytesPerSecond: 2000 } },
    ...quiet,
  }),
  refused(
    13,
    "the connection closed after 260 bytes",
    { body: " ".repeat(1000) },
    { reason: "truncated", retryable: true },
    { targets: [...wholes, "download"], way: { toClient: { limitBytes: 260 } }, maxRetries: 1, requests: 2 },
  ),
  ...damaged(
    13,
    "a body shorter than its content-length, although it is whole JSON",
    files,
    (body) => ({ body, headers: { "content-length": String(body.length + 100) }, then: "close" }),
    { reason: "truncated", retryable: true },
  ),
  ...damaged(
    13,
    "a body in chunks without the last one, although it is whole JSON",
    files,
    (body) => ({ body, then: "close" }),
    { reason: "truncated", retryable: true },
  ),
  ...unnoticed(14, "200 with an empty body, once", [...wholes, ...paid, "speakStream"], [{ body: "" }]),
  ...unnoticed(14, "200 and nothing but the end of the stream, once", streams, [{ headers: sse, body: "" }]),
  refused(
    14,
    "200 with an empty body, always",
    { body: "" },
    { reason: "empty" },
    { targets: everything, maxRetries: 1, requests: 2 },
  ),
  refused(
    15,
    "200 with the HTML of a captive portal",
    {
      headers: { "content-type": "text/html" },
      body: "<html><head><title>Wi-Fi</title></head><body><p>Please log in</p></body></html>",
    },
    { name: "InvalidResponseError", reason: "notJson" },
    { says: /Please log in/, tidies: /<p>|<html>/ },
  ),
  refused(
    16,
    "200 with an error in the body",
    { body: failure(20012, "Model does not exist. Please check it carefully.") },
    { code: 20012, traceId: "trace-of-the-server" },
    { says: /Model does not exist/ },
  ),
  refused(
    16,
    "200 with a busy error in the body",
    { body: failure(50505, "Model service overloaded. Please try again later.") },
    { name: "ServiceUnavailableError", code: 50505 },
    { maxRetries: 0 },
  ),
  incomplete("200 without choices", ["invoke"], '{"id":"1","object":"chat.completion","choices":[]}'),
  incomplete(
    "200 with a choice that has no message",
    ["invoke"],
    '{"id":"1","choices":[{"index":0,"finish_reason":"stop"}]}',
  ),
  incomplete("200 without a text", ["complete"], '{"id":"1","object":"text_completion","choices":[{"index":0}]}'),
  incomplete(
    "200 without content",
    ["messages"],
    '{"id":"1","type":"message","role":"assistant","stop_reason":"end_turn"}',
  ),
  incomplete("200 without a list", ["embed", "rerank", "models"], '{"object":"list","data":{},"results":{}}'),
  refused(
    18,
    "401 with a JSON string",
    { status: 401, body: '"Invalid token"' },
    { name: "AuthenticationError", status: 401, reason: "auth" },
    { says: /Invalid token/ },
  ),
  refused(
    18,
    "403 with plain text",
    { status: 403, headers: { "content-type": "text/plain" }, body: "Forbidden" },
    { name: "PermissionDeniedError", status: 403, reason: "permission" },
    { says: /Forbidden/ },
  ),
  refused(
    18,
    "404 with a JSON string",
    { status: 404, body: '"404 page not found"' },
    { name: "NotFoundError", status: 404, reason: "notFound" },
    { says: /page not found/ },
  ),
  refused(18, "400 with an empty body", { status: 400, body: "" }, { name: "BadRequestError", status: 400 }),
  refused(
    18,
    "400 with an error envelope",
    { status: 400, body: '{"error":{"message":"no such field","code":"20099"}}' },
    { name: "BadRequestError", status: 400 },
    { says: /no such field/ },
  ),
  refused(
    18,
    "503 with an empty body",
    { status: 503, body: "" },
    { name: "ServiceUnavailableError", status: 503 },
    { maxRetries: 0 },
  ),
  refused(
    19,
    "50 MiB of it are not taken",
    {
      status: 400,
      headers: { "content-type": "text/plain" },
      body: "no such field ",
      forever: "x".repeat(64 * 1024),
      times: 800,
    },
    { name: "BadRequestError", status: 400 },
    { targets: services, says: /no such field/, check: takesAtMost(16), alone: true },
  ),
  ...instead(20, "a body in gzip", all, (body) => ({ body: gzipSync(body), headers: gzip })),
  ...instead(20, "a body in Brotli", all, (body) => ({
    body: brotliCompressSync(body),
    headers: { "content-encoding": "br" },
  })),
  ...instead(20, "a body in deflate", [...wholes, ...paid, "download"], (body) => ({
    body: deflateSync(body),
    headers: { "content-encoding": "deflate" },
  })),
  ...damaged(
    20,
    "gzip that is damaged",
    files,
    (body) => {
      const packed = gzipSync(body);
      return { body: packed.fill(0xff, 12, 20), headers: gzip };
    },
    { name: "InvalidResponseError", reason: "malformed", retryable: true },
  ),
  ...damaged(
    20,
    "gzip that ends early",
    files.filter((target) => target !== "fetch"),
    endingEarly,
    { reason: "truncated", retryable: true },
  ),
  // The decoder of `fetch` takes such an end for the end of the answer.
  ...damaged(20, "gzip that ends early", ["fetch"], endingEarly, { reason: "empty", retryable: true }),
  {
    row: 20,
    fault: "64 KiB of gzip that unpack to 64 MiB",
    // Sound that is handed on as it comes has no limit of size.
    targets: all.filter((target) => target !== "speakStream"),
    replies: [() => ({ body: explosive(), headers: gzip })],
    throws: { reason: "tooLarge" },
    requests: 1,
    maxBytes: MiB,
    alone: true,
    oursOnly: "it has no limit of size",
  },
  ...instead(21, "JSON that calls itself HTML", wholes, (body) => ({ body, headers: { "content-type": "text/html" } })),
  ...instead(21, "JSON that calls itself nothing", wholes, (body) => ({ body, headers: { "content-type": "" } })),
  ...instead(21, "a stream that calls itself JSON", streams, (body) => ({
    body,
    headers: { "content-type": "application/json" },
  })),
  refused(
    22,
    "a body without end",
    { body: '{"a":"', forever: "x".repeat(64 * 1024) },
    { name: "InvalidResponseError", reason: "tooLarge" },
    {
      targets: wholes.filter((target) => target !== "speak"),
      maxBytes: MiB,
      check: takesAtMost(24),
      oursOnly: "it has no limit of size",
    },
  ),
  refused(
    22,
    "sound, or a file, without end",
    { body: "ID3", forever: "\0".repeat(64 * 1024) },
    { name: "InvalidResponseError", reason: "tooLarge" },
    { targets: ["speak", "download"], maxBytes: MiB, check: takesAtMost(24) },
  ),
];
