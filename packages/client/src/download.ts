import { connectionErrorFrom } from "./connection-error.js";
import type { Clock } from "./clock.js";
import type { Deadline } from "./deadline.js";
import {
  ApiError,
  ConnectionError,
  InvalidResponseError,
  isSiliconFlowError,
  ServiceUnavailableError,
  SiliconFlowError,
} from "./errors.js";
import { Mask } from "./mask.js";
import { addressIn, isLocalName, isPublicAddress } from "./public-address.js";
import { nextPiece, promisedBytes } from "./read-body.js";
import { parseRetryAfter, retryDelay } from "./retry.js";
import type { Wire, WireResponse } from "./wire.js";

const maxRedirects = 3;

/** What a download may do. */
export interface DownloadLimits {
  maxBytes: number;
  maxRetries: number;
  allowPrivateNetwork: boolean;
  /** Origin of the client's base URL: the caller chose it, so its links may be asked wherever it lies. */
  ownOrigin: string;
}

/** One download that is under way: where it may go, how much may come, and what its failures mean. */
export class Download {
  readonly deadline: Deadline;
  readonly #url: URL;
  readonly #limits: DownloadLimits;
  readonly #wire: Wire;
  readonly #clock: Clock;

  constructor(url: URL, limits: DownloadLimits, deadline: Deadline, wire: Wire, clock: Clock) {
    this.#url = url;
    this.#limits = limits;
    this.deadline = deadline;
    this.#wire = wire;
    this.#clock = clock;
  }

  /** Does the work until it succeeds, fails for good, or has been repeated often enough. */
  async attempts<T>(work: () => Promise<T>): Promise<T> {
    const { deadline } = this;
    for (let retries = 0; ; retries += 1) {
      try {
        return await work();
      } catch (error) {
        const stopped = deadline.stopped;
        deadline.abandon();
        if (stopped || !isSiliconFlowError(error)) throw error;
        error.attempts = retries + 1;
        const delayMs = retryDelay(error, retries, this.#limits.maxRetries, this.#clock);
        if (delayMs === undefined) throw error;
        await deadline.sleep(delayMs);
      }
    }
  }

  /** The answer of the link's last stop, checked at each one. */
  async connect(): Promise<WireResponse> {
    const { deadline } = this;
    let url = this.#url;
    // Trusted as long as every stop is there: a stranger's redirect must not lead back in.
    let trusted = true;
    for (let redirects = 0; ; redirects += 1) {
      trusted &&= url.origin === this.#limits.ownOrigin;
      const checkAddress = trusted || this.#limits.allowPrivateNetwork ? () => {} : refusePrivate(url);
      checkUrl(url, checkAddress, trusted || this.#limits.allowPrivateNetwork);
      const response = await this.#explained(url, async () => {
        const { signal } = deadline.begin();
        const request = { url: url.href, headers, signal, onConnect: () => deadline.connected(), checkAddress };
        return deadline.race(this.#wire.download(request));
      });
      if (response.status === 200) return this.#checkLength(response);
      response.body.cancel();
      const target = redirectOf(response, url);
      if (target === undefined) throw refusal(response, url, this.#clock);
      if (redirects === maxRedirects) {
        throw blocked(`${hostOf(this.#url)} redirects more than ${maxRedirects} times.`);
      }
      if (url.protocol === "https:" && target.protocol === "http:")
        throw blocked(`${hostOf(url)} redirects from https to http.`);
      url = target;
    }
  }

  /** The pieces of a body as they come, no more than allowed and no fewer than promised. `null` at the end. */
  reader(response: WireResponse): () => Promise<Uint8Array | null> {
    const { deadline } = this;
    const { body } = response;
    const promised = promisedBytes(response);
    let length = 0;
    return () =>
      this.#explained(this.#url, async () => {
        const piece = await nextPiece(body, deadline);
        if (piece === null) {
          if (promised !== undefined && length !== promised) throw truncated(length, promised);
          return null;
        }
        length += piece.length;
        if (length > this.#limits.maxBytes) {
          body.cancel();
          throw this.#tooLarge();
        }
        return piece;
      });
  }

