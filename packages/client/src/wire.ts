import type { Attempt } from "./deadline.js";

/** One HTTP request, complete: nothing is added to it below but what HTTP itself needs. */
export interface WireRequest {
  method: "GET" | "POST";
  url: string;
  headers: Record<string, string>;
  /** A stream is read as fast as it can be sent. Its length, where it is known, is in the headers. */
  body: string | ReadableStream<Uint8Array> | undefined;
  /** Its end aborts the request and closes its socket, at any moment until the body has ended. */
  attempt: Attempt;
  /** To be called when the request goes out on a socket. `reused`: one that was open before. */
  onConnect(reused: boolean): void;
}

export interface WireResponse {
  status: number;
  header(name: string): string | undefined;
  body: WireBody;
}

/**
 * A body to pull from. Not an async iterable: one promise a socket read is enough,
 * and all bytes that have arrived come at once.
 */
export interface WireBody {
  /** All bytes that have arrived; `undefined` when none have yet, `null` at the end. Throws what broke the body. */
  read(): Uint8Array | null | undefined;
  /** Called when `read()` has news. */
  wake: (() => void) | undefined;
  /** From now on, what `read()` returned may be gone when it is called again: copy it, or write it before. Spares memory. */
  lend?(): void;
  /** Closes the socket. Does nothing once the body has ended. */
  cancel(): void;
}

/** The request for a link: nothing of the client's own is in it. */
export interface DownloadRequest extends Pick<WireRequest, "url" | "headers" | "onConnect"> {
  /** Aborts the request and closes its socket, at any moment until the body has ended. */
  signal: AbortSignal;
  /** Throws for an address that must not be asked. Called with each address that the name stands for, before one of them is connected. */
  checkAddress(address: string): void;
}

/** Sends a request and returns when the headers of the answer are there. */
export interface Wire {
  /** Whether a piece of a streamed body has left when the next one is asked for, so that its memory may be used for that. */
  readonly sendsInTurn?: boolean;
  /** What it sends of its own that nobody may see: the password of a proxy. */
  readonly secrets?: readonly string[];
  send(request: WireRequest): Promise<WireResponse>;
  /** Asks a link that came from outside, on a connection of its own. Follows no redirect. */
  download(request: DownloadRequest): Promise<WireResponse>;
  close(): Promise<void>;
}
