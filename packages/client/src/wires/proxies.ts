import { codeOf, ProxyFailure, rootCause } from "../connection-error.js";
import { InvalidInputError } from "../errors.js";

/** The proxy of the environment that carries requests to this address. Loopback is never proxied. */
export function proxyFor(baseURL: URL): URL | undefined {
  if (isLoopback(baseURL.hostname)) return undefined;
  const all = readProxy("ALL_PROXY");
  const http = readProxy("HTTP_PROXY") ?? all;
  // Without a proxy for https, the one for http serves both.
  const proxy = (baseURL.protocol === "https:" ? (readProxy("HTTPS_PROXY") ?? all) : undefined) ?? http;
  const exempt = process.env["no_proxy"] ?? process.env["NO_PROXY"] ?? "";
  return exempt.split(/[,\s]+/).some((entry) => covers(entry.toLowerCase(), baseURL)) ? undefined : proxy;
}

/** The password of that proxy, as it is written and as it is sent. */
export function proxySecrets(baseURL: URL): string[] {
  try {
    const { password = "" } = proxyFor(baseURL) ?? {};
    return [password, decodeURIComponent(password)];
  } catch {
    // No proxy can be read there: the first request says so.
    return [];
  }
}

function isLoopback(hostname: string): boolean {
  return (
    hostname === "localhost" ||
    hostname.endsWith(".localhost") ||
    hostname === "[::1]" ||
    /^127\.\d+\.\d+\.\d+$/.test(hostname)
  );
}

/** An entry of NO_PROXY: `*`, a host and all below it, `*.host` or `.host`, each with a port or without; an address. */
function covers(entry: string, { hostname, port, protocol }: URL): boolean {
  if (entry === "") return false;
  const colon = entry.lastIndexOf(":");
  // The other colons of an address stand in brackets, where a port follows.
  const hasPort = colon > 0 && (entry.indexOf(":") === colon || entry.charAt(colon - 1) === "]");
  if (hasPort && entry.slice(colon + 1) !== (port || defaultPort(protocol))) return false;
  const name = hasPort ? entry.slice(0, colon) : entry;
  const host = hostname.replace(/^\[|\]$|\.$/g, "");
  const plain = name.replace(/^\[|\]$|\.$/g, "");
  if (plain === "*") return true;
  const below = plain.replace(/^\*?\./, "");
  return host.endsWith(`.${below}`) || (!plain.startsWith("*") && host === below);
}

/** Not what somebody left on `Object.prototype`. */
function ownVariable(name: string): string | undefined {
  return Object.hasOwn(process.env, name) ? process.env[name] : undefined;
}

/** Lower case first, as curl has it. */
function readProxy(name: string): URL | undefined {
  const value = (ownVariable(name.toLowerCase()) || ownVariable(name))?.trim();
  if (!value) return undefined;
  try {
    // "socks5h" asks for names to be resolved by the proxy, which undici does anyway.
    const url = new URL((value.includes("://") ? value : `http://${value}`).replace(/^socks5h:/i, "socks5:"));
    if (["http:", "https:", "socks5:", "socks:"].includes(url.protocol)) return url;
  } catch {
    // The sentence below; the value stays out of it, it may hold a password.
  }
  throw new InvalidInputError(`${name} is not the URL of an http, https or socks5 proxy.`);
}

/** Headers that a proxy adds to an answer of its own, where it carries plain http and answers as the service would. */
const proxyHeaders = ["proxy-authenticate", "x-squid-error"];

interface Answer {
  statusCode: number;
  headers: Record<string, string | string[] | undefined>;
}

/** Whether a proxy answered, and not the service behind it: as far as that can be told. */
export function isFromProxy({ statusCode, headers }: Answer): boolean {
  if (statusCode === 407) return true;
  return statusCode >= 400 && proxyHeaders.some((name) => headers[name] !== undefined);
}

export function refusedByProxy(proxy: URL, status: number, cause: unknown): ProxyFailure {
  const hint =
    status === 407
      ? "It asks for a user name and password: put them into the proxy's URL."
      : "Check the proxy variables of the environment.";
  const retryable = status >= 500 && status !== 501;
  return new ProxyFailure(
    `The proxy ${proxy.host} refused the request with status ${status}. ${hint}`,
    retryable,
    cause,
  );
}

/** A proxy that is down or refuses must not be blamed on the service. */
export function blameProxy(error: unknown, proxy: URL | undefined): unknown {
  if (proxy === undefined || error instanceof ProxyFailure) return error;
  const root = rootCause(error);
  const message = root instanceof Error ? root.message : "";
  const status = /Proxy response \((\d{3})\)|\((407)\)/.exec(message);
  if (status !== null) return refusedByProxy(proxy, Number(status[1] ?? status[2]), error);
  const { hostname, port } = (root ?? {}) as { hostname?: unknown; port?: unknown };
  const code = codeOf(root);
  const sameHost =
    hostname === proxy.hostname.replace(/^\[|\]$/g, "") || String(port) === (proxy.port || defaultPort(proxy.protocol));
  if (
    code.startsWith("UND_ERR_PRX") ||
    code.includes("SOCKS") ||
    (sameHost && /^(ECONNREFUSED|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN)$/.test(code))
  ) {
    return new ProxyFailure(
      `The proxy ${proxy.host} cannot be used (${code}). Check HTTPS_PROXY, HTTP_PROXY and ALL_PROXY, or name the host in NO_PROXY.`,
      code !== "UND_ERR_PRX_TLS",
      error,
    );
  }
  // From the proxy, not the service: hardly anyone gives the port of plain http as https, but many a proxy is reached that way.
  if (
    proxy.protocol === "https:" &&
    (code === "ERR_SSL_WRONG_VERSION_NUMBER" || /wrong version number/i.test(message))
  ) {
    return new ProxyFailure(
      `The proxy ${proxy.host} does not speak TLS (${code}). Most are given as http://, in HTTPS_PROXY as well.`,
      false,
      error,
    );
  }
  return error;
}

function defaultPort(protocol: string): string {
  if (protocol.startsWith("socks")) return "1080";
  return protocol === "https:" ? "443" : "80";
}
