import {
  type ApiError,
  isSiliconFlowError,
  SiliconFlowError,
  type Batch,
  type RequestOptions,
} from "@langchain-siliconflow/client";
import type { ClientFor } from "@langchain-siliconflow/client/adapter";
import { lineEndpoint, type Line } from "./lines.js";
import type { BatchSettings } from "./options.js";
import { countAnswers, readRows } from "./results.js";
import type { BatchState } from "./state.js";

/** What the journal says of one file of lines: each name is there once the service has given it. */
interface PartRecord {
  version: 1;
  lines: number;
  /** Set before a batch is asked for: from then on there may be one that nobody wrote down. */
  asking?: boolean;
  fileId?: string;
  batchId?: string;
  /** How the batch ended, once its results are in the journal. */
  status?: string;
}

/** The part of a client that batches use. */
export type BatchClient = ClientFor<"batches"> & {
  readonly assets: {
    download(
      url: string,
      options?: { signal?: AbortSignal | undefined; maxBytes?: number | undefined },
    ): Promise<{ bytes: Uint8Array }>;
  };
};

/** What a part needs of the run it belongs to. */
export interface PartContext {
  client: BatchClient;
  requestOptions: RequestOptions;
  state: BatchState;
  settings: BatchSettings;
  /** Told of each look at the batch. */
  onBatch(key: string, batch: Batch, lines: number): void;
}

/** What a batch has come to. */
export interface BatchResults {
  /** Its output and error files. */
  text: string;
  status: string;
  /** Whether no row can have been lost on the way. */
  whole: boolean;
}

/** The note in a batch's metadata by which it is found again. */
const metadataKey = "langchain_siliconflow_batch";

const fileNameOf = (key: string) => `langchain-siliconflow-${key}.jsonl`;
/** Results are read as one text, and a text of the runtime ends at half a billion characters. */
const mostResultBytes = 400 * 1024 * 1024;

/** One file of lines on its way through upload, batch and results; each step is in the journal before the next begins. */
export class BatchPart {
  readonly key: string;
  readonly #context: PartContext;

  constructor(key: string, context: PartContext) {
    this.key = key;
    this.#context = context;
  }

