import { isErrorBody, parseAnswer } from "./answer.js";
import type { Deadline } from "./deadline.js";
import { InvalidResponseError, StreamError } from "./errors.js";
import { EventReader } from "./event-reader.js";
import type { Judge } from "./judge.js";
import type { SseEvent } from "./sse.js";
import type { Exchange } from "./transport.js";
import type { WireResponse } from "./wire.js";

/** What an attempt's answer is read with. */
export interface Answered {
  response: WireResponse;
  exchange: Exchange;
  deadline: Deadline;
  /** Of the whole body. */
  maxBytes: number;
}

/**
 * The chunks in one body: each event is a chunk of the answer, the service's refusal, or damage.
 *
 * There are two ways to read. What has arrived is handed out by {@link take} without a promise, after a {@link wait} where nothing had.
 * {@link next} does both, and whatever else there is: the ends of an answer, a whole one in place of a stream.
 */
export class ChunkReader<Chunk, Answer> {
  readonly #judge: Judge<Chunk, Answer>;
  readonly #response: WireResponse;
  readonly #exchange: Exchange;
  readonly #events: EventReader;
  /** What is left of a whole answer that came although a stream was asked for. */
  #pieces: Chunk[] = [];
  /** The first chunk is there: no other attempt can take this one's place. */
  #begun = false;
  #saysDone = false;
  #waiting: Promise<void> | undefined;
  /** A wait has failed. */
  #broken = false;

  constructor(judge: Judge<Chunk, Answer>, { response, exchange, deadline, maxBytes }: Answered) {
    this.#judge = judge;
    this.#response = response;
    this.#exchange = exchange;
    this.#events = new EventReader(response.body, deadline, maxBytes);
  }

  get traceId(): string | undefined {
    return this.#response.header("x-siliconcloud-trace-id");
  }

  /** Whether the body has been read to its end. */
  get ended(): boolean {
    return this.#events.ended;
  }

  /** Whether the end was announced by `[DONE]` or its like. */
  get saysDone(): boolean {
    return this.#saysDone;
  }

  /** The wait that is under way. */
  get waiting(): Promise<void> | undefined {
    return this.#waiting;
  }

  /**
   * Returns when the first event is there.
   *
   * @throws what stands in its place. Nothing was shown: it is judged like any other refusal, and may be worth another attempt.
   */
  async begin(): Promise<void> {
    const events = this.#events;
    await events.fill(false);
    const first = events.next;
    if (first === undefined) {
      throw new InvalidResponseError("The service answered with an empty stream.", {
        reason: "empty",
        retryable: true,
        traceId: this.traceId,
      });
    }
    if (typeof first === "string" || !("raw" in first)) {
      if (!isDone(first)) this.#parse(first);
    } else {
      this.#refuse(first.raw);
      // JSON although a stream was asked for.
      const text = await this.#joinRaw();
      const isAnswer = (value: Record<string, unknown>) => this.#judge.isAnswer(value);
      this.#pieces = this.#judge.split(parseAnswer(text, this.#response, this.#exchange, isAnswer) as Answer);
    }
    this.#begun = true;
  }

