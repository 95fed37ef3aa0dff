import {
  chatAnswer,
  chatStream,
  completionAnswer,
  completionStream,
  messageAnswer,
  messageStream,
  type Payload,
} from "./healthy.ts";
import { mutateBytes, mutatePayloads, mutateText, mutateValue } from "./mutate.ts";
import type { Asked } from "./oracle.ts";
import { mix, Random } from "./random.ts";

/** One answer, spoiled or not, as it goes over the wire. */
export interface Case {
  asked: Asked;
  kind: "stream" | "answer";
  bytes: Uint8Array;
  /** Where the bytes are cut into reads: lengths, used in turn. */
  reads: number[];
}

/** The case of this number: always the same one for a seed. */
export function makeCase(seed: number, number: number, kind: Case["kind"]): Case {
  const random = new Random(mix(kind === "stream" ? seed : ~seed, number));
  const endpoint = random.pick(["chat", "chat", "chat", "messages", "completions"] as const);
  const choices = endpoint === "messages" || random.chance(0.8) ? 1 : 2 + random.below(2);
  const asked = { endpoint, choices };
  const healthy = random.chance(0.15);
  const times = (): number => (healthy ? 0 : random.pick([0, 0, 1, 1, 2]));

  let text = kind === "stream" ? streamText(random, asked, times()) : answerText(random, asked, times());
  for (let count = times(); count > 0; count -= 1) text = mutateText(random, text);
  let bytes: Uint8Array = Buffer.from(text);
  for (let count = times(); count > 0; count -= 1) bytes = mutateBytes(random, bytes);
  const reads = random.pick([
    [Infinity],
    [Infinity],
    [1 + random.below(300)],
    [1 + random.below(40), 1, 1 + random.below(900)],
  ]);
  return { asked, kind, bytes, reads };
}

const streams = { chat: chatStream, messages: messageStream, completions: completionStream };
const answers = { chat: chatAnswer, messages: messageAnswer, completions: completionAnswer };

function streamText(random: Random, asked: Asked, mutations: number): string {
  const payloads: Payload[] = streams[asked.endpoint](random, asked);
  for (let count = mutations; count > 0; count -= 1) mutatePayloads(random, payloads);
  const space = random.chance(0.9) ? " " : "";
  const named = asked.endpoint === "messages" && random.chance(0.7);
  return payloads
    .map((payload) => {
      const data = typeof payload === "string" ? payload : JSON.stringify(payload);
      const name = named && typeof payload === "object" ? `event: ${String(payload["type"])}\n` : "";
      const comment = random.chance(0.03) ? ": keep-alive\n\n" : "";
      return `${comment}${name}data:${space}${data}\n\n`;
    })
    .join("");
}

function answerText(random: Random, asked: Asked, mutations: number): string {
  let answer = answers[asked.endpoint](random, asked);
  for (let count = mutations; count > 0; count -= 1) answer = mutateValue(random, answer);
  return JSON.stringify(answer, undefined, random.pick([0, 0, 0, 1]));
}

/** The bytes as the reads in which they arrive. */
export function* readsOf({ bytes, reads }: Case): Generator<Uint8Array> {
  let start = 0;
  for (let turn = 0; start < bytes.length; turn += 1) {
    const end = Math.min(bytes.length, start + reads[turn % reads.length]!);
    yield bytes.subarray(start, end);
    start = end;
  }
}
