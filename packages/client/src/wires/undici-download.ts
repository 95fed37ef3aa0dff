import type { LookupAddress, LookupOptions } from "node:dns";
import type { LookupFunction, Socket } from "node:net";
import type { Dispatcher } from "undici";
import { codeOf } from "../connection-error.js";
import type { DownloadRequest, WireBody, WireResponse } from "../wire.js";
import { decompress } from "./decompress.js";
import { NodeBody, readHeader } from "./node-body.js";
import { blameProxy, isFromProxy, proxyFor, refusedByProxy } from "./proxies.js";

/** Finds all addresses of a name. */
export type Resolve = (name: string) => Promise<LookupAddress[]>;

const systemResolver: Resolve = async (name) => {
  const { lookup } = await import("node:dns/promises");
  return lookup(name, { all: true });
};

/**
 * Asks a link over a socket of its own, which is connected to an address that was checked: the name is looked up once, so it
 * cannot come to mean another address in between.
 *
 * Where a proxy or a given dispatcher connects, the name is theirs to look up. What it means here is checked all the same.
 */
export async function downloadWithUndici(
  request: DownloadRequest,
  given: Dispatcher | undefined,
  resolve: Resolve = systemResolver,
): Promise<WireResponse> {
  const undici = await import("undici");
  const url = new URL(request.url);
  const proxy = given === undefined ? proxyFor(url) : undefined;
  if (given !== undefined || proxy !== undefined) await checkName(url, request, resolve);
  // No limit of its own: the deadline of the download has one.
  const connector = undici.buildConnector({ allowH2: false, timeout: 0, lookup: checkedLookup(request, resolve) });
  let connecting: Socket | undefined;
  let broken: Error | undefined;
  const connect: typeof connector = (options, callback) => {
    // The types say void; the documented example of a custom connector uses the socket it returns.
    connecting = connector(options, (...result) => {
      connecting = undefined;
      if (result[0] === null) request.onConnect(false);
      // undici takes a reset for the end of a body that has no length.
      result[1]?.once("error", (error) => {
        if (codeOf(error) === "ECONNRESET") broken = error;
      });
      callback(...result);
    }) as unknown as Socket;
    return connecting;
  };
  const timeouts = { headersTimeout: 0, bodyTimeout: 0 };
  const own =
    given !== undefined
      ? undefined
      : proxy !== undefined
        ? new undici.EnvHttpProxyAgent({ ...timeouts, httpProxy: proxy.href, httpsProxy: proxy.href, noProxy: "" })
        : new undici.Agent({ ...timeouts, connect });
  const release = (): void => {
    // undici itself hears of an end only when the connection has come about.
    connecting?.destroy(new Error("Nobody waits for this connection."));
    own?.destroy().catch(() => {});
  };
  try {
    if (request.signal.aborted) throw request.signal.reason;
    // Of other connections it is not known when they come about: the first-byte limit takes over at once.
    if (given !== undefined || proxy !== undefined) request.onConnect(false);
    request.signal.addEventListener("abort", release, { once: true });
    const response = await (given ?? own)!.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: "GET",
      headers: request.headers,
      signal: request.signal,
      ...timeouts,
    });
    const { headers } = response;
    if (proxy !== undefined && isFromProxy(response)) {
      response.body.on("error", () => {}).destroy();
      throw refusedByProxy(proxy, response.statusCode, undefined);
    }
    const encoding = readHeader(headers["content-encoding"]);
    const body = encoding === undefined ? response.body : await decompress(response.body, encoding);
    return {
      status: response.statusCode,
      header: (name) => readHeader(headers[name]),
      body: releasing(
        new NodeBody(body, encoding === undefined && given === undefined && proxy === undefined, release),
        release,
        () => broken,
      ),
    };
  } catch (error) {
    release();
    throw blameProxy(error, proxy);
  }
}

/** What a socket asks for its addresses: those that were found, when all of them may be asked. */
function checkedLookup(request: DownloadRequest, resolve: Resolve): LookupFunction {
  const find = async (name: string, { family }: LookupOptions): Promise<[LookupAddress, ...LookupAddress[]]> => {
    const found = await resolve(name);
    for (const { address } of found) request.checkAddress(address);
    const [first, ...others] = family === 4 || family === 6 ? found.filter((one) => one.family === family) : found;
    if (first === undefined) throw Object.assign(new Error(`No address for ${name}.`), { code: "ENOTFOUND" });
    return [first, ...others];
  };
  const answer = async (...[name, options, callback]: Parameters<LookupFunction>): Promise<void> => {
    let found: [LookupAddress, ...LookupAddress[]];
    try {
      found = await find(name, options);
    } catch (error) {
      return callback(error as Error, []);
    }
    if (options.all) callback(null, found);
    else callback(null, found[0].address, found[0].family);
  };
  return (...asked) => void answer(...asked);
}

async function checkName(url: URL, request: DownloadRequest, resolve: Resolve): Promise<void> {
  // Behind a proxy it is usual that names outside are not known here.
  const found = await resolve(url.hostname.replace(/^\[|\]$/g, "")).catch(() => []);
  for (const { address } of found) request.checkAddress(address);
}

/** A body whose socket and agent go when it is left, and that is whole only when its socket did not break. */
function releasing(body: WireBody, release: () => void, broken: () => Error | undefined): WireBody {
  const read = body.read.bind(body);
  body.read = () => {
    const bytes = read();
    const error = bytes === null ? broken() : undefined;
    if (error !== undefined) throw error;
    return bytes;
  };
  const cancel = body.cancel.bind(body);
  body.cancel = () => {
    cancel();
    release();
  };
  return body;
}
