import {
  type EmbeddingsResponse,
  InvalidInputError,
  InvalidResponseError,
  isSiliconFlowError,
  PartialFailureError,
} from "@langchain-siliconflow/client";
import { abortReason } from "@langchain-siliconflow/client/adapter";
import { judge, type Verdict } from "./failures.js";
import { type RowProblem, VectorReader } from "./read-vectors.js";

/** What the runs of one adapter share: how to ask, and how much at once. */
export interface Asker<Input> {
  /** Inputs per request; lowered for good when the service names or shows a smaller limit. */
  batchSize: number;
  /** Requests that may be under way at once. */
  readonly concurrency: number;
  /** What the inputs of one request may add up to, as `sizeOf` counts. An input beyond it goes alone. */
  readonly maxSize: number;
  sizeOf(input: Input): number;
  /**
   * Asks for the vectors of the inputs that `take` gives at the moment there is room for a request.
   * Nothing is asked, and `undefined` returned, when it gives none.
   */
  ask(take: () => Input[] | undefined, signal: AbortSignal | undefined): Promise<EmbeddingsResponse | undefined>;
  /** Called once at the end of each run, however it ends. */
  report(spent: Spent): void;
}

/** What was paid for, also when the call failed. */
export interface Spent {
  promptTokens: number;
  totalTokens: number;
  requests: number;
}

/** What has become of a list. */
export interface Outcome {
  /** In the order of the inputs, with a gap for each failure. */
  vectors: (number[] | undefined)[];
  /** By position among the inputs. */
  failures: { position: number; error: Error }[];
  /** Requests sent. */
  attempts: number;
}

/** Some of the inputs, to be asked for together. */
interface Batch {
  positions: number[];
  /** Asked for a second time, because the answer about them could not be trusted. */
  repeated?: boolean;
  /** Two halves of a batch that was refused as too large: when both are accepted, their size is the one to use. */
  halves?: { left: number; size: number };
}

/** Refused requests, none answered, after which the fault is taken to be in what all of them share, such as `dimensions`. */
const refusalsBeforeGivingUp = 16;

/** One list of inputs on its way to one list of vectors, over as many requests as that takes. */
export class EmbeddingRun<Input> {
  readonly #spent: Spent = { promptTokens: 0, totalTokens: 0, requests: 0 };
  readonly #asker: Asker<Input>;
  readonly #inputs: readonly Input[];
  /** What a message calls the list: `texts`, `contents`; or `query`, which is a list of one. */
  readonly #name: string;
  readonly #reader: VectorReader;
  readonly #vectors: (number[] | undefined)[];
  readonly #failures = new Map<number, Error>();
  /** Requests sent, for each position and in all. */
  readonly #attempts: number[] = [];
  #sent = 0;
  /** Positions to ask for, of which the first `#taken` have been, and batches to ask again, which go first. */
  readonly #fresh: number[];
  #taken = 0;
  /** Of what is fresh and not taken, together. */
  #sizeLeft: number;
  readonly #again: Batch[] = [];
  #batches = 0;
  #refusals = 0;
  #stoppedBy: Error | undefined;

  /** Requests that were started but wait for room, and have not taken their inputs yet. */
  #untaken = 0;
  readonly #resumed: boolean;
  /** Where the inputs begin in the stream they are a part of: messages and errors count from its beginning. */
  readonly #offset: number;

  constructor(
    asker: Asker<Input>,
    inputs: readonly Input[],
    name: string,
    reader: VectorReader,
    known: readonly (number[] | undefined)[] = [],
    offset = 0,
  ) {
    this.#asker = asker;
    this.#inputs = inputs;
    this.#name = name;
    this.#reader = reader;
    this.#vectors = Array.from(inputs, (_, position) => known[position]);
    this.#fresh = [...this.#vectors.keys()].filter((position) => this.#vectors[position] === undefined);
    this.#sizeLeft = this.#fresh.reduce((sum, position) => sum + asker.sizeOf(inputs[position]!), 0);
    this.#resumed = known.length > 0;
    this.#offset = offset;
  }

