import type { ServerResponse } from "node:http";
import type { Clock } from "./clock.js";
import { endpointNames, type EndpointName } from "./journal.js";
import type { Quirks } from "./quirks.js";
import { documentedBody, json, type Reply } from "./reply.js";

/**
 * One way to misbehave. Fields combine: a status of 503 that drips, a stream that stalls and is then cut.
 *
 * A fault decides how an answer is sent; which answer that is, unless `status` or `body` replace it, is still up to the
 * script and the models.
 */
export interface Fault {
  /** Only requests to this endpoint count and are hit. @defaultValue every endpoint */
  endpoint?: EndpointName;
  /** The first request to be hit, counted from 1 over the requests to `endpoint` since this fault was set. @defaultValue 1 */
  nth?: number;
  /** How many requests are hit, in a row from `nth`; `Infinity` for all of them. @defaultValue 1 */
  times?: number;

  /** Answers with this status, and with its documented body unless `body` is given. */
  status?: number;
  /** Replaces the body: a string or bytes are sent as they are, anything else as JSON. */
  body?: unknown;
  /** Added to the answer's headers. Without `status` and `body` the answer is otherwise the usual one. */
  headers?: Readonly<Record<string, string>>;

  /** Closes the socket after so many bytes of the body. No effect on a body that is shorter. */
  cutAfterBytes?: number;
  /** Closes the socket after so many events of a stream; any other body counts as one event. */
  cutAfterEvents?: number;
  /**
   * Sends a TCP reset in place of the orderly close: at the cut; without a cut after the stall, where that has a place of
   * its own; else once the request was read (and `stallMs` have passed) and before any byte of an answer.
   */
  reset?: boolean;

  /**
   * Sends nothing for so many milliseconds of the emulator's clock (`Infinity`: until the caller gives up), then goes on.
   * Where: `stallBeforeHeaders`, `stallAfterEvents` or `stallAfterBytes` say it; otherwise at the cut if there is one;
   * otherwise after the headers, before the first byte of the body.
   */
  stallMs?: number;
  /** Stalls before the status line and headers. @defaultValue false */
  stallBeforeHeaders?: boolean;
  /** Stalls after so many events of a stream. */
  stallAfterEvents?: number;
  /** Stalls after so many bytes of the body. */
  stallAfterBytes?: number;

  /** Writes the body in pieces of so many bytes, each its own chunk on the wire; the length is then not announced. */
  splitBytes?: number;
  /** Pauses so many milliseconds after each piece: `splitBytes`, else one event, else 64 bytes. */
  dripMs?: number;
}

/** What each field takes, in words and as a question. */
const fields: { [Field in keyof Required<Fault>]: readonly [takes: string, fits: (value: unknown) => boolean] } = {
  endpoint: [
    endpointNames.map((name) => `"${name}"`).join(", "),
    (value) => endpointNames.some((name) => name === value),
  ],
  nth: ["a whole number of 1 or more", (value) => isWhole(value, 1)],
  times: ["a whole number of 1 or more, or Infinity", (value) => isWhole(value, 1) || value === Infinity],
  status: ["a whole number from 200 to 599", (value) => isWhole(value, 200) && Number(value) <= 599],
  body: ["what can be sent", (value) => typeof value !== "function" && typeof value !== "symbol"],
  headers: ["names and texts", isHeaders],
  cutAfterBytes: ["a whole number of 0 or more", (value) => isWhole(value, 0)],
  cutAfterEvents: ["a whole number of 0 or more", (value) => isWhole(value, 0)],
  reset: ["true or false", (value) => typeof value === "boolean"],
  stallMs: ["milliseconds of 0 or more, or Infinity", (value) => typeof value === "number" && value >= 0],
  stallBeforeHeaders: ["true or false", (value) => typeof value === "boolean"],
  stallAfterEvents: ["a whole number of 0 or more", (value) => isWhole(value, 0)],
  stallAfterBytes: ["a whole number of 0 or more", (value) => isWhole(value, 0)],
  splitBytes: ["a whole number of 1 or more", (value) => isWhole(value, 1)],
  dripMs: ["milliseconds of 0 or more", (value) => typeof value === "number" && value >= 0 && value < Infinity],
};

