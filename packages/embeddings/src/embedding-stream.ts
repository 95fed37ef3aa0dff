import { InvalidResponseError } from "@langchain-siliconflow/client";
import { abortReason } from "@langchain-siliconflow/client/adapter";
import { type Asker, EmbeddingRun, type Outcome, type Spent } from "./embedding-run.js";
import { checkedText } from "./checked-texts.js";
import type { VectorReader } from "./read-vectors.js";

/** A text of {@link SiliconFlowEmbeddings.embedStream}, and its vector. */
export interface EmbeddedText {
  /** Its place among the texts, from 0. */
  index: number;
  text: string;
  vector: number[];
}

/** Texts that go out together, and what becomes of them. */
interface Batch {
  texts: string[];
  /** Rejects when the stream is left, and then nobody looks at it. */
  outcome: Promise<Outcome>;
}

/**
 * Texts on their way from a source that may have no end to vectors, in order. No more of them are read ahead than may be
 * asked for at once: what is not taken is not read, however long the source is.
 */
export class EmbeddingStream {
  readonly #asker: Asker<string>;
  readonly #texts: Iterable<unknown> | AsyncIterable<unknown>;
  #source: AsyncIterator<unknown> | Iterator<unknown> | undefined;
  readonly #reader: VectorReader;
  readonly #signal: AbortSignal | undefined;
  /** Ends what is under way, whoever had enough of it. */
  readonly #stop = new AbortController();
  readonly #spent: Spent = { promptTokens: 0, totalTokens: 0, requests: 0 };
  /** In order; the first is the one to be handed out next. */
  readonly #batches: Batch[] = [];
  /** Read, but not asked for yet. */
  #unsent: string[] = [];
  #read = 0;
  #handedOut = 0;
  #isReading = false;
  /** Nothing more will be read: the source has ended, or something went wrong. */
  #isOver = false;
  #hasSourceEnded = false;
  /** What ended the source early. Told once everything read before it is handed out. */
  #sourceFailure: { error: unknown } | undefined;
  /** A request failed for good: no further one is begun. */
  #hasFailed = false;
  /** Whoever took the vectors has had enough. */
  #isLeft = false;
  #wake = () => {};

  constructor(
    asker: Asker<string>,
    texts: Iterable<unknown> | AsyncIterable<unknown>,
    reader: VectorReader,
    signal: AbortSignal | undefined,
  ) {
    this.#asker = asker;
    this.#texts = texts;
    this.#reader = reader;
    this.#signal = signal;
  }

  /** A generator queues its `return()` behind the `next()` that waits; here leaving ends the waiting. */
  vectors(): AsyncGenerator<EmbeddedText, void, undefined> {
    const vectors = this.#inOrder();
    const stream: AsyncGenerator<EmbeddedText, void, undefined> = {
      next: () => vectors.next(),
      return: (value) => {
        this.#leave();
        return vectors.return(value);
      },
      async throw(error) {
        await stream.return();
        throw error;
      },
      [Symbol.asyncIterator]: () => stream,
      async [Symbol.asyncDispose]() {
        await stream.return();
      },
    };
    return stream;
  }

