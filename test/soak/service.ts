/**
 * The service of the soak lane, in a process of its own: the emulator, and before it a gateway that does to each request what
 * its plan says.
 */
import { startEmulator, type ScriptLine } from "@langchain-siliconflow/emulator";
import { once } from "node:events";
import { Agent, createServer, request as ask, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import "../guard/loopback-only.mjs";
import { isCounted, isStream, planOf, type Plan } from "./plan.ts";

export interface Served {
  /** Requests whose number the caller knows. */
  counted: number;
  /** Of callers who may have left before they arrived. */
  others: number;
  connections: number;
  mostConnections: number;
}

const seed = Number(process.argv[2]);
const emulator = await startEmulator();
// Each model's answer is the text of its call; the other endpoints answer by themselves.
const line: ScriptLine = ({ headers, endpoint }) => {
  if (endpoint !== "chat" && endpoint !== "messages" && endpoint !== "completions") return undefined;
  emulator.script([line]);
  const { text } = planOf(seed, Number(headers["x-soak-call"]));
  return { content: [...pieces(text)] };
};
emulator.script([line]);

const agent = new Agent({ keepAlive: true });
const attempts = new Map<number, number>();
let connections = 0;
let mostConnections = 0;

const server = createServer((request, response) => {
  serve(request, response).catch(() => response.destroy());
});
server.keepAliveTimeout = 65_000;
server.on("connection", (socket) => {
  mostConnections = Math.max(mostConnections, (connections += 1));
  socket.on("error", () => {});
  socket.once("close", () => (connections -= 1));
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, apiKey: emulator.apiKey });

process.on("message", () => {
  const served: Served = { counted: 0, others: 0, connections, mostConnections };
  for (const [number, count] of attempts) served[isCounted(planOf(seed, number)) ? "counted" : "others"] += count;
  process.send?.(served);
});
process.on("disconnect", () => process.exit());

function* pieces(text: string): Generator<string> {
  for (let start = 0; start < text.length; start += 8) yield text.slice(start, start + 8);
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const sent = await bytesOf(request);
  const number = Number(request.headers["x-soak-call"] ?? -1);
  const attempt = (attempts.get(number) ?? 0) + 1;
  if (number >= 0) attempts.set(number, attempt);
  const plan = number < 0 ? undefined : planOf(seed, number);
  if (plan?.caller !== undefined && plan.caller !== "patient")
    return leaveOpen(plan, await answerTo(request, sent), response);
  if (plan?.fault === undefined || (attempt > 1 && !plan.always)) return pass(await answerTo(request, sent), response);
  await spoil(plan.fault, () => answerTo(request, sent), response);
}

interface Answer {
  status: number;
  type: string;
  body: Buffer;
}

async function answerTo({ method, url, headers }: IncomingMessage, sent: Buffer): Promise<Answer> {
  const target = new URL(url!, emulator.url);
  const forwarded = ask(target, { method: method!, agent, headers: { ...headers, host: target.host } });
  forwarded.end(sent);
  const [answer] = (await once(forwarded, "response")) as [IncomingMessage];
  return { status: answer.statusCode!, type: answer.headers["content-type"] ?? "", body: await bytesOf(answer) };
}

async function bytesOf(message: IncomingMessage): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const bytes of message as AsyncIterable<Buffer>) all.push(bytes);
  return Buffer.concat(all);
}

function head({ status, type, body }: Answer, response: ServerResponse): void {
  response.writeHead(status, {
    "content-type": type,
    ...(!type.includes("stream") && { "content-length": body.length }),
  });
}

function pass(answer: Answer, response: ServerResponse): void {
  head(answer, response);
  response.end(answer.body);
}

/** Codes that mean something of their own (an invalid parameter, say) would be answered by another request. */
function refuse(status: number, code: number, response: ServerResponse, headers: Record<string, string> = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify({ code, message: "A fault of the soak lane.", data: null }));
}

