import dns from "node:dns";
import { syncBuiltinESMExports } from "node:module";
import { setImmediate } from "node:timers";

/** An address, or why there is none. */
export type NameAnswer = "ENOTFOUND" | "EAI_AGAIN" | `127.${string}`;

interface Name {
  answers: readonly NameAnswer[];
  lookups: number;
}

type Callback = (error: Error | null, address?: string | dns.LookupAddress[], family?: number) => void;

const names = new Map<string, Name>();
const before = dns.lookup;
let made = 0;

/** Makes a name that exists in this process alone. Look-up n gets answer n, every later one the last. */
export function makeName(answers: readonly NameAnswer[]): { host: string; lookups(): number } {
  made += 1;
  const host = `host-${made}.test`;
  const name = { answers, lookups: 0 };
  names.set(host, name);
  return { host, lookups: () => name.lookups };
}

function lookup(host: string, ...rest: unknown[]): void {
  const name = names.get(host);
  const callback = rest.at(-1) as Callback;
  if (name === undefined) return (before as (...given: unknown[]) => void)(host, ...rest);
  name.lookups += 1;
  const answer = name.answers[Math.min(name.lookups, name.answers.length) - 1]!;
  const all = typeof rest[0] === "object" && rest[0] !== null && (rest[0] as dns.LookupOptions).all === true;
  setImmediate(() => {
    if (answer.startsWith("127.")) {
      if (all) callback(null, [{ address: answer, family: 4 }]);
      else callback(null, answer, 4);
      return;
    }
    // As the system's own resolver words it.
    const details = {
      code: answer,
      errno: answer === "ENOTFOUND" ? -3008 : -3001,
      syscall: "getaddrinfo",
      hostname: host,
    };
    callback(Object.assign(new Error(`getaddrinfo ${answer} ${host}`), details));
  });
}

// Sockets of every client look names up here: no client has to be told of it.
dns.lookup = Object.assign(lookup as typeof dns.lookup, { __promisify__: before.__promisify__ });
// Of the promised form only what is asked for here: all addresses of a name.
const promised = dns.promises.lookup;
dns.promises.lookup = ((host: string, options: dns.LookupOptions) =>
  names.has(host)
    ? new Promise<string | dns.LookupAddress[]>((resolve, reject) =>
        lookup(host, { ...options, all: true }, ((error, found) =>
          error ? reject(error) : resolve(found!)) satisfies Callback),
      )
    : promised(host, options)) as typeof dns.promises.lookup;
syncBuiltinESMExports();
