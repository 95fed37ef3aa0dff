import { createHash, timingSafeEqual } from "node:crypto";
import { channel } from "node:diagnostics_channel";
import type { IncomingMessage, ServerResponse } from "node:http";
import { deliver, lowerCased, replaceReply, type Faults } from "./faults.js";
import { readForm, withoutBytes } from "./form.js";
import type { Journal, RecordedRequest } from "./journal.js";
import { documentedBody, invalid, json, Refusal, type Reply } from "./reply.js";
import { routeOf, type Call, type Route, type Service } from "./router.js";
import { isWireAnswer, type Script, type WireAnswer } from "./script.js";
import { refuseByHabit } from "./strictness.js";

// The service says nothing about its own bound; this one only protects the process that runs the emulator.
const longestBodyBytes = 64 * 1024 * 1024;
// Files for batches may have a gigabyte, and a form around it.
const longestFileBytes = 1024 * 1024 * 1024 + 64 * 1024;

/** Hears of every answer; see {@link AnswerMessage}. */
const answers = channel("siliconflow-emulator:answer");

/** What is published on the channel `siliconflow-emulator:answer` of `node:diagnostics_channel`, when an answer has been read off. */
export interface AnswerMessage {
  request: RecordedRequest;
  status: number;
  headers: Readonly<Record<string, string>>;
  /** Of a stream, its events or pieces. */
  body: string | Uint8Array | readonly (string | Uint8Array)[];
  /** Whether the endpoint itself gave it: neither a fault nor the wire's own words of a script. */
  own: boolean;
}

/** What a server needs beside the service it serves. */
export interface ServerParts {
  service: Service;
  journal: Journal;
  script: Script;
  faults: Faults;
  closing: AbortSignal;
}

/** The listener for `node:http`: read, record, check the key, answer, misbehave where asked to. */
export function requestListener(parts: ServerParts): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    handle(request, response, parts).catch(() => response.destroy());
  };
}

async function handle(request: IncomingMessage, response: ServerResponse, parts: ServerParts): Promise<void> {
  const { service, journal, script, faults, closing } = parts;
  // A target such as "//" is no URL; it is not served either.
  const url = URL.parse(request.url ?? "/", "http://127.0.0.1") ?? new URL("http://127.0.0.1");
  const method = request.method ?? "GET";
  const { route, params } = routeOf(method, url.pathname) ?? { route: undefined, params: {} };
  // A caller's own trace id comes back; anything that could not stand in a header is replaced.
  const wanted = request.headers["x-trace-id"];
  const traceId = typeof wanted === "string" && /^[\x21-\x7e]{1,128}$/.test(wanted) ? wanted : service.nextId();

  const bytes = await readBody(request, route?.name === "files" ? longestFileBytes : longestBodyBytes);
  const body = bytes === undefined ? undefined : await parse(bytes, request.headers["content-type"]);
  const recorded = journal.record({
    endpoint: route?.name,
    method,
    path: url.pathname + url.search,
    headers: request.headers,
    body: body === undefined ? bytes?.toString() || undefined : withoutBytes(body.value),
  });

  let reply: Reply;
  let own = true;
  try {
    if (bytes === undefined) throw new Refusal(413, "Request Entity Too Large");
    if (!route?.open && !authorized(request, service.settings.apiKey, route)) throw named(401, service);
    if (!route) throw named(404, service);
    const scripted = await script.next(recorded);
    own = scripted === undefined || !(isWireAnswer(scripted) || "chunks" in scripted);
    if (scripted && isWireAnswer(scripted)) reply = wireReply(scripted);
    else reply = await answer(route, { query: url.searchParams, params, scripted }, body, service);
  } catch (error) {
    if (error instanceof Refusal) reply = error.reply;
    // A defect of the emulator, or of a script's function, must not look like an answer of the service.
    else reply = json({ code: 50507, message: `The emulator failed: ${String(error)}`, data: null }, 500);
  }
  const fault = faults.next(route?.name);
  if (fault) reply = replaceReply(reply, fault, service.settings.quirks);
  const saysWhen = reply.status === 429 && service.settings.quirks.retryAfter === "sent";
  reply.headers = { "x-siliconcloud-trace-id": traceId, ...(saysWhen && { "retry-after": "1" }), ...reply.headers };
  if (answers.hasSubscribers) reply.body = published(reply, recorded, own && fault === undefined);
  if (fault) await deliver(response, reply, fault, service.clock, closing);
  else await send(response, reply);
}