  #checkLength(response: WireResponse): WireResponse {
    if ((promisedBytes(response) ?? 0) <= this.#limits.maxBytes) return response;
    response.body.cancel();
    throw this.#tooLarge();
  }

  #tooLarge(): SiliconFlowError {
    return new InvalidResponseError(`The file is longer than ${this.#limits.maxBytes} bytes (maxBytes).`, {
      reason: "tooLarge",
    });
  }

  async #explained<T>(url: URL, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (thrown) {
      const error = this.deadline.explain(thrown);
      if (this.deadline.stopped || isSiliconFlowError(error)) throw error;
      throw refusedAddress(thrown) ?? connectionErrorFrom(thrown, { host: hostOf(url), mask: new Mask([]) });
    }
  }
}

/** Nothing of the client's: the one who is asked may be anybody. */
const headers = { "user-agent": "langchain-siliconflow", accept: "*/*", "accept-encoding": "identity" };

/**
 * A link that may be asked, as far as its text tells.
 *
 * @throws {@link SiliconFlowError} with reason `"blockedAddress"`
 */
function checkUrl(url: URL, checkAddress: (address: string) => void, localToo: boolean): void {
  if (url.protocol !== "https:" && url.protocol !== "http:") throw blocked(`Only http and https are downloaded.`);
  if (url.username || url.password) throw blocked("A link with a user name or password is not downloaded.");
  const address = addressIn(url);
  if (address !== undefined) checkAddress(address);
  else if (!localToo && isLocalName(url.hostname)) throw privateAddress(url);
}

function refusePrivate(url: URL): (address: string) => void {
  return (address) => {
    if (!isPublicAddress(address)) throw privateAddress(url);
  };
}

function privateAddress(url: URL): SiliconFlowError {
  return blocked(
    `${hostOf(url)} is not on the public internet, so it is not downloaded from. allowPrivateNetwork permits it.`,
  );
}

/** Through a socket our refusal may come wrapped. */
function refusedAddress(thrown: unknown): SiliconFlowError | undefined {
  for (let error = thrown; error instanceof Error; error = error.cause) if (isSiliconFlowError(error)) return error;
  return undefined;
}

function redirectOf(response: WireResponse, url: URL): URL | undefined {
  // 0: what fetch makes of a redirect in a browser.
  if (response.status === 0) throw blocked(`${hostOf(url)} redirects, and this runtime does not tell where to.`);
  if (![301, 302, 303, 307, 308].includes(response.status)) return undefined;
  const location = response.header("location");
  return location !== undefined && URL.canParse(location, url.href) ? new URL(location, url) : undefined;
}

function refusal(response: WireResponse, url: URL, clock: Clock): SiliconFlowError {
  const { status } = response;
  const host = hostOf(url);
  if (status === 403 || status === 404 || status === 410) {
    return new ApiError(
      `${host} has no such file any more (status ${status}): links of the service live for an hour. Make it anew, and fetch it at once.`,
      { status, reason: "assetExpired" },
    );
  }
  const retryAfterMs = parseRetryAfter(response.header("retry-after"), response.header("date"), clock.date());
  const message = `${host} answered with status ${status} instead of a file.`;
  if (status >= 500)
    return new ServiceUnavailableError(message, { status, retryAfterMs, reason: "server", retryable: true });
  if (status === 429) return new ApiError(message, { status, retryAfterMs, reason: "rateLimit", retryable: true });
  return new ApiError(message, { status, reason: "badRequest" });
}

function truncated(length: number, promised: number): SiliconFlowError {
  return new ConnectionError(`The file ended after ${length} of ${promised} bytes.`, {
    reason: "truncated",
    retryable: true,
  });
}

function blocked(message: string): SiliconFlowError {
  return new SiliconFlowError(message, { reason: "blockedAddress" });
}

/** The path and the query may be a key to the file. A name that goes on and on comes from a stranger. */
function hostOf(url: URL): string {
  return url.host.slice(0, 100);
}
