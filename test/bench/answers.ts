/** What the service of the benchmark says, and so what everyone must have read. Known to the server and to the judge alike. */
import { createHash } from "node:crypto";
import { Reading } from "./reading.ts";

/** A streamed answer: half thoughts and half text, or the arguments of one tool call. */
export interface Answer {
  says: "text" | "tool call";
  chunks: number;
}

const promptTokens = 23;
const words = " the model then checks each step before it answers 因此 我们 得到 — résumé".split(" ");
const paragraph = "The answer follows from the two premises above. ".repeat(12);

interface Delta {
  thoughts?: string;
  text?: string;
  arguments?: string;
}

function deltaOf({ says, chunks }: Answer, index: number): Delta {
  const word = ` ${words[(index * 7) % words.length]}`;
  if (says === "text") return index < chunks / 2 ? { thoughts: word } : { text: word };
  if (index === 0) return { arguments: '{"text":"' };
  return { arguments: index === chunks - 1 ? '"}' : word };
}

const head = { id: "0199a3f1c2d47e5b9d0c6f7a8b9c0d1e", created: 1_760_000_000, model: "deepseek-ai/DeepSeek-R1" };

function usageAfter(completionTokens: number) {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    completion_tokens_details: { reasoning_tokens: completionTokens },
    prompt_tokens_details: { cached_tokens: 0 },
  };
}

/** The events of a streamed answer as the service sends them: usage so far in every one. */
export function eventsOf(answer: Answer): string[] {
  const events: string[] = [];
  for (let index = 0; index < answer.chunks; index += 1) {
    const { thoughts = null, text = null, arguments: piece } = deltaOf(answer, index);
    const call = {
      index: 0,
      ...(index === 0 && { id: "call_0199a3f1", type: "function" }),
      function: { ...(index === 0 && { name: "write" }), arguments: piece },
    };
    const delta =
      piece === undefined
        ? { content: text, reasoning_content: thoughts, role: "assistant" }
        : { content: null, reasoning_content: null, role: "assistant", tool_calls: [call] };
    const last = index === answer.chunks - 1;
    const finish = last ? (piece === undefined ? "stop" : "tool_calls") : null;
    const event = {
      ...head,
      object: "chat.completion.chunk",
      choices: [{ index: 0, delta, finish_reason: finish }],
      system_fingerprint: "",
      usage: usageAfter(index + 1),
    };
    events.push(`data: ${JSON.stringify(event)}\n\n`);
  }
  events.push("data: [DONE]\n\n");
  return events;
}

/** What must have been read of a stream. */
export function readingOf(answer: Answer): Reading {
  const reading = new Reading();
  for (let index = 0; index < answer.chunks; index += 1) {
    const delta = deltaOf(answer, index);
    reading.thoughts(delta.thoughts);
    reading.text(delta.text);
    reading.arguments(delta.arguments);
  }
  reading.usage(promptTokens, answer.chunks);
  return reading;
}

/** What a token handler must have been told beside it: the text alone. */
export function toldOf(answer: Answer): Reading {
  const told = new Reading();
  for (let index = 0; index < answer.chunks; index += 1) told.text(deltaOf(answer, index).text);
  return told;
}

/** An answer in one piece. */
export const completion = JSON.stringify({
  ...head,
  object: "chat.completion",
  choices: [
    {
      index: 0,
      message: { role: "assistant", content: paragraph, reasoning_content: paragraph },
      finish_reason: "stop",
    },
  ],
  usage: usageAfter(300),
  system_fingerprint: "",
});

export function readingOfCompletion(): Reading {
  const reading = new Reading();
  reading.thoughts(paragraph);
  reading.text(paragraph);
  reading.usage(promptTokens, 300);
  return reading;
}

/** How many texts go into one request. */
export const batch = 32;

export function textAt(index: number): string {
  return `passage ${index}: the quick brown fox jumps over the lazy dog near the river bank at dawn`;
}

/** Seven kinds of batches: enough to tell one from its neighbours, few enough to be prepared. */
export const kindOfBatch = (firstText: string): number => Math.floor(Number(/\d+/.exec(firstText)) / batch) % 7;

/** The vectors of a batch, of one length for all. */
export function vectorsOf(kind: number, texts: number, dimensions: number): Float32Array[] {
  let seed = 42 + kind;
  return Array.from({ length: texts }, () => {
    const vector = new Float32Array(dimensions);
    for (let index = 0; index < dimensions; index += 1) {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      vector[index] = (seed / 2 ** 32 - 0.5) / 8;
    }
    return vector;
  });
}

/** What the vectors of so many texts come to. */
export function digestOfVectors(vectors: Iterable<ArrayLike<number>>): string {
  const whole = createHash("sha256");
  let count = 0;
  for (const vector of vectors) {
    whole.update(Buffer.from(Float32Array.from(vector).buffer));
    count += 1;
  }
  return `${count} vectors ${whole.digest("hex").slice(0, 12)}`;
}

/** The vectors that so many texts must come to, in order. */
export function* vectorsFor(texts: number, dimensions: number): Generator<Float32Array> {
  const made = new Map<number, Float32Array[]>();
  for (let first = 0; first < texts; first += batch) {
    const kind = kindOfBatch(textAt(first));
    const vectors = made.get(kind) ?? vectorsOf(kind, batch, dimensions);
    made.set(kind, vectors);
    yield* vectors.slice(0, texts - first);
  }
}

/** One number of each vector, another one in each, and what depends on the order: for more vectors than are kept. */
export class Sum {
  #count = 0;
  #sum = 0;

  add(vector: ArrayLike<number>): void {
    this.#sum = (this.#sum + vector[this.#count % vector.length]!) * 0.999;
    this.#count += 1;
  }

  toString(): string {
    return `${this.#count} vectors, sum ${this.#sum}`;
  }
}

export interface Score {
  index: number;
  relevanceScore: number;
}

/** The scores of so many documents, best first. */
export function scoresFor(documents: number): Score[] {
  return Array.from({ length: documents }, (_, rank) => ({
    index: (rank * 389) % documents,
    relevanceScore: Number((1 - rank / documents).toFixed(8)),
  }));
}

export function digestOfScores(scores: readonly Score[]): string {
  const whole = createHash("sha256");
  for (const { index, relevanceScore } of scores) whole.update(`${index} ${relevanceScore}\n`);
  return `${scores.length} scores ${whole.digest("hex").slice(0, 12)}`;
}
