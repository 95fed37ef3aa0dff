import type { IncomingHttpHeaders } from "node:http";

/** The endpoints the emulator serves. `outputs` are the links to what it made. */
export const endpointNames = [
  "chat",
  "completions",
  "messages",
  "embeddings",
  "rerank",
  "images",
  "speech",
  "transcriptions",
  "voices",
  "videos",
  "files",
  "batches",
  "models",
  "account",
  "outputs",
] as const;

/** One of the endpoints the emulator serves. */
export type EndpointName = (typeof endpointNames)[number];

/** One request as it arrived, without its key. */
export interface RecordedRequest {
  /** Undefined for a path that is not served. */
  readonly endpoint: EndpointName | undefined;
  readonly method: string;
  /** Path and query, e.g. `"/v1/models?sub_type=chat"`, without the key. */
  readonly path: string;
  /** Lower-case names; no `authorization`, `x-api-key` or cookie, and no value that holds the emulator's key. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * The JSON body, the fields of a form (each file as `{ filename, type, size }`), the text when it is neither,
   * undefined when there is none.
   */
  readonly body: unknown;
}

const secretHeaders = new Set(["authorization", "proxy-authorization", "x-api-key", "cookie"]);

// A soak test may send millions; the newest are what anyone looks at.
const longest = 10_000;

/** Remembers what was asked. */
export class Journal {
  readonly requests: RecordedRequest[] = [];
  readonly #apiKey: string;

  constructor(apiKey: string) {
    this.#apiKey = apiKey;
  }

  record(request: Omit<RecordedRequest, "headers"> & { headers: IncomingHttpHeaders }): RecordedRequest {
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(request.headers)) {
      const text = Array.isArray(value) ? value.join(", ") : value;
      if (text !== undefined && !secretHeaders.has(name)) headers[name] = text.replaceAll(this.#apiKey, "***");
    }
    const entry = { ...request, path: request.path.replaceAll(this.#apiKey, "***"), headers };
    this.requests.push(entry);
    if (this.requests.length > longest) this.requests.shift();
    return entry;
  }

  clear(): void {
    this.requests.length = 0;
  }
}