/** The body, which tells the channel of itself: at once, or a stream when it has come to its end. */
function published({ status, headers, body }: Reply, request: RecordedRequest, own: boolean): Reply["body"] {
  const tell = (whole: AnswerMessage["body"]) => answers.publish({ request, status, headers, body: whole, own });
  if (typeof body !== "string" && !(body instanceof Uint8Array)) return retold(body, tell);
  tell(body);
  return body;
}

function* retold<Piece>(pieces: Iterable<Piece>, tell: (all: Piece[]) => void): Generator<Piece> {
  const all: Piece[] = [];
  for (const piece of pieces) {
    all.push(piece);
    yield piece;
  }
  tell(all);
}

async function answer(
  route: Route,
  call: Omit<Call, "body">,
  body: { value: unknown } | undefined,
  service: Service,
): Promise<Reply> {
  if (route.method === "POST" && !route.bodyless && body === undefined) throw invalid();
  refuseByHabit(route.name, body?.value, call.query, service.settings.quirks);
  return route.answer({ ...call, body: body?.value }, service);
}

/** The usual way: a body in one piece, a stream as fast as its reader takes it. */
async function send(response: ServerResponse, reply: Reply): Promise<void> {
  if (typeof reply.body === "string" || reply.body instanceof Uint8Array) {
    response.writeHead(reply.status, { ...reply.headers, "content-length": Buffer.byteLength(reply.body) });
    response.end(reply.body);
    return;
  }
  response.writeHead(reply.status, reply.headers);
  for (const event of reply.body) {
    if (response.destroyed) return;
    if (response.write(event)) continue;
    await new Promise<void>((resolve) => {
      const go = () => {
        response.off("drain", go).off("close", go);
        resolve();
      };
      response.on("drain", go).on("close", go);
    });
  }
  response.end();
}

function wireReply(answer: WireAnswer): Reply {
  return replaceReply(
    { status: 200, headers: {}, body: "" },
    {
      status: answer.status ?? 200,
      ...(answer.body !== undefined && { body: answer.body }),
      headers: lowerCased(answer.headers),
    },
  );
}

/** Undefined when there is more than the emulator reads; the rest is read and dropped so that the answer arrives. */
async function readBody(request: IncomingMessage, longest: number): Promise<Buffer<ArrayBuffer> | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= longest) chunks.push(chunk);
    else chunks.length = 0;
  }
  return bytes > longest ? undefined : Buffer.concat(chunks);
}

/** Wrapped, so that a body of `null` is told from one that is neither JSON nor a form. */
async function parse(bytes: Buffer<ArrayBuffer>, contentType = ""): Promise<{ value: unknown } | undefined> {
  try {
    if (contentType.startsWith("multipart/form-data")) return { value: await readForm(bytes, contentType) };
    return { value: JSON.parse(bytes.toString()) };
  } catch {
    return undefined;
  }
}

function authorized({ headers }: IncomingMessage, apiKey: string, route: Route | undefined): boolean {
  // Only the endpoint in Anthropic's shape takes Anthropic's header as well.
  const other = route?.name === "messages" ? headers["x-api-key"] : undefined;
  const bearer = /^Bearer (.+)$/i.exec(headers.authorization ?? "")?.[1];
  const given = bearer ?? (typeof other === "string" ? other : "");
  const [one, two] = [given, apiKey].map((key) => createHash("sha256").update(key).digest());
  return timingSafeEqual(one!, two!);
}

/** 401 and 404, as strings, quoted or not, or as objects. */
function named(status: 401 | 404, service: Service): Refusal {
  const message = documentedBody(status);
  const { errorBodies } = service.settings.quirks;
  const refusal = new Refusal(status, errorBodies === "object" ? { code: status, message, data: null } : message);
  if (errorBodies === "bare") refusal.reply.body = String(message);
  return refusal;
}