/** Half an answer, or for those who wait for a whole one nothing: until the caller has left. */
function leaveOpen({ kind }: Plan, answer: Answer, response: ServerResponse): void {
  if (!isStream(kind)) return;
  head(answer, response);
  response.write(answer.body.subarray(0, middle(answer.body)));
}

/** Behind the first event of a stream, and before its end. */
function middle(body: Buffer): number {
  return Math.max(body.indexOf("\n\n") + 2, Math.floor(body.length / 2));
}

type Spoiler = (answer: Answer, response: ServerResponse) => void | Promise<void>;

/** Faults that change an answer; the others do without one. */
const spoilers: Partial<Record<NonNullable<Plan["fault"]>, Spoiler>> = {
  "cut before the first event": (answer, response) => writeSome(answer, 5, response, "cut"),
  "cut in the middle": (answer, response) => writeSome(answer, middle(answer.body), response, "cut"),
  "reset in the middle": (answer, response) => writeSome(answer, middle(answer.body), response, "reset"),
  "silent in the middle": (answer, response) => writeSome(answer, middle(answer.body), response, "open"),
  async "one byte after the other"(answer, response) {
    head(answer, response);
    for (let start = 0; start < answer.body.length && !response.destroyed; start += 1) {
      response.write(answer.body.subarray(start, start + 1));
      if (start % 16 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    response.end();
  },
  "damaged in the middle"(answer, response) {
    const { body } = answer;
    // Behind the quotes of a field's name: what follows is no JSON any more.
    const from = body.indexOf('":', middle(body) + 20) === -1 ? middle(body) : body.indexOf('":', middle(body) + 20);
    pass(
      { ...answer, body: Buffer.concat([body.subarray(0, from), Buffer.alloc(3), body.subarray(from + 3)]) },
      response,
    );
  },
  "an error under 200"(answer, response) {
    const error = Buffer.from('{"code":20090,"message":"A fault of the soak lane.","data":null}');
    if (!answer.type.includes("stream")) return pass({ ...answer, body: error }, response);
    const at = answer.body.indexOf("\n\n", middle(answer.body)) + 2;
    const event = Buffer.concat([Buffer.from("data: "), error, Buffer.from("\n\n")]);
    pass({ ...answer, body: Buffer.concat([answer.body.subarray(0, at), event, answer.body.subarray(at)]) }, response);
  },
};

async function spoil(
  fault: NonNullable<Plan["fault"]>,
  answer: () => Promise<Answer>,
  response: ServerResponse,
): Promise<void> {
  const spoiler = spoilers[fault];
  if (spoiler !== undefined) return spoiler(await answer(), response);
  if (fault === "500") return refuse(500, 60000, response);
  if (fault === "503") return refuse(503, 50508, response);
  if (fault === "429, try again now") return refuse(429, 50603, response, { "retry-after": "0" });
  if (fault === "400") return refuse(400, 20090, response);
  if (fault === "401") return refuse(401, 20001, response);
  if (fault === "reset before the headers") return void response.socket?.resetAndDestroy();
  if (fault === "closed before the headers") return void response.socket?.destroy();
  if (fault === "a page")
    return pass({ status: 200, type: "text/html", body: Buffer.from("<html>Sign in</html>") }, response);
  if (fault === "an empty body")
    return pass({ status: 200, type: "application/json", body: Buffer.alloc(0) }, response);
  // Silent before the headers: until the caller gives up.
}

async function writeSome(answer: Answer, length: number, response: ServerResponse, then: "cut" | "reset" | "open") {
  head(answer, response);
  await new Promise((resolve) => response.write(answer.body.subarray(0, length), resolve));
  if (then === "open") return;
  // What the other side has not read yet, a reset would take back.
  if (then === "reset") await new Promise((resolve) => setTimeout(resolve, 50));
  if (then === "reset") response.socket?.resetAndDestroy();
  else response.socket?.destroySoon();
}
