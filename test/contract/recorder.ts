import { subscribe } from "node:diagnostics_channel";
import type { Answered, Sent } from "./openapi.js";

/** What an adapter of ours calls itself; a test that sends something past it does so as somebody else. */
const userAgent = "langchain-siliconflow";
/** More of a form is not kept: its fields stand before its file. */
const longestForm = 1024 * 1024;

interface UndiciRequest {
  method: string;
  path: string;
  headers: readonly (string | readonly string[])[];
  body: unknown;
}

interface Sending extends Sent {
  chunks: Uint8Array[];
  bytes: number;
}

const sending = new WeakMap<UndiciRequest, Sending>();
const seen: (Sent | Answered)[] = [];
/** Where redirects have led: what was sent there was looked at before. */
const redirectedTo = new Set<string>();

/** Listens to what leaves this process, and to what emulators in it are asked and answer. */
export function record(): void {
  subscribe("undici:request:create", (message) => {
    const { request } = message as { request: UndiciRequest };
    const { method, path, body } = request;
    const headers = headersOf(request.headers);
    // Links are followed without the key; where they lead is not the service.
    if (headers.get("user-agent") !== userAgent || !headers.has("authorization")) return;
    if (redirectedTo.has(path)) return;
    const sent = { method, path, type: headers.get("content-type"), body: undefined, chunks: [], bytes: 0 };
    if (body === null || body === undefined) seen.push(sent);
    else sending.set(request, sent);
  });
  subscribe("undici:request:headers", (message) => {
    const { request, response } = message as {
      request: UndiciRequest;
      response: { statusCode: number; headers: UndiciRequest["headers"] };
    };
    const location = response.statusCode >= 300 ? headersOf(response.headers).get("location") : undefined;
    const url = location === undefined ? null : URL.parse(location, `http://localhost${request.path}`);
    if (url !== null) redirectedTo.add(url.pathname + url.search);
  });
  subscribe("undici:request:bodyChunkSent", (message) => {
    const { request, chunk } = message as { request: UndiciRequest; chunk: Uint8Array | string };
    const sent = sending.get(request);
    const isForm = sent?.type?.startsWith("multipart/") ?? false;
    if (sent === undefined || (isForm && sent.bytes > longestForm)) return;
    const bytes = Buffer.from(chunk);
    sent.chunks.push(bytes);
    sent.bytes += bytes.length;
  });
  subscribe("undici:request:bodySent", (message) => {
    const { request } = message as { request: UndiciRequest };
    const sent = sending.get(request);
    if (sent === undefined) return;
    sending.delete(request);
    const { chunks, bytes: _, ...rest } = sent;
    seen.push({ ...rest, body: Buffer.concat(chunks) });
  });
  subscribe("siliconflow-emulator:answer", (message) => {
    const answered = message as Answered;
    const { endpoint, method, path, headers, body } = answered.request;
    if (endpoint === undefined || endpoint === "outputs") return;
    // Also from processes that a test has started.
    if (headers["user-agent"] === userAgent) seen.push({ method, path, type: headers["content-type"], body });
    if (answered.own) seen.push(answered);
  });
}

/** What was wrong in all that was seen since the last time, each once. */
export async function wrongSoFar(): Promise<string[]> {
  const looked = seen.splice(0);
  if (looked.length === 0) return [];
  // Compiled once in a process, and not at all in one that asks nobody.
  const { wrongInAnswered, wrongInSent } = await import("./openapi.js");
  const wrong = new Set<string>();
  for (const one of looked) {
    const complaints = "request" in one ? wrongInAnswered(one) : await wrongInSent(one);
    for (const complaint of complaints) wrong.add(complaint);
  }
  return [...wrong];
}

function headersOf(list: UndiciRequest["headers"]): Map<string, string> {
  const headers = new Map<string, string>();
  for (let at = 0; at + 1 < list.length; at += 2) headers.set(String(list[at]).toLowerCase(), String(list[at + 1]));
  return headers;
}
