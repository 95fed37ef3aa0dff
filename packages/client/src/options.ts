import type { Dispatcher } from "undici";
import { InvalidInputError, SiliconFlowError } from "./errors.js";
import type { RateLimiter } from "./rate-limiter.js";

/** Time limits of one call, in milliseconds, one for each phase. `Infinity` turns a limit off. */
export interface Timeouts {
  /** Until the socket is connected (with TLS and through a proxy, where there is one). @defaultValue 10,000 */
  connectMs?: number;
  /**
   * From there to the first event of a stream, or the first byte of another body.
   * A given number replaces both defaults. @defaultValue 120,000 for streams, 600,000 otherwise
   */
  firstByteMs?: number;
  /** Silence between two reads of a body. Comments of a stream re-arm it ten times at most. @defaultValue 120,000 */
  idleMs?: number;
  /** The whole call, retries and their waits included. @defaultValue none */
  totalMs?: number;
}

/** What both clients take, whatever carries their requests. */
export interface SharedClientOptions {
  /** Key of the account. @defaultValue `SILICONFLOW_API_KEY` */
  apiKey?: string | undefined;
  /**
   * Root of the API. Without a path, `/v1` is added.
   * @defaultValue `SILICONFLOW_BASE_URL`, else the address of `region`
   */
  baseURL?: string | undefined;
  /** `"cn"` is api.siliconflow.cn, `"global"` api.siliconflow.com. Keys belong to one of them. @defaultValue `SILICONFLOW_REGION`, else `"cn"` */
  region?: "cn" | "global" | undefined;
  /**
   * Further attempts after the first, for failures that are worth one, and probes to wait for while the service is down.
   * Whole number, 0 to 20. @defaultValue 3
   */
  maxRetries?: number | undefined;
  /** Time limits of each call; the defaults stand at each of them. */
  timeouts?: Timeouts | undefined;
  /** Sent with each request. `Authorization` and the headers of HTTP framing cannot be set. @defaultValue none */
  headers?: Record<string, string> | undefined;
  /** Bytes of one answer, after decompression, above which it is dropped. @defaultValue 64 MiB */
  maxResponseBytes?: number | undefined;
  /**
   * Asked before each request for a model is sent, and told what it used: a {@link MemoryRateLimiter}, a
   * {@link SharedRateLimiter}, or your own. @defaultValue none
   */
  limiter?: RateLimiter | undefined;
  /**
   * Told before each wait for another attempt: which attempt failed (from 1), with what, and how long the wait is.
   * What it throws is ignored.
   */
  onRetry?: ((event: { attempt: number; delayMs: number; error: SiliconFlowError }) => void) | undefined;
  /**
   * Told when a request waits for the limiter, because another one met a limit of the same model (`reason` "rate limit of …"),
   * or because model or host are down (`"outage of …"`), and for about how long. What it throws is ignored.
   */
  onWait?: ((event: { reason: string; delayMs: number }) => void) | undefined;
}

/** Options of the client that sends with undici. Nothing is required: the key may come from the environment. */
export interface ClientOptions extends SharedClientOptions {
  /**
   * An undici dispatcher (`Agent`, `ProxyAgent`, `MockAgent`, …) to send with instead of the client's own.
   * It stays yours: `close()` leaves it open. @defaultValue an own keep-alive `Agent`, or the proxies of the environment
   */
  dispatcher?: Dispatcher | undefined;
}

/** What each call takes beside its request. */
export interface RequestOptions {
  /** Stops the call at any moment: it rejects with the signal's own reason. */
  signal?: AbortSignal | undefined;
  /** Added to the client's, and stronger. */
  headers?: Record<string, string> | undefined;
  /** Each limit given replaces the client's. */
  timeouts?: Timeouts | undefined;
  /** In place of the client's `maxRetries`. Whole number, 0 to 20. */
  maxRetries?: number | undefined;
  /** Sent as `X-Trace-Id`; the service uses it as the id of this request. */
  traceId?: string | undefined;
}

/** Who is told of a wait before it begins. */
export type OnWait = NonNullable<SharedClientOptions["onWait"]>;

export type ResolvedTimeouts = Required<Omit<Timeouts, "firstByteMs">> & { firstByteMs: number | undefined };

/** The options of a client, read and checked once. */
export interface ResolvedOptions {
  apiKey: string;
  baseURL: string;
  region: "cn" | "global" | undefined;
  maxRetries: number;
  timeouts: ResolvedTimeouts;
  headers: Record<string, string>;
  maxResponseBytes: number;
  limiter: RateLimiter | undefined;
  onRetry: SharedClientOptions["onRetry"];
  onWait: SharedClientOptions["onWait"];
}

const addresses = { cn: "https://api.siliconflow.cn/v1", global: "https://api.siliconflow.com/v1" } as const;

const defaultTimeouts: ResolvedTimeouts = {
  connectMs: 10_000,
  firstByteMs: undefined,
  idleMs: 120_000,
  totalMs: Infinity,
};

/**
 * The options that were given, and nothing of what another library may have left on `Object.prototype`: a `baseURL` from there
 * would be sent the key.
 */
export function ownOptions<T extends object>(options: T): T {
  if (typeof options !== "object" || options === null)
    throw new InvalidInputError("The client takes an object of options.");
  return Object.assign(Object.create(null) as T, options);
}

/** @param options - as {@link ownOptions} has them */
export function resolveOptions(options: SharedClientOptions): ResolvedOptions {
  const baseURL = resolveBaseURL(options);
  return {
    apiKey: resolveKey(options.apiKey),
    baseURL,
    region: baseURL === addresses.cn ? "cn" : baseURL === addresses.global ? "global" : undefined,
    maxRetries: checkMaxRetries(options.maxRetries) ?? 3,
    timeouts: mergeTimeouts(defaultTimeouts, options.timeouts),
    headers: checkHeaders(options.headers),
    maxResponseBytes: checkMaxResponseBytes(options.maxResponseBytes) ?? 64 * 1024 * 1024,
    limiter: options.limiter,
    onRetry: options.onRetry,
    onWait: options.onWait,
  };
}

