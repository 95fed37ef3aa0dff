import type { Json, Payload } from "./healthy.ts";
import type { Random } from "./random.ts";

/** Ways to spoil an answer: its values, its text, and its bytes. Each takes one and returns another. */

const errors: readonly string[] = [
  '{"code":60000,"message":"Model service overloaded","data":null}',
  '{"error":{"message":"upstream failed","type":"server_error"}}',
  '{"error":"upstream failed"}',
  '{"code":20000,"message":"Ok"}',
  '"Forbidden"',
  "upstream connect error or disconnect/reset before headers",
  "<html><title>502</title></html>",
  "null",
  "[]",
  "5",
];

const values: readonly unknown[] = [
  null,
  "",
  "x",
  0,
  1,
  -1,
  2,
  32,
  1.5,
  2 ** 32,
  Number.MAX_SAFE_INTEGER + 1,
  true,
  false,
  [],
  {},
  ["x"],
  [null],
  [{}],
  [{ text: "part" }],
  { text: "x" },
  "stop",
];

type OfPayloads = (random: Random, payloads: Payload[]) => void;

const payloadMutators: readonly OfPayloads[] = [
  function drop(random, payloads) {
    payloads.splice(random.below(payloads.length), 1);
  },
  function twice(random, payloads) {
    const position = random.below(payloads.length);
    payloads.splice(position, 0, payloads[position]!);
  },
  function elsewhere(random, payloads) {
    const [moved] = payloads.splice(random.below(payloads.length), 1);
    if (moved !== undefined) payloads.splice(random.below(payloads.length + 1), 0, moved);
  },
  function early(random, payloads) {
    payloads.splice(random.below(payloads.length + 1), 0, "[DONE]");
  },
  function refused(random, payloads) {
    payloads.splice(random.below(payloads.length + 1), 0, random.pick(errors));
  },
  function cut(random, payloads) {
    payloads.length = random.below(payloads.length + 1);
  },
  changeValue,
  changeValue,
  changeValue,
  changeValue,
];

/** Puts something else in a place of a random event: another type, another number, another part of the answer, a nest. */
function changeValue(random: Random, payloads: Payload[]): void {
  const position = random.below(payloads.length);
  const original = payloads[position];
  if (typeof original !== "object") return;
  const changed = structuredClone(original);
  payloads[position] = changed;
  const { holder, key } = somePlace(random, changed);
  switch (random.below(8)) {
    case 0:
      delete holder[key];
      return;
    case 1: {
      // Its token and another one's change places.
      const other = somePlace(random, changed);
      const kept = holder[key];
      holder[key] = other.holder[other.key];
      if (!holds(kept, other.holder) && !holds(holder[key], holder)) other.holder[other.key] = kept;
      else holder[key] = kept;
      return;
    }
    case 2:
      holder[key] = random.chance(0.5) ? { nest: holder[key] } : [holder[key]];
      return;
    case 3:
      holder[`${key}_`] = holder[key];
      delete holder[key];
      return;
    case 4:
      if (Array.isArray(holder)) (holder as unknown[]).push(structuredClone(holder[key]));
      else
        holder[random.pick(["error", "code", "message", "choices", "usage", "index", "__proto__x"])] =
          random.pick(values);
      return;
    default:
      holder[key] = structuredClone(random.pick(values));
  }
}

function somePlace(random: Random, root: Json): { holder: Json; key: string } {
  const places: { holder: Json; key: string }[] = [];
  const walk = (holder: Json): void => {
    for (const key of Object.keys(holder)) {
      places.push({ holder, key });
      const value = holder[key];
      if (typeof value === "object" && value !== null) walk(value as Json);
    }
  };
  walk(root);
  // An object that was emptied before has no place left.
  return places.length === 0 ? { holder: root, key: "id" } : random.pick(places);
}

function holds(value: unknown, searched: unknown): boolean {
  if (value === searched) return true;
  return typeof value === "object" && value !== null && Object.values(value).some((inner) => holds(inner, searched));
}

export function mutatePayloads(random: Random, payloads: Payload[]): void {
  if (payloads.length > 0) random.pick(payloadMutators)(random, payloads);
}

/** For an answer in one piece: one event, of which only the inside can be changed. */
export function mutateValue(random: Random, answer: Json): Json {
  const only: Payload[] = [answer];
  changeValue(random, only);
  return only[0] as Json;
}

const lines: readonly string[] = [
  ...errors,
  "data: [DONE]",
  "data",
  "data:",
  "event: ping",
  "event: error",
  "event: message",
  "event",
  "id: 7",
  "retry: 10",
  ": keep-alive",
  "x-unknown: 1",
  "x-unknown: {",
  " data: x",
  "",
  "\uFEFF",
];

