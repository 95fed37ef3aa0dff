import { abortReason } from "../deadline.js";
import { InvalidInputError } from "../errors.js";
import { formOf } from "../multipart.js";
import type { RequestOptions } from "../options.js";
import { joined, readBody, tooLarge } from "../read-body.js";
import type { Transport } from "../transport.js";
import { openUpload, unreadable, type FileSource, type Inspector, type Upload } from "../upload.js";
import { unwrapped } from "../wrapped.js";
import type { Traced } from "./chat-wire.js";
import { pathPart, pathWith } from "./query.js";

/**
 * A file to upload. Unknown fields are passed on, as fields of the form.
 *
 * @see https://docs.siliconflow.cn/cn/api-reference/batch/upload-file
 */
export interface FileUpload {
  /** The file: for a batch one request a line, 1 GB and 5,000 lines at most. */
  file: FileSource;
  /** What it is for. @defaultValue `"batch"` */
  purpose?: string;
  /** What the file is called, for a stream or a Blob without a name. @defaultValue that of the file */
  filename?: string;
  [field: string]: unknown;
}

/** A file of the account, with the fields as the service calls them: the upload says `createdAt`, the list `created_at`. */
export interface FileObject {
  /** What `batches.create` takes as `input_file_id`. */
  id: string;
  object?: string;
  /** Its size. */
  bytes?: number;
  /** Unix seconds. */
  createdAt?: number;
  /** Unix seconds. */
  created_at?: number;
  filename?: string;
  purpose?: string;
  /** Lines of a file for a batch. */
  line_count?: number;
  [field: string]: unknown;
}

/** Files of the account. */
export interface FileList extends Traced {
  /** One for each file. */
  data: FileObject[];
  object?: string;
  [field: string]: unknown;
}

/** Which files to list. Unknown fields are passed on. */
export interface FileQuery {
  /** What they are for. @defaultValue `"batch"` */
  purpose?: string;
  /** How many, 1 or more. @defaultValue 10, by the service */
  limit?: number;
  [field: string]: string | number | boolean | undefined;
}

/** Of the documented 1 GB, the larger reading. */
const maxBytes = 2 ** 30;
const maxLines = 5000;

/** `/files`. */
export class Files {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * Uploads a file. Of one for a batch, size and lines are counted before anything is sent (of a stream: while it is sent).
   *
   * An upload that breaks off is begun again: at the worst the service has the file twice, which costs nothing.
   *
   * @example
   * ```ts compile-only
   * import { SiliconFlowClient } from "@langchain-siliconflow/client";
   *
   * const client = new SiliconFlowClient();
   * const { id } = await client.files.upload({ file: "questions.jsonl" });
   * const batch = await client.batches.create({ input_file_id: id });
   * const { output_file_id: output } = await client.batches.wait(batch.id);
   * console.log(output); // the address of the answers
   * ```
   *
   * @throws {@link InvalidInputError} when the file is missing, empty or too large, or has too many lines.
   * @see https://docs.siliconflow.cn/cn/api-reference/batch/upload-file
   */
  async upload(request: FileUpload, options?: RequestOptions): Promise<FileObject & Traced> {
    const { file: source, filename, purpose = "batch", ...rest } = request ?? {};
    const fields = { purpose, ...rest };
    const ifLarger = "Spread its lines over several files.";
    const file = await openUpload(source, { field: "file", filename, maxBytes, ifLarger });
    const lines = purpose === "batch" ? new LineCounter() : undefined;
    if (lines !== undefined && file.blob !== undefined) await readThrough(file, lines, options?.signal);
    const call = {
      method: "POST",
      path: "/files",
      body: fields,
      form: formOf(fields, "file", file, lines),
      stream: false,
      options,
    } as const;
    return await this.#transport.send(call, unwrapped<FileObject>(isFile));
  }

  /**
   * Lists files of the account, ten unless `limit` says otherwise.
   *
   * @throws {@link InvalidInputError} for a `limit` that is no whole number from 1.
   * @see https://docs.siliconflow.cn/cn/api-reference/batch/get-file-list
   */
  async list(query: FileQuery = {}, options?: RequestOptions): Promise<FileList> {
    const { limit } = query ?? {};
    if (limit !== undefined && !(Number.isInteger(limit) && limit >= 1))
      throw new InvalidInputError("limit must be a whole number from 1.");
    const path = pathWith("/files", { purpose: "batch", ...query });
    return await this.#transport.send({ method: "GET", path, stream: false, options }, unwrapped<FileList>(isFileList));
  }

  /**
   * What is in a file. The service documents no such endpoint: this is where OpenAI's is, for results of batches that come as an
   * id instead of an address.
   *
   * @throws {@link NotFoundError} where there is none.
   * @throws {@link InvalidResponseError} with reason `"tooLarge"` for more than the client's `maxResponseBytes`.
   */
  async content(id: string, options?: RequestOptions): Promise<Uint8Array> {
    const path = `/files/${pathPart(id, "id must be that of a file")}/content`;
    const call = { method: "GET", path, stream: false, binary: true, options } as const;
    const { maxResponseBytes } = this.#transport.options;
    return await this.#transport.receive(call, async ({ body }, { deadline }) => {
      const { pieces, length, ended } = await readBody(body, deadline, maxResponseBytes);
      if (!ended) throw tooLarge(maxResponseBytes);
      return joined(pieces, length);
    });
  }
}

function isFile(value: Record<string, unknown>): boolean {
  return typeof value["id"] === "string" && value["id"] !== "";
}

function isFileList({ data }: Record<string, unknown>): boolean {
  return Array.isArray(data) && data.every((file) => typeof file === "object" && file !== null && isFile(file));
}

/** Counts lines that hold something, in pieces of a file. */
class LineCounter implements Inspector {
  #lines = 0;
  #begun = false;

  look(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const newline = bytes.indexOf(10, at);
      const end = newline === -1 ? bytes.length : newline;
      // The first byte of a line settles it, but for lines of blanks.
      for (; at < end && !this.#begun; at += 1) if (bytes[at]! > 32) this.#count();
      if (newline === -1) return;
      this.#begun = false;
      at = newline + 1;
    }
  }

  #count(): void {
    this.#begun = true;
    this.#lines += 1;
    if (this.#lines > maxLines) {
      throw new InvalidInputError(
        `The file has more than ${maxLines} lines, which is what the service takes. Spread them over several files.`,
        { reason: "tooLarge" },
      );
    }
  }
}

async function readThrough(file: Upload, inspector: Inspector, signal: AbortSignal | undefined): Promise<void> {
  const reader = file.open(true).getReader();
  try {
    for (;;) {
      if (signal?.aborted) throw abortReason(signal);
      const { done, value } = await reader.read().catch((cause: unknown) => {
        throw unreadable(cause);
      });
      if (done) return;
      inspector.look(value);
    }
  } catch (error) {
    await reader.cancel().catch(() => {});
    throw error;
  }
}