  /** Resolves to all vectors, in the order of the inputs. */
  async complete(signal: AbortSignal | undefined): Promise<number[][]> {
    const { vectors, failures, attempts } = await this.outcome(signal, this.#asker.report);
    const [first] = failures;
    // Every position without a vector has its failure.
    if (first === undefined) return vectors as number[][];
    const cause = this.#stoppedBy ?? first.error;
    // One request, or nothing at all to keep: the error itself says more than a wrapper round it.
    if (failures.length === vectors.length || (this.#batches <= 1 && !this.#resumed)) throw cause;
    throw this.partial(failures, cause, attempts);
  }

  /** Resolves to what there is once every input has its vector or its failure. Rejects only when the signal fires. */
  async outcome(signal: AbortSignal | undefined, report: (spent: Spent) => void): Promise<Outcome> {
    const running = new Set<Promise<void>>();
    try {
      for (;;) {
        if (signal?.aborted) throw abortReason(signal);
        while (running.size < this.#asker.concurrency && this.#untaken < this.#requestsLeft()) {
          this.#untaken++;
          const request = this.#next(signal).finally(() => running.delete(request));
          running.add(request);
        }
        if (running.size === 0) return this.#finish();
        await Promise.race(running);
      }
    } finally {
      report(this.#spent);
    }
  }

  #requestsLeft(): number {
    if (this.#stoppedBy !== undefined) return 0;
    const { batchSize, maxSize } = this.#asker;
    const byCount = Math.ceil((this.#fresh.length - this.#taken) / batchSize);
    return this.#again.length + Math.max(byCount, Math.ceil(this.#sizeLeft / maxSize));
  }

  #take(): Batch | undefined {
    this.#untaken--;
    if (this.#requestsLeft() === 0) return undefined;
    const batch = this.#again.shift();
    if (batch === undefined) {
      this.#batches++;
      return { positions: this.#takeFresh() };
    }
    if (batch.positions.length > this.#asker.batchSize) {
      // Cut before a smaller size was learnt.
      this.#again.unshift({ ...batch, positions: batch.positions.splice(this.#asker.batchSize) });
    }
    return batch;
  }

  #takeFresh(): number[] {
    const { batchSize, maxSize } = this.#asker;
    const from = this.#taken;
    const end = Math.min(from + batchSize, this.#fresh.length);
    let size = 0;
    while (this.#taken < end) {
      const next = this.#asker.sizeOf(this.#inputs[this.#fresh[this.#taken]!]!);
      if (this.#taken > from && size + next > maxSize) break;
      size += next;
      this.#taken++;
    }
    this.#sizeLeft -= size;
    return this.#fresh.slice(from, this.#taken);
  }

  async #next(signal: AbortSignal | undefined): Promise<void> {
    let batch: Batch | undefined;
    try {
      const response = await this.#asker.ask(() => {
        batch = this.#take();
        return batch?.positions.map((position) => this.#inputs[position]!);
      }, signal);
      if (batch !== undefined && response !== undefined) this.#accept(batch, response);
    } catch (error) {
      // After an abort nothing is worth noting: the call as a whole ends with the caller's reason.
      if (signal?.aborted) return;
      if (batch !== undefined) this.#refuse(batch, asError(error));
      // Nothing could even be asked: whatever is not answered fails with this.
      else this.#stoppedBy = asError(error);
    }
  }

  #accept(batch: Batch, response: EmbeddingsResponse): void {
    this.#spent.requests++;
    this.#spent.promptTokens += tokens(response.usage?.prompt_tokens);
    this.#spent.totalTokens += tokens(response.usage?.total_tokens);
    if (batch.halves && --batch.halves.left === 0) this.#learn(batch.halves.size);
    const doubtful: number[] = [];
    this.#note(batch, response.attempts);
    const rows = this.#reader.read(response.data, batch.positions.length, batch.repeated);
    for (const [row, read] of rows.entries()) {
      const position = batch.positions[row]!;
      if ("vector" in read) this.#vectors[position] = read.vector;
      else if (batch.repeated) this.#failures.set(position, this.#untrusted(position, read.problem, response.traceId));
      else doubtful.push(position);
    }
    if (doubtful.length > 0) this.#again.unshift({ positions: doubtful, repeated: true });
  }

  #note(batch: Batch, attempts = 0): void {
    this.#sent += attempts;
    for (const position of batch.positions) this.#attempts[position] = (this.#attempts[position] ?? 0) + attempts;
  }

  #refuse(batch: Batch, error: Error): void {
    const verdict = judge(error);
    this.#note(batch, isSiliconFlowError(error) ? error.attempts : 0);
    const [position, ...others] = batch.positions;
    if (verdict.splits && others.length > 0) return this.#split(batch, verdict);
    if (verdict.tooLarge) {
      const message = `${this.#place(position!)}: too large for a request of its own; shorten it`;
      this.#failures.set(
        position!,
        new InvalidInputError(message, {
          position: this.#offset + position!,
          reason: "tooLarge",
          attempts: this.#attempts[position!]!,
          cause: error,
        }),
      );
      return;
    }
    for (const failed of batch.positions) this.#failures.set(failed, error);
    if (verdict.badRequest && this.#spent.requests === 0) this.#refusals++;
    if (verdict.concernsAll || this.#refusals >= refusalsBeforeGivingUp) this.#stoppedBy = error;
  }

  #split(batch: Batch, verdict: Verdict): void {
    const { positions } = batch;
    const named = verdict.maxBatchSize;
    if (named !== undefined && named >= 1 && named < positions.length) {
      this.#learn(named);
      for (let end = positions.length; end > 0; end = positions.length) {
        this.#batches++;
        this.#again.unshift({ ...batch, positions: positions.splice(Math.floor((end - 1) / named) * named) });
      }
      return;
    }
    this.#batches++;
    const size = Math.ceil(positions.length / 2);
    // Only a refusal of the size says something about the size: one long text among short ones must not shrink every later request.
    const halves = verdict.tooLarge ? { halves: { left: 2, size } } : {};
    this.#again.unshift(
      { ...batch, positions: positions.slice(0, size), ...halves },
      { ...batch, positions: positions.slice(size), ...halves },
    );
  }

  #learn(size: number): void {
    this.#asker.batchSize = Math.min(this.#asker.batchSize, size);
  }

  #finish(): Outcome {
    if (this.#stoppedBy !== undefined) {
      const unasked = [...this.#fresh.slice(this.#taken), ...this.#again.flatMap((batch) => batch.positions)];
      for (const position of unasked) this.#failures.set(position, this.#stoppedBy);
    }
    for (const [position, vector] of this.#vectors.entries()) {
      if (vector === undefined) continue;
      // What the right length is may have turned out only after this vector was read.
      const row = this.#reader.check(vector);
      if ("vector" in row) continue;
      this.#vectors[position] = undefined;
      this.#failures.set(position, this.#untrusted(position, row.problem, undefined));
    }
    const failures = [...this.#failures]
      .map(([position, error]) => ({ position, error }))
      .sort((a, b) => a.position - b.position);
    return { vectors: this.#vectors, failures, attempts: this.#sent };
  }

  /** What there is, and what there is not. Positions count from the beginning of the stream that the inputs are a part of. */
  partial(
    failures: { position: number; error: Error }[],
    cause: Error,
    attempts: number,
  ): PartialFailureError<number[]> {
    const count = this.#inputs.length;
    const message =
      `${failures.length} of ${count} ${this.#name} have no vector, the first is ${this.#place(failures[0]!.position)}: ` +
      `${cause.message.replace(/\.$/, "")}. The others are in \`results\`; \`resume()\` asks for the missing ones only.`;
    const kept = [...this.#vectors];
    const resume = async (options?: { signal?: AbortSignal }) => {
      const run = new EmbeddingRun(this.#asker, this.#inputs, this.#name, this.#reader, kept, this.#offset);
      return this.#placed(await run.complete(options?.signal));
    };
    return new PartialFailureError<number[]>(message, {
      results: this.#placed(kept),
      failures: failures.map(({ position, error }) => ({ position: this.#offset + position, error })),
      resume,
      cause,
      attempts,
    });
  }

  /** Where the list begins later than the stream it is a part of, with a gap for what came before. */
  #placed<T>(list: T[]): T[] {
    if (this.#offset === 0) return list;
    const placed: T[] = [];
    for (const [position, entry] of list.entries()) placed[this.#offset + position] = entry;
    return placed;
  }

  #place(position: number): string {
    return this.#name === "query" ? this.#name : `${this.#name}[${this.#offset + position}]`;
  }

  #untrusted(position: number, problem: RowProblem, traceId: string | undefined): InvalidResponseError {
    const message = `${this.#place(position)}: ${problem.message}; asked twice`;
    return new InvalidResponseError(message, {
      reason: problem.reason,
      position: this.#offset + position,
      attempts: this.#attempts[position] ?? 0,
      ...(traceId !== undefined && { traceId }),
    });
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown });
}

function tokens(count: unknown): number {
  return typeof count === "number" && Number.isFinite(count) ? count : 0;
}