  /** The next chunk if it has arrived already, `undefined` where {@link wait} or {@link next} must be awaited. */
  take(): Chunk | undefined {
    if (!this.#flows) return undefined;
    const events = this.#events;
    for (;;) {
      // What ends an answer takes the longer way.
      if (events.next === undefined && (this.#judge.whole || !events.poll())) return undefined;
      const event = events.next;
      if (typeof event !== "string" || event === "[DONE]") return undefined;
      events.skip();
      const chunk = this.#chunk(event);
      if (chunk !== undefined) return chunk;
    }
  }

  /**
   * Waits where {@link take} has just found nothing, until it may find something; `undefined` where {@link next} must be awaited instead.
   * Never rejects: what went wrong, `next()` meets again, and no other wait is begun.
   */
  wait(): Promise<void> | undefined {
    if (!this.#flows || this.#judge.whole || this.#events.next !== undefined) return undefined;
    this.#waiting = this.#events.arrival()?.then(this.#onArrival, this.#onFailure);
    return this.#waiting;
  }

  /** The next chunk; `undefined` where the answer or its body ends. */
  async next(): Promise<Chunk | undefined> {
    const events = this.#events;
    for (;;) {
      this.#saysDone ||= this.#judge.over;
      if (this.#saysDone) return undefined;
      const piece = this.#pieces.shift();
      if (piece !== undefined) return this.#taken(piece);
      const event = events.next;
      if (event === undefined) {
        // Once the answer is whole, a connection that breaks takes nothing away.
        if (events.ended || !(await events.fill(this.#judge.whole))) return undefined;
        continue;
      }
      events.skip();
      this.#saysDone = isDone(event);
      const chunk = this.#saysDone ? undefined : this.#chunk(event);
      if (chunk !== undefined) return chunk;
    }
  }

  /** Reads what comes after the answer, so that the socket can be used again. */
  drain(): Promise<void> {
    return this.#events.drain();
  }

  /** Whether chunks come as events, and nobody waits for one. */
  get #flows(): boolean {
    return this.#waiting === undefined && !this.#broken && this.#pieces.length === 0 && !this.#judge.over;
  }

  readonly #onArrival = (): void => {
    this.#waiting = undefined;
  };

  readonly #onFailure = (): void => {
    this.#waiting = undefined;
    this.#broken = true;
  };

  /** JSON arrives as lines that are no events, and alone: to its end, all of them belong to it. */
  async #joinRaw(): Promise<string> {
    const events = this.#events;
    let text = "";
    do {
      for (let event = events.next; event !== undefined; event = events.next) {
        if (typeof event === "string" || !("raw" in event)) throw this.#damaged(event);
        text += `${event.raw}\n`;
        events.skip();
      }
    } while (!events.ended && (await events.fill(false)));
    return text;
  }

  #chunk(event: SseEvent): Chunk | undefined {
    const chunk = this.#parse(event);
    return chunk === undefined ? undefined : this.#taken(chunk, event);
  }

  #taken(chunk: Chunk, event?: SseEvent): Chunk {
    if (!this.#judge.add(chunk)) throw this.#damaged(event);
    return chunk;
  }

  /** Throws what an event says when it is no chunk. */
  #parse(event: SseEvent): Chunk | undefined {
    if (typeof event === "string") return this.#parseData(event, undefined, event);
    if ("raw" in event) {
      // A line that is no event: where it is not the service's own refusal, something has been damaged.
      this.#refuse(event.raw);
      throw this.#damaged(event);
    }
    if (event.type === "error") throw this.#exchange.refusal(event.data, this.#response);
    return this.#parseData(event.data, event.type, event);
  }

  #parseData(data: string, name: string | undefined, event: SseEvent): Chunk | undefined {
    const value = parse(data);
    if (typeof value === "object" && value !== null) {
      const fields = value as Record<string, unknown>;
      const chunk = this.#judge.read(fields, name);
      if (chunk !== null) return chunk;
      if (isErrorBody(fields)) throw this.#exchange.refusal(data, this.#response);
    }
    if (typeof value === "string") throw this.#exchange.refusal(data, this.#response);
    throw this.#damaged(event);
  }

  #refuse(text: string): void {
    const value = parse(text);
    const isError = typeof value === "object" && value !== null && isErrorBody(value as Record<string, unknown>);
    if (isError || typeof value === "string") throw this.#exchange.refusal(text, this.#response);
  }

  #damaged(event?: SseEvent): StreamError {
    // The last of the body was cut by its end, not damaged on the way.
    const cut = event !== undefined && this.#events.isLast(event);
    const message = cut ? "The stream ended in the middle of an event." : "An event is not a chunk of an answer.";
    return new StreamError(message, {
      reason: cut ? "truncated" : "malformed",
      // Before anything was shown, what was cut can be asked for again.
      retryable: cut && !this.#begun,
      partial: this.#judge.partial(),
      traceId: this.traceId,
    });
  }
}

/** Under whatever name. */
function isDone(event: SseEvent): boolean {
  return event === "[DONE]" || (typeof event === "object" && "data" in event && event.data === "[DONE]");
}

/** `undefined` for what is no JSON. The parser's message would quote the text, a part of the user's conversation. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
