/** What goes back over the wire. An iterable body is a stream: one string per event, blank line included, or pieces of bytes. */
export interface Reply {
  status: number;
  headers: Record<string, string>;
  body: string | Uint8Array | Iterable<string | Uint8Array>;
}

/** A JSON answer. A string becomes a quoted JSON string, which is how the service words 401, 403 and 404. */
export function json(value: unknown, status = 200): Reply {
  return { status, headers: { "content-type": "application/json; charset=utf-8" }, body: JSON.stringify(value) };
}

/** A `text/event-stream` answer of the given payloads; nothing is added, not even `[DONE]`. */
export function eventStream(payloads: Iterable<string>): Reply {
  return { status: 200, headers: { "content-type": "text/event-stream" }, body: framed(payloads) };
}

/** The same for events that are named by their type; plain strings have no name. */
export function namedEventStream(events: Iterable<object | string>): Reply {
  return { ...eventStream([]), body: named(events) };
}

function* named(events: Iterable<object | string>): Generator<string> {
  for (const event of events) {
    const type = typeof event === "object" && "type" in event ? event.type : undefined;
    const data = typeof event === "string" ? event : JSON.stringify(event);
    yield typeof type === "string" ? `event: ${type}\ndata: ${data}\n\n` : `data: ${data}\n\n`;
  }
}

function* framed(payloads: Iterable<string>): Generator<string> {
  for (const payload of payloads) yield `data: ${payload}\n\n`;
}

/** Thrown by an endpoint that refuses a request; the server sends its reply. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly reply: Reply;

  constructor(status: number, body: unknown) {
    super(`Refused with ${status}`);
    this.reply = json(body, status);
  }
}

/** 400 with code 20015: a field is missing, of the wrong type, or out of range. */
export function invalid(message = "The parameter is invalid. Please check again."): Refusal {
  return new Refusal(400, { code: 20015, message, data: null });
}

/** The body the service's documents give for a status, for failures that name only the status. */
export function documentedBody(status: number, overloadCode: 50_505 | 50_603 = 50_505): unknown {
  switch (status) {
    case 400:
      return { code: 20015, message: "The parameter is invalid. Please check again.", data: null };
    case 401:
      return "Invalid token";
    case 402:
      return { code: 30001, message: "Sorry, your account balance is insufficient", data: null };
    case 403:
      return "Forbidden";
    case 404:
      return "404 page not found";
    case 413:
      return { code: 20042, message: "input batch size 132 > maximum allowed batch size 64", data: null };
    case 429:
      return rateLimited("TPM");
    case 500:
      return { code: 50507, message: "Request failed: Unknown error", data: null };
    case 503:
      return {
        code: overloadCode,
        message: `${overloadCode === 50_603 ? "System is really busy" : "Model service overloaded"}. Please try again later.`,
        data: null,
      };
    case 504:
      return "Gateway Timeout";
    default:
      return { code: status, message: `Status ${status}`, data: null };
  }
}

/** The documented 429: no code, no `Retry-After`. */
export function rateLimited(limit: "RPM" | "RPH" | "RPD" | "TPM" | "TPD" | "IPM" | "IPD"): {
  message: string;
  data: null;
} {
  return {
    message: `Request was rejected due to rate limiting. If you want more, please contact contact@siliconflow.cn. Details:${limit} limit reached.`,
    data: null,
  };
}
