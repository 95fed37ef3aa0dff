import type { Batch } from "@langchain-siliconflow/client";
import { keyOf, splitLines, type Line } from "./lines.js";
import type { BatchProgress } from "./options.js";
import { BatchPart, type BatchResults, type PartContext } from "./part.js";
import { outcomesOf, readRows, type Outcome } from "./results.js";

/** One file of a run, and the batch that runs it. */
export interface SubmittedPart {
  /** What names the file, and its records in the state. */
  key: string;
  /** The service's id. */
  batchId: string;
  /** How many lines the file has. */
  lines: number;
}

/** Lines of one call on their way through batches. */
export class BatchRun {
  readonly #context: PartContext;
  readonly #seen = new Map<string, { id: string; status: string; lines: number; completed: number; failed: number }>();
  // Uploads one after another: each may be a gigabyte.
  #submitting: Promise<unknown> = Promise.resolve();

  constructor(context: Omit<PartContext, "onBatch">) {
    this.#context = { ...context, onBatch: (key, batch, lines) => this.#report(key, batch, lines) };
  }

  /** Uploads the lines and asks for their batches. */
  async submit(lines: readonly Line[], signal: AbortSignal | undefined): Promise<SubmittedPart[]> {
    const submitted: SubmittedPart[] = [];
    for (const some of this.#split(lines)) {
      const part = await this.#part(some, 0);
      submitted.push({ key: part.key, batchId: await part.submit(some, signal), lines: some.length });
    }
    return submitted;
  }

  /** The results of a batch that somebody asked for, as text. */
  async collect(
    { key, batchId, lines }: SubmittedPart,
    signal: AbortSignal | undefined,
  ): Promise<Pick<BatchResults, "text" | "whole">> {
    const part = new BatchPart(key, this.#context);
    const text = await part.saved();
    return text === undefined ? await part.collect(batchId, lines, signal) : { text, whole: true };
  }

  /** What became of each line, by its `custom_id`. Rejects when aborted. */
  async settle(lines: readonly Line[], signal: AbortSignal | undefined): Promise<Map<string, Outcome>> {
    const { resubmissions } = this.#context.settings;
    const settled = await Promise.all(
      this.#split(lines).map((some) => this.#settle(some, 0, 1 + resubmissions, signal)),
    );
    return new Map(settled.flatMap((outcomes) => [...outcomes]));
  }

  /** Each file asks again for its own: so the files of a later run are the same whatever became of the others. */
  async #settle(
    lines: readonly Line[],
    attempt: number,
    submissions: number,
    signal: AbortSignal | undefined,
  ): Promise<Map<string, Outcome>> {
    let outcomes: Map<string, Outcome>;
    let left = submissions;
    try {
      const part = await this.#part(lines, attempt);
      const saved = await part.saved();
      const { text, status, whole } =
        saved === undefined ? await this.#run(part, lines, signal) : { text: saved, status: "", whole: true };
      outcomes = outcomesOf(lines, readRows(text, this.#context).rows, whole);
      // A later run must find the same lines for a second batch: none is made as long as it is not known which they are.
      if (!whole) return outcomes;
      // What an earlier run has spent is not counted; whoever cancelled a batch wants no other in this run.
      if (saved === undefined) left = status === "cancelled" ? 0 : submissions - 1;
    } catch (error) {
      if (signal?.aborted) throw error;
      return new Map(lines.map(({ customId }) => [customId, { error: asError(error), again: false }]));
    }
    const again = lines.filter(({ customId }) => isWorthAnother(outcomes.get(customId)));
    if (again.length === 0 || left === 0) return outcomes;
    const later = await this.#settle(again, attempt + 1, left, signal);
    return new Map([...outcomes, ...later]);
  }

  async #run(part: BatchPart, lines: readonly Line[], signal: AbortSignal | undefined): Promise<BatchResults> {
    const submitted = this.#submitting.then(() => part.submit(lines, signal));
    this.#submitting = submitted.catch(() => {});
    return part.collect(await submitted, lines.length, signal);
  }

  async #part(lines: readonly Line[], attempt: number): Promise<BatchPart> {
    const { baseURL } = this.#context.client;
    return new BatchPart(await keyOf(lines, { baseURL, attempt }), this.#context);
  }

  #split(lines: readonly Line[]): Line[][] {
    const { maxLines, maxBytes } = this.#context.settings;
    return splitLines(lines, { lines: maxLines, bytes: maxBytes });
  }

  #report(key: string, batch: Batch, lines: number): void {
    const { completed = 0, failed = 0 } = batch.request_counts ?? {};
    this.#seen.set(key, { id: batch.id, status: batch.status, lines, completed, failed });
    const seen = [...this.#seen.values()];
    const sum = (of: (batch: (typeof seen)[number]) => number) => seen.reduce((total, each) => total + of(each), 0);
    const progress: BatchProgress = {
      total: sum((each) => each.lines),
      completed: sum((each) => each.completed),
      failed: sum((each) => each.failed),
      batches: seen.map(({ id, status, lines: count }) => ({ id, status, lines: count })),
    };
    this.#context.settings.onProgress?.(progress);
  }
}

function isWorthAnother(outcome: Outcome | undefined): boolean {
  return outcome !== undefined && "error" in outcome && outcome.again;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error), { cause: error });
}
