import type { DownloadRequest, Wire, WireBody, WireRequest, WireResponse } from "../wire.js";

/** Sends with a `fetch`, injected or the runtime's own. What is connected and compressed is the runtime's business. */
export class FetchWire implements Wire {
  readonly #fetch: typeof globalThis.fetch;

  constructor(fetch: typeof globalThis.fetch) {
    this.#fetch = fetch;
  }

  async send(request: WireRequest): Promise<WireResponse> {
    // fetch does not tell when the socket is connected: the first-byte limit takes over at once.
    request.onConnect(false);
    // Called without a receiver: some runtimes refuse any other than the global object.
    const send = this.#fetch;
    const { method, url, headers, body, attempt } = request;
    const isUpload = typeof body === "object";
    const sent = send(url, {
      method,
      headers,
      ...(body !== undefined && { body }),
      signal: attempt.signal,
      redirect: "manual",
      ...(isUpload && upload),
    });
    const response = await (isUpload ? sent.catch(seeRedirect) : sent);
    return {
      status: response.status,
      header: (name) => response.headers.get(name) ?? undefined,
      body: new WebBody(response.body),
    };
  }

  /** The name is looked up by the runtime, out of sight: only an address that stands in the link itself is checked, before this. */
  async download({ url, headers, signal, onConnect }: DownloadRequest): Promise<WireResponse> {
    onConnect(false);
    const send = this.#fetch;
    const response = await send(url, {
      method: "GET",
      headers,
      signal,
      redirect: "manual",
      // Nothing of a page that this runs in.
      credentials: "omit",
      referrerPolicy: "no-referrer",
    });
    return {
      status: response.status,
      header: (name) => response.headers.get(name) ?? undefined,
      body: new WebBody(response.body),
    };
  }

  async close(): Promise<void> {}
}

/**
 * `duplex` is asked for with every stream, although the types do not know it. Node's `fetch` keeps a copy of a whole body in memory for a
 * redirect, unless it is told that there will be none; other runtimes know no `redirect: "error"`.
 */
const upload = {
  duplex: "half",
  ...(globalThis.process?.versions?.["undici"] !== undefined && ({ redirect: "error", window: null } as const)),
} as const;

/** What `redirect: "error"` makes of a redirect, as `redirect: "manual"` has it in a browser. */
function seeRedirect(error: unknown): Response {
  const { cause } = error as { cause?: unknown };
  if (cause instanceof Error && /redirect/i.test(cause.message)) return Response.error();
  throw error;
}

class WebBody implements WireBody {
  wake: (() => void) | undefined;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #reading = false;
  #bytes: Uint8Array | undefined;
  #ended: boolean;
  #failure: { error: unknown } | undefined;

  constructor(body: ReadableStream<Uint8Array> | null) {
    this.#reader = body?.getReader();
    this.#ended = body === null;
  }

  read(): Uint8Array | null | undefined {
    const bytes = this.#bytes;
    if (bytes !== undefined) {
      this.#bytes = undefined;
      return bytes;
    }
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#ended) return null;
    if (!this.#reading) {
      this.#reading = true;
      this.#reader!.read().then(
        ({ done, value }) => {
          this.#reading = false;
          if (done) this.#ended = true;
          else this.#bytes = value;
          this.wake?.();
        },
        (error: unknown) => {
          this.#failure = { error };
          this.wake?.();
        },
      );
    }
    return undefined;
  }

  cancel(): void {
    if (!this.#ended && this.#failure === undefined) this.#reader?.cancel().catch(() => {});
  }
}