function isWhole(value: unknown, least: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= least;
}

function isHeaders(value: unknown): boolean {
  if (typeof value !== "object" || value === null || Symbol.iterator in value) return false;
  return Object.values(value).every((text) => typeof text === "string");
}

/** A fault that cannot happen would make a test pass for the wrong reason. */
function check(fault: Fault): void {
  for (const [name, value] of Object.entries(fault)) {
    if (!Object.hasOwn(fields, name))
      throw new TypeError(`fault(): there is no field "${name}", but ${Object.keys(fields).join(", ")}.`);
    const [takes, fits] = fields[name as keyof Fault];
    if (value !== undefined && !fits(value))
      throw new RangeError(`fault(): ${name} takes ${takes}, not ${shown(value)}.`);
  }
  const place = (["stallBeforeHeaders", "stallAfterEvents", "stallAfterBytes"] as const).find((name) => fault[name]);
  if (place !== undefined && fault.stallMs === undefined)
    throw new RangeError(`fault(): ${place} says where, and stallMs for how long: give both.`);
}

function shown(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

/** The faults that were set and have not worn off. */
export class Faults {
  #plans: { fault: Fault; seen: number; hit: number }[] = [];

  add(fault: Fault): void {
    check(fault);
    this.#plans.push({ fault, seen: 0, hit: 0 });
  }

  clear(): void {
    this.#plans = [];
  }

  /** Counts a request and says which fault hits it: of several the one that was set first. */
  next(endpoint: EndpointName | undefined): Fault | undefined {
    let hit: Fault | undefined;
    for (const plan of this.#plans) {
      if (plan.fault.endpoint !== undefined && plan.fault.endpoint !== endpoint) continue;
      plan.seen += 1;
      if (hit || plan.seen < (plan.fault.nth ?? 1) || plan.hit >= (plan.fault.times ?? 1)) continue;
      plan.hit += 1;
      hit = plan.fault;
    }
    return hit;
  }
}

/** Puts a fault's own status, body and headers in place of the answer's. */
export function replaceReply(reply: Reply, fault: Fault, quirks?: Pick<Quirks, "overloadCode">): Reply {
  let result = reply;
  if (fault.status !== undefined || fault.body !== undefined) {
    const status = fault.status ?? 200;
    const body = fault.body === undefined ? documentedBody(status, quirks?.overloadCode) : fault.body;
    result = json(body, status);
    if (fault.body !== undefined && (typeof body === "string" || body instanceof Uint8Array)) result.body = body;
    result.headers = { ...reply.headers, ...result.headers };
  }
  return { ...result, headers: { ...result.headers, ...lowerCased(fault.headers) } };
}

/** Header names as Node compares them, so that a fault's header replaces ours and does not stand beside it. */
export function lowerCased(headers: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

/** Sends a reply as a fault wants it. Ends early when the caller leaves or the emulator closes. */
export async function deliver(
  response: ServerResponse,
  reply: Reply,
  fault: Fault,
  clock: Clock,
  closing: AbortSignal,
): Promise<void> {
  const left = new AbortController();
  const leave = () => left.abort();
  response.once("close", leave);
  closing.addEventListener("abort", leave);
  try {
    await sendPieces(response, reply, fault, (ms) => clock.pause(ms, left.signal), left.signal);
  } finally {
    closing.removeEventListener("abort", leave);
  }
}

async function sendPieces(
  response: ServerResponse,
  reply: Reply,
  fault: Fault,
  pause: (ms: number) => Promise<void>,
  left: AbortSignal,
): Promise<void> {
  const cuts = fault.cutAfterBytes !== undefined || fault.cutAfterEvents !== undefined;
  const stallsInside = fault.stallAfterEvents !== undefined || fault.stallAfterBytes !== undefined;
  const stallsAtCut = cuts && !fault.stallBeforeHeaders && !stallsInside;
  const resetsFirst = fault.reset && !cuts && !stallsInside;

  if (fault.stallBeforeHeaders || resetsFirst) await pause(fault.stallMs ?? 0);
  if (left.aborted) return;
  if (resetsFirst) return void response.socket?.resetAndDestroy();

  response.socket?.setNoDelay(true);
  const events = eventsOf(reply.body);
  if (Array.isArray(events) && fault.splitBytes === undefined && reply.headers["transfer-encoding"] === undefined) {
    response.setHeader("content-length", events[0]!.length);
  }
  response.writeHead(reply.status, reply.headers);
  response.flushHeaders();

  const defaultStall = !cuts && !fault.stallBeforeHeaders && fault.stallAfterBytes === undefined ? 0 : undefined;
  const stallEvent = fault.stallMs === undefined ? undefined : (fault.stallAfterEvents ?? defaultStall);
  const stallByte = fault.stallMs === undefined ? undefined : fault.stallAfterBytes;
  let eventsSent = 0;
  let bytesSent = 0;
  let stalled = false;

  /** What is due between two bytes: a stall, the cut. Says whether to stop. */
  const between = async (): Promise<boolean> => {
    if (!stalled && (eventsSent === stallEvent || bytesSent === stallByte)) {
      stalled = true;
      await pause(fault.stallMs!);
      if (fault.reset && !cuts && !left.aborted) response.socket?.resetAndDestroy();
    }
    if (left.aborted || response.destroyed) return true;
    if (eventsSent !== fault.cutAfterEvents && bytesSent !== fault.cutAfterBytes) return false;
    if (stallsAtCut && fault.stallMs !== undefined) await pause(fault.stallMs);
    // A reset discards what the receiver has not read yet: give it a moment to read what was sent before.
    if (fault.reset && bytesSent > 0) await pause(20);
    if (fault.reset) response.socket?.resetAndDestroy();
    else response.socket?.destroySoon();
    return true;
  };

  for (const event of events) {
    const step = fault.splitBytes ?? (fault.dripMs !== undefined && Array.isArray(events) ? 64 : event.length);
    let offset = 0;
    while (offset < event.length) {
      if (await between()) return;
      const marks = [offset + step, event.length];
      for (const mark of [fault.cutAfterBytes, stallByte]) {
        if (mark !== undefined && mark > bytesSent) marks.push(offset + mark - bytesSent);
      }
      const end = Math.min(...marks);
      await write(response, event.subarray(offset, end), left);
      bytesSent += end - offset;
      offset = end;
      if (fault.dripMs !== undefined) await pause(fault.dripMs);
      else if (fault.splitBytes !== undefined) await new Promise<void>((resolve) => void setImmediate(resolve));
    }
    eventsSent += 1;
  }
  if (!(await between())) response.end();
}

/** One buffer for a whole body, one per event for a stream, made as they are sent. */
function eventsOf(body: Reply["body"]): Buffer[] | Iterable<Buffer> {
  if (typeof body === "string") return [Buffer.from(body)];
  if (body instanceof Uint8Array) return [Buffer.from(body)];
  return encoded(body);
}

function* encoded(events: Iterable<string | Uint8Array>): Generator<Buffer> {
  for (const event of events) yield Buffer.from(event);
}

/** Writes and waits until the system has taken it, or until the caller has left. */
async function write(response: ServerResponse, bytes: Uint8Array, left: AbortSignal): Promise<void> {
  if (left.aborted) return;
  await new Promise<void>((resolve) => {
    left.addEventListener("abort", () => resolve(), { once: true });
    response.write(bytes, () => resolve());
  });
}
