import { serialize } from "node:v8";
import { inspect } from "node:util";

/** Secrets that must turn up nowhere, each long and odd enough to be found wherever it is. */
export const secrets = {
  key: "sk-CanaryKeyQ7x9Zr4TmVb2LpWc8",
  clientHeader: "CanaryOfTheClientH3mXw7Rt5",
  callHeader: "CanaryOfTheCallJ8kYq2Dv6",
} as const;
/** What the user asks, and what the model says: nobody's business but the caller's. */
export const prompt = "The canary patient is called Ulrike Vogelsang.";
export const answer = "Canary answer: Ulrike Vogelsang has the flu.";

const base64Of = (text: string): string => Buffer.from(text).toString("base64");

/** The ways in which something on the way may spell what it was sent. */
export const spellings: Record<string, (secret: string) => string> = {
  "as it is": (secret) => secret,
  "in lower case": (secret) => secret.toLowerCase(),
  "in JSON's escapes": (secret) => [...secret].map((one) => `\\u${hex(one, 4)}`).join(""),
  "with one escape": (secret) => `\\u${hex(secret, 4)}${secret.slice(1)}`,
  "percent-encoded": (secret) => [...secret].map((one) => `%${hex(one, 2)}`).join(""),
  "with one character percent-encoded": (secret) => `${secret.slice(0, 2)}%${hex(secret[2]!, 2)}${secret.slice(3)}`,
  "in HTML's entities": (secret) => [...secret].map((one) => `&#x${hex(one, 2)};`).join(""),
  "in base64": base64Of,
  "in base64, behind a name": (secret) => base64Of(`me:${secret}`),
  "in base64, between others": (secret) => base64Of(`user:${secret}:rest`).replaceAll("=", ""),
};

function hex(character: string, digits: number): string {
  return character.charCodeAt(0).toString(16).padStart(digits, "0");
}

/** Every canary that can be read out of a text, however it is spelt. */
export function canariesIn(text: string, canaries: Readonly<Record<string, string>> = secrets): string[] {
  const readings = [text, text.replaceAll("\u0000", ""), decoded(text)].map((one) => one.toLowerCase());
  return Object.entries(canaries)
    .filter(([, canary]) => {
      if (readings.some((reading) => reading.includes(canary.toLowerCase()))) return true;
      return ["", "x", "xx"].some((before) => text.includes(coreOfBase64(before, canary)));
    })
    .map(([name]) => name);
}

function decoded(text: string): string {
  const code = (_: string, digits: string): string => String.fromCharCode(Number.parseInt(digits, 16));
  return text
    .replaceAll(/\\+u([\da-f]{4})/gi, code)
    .replaceAll(/%([\da-f]{2})/gi, code)
    .replaceAll(/&#x([\da-f]{2});/gi, code);
}

/** The characters of the base64 that do not depend on what stands before and after. */
function coreOfBase64(before: string, canary: string): string {
  const whole = base64Of(before + canary);
  const from = Math.ceil((before.length * 8) / 6);
  return whole.slice(from, Math.floor(((before.length + canary.length) * 8) / 6));
}

/**
 * All that a logger could find in a value: printed in full, as JSON, copied between threads, and by walking whatever can be
 * reached from it.
 *
 * @param hidden - Names of properties that are meant for the program and not looked into.
 */
export function everythingIn(value: unknown, hidden: readonly string[] = []): string {
  const found: string[] = [attempt(() => JSON.stringify(value)), attempt(() => String(value)), walk(value, hidden)];
  if (hidden.length === 0)
    found.push(attempt(() => inspect(value, { showHidden: true, depth: 12, maxArrayLength: 200 })));
  found.push(attempt(() => inspect(value, { depth: 12 })));
  found.push(attempt(() => serialize(structuredClone(value)).toString("latin1")));
  return found.join("\n");
}

function attempt(print: () => string | undefined): string {
  try {
    return print() ?? "";
  } catch (error) {
    // What cannot be cloned or written cannot be logged that way, but the complaint can.
    return String(error);
  }
}

const mostObjects = 50_000;

/** Own properties of every kind, getters of prototypes, entries of collections. */
function walk(root: unknown, hidden: readonly string[]): string {
  const texts: string[] = [];
  const seen = new Set<unknown>([globalThis, process, Object.prototype, Function.prototype]);
  const queue: unknown[] = [root];
  for (const value of queue) {
    if (typeof value === "string") texts.push(value);
    if ((typeof value !== "object" && typeof value !== "function") || value === null || seen.has(value)) continue;
    seen.add(value);
    if (seen.size > mostObjects)
      throw new Error("More than can be walked: what is reached is too much of the program.");
    if (ArrayBuffer.isView(value)) {
      texts.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("latin1"));
      continue;
    }
    if (value instanceof Map || value instanceof Set) queue.push(...value.values(), ...value.keys());
    for (const holder of chainOf(value)) {
      for (const key of Reflect.ownKeys(holder)) {
        if (key === "constructor" || (typeof key === "string" && hidden.includes(key))) continue;
        texts.push(String(key));
        try {
          queue.push(Reflect.get(holder, key, value));
        } catch {
          // A getter that wants another receiver.
        }
      }
    }
  }
  return texts.join("\n");
}

/** The object and its prototypes, but for those of the language. */
function* chainOf(value: object): Generator<object> {
  for (let holder: object | null = value; holder !== null; holder = Object.getPrototypeOf(holder) as object | null) {
    if (holder === Object.prototype || holder === Function.prototype || holder === Array.prototype) return;
    yield holder;
  }
}