const nest = (depth: number): string => `${"[".repeat(depth)}${"]".repeat(depth)}`;
const unlikely: readonly ((random: Random) => string)[] = [
  () => "1e999",
  () => "-1e999",
  () => "9".repeat(400),
  (random) => nest(1 + random.below(20_000)),
  (random) => `{"a":`.repeat(1 + random.below(300)),
  () => '"__proto__"',
  () => '{"__proto__":{"polluted":true}}',
  () => '"\\ud800"',
  () => "NaN",
  () => "'x'",
  () => "undefined",
];

/** What is between two quotes, brackets or commas. */
const token = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false|null|[{}[\],:]/g;

const textMutators: readonly ((random: Random, text: string) => string)[] = [
  function foreignLine(random, text) {
    return atLine(random, text, (line) => `${random.pick(lines)}\n${line}`);
  },
  function foreignEvent(random, text) {
    return atLine(random, text, (line) => `${line}\n\n${random.pick(lines)}\n\n`);
  },
  function joinLines(random, text) {
    return atLine(random, text, (line) => line, "");
  },
  function breakLine(random, text) {
    return insert(random, text, random.pick(["\n", "\r", "\r\n", "\n\n", "\ndata: "]));
  },
  function otherEnds(random, text) {
    return text.replaceAll("\n", random.pick(["\r", "\r\n"]));
  },
  function mixedEnds(random, text) {
    return text.replace(/\n/g, () => random.pick(["\r", "\r\n", "\n", "\n"]));
  },
  function noBlank(random, text) {
    return atLine(random, text, () => "");
  },
  function strangeToken(random, text) {
    return atToken(random, text, () => random.pick(unlikely)(random));
  },
  function noToken(random, text) {
    return atToken(random, text, () => "");
  },
  function tokenTwice(random, text) {
    return atToken(random, text, (found) => found + found);
  },
  function tokenSwapped(random, text) {
    const found = text.match(token);
    return found === null ? text : atToken(random, text, () => random.pick(found));
  },
  function mark(_random, text) {
    return `\uFEFF${text}`;
  },
];

function atLine(random: Random, text: string, change: (line: string) => string, end = "\n"): string {
  const all = text.split("\n");
  const position = random.below(all.length);
  const before = all.slice(0, position).join("\n");
  const after = all.slice(position + 1).join("\n");
  return `${before}${position > 0 ? end : ""}${change(all[position]!)}${position < all.length - 1 ? "\n" : ""}${after}`;
}

function atToken(random: Random, text: string, change: (found: string) => string): string {
  const found = [...text.matchAll(token)];
  if (found.length === 0) return text;
  const { index, 0: old } = random.pick(found);
  return text.slice(0, index) + change(old) + text.slice(index + old.length);
}

function insert(random: Random, text: string, piece: string): string {
  const position = random.below(text.length + 1);
  return text.slice(0, position) + piece + text.slice(position);
}

export function mutateText(random: Random, text: string): string {
  return random.pick(textMutators)(random, text);
}

const byteMutators: readonly ((random: Random, bytes: Uint8Array) => Uint8Array)[] = [
  function cut(random, bytes) {
    return bytes.subarray(0, random.below(bytes.length + 1));
  },
  function flip(random, bytes) {
    const changed = bytes.slice();
    for (let count = 1 + random.below(3); count > 0 && changed.length > 0; count -= 1)
      changed[random.below(changed.length)]! ^= 1 << random.below(8);
    return changed;
  },
  function foreign(random, bytes) {
    const piece = random.pick([
      [0],
      [0, 0, 0],
      [0xff],
      [0xc3],
      [0xe6, 0xb7],
      [0xf0, 0x9f],
      [10],
      [13],
      [0xef, 0xbb, 0xbf],
    ]);
    return splice(bytes, random.below(bytes.length + 1), 0, Uint8Array.from(piece));
  },
  function remove(random, bytes) {
    return splice(bytes, random.below(bytes.length + 1), 1 + random.below(random.chance(0.5) ? 4 : 200));
  },
  function again(random, bytes) {
    const from = random.below(bytes.length + 1);
    const piece = bytes.subarray(from, from + 1 + random.below(random.chance(0.5) ? 4 : 300));
    return splice(bytes, random.chance(0.7) ? from : random.below(bytes.length + 1), 0, piece);
  },
];

function splice(bytes: Uint8Array, from: number, removed: number, piece: Uint8Array = new Uint8Array()): Uint8Array {
  return Buffer.concat([bytes.subarray(0, from), piece, bytes.subarray(Math.min(from + removed, bytes.length))]);
}

export function mutateBytes(random: Random, bytes: Uint8Array): Uint8Array {
  return random.pick(byteMutators)(random, bytes);
}