/** `process` is missing on some runtimes of the fetch client. */
function environment(name: string): string | undefined {
  const { env } = globalThis.process ?? {};
  return (env && Object.hasOwn(env, name) && env[name]?.trim()) || undefined;
}

function resolveKey(given: string | undefined): string {
  if (given !== undefined && typeof given !== "string")
    throw new InvalidInputError("apiKey must be a string.", { reason: "auth" });
  // An explicit empty key is a mistake to report, not a reason to use another account's key from the environment.
  const key = given === undefined ? environment("SILICONFLOW_API_KEY") : given.trim();
  if (!key) {
    throw new SiliconFlowError(
      'No API key. Set SILICONFLOW_API_KEY or pass apiKey; keys are made at https://cloud.siliconflow.cn (region "cn") ' +
        'or https://cloud.siliconflow.com (region "global").',
      { reason: "auth" },
    );
  }
  // The key itself stays out of the message.
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw new InvalidInputError(
      'The API key holds a space or a character that cannot stand in a header. Give the key alone, without "Bearer".',
      { reason: "auth" },
    );
  }
  return key;
}

function resolveBaseURL(options: SharedClientOptions): string {
  if (options.baseURL !== undefined) return checkBaseURL(options.baseURL, "baseURL");
  // An explicit region beats an address from the environment.
  if (options.region !== undefined) return addressOf(options.region, "region");
  const fromEnvironment = environment("SILICONFLOW_BASE_URL");
  if (fromEnvironment !== undefined) return checkBaseURL(fromEnvironment, "SILICONFLOW_BASE_URL");
  return addressOf(environment("SILICONFLOW_REGION") ?? "cn", "SILICONFLOW_REGION");
}

function addressOf(region: string, name: string): string {
  if (region === "cn" || region === "global") return addresses[region];
  throw new InvalidInputError(`${name} must be "cn" or "global".`);
}

function checkBaseURL(value: string, name: string): string {
  let url: URL;
  try {
    url = new URL(value);
  } catch {
    throw new InvalidInputError(`${name} is not a URL. Give one such as "https://api.siliconflow.cn/v1".`);
  }
  if (url.protocol !== "https:" && url.protocol !== "http:")
    throw new InvalidInputError(`${name} must begin with https:// or http://.`);
  // Either would end up in error messages or in the middle of each request's address.
  if (url.username || url.password) throw new InvalidInputError(`${name} must not hold a user name or password.`);
  if (url.search || url.hash) throw new InvalidInputError(`${name} must end with its path: no "?" or "#".`);
  let end = url.pathname.length;
  while (url.pathname[end - 1] === "/") end -= 1;
  return url.origin + (end === 0 ? "/v1" : url.pathname.slice(0, end));
}

export function checkMaxRetries(value: number | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (!Number.isInteger(value) || value < 0 || value > 20)
    throw new InvalidInputError("maxRetries must be a whole number from 0 to 20.");
  return value;
}

export function checkSignal(signal: AbortSignal | null | undefined): void {
  if (signal != null && typeof signal.addEventListener !== "function")
    throw new InvalidInputError("signal must be an AbortSignal.");
}

function checkMaxResponseBytes(value: number | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (!(value > 0)) throw new InvalidInputError("maxResponseBytes must be a number above 0.");
  return value;
}

export function mergeTimeouts(base: ResolvedTimeouts, given: Timeouts | undefined): ResolvedTimeouts {
  if (given === undefined) return base;
  if (typeof given !== "object" || given === null)
    throw new InvalidInputError("timeouts must be an object, such as { totalMs: 60_000 }.");
  const merged = { ...base };
  for (const name of ["connectMs", "firstByteMs", "idleMs", "totalMs"] as const) {
    const value = given[name];
    if (value === undefined) continue;
    if (typeof value !== "number" || !(value > 0)) {
      throw new InvalidInputError(`timeouts.${name} must be a number of milliseconds above 0 (Infinity for no limit).`);
    }
    merged[name] = value;
  }
  return merged;
}

/** Ours to set: the key's header, and what frames the request. */
const reserved = new Set([
  "authorization",
  "connection",
  "content-encoding",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

export function checkHeaders(headers: Record<string, string> | undefined): Record<string, string> {
  // No prototype: a header may be called anything.
  const checked: Record<string, string> = Object.create(null) as Record<string, string>;
  // Of a Headers object, a Map or a list nothing would be sent.
  if (headers !== undefined && headers !== null && (typeof headers !== "object" || Symbol.iterator in headers))
    throw new InvalidInputError("headers must be a plain object of names and values.");
  for (const [name, value] of Object.entries(headers ?? {})) {
    const lower = name.toLowerCase();
    if (!/^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(lower))
      throw new InvalidInputError(`${JSON.stringify(name)} is not a header name.`);
    if (reserved.has(lower)) {
      const instead = lower === "authorization" ? " Pass the key as apiKey." : "";
      throw new InvalidInputError(`The header "${lower}" cannot be set.${instead}`);
    }
    // Values may be secrets too: only the name is shown.
    checked[lower] = checkHeaderValue(value, `The value of the header "${lower}"`);
  }
  return checked;
}

export function checkHeaderValue(value: string, what: string): string {
  if (typeof value !== "string" || !/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
    throw new InvalidInputError(`${what} must be a string of characters that can stand in a header.`);
  }
  return value;
}
