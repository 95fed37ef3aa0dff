import { InvalidInputError, JobFailedError } from "../errors.js";
import type { RequestOptions } from "../options.js";
import { waitFor, type WaitOptions } from "../polling.js";
import type { Transport } from "../transport.js";
import { unwrapped } from "../wrapped.js";
import type { Traced } from "./chat-wire.js";
import { isObject } from "./fields.js";
import { pathPart, pathWith } from "./query.js";
import { requireText } from "./require.js";

/**
 * A batch to run. Unknown fields are passed on.
 *
 * @see https://docs.siliconflow.cn/cn/api-reference/batch/create-batch
 */
export interface BatchRequest {
  /** The `id` of a file that `files.upload` has sent. */
  input_file_id: string;
  /** Where its lines go. @defaultValue `"/v1/chat/completions"`, the only one so far */
  endpoint?: string;
  /** How long it may take, from `"24h"` to `"336h"`. @defaultValue `"24h"` */
  completion_window?: string;
  /** Up to 16 notes: names of 64 characters, texts of 512. */
  metadata?: Record<string, string> | null;
  /** In place of the model of every line. */
  replace?: { model?: string; [field: string]: unknown };
  [field: string]: unknown;
}

/** A batch as it stands. Times are in Unix seconds, `null` until they have come. */
export interface Batch extends Traced {
  /** What `get`, `cancel` and `wait` take. */
  id: string;
  object?: string;
  endpoint?: string;
  /** What kept it from running. */
  errors?: unknown;
  input_file_id?: string;
  completion_window?: string;
  /** `"in_queue"`, `"in_progress"`, `"finalizing"`, `"completed"`, `"failed"`, `"expired"`, `"cancelling"`, `"cancelled"`, or another. */
  status: string;
  /** The answers: an id, or the address of the file. */
  output_file_id?: string | null;
  /** The lines that failed, in the same way. */
  error_file_id?: string | null;
  created_at?: number | null;
  in_progress_at?: number | null;
  expires_at?: number | null;
  finalizing_at?: number | null;
  completed_at?: number | null;
  failed_at?: number | null;
  expired_at?: number | null;
  cancelling_at?: number | null;
  cancelled_at?: number | null;
  /** Lines in all, answered, and failed. */
  request_counts?: { total?: number; completed?: number; failed?: number } | null;
  metadata?: Record<string, string> | null;
  [field: string]: unknown;
}

/** Batches of the account. */
export interface BatchList extends Traced {
  /** One for each batch. */
  data: Batch[];
  object?: string;
  first_id?: string | null;
  last_id?: string | null;
  /** Whether there are more. The service documents no way to ask for them. */
  has_more?: boolean;
  [field: string]: unknown;
}

const endpointOfLines = "/v1/chat/completions";
const shortestHours = 24;
const longestHours = 336;

/** `/batches`. */
export class Batches {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * Runs the lines of a file, at half the price and within hours. Sent again only where it is certain that it was not begun,
   * for each batch is paid: after any other failure look into `list`.
   *
   * @throws {@link InvalidInputError} when the window or the metadata are not what the service takes.
   * @see https://docs.siliconflow.cn/cn/api-reference/batch/create-batch
   */
  async create(request: BatchRequest, options?: RequestOptions): Promise<Batch> {
    requireText(request?.input_file_id, "input_file_id must be the id of a file, as files.upload returned it");
    const { endpoint = endpointOfLines, completion_window: window = `${shortestHours}h`, ...rest } = request;
    checkWindow(window);
    checkMetadata(request.metadata);
    const body = { ...rest, endpoint, completion_window: window };
    const call = { method: "POST", path: "/batches", body, stream: false, once: true, options } as const;
    return await this.#transport.send(call, unwrapped<Batch>(isBatch));
  }

  /**
   * A batch as it stands.
   *
   * @param id - as `create` returned it
   * @see https://docs.siliconflow.cn/cn/api-reference/batch/get-batch
   */
  async get(id: string, options?: RequestOptions): Promise<Batch> {
    const path = `/batches/${partOf(id)}`;
    return await this.#transport.send({ method: "GET", path, stream: false, options }, unwrapped<Batch>(isBatch));
  }

