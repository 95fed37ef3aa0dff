import { parseAnswer } from "./answer.js";
import { StreamError, type PartialCompletion } from "./errors.js";
import { SseDecoder, type SseEvent } from "./sse.js";
import type { Exchange } from "./transport.js";
import type { WireResponse } from "./wire.js";

/** What an endpoint's answers are made of: what an event is, what has arrived, and when it is whole. One for each answer. */
export interface Judge<Chunk, Answer> {
  /** Tells a whole answer from an error that has the same fields. */
  isAnswer(value: Record<string, unknown>): boolean;
  /**
   * An event as a chunk; `undefined` for one that says nothing, `null` for what is no chunk of an answer.
   *
   * @param name - What the stream calls the event, if it does.
   */
  read(value: Record<string, unknown>, name: string | undefined): Chunk | null | undefined;
  /** Takes a chunk in. False when it contradicts what came before: then the answer is damaged. */
  add(chunk: Chunk): boolean;
  /** Whether what arrived is a whole answer, whatever follows. */
  readonly whole: boolean;
  /** Whether the answer itself has said that nothing follows. */
  readonly over: boolean;
  /** What was used, as far as is known. */
  readonly tokens: number | undefined;
  partial(): PartialCompletion;
  /** A whole answer as the chunks of a stream, one at least. */
  split(answer: Answer): Chunk[];
  /** The chunks so far as a whole answer. */
  collect(): Answer;
}

/** The decoder of a whole answer. A gateway may stream although it was not asked to: then the events are put together. */
export function wholeAnswer<Chunk, Answer>(makeJudge: () => Judge<Chunk, Answer>) {
  return (text: string, response: WireResponse, exchange: Exchange): Answer => {
    const judge = makeJudge();
    const start = text.trimStart();
    // Nearly all answers are JSON, as their first letter shows. Only of others the header is read, and searched for secrets.
    const named = !/^[{["]/.test(start) && response.header("content-type")?.includes("text/event-stream");
    if (named || /^(?:(?:data|event|id|retry)[:\r\n]|:)/.test(start))
      return collectStream(judge, text, response, exchange);
    return parseAnswer(text, response, exchange, (value) => judge.isAnswer(value)) as Answer;
  };
}

function collectStream<Chunk, Answer>(
  judge: Judge<Chunk, Answer>,
  text: string,
  response: WireResponse,
  exchange: Exchange,
): Answer {
  const events: SseEvent[] = [];
  const decoder = new SseDecoder(Infinity);
  // The byte order mark has been taken off already: a second one is none.
  decoder.feed(new TextEncoder().encode(`\uFEFF${text}`), events);
  decoder.end(events);

  const raw = events.flatMap((event) => (typeof event === "object" && "raw" in event ? event.raw : []));
  // No event at all: JSON among comments.
  if (raw.length > 0 && raw.length === events.length)
    return parseAnswer(raw.join("\n"), response, exchange, (value) => judge.isAnswer(value)) as Answer;

  let empty = true;
  for (const event of events) {
    const foreign = typeof event === "object" && "raw" in event;
    const data = typeof event === "string" ? event : foreign ? event.raw : event.data;
    if (data === "[DONE]" && !foreign) break;
    const name = typeof event === "string" || foreign ? undefined : event.type;
    if (name === "error") throw exchange.refusal(data, response);
    let chunk: Chunk | null | undefined;
    parseAnswer(data, response, exchange, (value) => {
      chunk = foreign ? null : judge.read(value, name);
      return chunk !== null;
    });
    if (chunk == null) continue;
    if (!judge.add(chunk)) {
      throw new StreamError("An event contradicts those before it.", { reason: "malformed", partial: judge.partial() });
    }
    empty = false;
    if (judge.over) break;
  }
  // parseAnswer says what nothing at all is.
  if (empty) parseAnswer("", response, exchange, () => false);
  if (!judge.whole) {
    throw new StreamError("The answer ended before its finish_reason.", {
      reason: "truncated",
      partial: judge.partial(),
    });
  }
  return judge.collect();
}