  /** The batch of these lines: that of an earlier run where there is one. */
  async submit(lines: readonly Line[], signal: AbortSignal | undefined): Promise<string> {
    const record = (await this.#read()) ?? { version: 1, lines: lines.length };
    if (record.batchId !== undefined) return record.batchId;
    const options = this.#options(signal);
    const earlier = await this.#findBatch(record, options);
    if (earlier === undefined) {
      record.fileId = await this.#upload(lines, record, options);
      record.asking = true;
      await this.#write(record);
    }
    record.batchId = earlier?.id ?? (await this.#create(record.fileId!, record, options));
    delete record.asking;
    await this.#write(record);
    return record.batchId;
  }

  /** Results from the journal; undefined while there are none. */
  async saved(): Promise<string | undefined> {
    const text = await this.#context.state.get(this.#resultsKey);
    // What a failing disk or an editor has damaged is fetched once more.
    return text === undefined || readRows(text, this.#context).damaged ? undefined : text;
  }

  /** Waits for the batch and fetches its results: into the journal, when they are `whole`. */
  async collect(batchId: string, lines: number, signal: AbortSignal | undefined): Promise<BatchResults> {
    const { state } = this.#context;
    const batch = await this.#wait(batchId, lines, signal);
    const options = this.#options(signal);
    const texts = [await this.#textAt(batch.output_file_id, options), await this.#textAt(batch.error_file_id, options)];
    const text = texts.filter((each) => each !== "").join("\n");
    const { rows, damaged } = readRows(text, this.#context);
    const promised = batch.request_counts?.completed ?? 0;
    // What did come is paid and good. The rest is asked for once more, not run once more.
    if (damaged || countAnswers(rows) < promised) return { text, status: batch.status, whole: false };
    await state.set(this.#resultsKey, text);
    await this.#write({ version: 1, lines, batchId, status: batch.status });
    return { text, status: batch.status, whole: true };
  }

  async #wait(batchId: string, lines: number, signal: AbortSignal | undefined): Promise<Batch> {
    const { client, settings, onBatch } = this.#context;
    const { pollIntervalMs, timeouts } = settings;
    try {
      return await client.batches.wait(batchId, {
        ...this.#options(signal),
        ...(pollIntervalMs !== undefined && { pollIntervalMs }),
        ...(timeouts.totalMs !== undefined && { timeouts: { totalMs: timeouts.totalMs } }),
        onProgress: (batch) => onBatch(this.key, batch, lines),
      });
    } catch (error) {
      if (signal?.aborted && settings.cancelOnAbort) await client.batches.cancel(batchId).catch(() => {});
      const { job, status } = error as { job?: Batch; status?: string };
      if ((error as Error).name !== "JobFailedError" || job === undefined) throw error;
      // What was answered before it ended has been paid.
      if (status !== "failed") return job;
      // Nothing ran: the next run begins anew.
      await this.#write({ version: 1, lines });
      throw error;
    }
  }

  async #upload(lines: readonly Line[], record: PartRecord, options: RequestOptions): Promise<string> {
    if (record.fileId !== undefined) return record.fileId;
    const { client } = this.#context;
    const filename = fileNameOf(this.key);
    const bytes = lines.reduce((sum, line) => sum + line.bytes.length, 0);
    const { data } = await client.files.list({ purpose: "batch", limit: 100 }, options);
    const earlier = data.find((file) => file.filename === filename && file.bytes === bytes);
    const parts = lines.map((line) => line.bytes as Uint8Array<ArrayBuffer>);
    const file = earlier ?? (await client.files.upload({ file: new Blob(parts), filename }, options));
    record.fileId = file.id;
    await this.#write(record);
    return file.id;
  }

  async #create(fileId: string, record: PartRecord, options: RequestOptions): Promise<string> {
    const { client, settings } = this.#context;
    try {
      const batch = await client.batches.create(
        {
          input_file_id: fileId,
          endpoint: lineEndpoint,
          completion_window: `${settings.completionWindowHours}h`,
          metadata: { ...settings.metadata, [metadataKey]: this.key },
        },
        options,
      );
      return batch.id;
    } catch (error) {
      if (wasRefused(error) || options.signal?.aborted) throw error;
      // The answer was lost, which says nothing of the batch.
      const found = await this.#findBatch(record, options);
      if (found === undefined) throw error;
      return found.id;
    }
  }

  /** The oldest batch of these lines that ran or will; one that was ended before only where there is no other. */
  async #findBatch(record: PartRecord, options: RequestOptions): Promise<Batch | undefined> {
    const { data, has_more: hasMore } = await this.#context.client.batches.list({}, options);
    const ours = data.filter((batch) => batch.status !== "failed" && this.#isOurs(batch, record));
    if (ours.length === 0 && hasMore && record.asking) {
      throw new SiliconFlowError(
        `A batch may have been made that the service's list no longer shows. Look for the metadata ${metadataKey}=${this.key} on its site, and cancel it or wait for it, before this run goes on.`,
        { reason: "malformed" },
      );
    }
    const rank = ({ status }: Batch) => (/^(cancel|expired)/.test(status) ? 1 : 0);
    return ours.sort((a, b) => rank(a) - rank(b) || (a.created_at ?? 0) - (b.created_at ?? 0))[0];
  }

  #isOurs(batch: Batch, { fileId }: PartRecord): boolean {
    if (batch.metadata?.[metadataKey] === this.key || batch["file_name"] === fileNameOf(this.key)) return true;
    return fileId !== undefined && batch.input_file_id === fileId;
  }

  /** What lies at a link, or under an id. */
  async #textAt(where: string | null | undefined, options: RequestOptions): Promise<string> {
    if (where === null || where === undefined || where === "") return "";
    const { client } = this.#context;
    const bytes = /^https?:\/\//i.test(where)
      ? (await client.assets.download(where, { signal: options.signal, maxBytes: mostResultBytes })).bytes
      : await client.files.content(where, options);
    return new TextDecoder().decode(bytes);
  }

  async #read(): Promise<PartRecord | undefined> {
    const text = await this.#context.state.get(this.#recordKey);
    if (text === undefined) return undefined;
    try {
      const record = JSON.parse(text) as PartRecord;
      if (record.version === 1) return record;
    } catch {
      // Falls through: a text that is none of ours.
    }
    throw new SiliconFlowError(
      `The state holds something at ${this.#recordKey} that this version did not write. Use another folder.`,
      { reason: "malformed" },
    );
  }

  async #write(record: PartRecord): Promise<void> {
    await this.#context.state.set(this.#recordKey, `${JSON.stringify(record)}\n`);
  }

  #options(signal: AbortSignal | undefined): RequestOptions {
    return { ...this.#context.requestOptions, ...(signal && { signal }) };
  }

  get #recordKey(): string {
    return `${this.key}.json`;
  }

  get #resultsKey(): string {
    return `${this.key}.results.jsonl`;
  }
}

/** Whether the service said no, so that there is no batch. */
function wasRefused(error: unknown): boolean {
  if (!isSiliconFlowError(error)) return true;
  const { status } = error as ApiError;
  return error.attempts === 0 || (typeof status === "number" && status >= 400 && status < 500 && status !== 408);
}
