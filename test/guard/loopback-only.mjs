/**
 * Refuses every connection and every name look-up that would leave this machine, in the process that loads it.
 * Loaded into each test file by vitest, and by NODE_OPTIONS into each process that a test starts.
 */
import dns from "node:dns";
import { syncBuiltinESMExports } from "node:module";
import net from "node:net";

export class NetworkRefused extends Error {
  name = "NetworkRefused";
  code = "ERR_NETWORK_REFUSED";

  /** @param {string} what */
  constructor(what) {
    super(`Tests stay on this machine: ${what} was refused.`);
  }
}

/** @param {string} host */
function isLoopback(host) {
  const bare = host.replace(/^\[|\]$/g, "").toLowerCase();
  return bare === "localhost" || bare === "::1" || bare === "::ffff:127.0.0.1" || /^127(\.\d{1,3}){3}$/.test(bare);
}

/**
 * Names below .test belong to nobody (RFC 6761). Whether one leads anywhere is up to its look-up, which is refused below
 * like any other unless the test itself answers it.
 *
 * @param {string} host
 */
function isForTests(host) {
  return host.endsWith(".test");
}

const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function guardedConnect(...args) {
  // net.connect() hands its arguments over as one normalised array, a direct caller does not.
  const [first, second] = Array.isArray(args[0]) ? args[0] : args;
  const options = typeof first === "object" && first !== null ? first : { port: first, host: second };
  const host = typeof options.host === "string" ? options.host : "localhost";
  const local = options.path !== undefined || (typeof first === "string" && Number.isNaN(Number(first)));
  if (!local && !isLoopback(host) && !isForTests(host)) {
    process.nextTick(() => this.destroy(new NetworkRefused(`a connection to ${host}:${options.port}`)));
    return this;
  }
  return connect.apply(this, args);
};

/** @param {Record<string, Function>} target @param {string} method @param {boolean} promised */
function guardNames(target, method, promised) {
  const original = target[method];
  if (typeof original !== "function") return;
  target[method] = function guardedLookup(/** @type {string} */ host, /** @type {unknown[]} */ ...rest) {
    if (typeof host !== "string" || host === "" || net.isIP(host) || isLoopback(host))
      return original.call(this, host, ...rest);
    const error = new NetworkRefused(`looking up ${host}`);
    if (promised) return Promise.reject(error);
    const callback = rest.at(-1);
    if (typeof callback === "function") process.nextTick(() => callback(error));
    return undefined;
  };
}

for (const method of ["lookup", "resolve", "resolve4", "resolve6", "resolveAny", "resolveTxt", "resolveSrv"]) {
  guardNames(dns, method, false);
  guardNames(dns.promises, method, true);
}
syncBuiltinESMExports();
