/**
 * The service of the benchmark, in a process of its own: what it costs is nobody's figure. Bodies are prepared before the
 * clock runs, so that a request costs a look-up and writes. Started and told how to behave by `service.ts`.
 */
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { setImmediate, setTimeout } from "node:timers/promises";
import "../guard/loopback-only.mjs";
import { completion, eventsOf, kindOfBatch, scoresFor, vectorsOf } from "./answers.ts";
import { defaults, type Behaviour } from "./service.ts";

let behaviour: Behaviour = defaults;
let asked = 0;
const held = new Set<() => void>();
const prepared = new Map<string, Buffer[]>();

process.on("message", (told: Behaviour) => {
  behaviour = told;
  asked = 0;
  streamed();
  process.send!("ready");
});
// Nobody is left to serve.
process.on("disconnect", () => process.exit());

const server = createServer({ keepAliveTimeout: 60_000, noDelay: true }, (request, response) => {
  const parts: Buffer[] = [];
  request.on("data", (part: Buffer) => parts.push(part));
  request.on("end", () => {
    void answer(request.url ?? "", Buffer.concat(parts).toString(), response).catch(() => response.destroy());
  });
});
server.listen(0, "127.0.0.1", () => {
  process.send!(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

async function answer(path: string, asks: string, response: ServerResponse): Promise<void> {
  if (path === "/release") {
    for (const release of held) release();
    held.clear();
    response.end();
    return;
  }
  asked += 1;
  const { latencyMs, refuseEvery } = behaviour;
  const refused = refuseEvery > 0 && asked % refuseEvery === 0;
  if (latencyMs > 0) await setTimeout(latencyMs);
  if (refused) {
    response.setHeader("retry-after", "0");
    json(response, 429, Buffer.from(JSON.stringify({ code: 50_603, message: "RPM limit reached.", data: null })));
    return;
  }
  const request = JSON.parse(asks) as Asked;
  if (path.endsWith("/chat/completions"))
    await (request.stream === true ? stream(response) : json(response, 200, Buffer.from(completion)));
  else if (path.endsWith("/embeddings")) json(response, 200, vectors(request.input ?? [], request.encoding_format));
  else if (path.endsWith("/rerank")) json(response, 200, scores(request.documents?.length ?? 0));
  else json(response, 404, Buffer.from("{}"));
}

interface Asked {
  stream?: boolean;
  input?: string[];
  encoding_format?: string;
  documents?: unknown[];
}

function json(response: ServerResponse, status: number, body: Buffer): void {
  response.writeHead(status, { "content-type": "application/json", "content-length": body.length });
  response.end(body);
}

async function stream(response: ServerResponse): Promise<void> {
  const pieces = streamed();
  const { layout, holdAfter } = behaviour;
  response.writeHead(200, { "content-type": "text/event-stream", "transfer-encoding": "chunked" });
  response.flushHeaders();
  const socket = response.socket!;
  for (const [index, piece] of pieces.entries()) {
    if (holdAfter > 0 && index === holdAfter) await new Promise<void>((release) => held.add(release));
    if (socket.destroyed) return;
    if (!socket.write(piece)) await drained(socket);
    // So that each event travels alone while the reader keeps up.
    else if (layout === "packet") await setImmediate();
  }
  response.end();
}

async function drained(socket: Socket): Promise<void> {
  const over = new AbortController();
  const { signal } = over;
  await Promise.race([once(socket, "drain", { signal }), once(socket, "close", { signal })]);
  over.abort();
}

/** The writes of a stream, their HTTP framing included. */
function streamed(): Buffer[] {
  const { answer, layout } = behaviour;
  return prepare(`${answer.says} ${answer.chunks} ${layout}`, () => {
    const events = eventsOf(answer);
    if (layout === "packet") return events.map(framed);
    const groups: Buffer[] = [];
    for (let first = 0; first < events.length; first += 32) {
      const group = events.slice(first, first + 32);
      groups.push(layout === "burst" ? Buffer.concat(group.map(framed)) : framed(group.join("")));
    }
    return groups;
  });
}

function framed(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]);
}

function vectors(texts: string[], format = "float"): Buffer {
  const kind = kindOfBatch(texts[0] ?? "");
  const { dimensions } = behaviour;
  const [body] = prepare(`${kind} ${texts.length} ${dimensions} ${format}`, () => {
    const data = vectorsOf(kind, texts.length, dimensions).map((vector, index) => ({
      object: "embedding",
      embedding: format === "base64" ? Buffer.from(vector.buffer).toString("base64") : Array.from(vector),
      index,
    }));
    const usage = { prompt_tokens: texts.length * 12, completion_tokens: 0, total_tokens: texts.length * 12 };
    return [Buffer.from(JSON.stringify({ object: "list", model: "BAAI/bge-m3", data, usage }))];
  });
  return body!;
}

function scores(documents: number): Buffer {
  const [body] = prepare(`${documents} documents`, () => {
    const results = scoresFor(documents).map(({ index, relevanceScore }) => ({
      index,
      relevance_score: relevanceScore,
    }));
    const tokens = { input_tokens: documents * 20, output_tokens: 0 };
    const billed = { ...tokens, search_units: 0, classifications: 0 };
    return [Buffer.from(JSON.stringify({ id: "rr-1", results, meta: { billed_units: billed, tokens } }))];
  });
  return body!;
}

function prepare(name: string, make: () => Buffer[]): Buffer[] {
  const made = prepared.get(name) ?? make();
  prepared.set(name, made);
  return made;
}