  #leave(): void {
    this.#isLeft = this.#isOver = true;
    this.#stop.abort();
    this.#wake();
  }

  async *#inOrder(): AsyncGenerator<EmbeddedText, void, undefined> {
    const signal = this.#signal;
    const onAbort = () => {
      this.#stop.abort(abortReason(signal!)); // Only a signal calls it.
      this.#wake();
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      for (;;) {
        if (signal?.aborted) throw abortReason(signal);
        if (this.#isLeft) return;
        void this.#fill();
        const batch = this.#batches[0];
        if (batch === undefined) {
          if (this.#isOver && !this.#isReading) break;
          await new Promise<void>((resolve) => (this.#wake = resolve));
          continue;
        }
        const { vectors, failures } = await batch.outcome;
        if (failures.length > 0 || !this.#fits(vectors)) throw await this.#failed();
        this.#batches.shift();
        for (const [place, vector] of vectors.entries()) {
          const index = this.#handedOut++;
          void this.#fill();
          // Without a failure there is no gap.
          yield { index, text: batch.texts[place]!, vector: vector! };
          if (signal?.aborted) throw abortReason(signal);
        }
      }
      if (this.#sourceFailure !== undefined) throw this.#sourceFailure.error;
    } catch (error) {
      if (!this.#isLeft) throw error;
    } finally {
      signal?.removeEventListener("abort", onAbort);
      this.#isOver = true;
      this.#stop.abort();
      this.#asker.report(this.#spent);
      await this.#closeSource();
    }
  }

  /** Reads and asks for as much as there is room for. Runs on by itself, while what came before is being handed out. */
  async #fill(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    while (!this.#isOver) {
      const { batchSize, concurrency } = this.#asker;
      if (this.#read - this.#handedOut + batchSize > concurrency * batchSize) break;
      while (this.#unsent.length < batchSize && !this.#isOver) await this.#readText();
      if (this.#unsent.length > 0 && !this.#hasFailed && !this.#stop.signal.aborted) {
        const from = this.#read - this.#unsent.length;
        const outcome = this.#ask(this.#unsent, from);
        outcome.catch(() => {});
        this.#batches.push({ texts: this.#unsent, outcome });
        this.#unsent = [];
      }
      this.#wake();
    }
    this.#isReading = false;
    this.#wake();
  }

  async #readText(): Promise<void> {
    try {
      const { done, value } = await this.#next();
      if (done === true) this.#isOver = this.#hasSourceEnded = true;
      // What a source still gives after the stream has ended is lost with it.
      if (this.#isOver) return;
      this.#unsent.push(checkedText(value, this.#read));
      this.#read++;
    } catch (error) {
      this.#isOver = true;
      this.#sourceFailure = { error };
    }
  }

  async #next(): Promise<IteratorResult<unknown, unknown>> {
    try {
      this.#source ??=
        Symbol.asyncIterator in this.#texts ? this.#texts[Symbol.asyncIterator]() : this.#texts[Symbol.iterator]();
      return await this.#source.next();
    } catch (error) {
      // Who throws is not to be closed.
      this.#hasSourceEnded = true;
      throw error;
    }
  }

  async #ask(texts: string[], from: number): Promise<Outcome> {
    const run = new EmbeddingRun(this.#asker, texts, "texts", this.#reader, [], from);
    const outcome = await run.outcome(this.#stop.signal, (spent) => this.#count(spent));
    if (outcome.failures.length > 0) this.#hasFailed = this.#isOver = true;
    return outcome;
  }

  #count({ promptTokens, totalTokens, requests }: Spent): void {
    this.#spent.promptTokens += promptTokens;
    this.#spent.totalTokens += totalTokens;
    this.#spent.requests += requests;
  }

  /** Whether the vectors are as long as those that were handed out before. */
  #fits(vectors: Outcome["vectors"]): boolean {
    this.#reader.settle(vectors[0]!.length);
    return vectors.every((vector) => "vector" in this.#reader.check(vector!));
  }

  /** The error to end with, once all that is under way has come to its end: it is paid for, and kept. */
  async #failed(): Promise<Error> {
    this.#hasFailed = this.#isOver = true;
    const outcomes = await Promise.all(this.#batches.map(({ outcome }) => outcome));
    const from = this.#handedOut;
    const texts = [...this.#batches.flatMap((batch) => batch.texts), ...this.#unsent];
    const vectors: Outcome["vectors"] = [];
    const failures: Outcome["failures"] = [];
    let attempts = 0;
    for (const outcome of outcomes) {
      const begin = vectors.length;
      failures.push(...outcome.failures.map(({ position, error }) => ({ position: begin + position, error })));
      attempts += outcome.attempts;
      for (const vector of outcome.vectors) {
        const row = vector === undefined ? undefined : this.#reader.check(vector);
        if (row !== undefined && "problem" in row) {
          const position = from + vectors.length;
          const error = new InvalidResponseError(`texts[${position}]: ${row.problem.message}`, {
            ...row.problem,
            position,
          });
          failures.push({ position: vectors.length, error });
        }
        vectors.push(row !== undefined && "vector" in row ? row.vector : undefined);
      }
    }
    failures.sort((a, b) => a.position - b.position);
    const { error } = failures[0]!;
    for (const place of this.#unsent.keys()) failures.push({ position: vectors.length + place, error });
    if (from === 0 && failures.length === texts.length) return error;
    return new EmbeddingRun(this.#asker, texts, "texts", this.#reader, vectors, from).partial(
      failures,
      error,
      attempts,
    );
  }

  async #closeSource(): Promise<void> {
    if (this.#source === undefined || this.#hasSourceEnded) return;
    const closed = new Promise((resolve) => resolve(this.#source?.return?.()));
    // Its own trouble with being closed must not hide what ended the stream; nor is a source waited for that may never give its next text.
    if (this.#isReading) closed.catch(() => {});
    else await closed.catch(() => {});
  }
}