  /**
   * The batches of the account.
   *
   * @param query - passed on; the service documents nothing to choose by
   * @see https://docs.siliconflow.cn/cn/api-reference/batch/get-batch-list
   */
  async list(query: Record<string, unknown> = {}, options?: RequestOptions): Promise<BatchList> {
    const path = pathWith("/batches", query);
    return await this.#transport.send(
      { method: "GET", path, stream: false, options },
      unwrapped<BatchList>(({ data }) => Array.isArray(data) && data.every((each) => isObject(each) && isBatch(each))),
    );
  }

  /**
   * Stops a batch. What has been answered by then is kept, and paid.
   *
   * @param id - as `create` returned it
   * @see https://docs.siliconflow.cn/cn/api-reference/batch/cancel-batch
   */
  async cancel(id: string, options?: RequestOptions): Promise<Batch> {
    const path = `/batches/${partOf(id)}/cancel`;
    return await this.#transport.send({ method: "POST", path, stream: false, options }, unwrapped<Batch>(isBatch));
  }

  /**
   * Looks at a batch until it is completed: after 5 s, then each time half as long again, up to every minute.
   * A look that fails does not end the wait, unless none could succeed.
   *
   * @param id - as `create` returned it
   * @throws {@link JobFailedError} when it failed, expired, or was cancelled. `job` is the batch: what was answered before may be in
   * its files.
   * @throws {@link TimeoutError} after `timeouts.totalMs`. The batch goes on: wait again with the same id.
   * @see https://docs.siliconflow.cn/cn/api-reference/batch/get-batch
   */
  async wait(id: string, options: WaitOptions<Batch> = {}): Promise<Batch> {
    partOf(id);
    const last = await waitFor(
      this.#transport,
      options,
      { firstMs: 5_000, longestMs: 60_000 },
      (each) => this.get(id, each),
      ({ status }) => status === "completed" || ended.has(status),
    );
    const how = ended.get(last.status);
    if (how === undefined) return last;
    const why = this.#transport.quote(reasonsOf(last.errors));
    throw new JobFailedError(`The batch ${how}${why && `: ${why}`}.`, {
      id,
      status: last.status,
      job: last,
      traceId: last.traceId,
    });
  }

  /**
   * Takes the client's key and other secrets out of a text, such as the reason of a line that failed: results come as files,
   * which nobody has looked at.
   *
   * @param options - of the calls that made the batch: secrets among their headers go too
   * @example
   * ```ts compile-only
   * import { SiliconFlowClient } from "@langchain-siliconflow/client";
   *
   * const client = new SiliconFlowClient();
   * const results = new TextDecoder().decode(await client.files.content("file-1"));
   * for (const line of results.split("\n")) console.error(client.batches.redact(line));
   * ```
   */
  redact(text: string, options?: Pick<RequestOptions, "headers">): string {
    return this.#transport.redact(text, options?.headers);
  }
}

/** What ends a batch that is not completed. */
const ended = new Map([
  ["failed", "failed"],
  ["expired", "expired before all of its lines were answered"],
  ["cancelled", "was cancelled"],
]);

function partOf(id: unknown): string {
  return pathPart(id, "id must be that of a batch, as batches.create returned it");
}

function isBatch({ id, status }: Record<string, unknown>): boolean {
  return typeof id === "string" && id !== "" && typeof status === "string" && status !== "";
}

/** The messages of a list of errors, bare or as the `data` of an object. */
function reasonsOf(errors: unknown): string {
  const list: unknown = isObject(errors) ? errors["data"] : errors;
  if (!Array.isArray(list)) return "";
  const messages = list.map((error: unknown) => (isObject(error) ? error["message"] : error));
  return messages
    .filter((message) => typeof message === "string")
    .slice(0, 3)
    .join("; ");
}

function checkWindow(window: unknown): void {
  const hours = typeof window === "string" ? Number(/^(\d+)h$/.exec(window)?.[1]) : Number.NaN;
  if (!(hours >= shortestHours && hours <= longestHours)) {
    throw new InvalidInputError(`completion_window must be a number of hours, ${shortestHours}h to ${longestHours}h.`);
  }
}

function checkMetadata(metadata: unknown): void {
  if (metadata === undefined || metadata === null) return;
  if (!isObject(metadata)) throw new InvalidInputError("metadata must be an object of texts.");
  const notes = Object.entries(metadata);
  if (notes.length > 16) throw new InvalidInputError(`metadata has ${notes.length} entries, and must have 16 at most.`);
  for (const [name, value] of notes) {
    if (name === "" || [...name].length > 64)
      throw new InvalidInputError("A name in metadata must have 1 to 64 characters.");
    if (typeof value !== "string" || [...value].length > 512)
      throw new InvalidInputError(`metadata.${name} must be a text of 512 characters at most.`);
  }
}
