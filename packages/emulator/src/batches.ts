import { createHash } from "node:crypto";
import { customIdOf, expiredLine, readLine, runLine, type BatchAnswer } from "./batch-line.js";
import type { Clock } from "./clock.js";
import type { Fields } from "./fields.js";
import { linesOf, type StoredFile } from "./files.js";
import type { Service } from "./router.js";
import type { Script } from "./script.js";

const mostLines = 5000;
const keptMs = 30 * 24 * 60 * 60 * 1000;

/** How fast batches go, by the emulator's clock. */
export interface BatchPace {
  /** Milliseconds in the queue. @defaultValue 200 */
  queueMs?: number;
  /** Milliseconds for each line. @defaultValue 1 */
  lineMs?: number;
  /** Milliseconds for writing the files. @defaultValue 100 */
  finalizeMs?: number;
}

/** One line that a batch ran: what the service would have charged for. */
export interface BatchLine {
  readonly batchId: string;
  readonly customId: string;
  readonly model: string | undefined;
}

/** What a batch was made with. */
export interface BatchRequest {
  file: StoredFile;
  endpoint: string;
  completionWindow: string;
  windowMs: number;
  metadata: Record<string, string> | null;
  model: string | undefined;
}

type Status =
  | "validating"
  | "in_queue"
  | "in_progress"
  | "finalizing"
  | "completed"
  | "failed"
  | "expired"
  | "cancelling"
  | "cancelled";

/** A batch as it goes over the wire. Times are Unix seconds. */
export interface BatchObject extends Record<string, unknown> {
  id: string;
  status: Status;
}

interface BatchError {
  code: string;
  message: string;
  line: number | null;
}

// A longer run than anyone looks at.
const longestRecord = 100_000;

/** Batches on the emulator's clock. Their lines run when somebody looks, as far as the clock says they have come. */
export class Batches {
  /** What ran since the start or the last reset, oldest first, at most the last 100,000. */
  readonly lines: BatchLine[] = [];
  readonly #clock: Clock;
  readonly #script: Script;
  readonly #pace: Required<BatchPace>;
  readonly #begins: "in_queue" | "validating";
  #batches = new Map<string, Batch>();

  constructor(clock: Clock, script: Script, pace: Required<BatchPace>, begins: "in_queue" | "validating") {
    this.#begins = begins;
    this.#clock = clock;
    this.#script = script;
    this.#pace = pace;
  }

  create(id: string, request: BatchRequest): BatchObject {
    const batch = new Batch(id, request, this.#pace, this.#clock.now());
    this.#batches.set(id, batch);
    return this.#told(batch.toWire());
  }

  async get(id: string, service: Service): Promise<BatchObject | undefined> {
    const batch = this.#batches.get(id);
    await this.#advance(batch, service);
    return batch && this.#told(batch.toWire());
  }

  /** Newest first. */
  async list(service: Service): Promise<BatchObject[]> {
    const batches = [...this.#batches.values()].reverse();
    for (const batch of batches) await this.#advance(batch, service);
    return batches.map((batch) => this.#told(batch.toWire({ withFileName: true })));
  }

  /** Undefined for a batch that does not exist, false for one that has ended. */
  async cancel(id: string, service: Service): Promise<BatchObject | false | undefined> {
    const batch = this.#batches.get(id);
    await this.#advance(batch, service);
    if (batch?.cancel(this.#clock.now()) === false) return false;
    return batch?.toWire();
  }

  /** With the word that this service has for a batch that waits. */
  #told(batch: BatchObject): BatchObject {
    return batch.status === "in_queue" ? { ...batch, status: this.#begins } : batch;
  }

  clear(): void {
    this.#batches = new Map();
    this.lines.length = 0;
  }

  async #advance(batch: Batch | undefined, service: Service): Promise<void> {
    await batch?.advance(this.#clock.now(), service, this.#script, (line) => {
      this.lines.push(line);
      if (this.lines.length > longestRecord) this.lines.shift();
    });
  }
}

class Batch {
  readonly #id: string;
  readonly #request: BatchRequest;
  readonly #pace: Required<BatchPace>;
  readonly #lines: (Fields | undefined)[];
  readonly #errors: BatchError[];
  readonly #times: Record<string, number> = {};
  readonly #answers: BatchAnswer[] = [];
  #status: Status = "in_queue";
  #cancelledAt = Infinity;
  #ran = 0;
  #outputFile: string | null = null;
  #errorFile: string | null = null;
  // Two requests that look at once must not run a line twice.
  #turn: Promise<void> = Promise.resolve();

  constructor(id: string, request: BatchRequest, pace: Required<BatchPace>, now: number) {
    this.#id = id;
    this.#request = request;
    this.#pace = pace;
    this.#times["created"] = now;
    const lines = linesOf(request.file.bytes);
    this.#lines = lines.length > mostLines ? [] : lines.map(readLine);
    this.#errors = [...wholeFileErrors(lines.length, this.#lines)];
  }

  advance(now: number, service: Service, script: Script, ran: (line: BatchLine) => void): Promise<void> {
    const advanced = this.#turn.then(() => this.#advance(now, service, script, ran));
    this.#turn = advanced.catch(() => {});
    return advanced;
  }

  async #advance(now: number, service: Service, script: Script, ran: (line: BatchLine) => void): Promise<void> {
    const { queueMs, lineMs, finalizeMs } = this.#pace;
    const begins = this.#times["created"]! + queueMs;
    if (this.#status === "in_queue" && begins <= Math.min(now, this.#cancelledAt)) {
      this.#enter(this.#errors.length > 0 ? "failed" : "in_progress", begins);
    }
    const expires = this.#times["created"]! + this.#request.windowMs;
    const until = Math.min(now, expires, this.#cancelledAt);
    if (this.#status === "in_progress" || this.#status === "cancelling") {
      const due = Math.min(this.#lines.length, Math.floor((until - begins) / lineMs));
      while (this.#ran < due) await this.#run(service, script, ran);
    }
    const allRan = begins + this.#lines.length * lineMs;
    if (this.#status === "in_progress" && this.#ran === this.#lines.length) this.#enter("finalizing", allRan);
    else if (this.#status === "in_progress" && expires <= until) this.#end("expired", expires, now, service);
    if (this.#status === "finalizing" && allRan + finalizeMs <= now) {
      this.#end("completed", allRan + finalizeMs, now, service);
    }
    const cancelled = this.#cancelledAt + finalizeMs;
    if (this.#status === "cancelling" && cancelled <= now) this.#end("cancelled", cancelled, now, service);
  }

  async #run(service: Service, script: Script, ran: (line: BatchLine) => void): Promise<void> {
    const line = this.#lines[this.#ran];
    const { model, ...answer } = await runLine(line, this.#request.model, script, service);
    this.#ran += 1;
    this.#answers.push(answer);
    ran({ batchId: this.#id, customId: answer.custom_id ?? "", model });
    // Thousands of lines must not keep the server from answering others.
    if (this.#ran % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }

  cancel(now: number): boolean {
    if (this.#status === "cancelling" || this.#status === "cancelled") return true;
    if (this.#status !== "in_queue" && this.#status !== "in_progress") return false;
    this.#cancelledAt = now;
    this.#enter("cancelling", now);
    return true;
  }

  #enter(status: Status, at: number): void {
    this.#status = status;
    this.#times[status] = at;
  }

  #end(status: Status, at: number, now: number, service: Service): void {
    this.#enter(status, at);
    const expired = status === "expired" ? this.#lines.slice(this.#ran).map((line) => expiredLine(line, service)) : [];
    const good = this.#answers.filter(succeeded);
    const bad = [...this.#answers.filter((answer) => !succeeded(answer)), ...expired];
    const keep = (kind: string, answers: BatchAnswer[]) =>
      answers.length === 0 ? null : this.#publish(kind, answers, at + keptMs - now, service);
    this.#outputFile = keep("output", good);
    this.#errorFile = keep("error", bad);
  }

  /** Puts lines at a link, in an order that is not the input's: nothing says that it would be. */
  #publish(kind: string, answers: BatchAnswer[], forMs: number, service: Service): string {
    const sorted = answers
      .map((answer) => ({
        answer,
        key: createHash("sha256")
          .update(answer.custom_id ?? "")
          .digest("hex"),
      }))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
    const text = sorted.map(({ answer }) => `${JSON.stringify(answer)}\n`).join("");
    const bytes = Buffer.from(text);
    const name = `${this.#id}_${kind}.jsonl`;
    if (service.settings.quirks.batchOutput === "url") {
      return service.outputs.add(name, "application/jsonl", bytes, forMs);
    }
    return service.files.add(`file-${service.nextId()}`, name, "batch_output", bytes).id;
  }

  toWire(options: { withFileName?: boolean } = {}): BatchObject {
    const at = (name: string) => (this.#times[name] === undefined ? null : Math.floor(this.#times[name] / 1000));
    const completed = this.#answers.filter(succeeded).length;
    const expired = this.#status === "expired" ? this.#lines.length - this.#ran : 0;
    const failed = this.#answers.length - completed + expired;
    const { file, endpoint, completionWindow, windowMs, metadata } = this.#request;
    return {
      id: this.#id,
      object: "batch",
      endpoint,
      errors: this.#status === "failed" ? this.#errors : null,
      input_file_id: file.id,
      completion_window: completionWindow,
      status: this.#status,
      output_file_id: this.#outputFile,
      error_file_id: this.#errorFile,
      created_at: at("created"),
      in_progress_at: at("in_progress"),
      expires_at: Math.floor((this.#times["created"]! + windowMs) / 1000),
      finalizing_at: at("finalizing"),
      completed_at: at("completed"),
      failed_at: at("failed"),
      expired_at: at("expired"),
      cancelling_at: at("cancelling"),
      cancelled_at: at("cancelled"),
      request_counts: this.#status === "in_queue" ? null : { total: this.#lines.length, completed, failed },
      metadata,
      ...(options.withFileName && { file_name: file.filename }),
    };
  }
}

function succeeded(answer: BatchAnswer): boolean {
  return answer.response?.status_code === 200;
}

/** What is wrong with a file as a whole, so that none of its lines runs. */
function* wholeFileErrors(count: number, lines: readonly (Fields | undefined)[]): Generator<BatchError> {
  if (count === 0) yield { code: "empty_file", message: "The file has no lines.", line: null };
  if (count > mostLines) {
    const message = `The file has ${count} lines; at most ${mostLines} are allowed.`;
    yield { code: "too_many_lines", message, line: null };
  }
  const seen = new Set<string>();
  for (const [index, line] of lines.entries()) {
    const id = customIdOf(line);
    if (id === undefined && line !== undefined) {
      yield { code: "missing_custom_id", message: "custom_id is required.", line: index + 1 };
    }
    if (id !== undefined && seen.has(id)) {
      yield { code: "duplicate_custom_id", message: "custom_id must be unique.", line: index + 1 };
    }
    if (id !== undefined) seen.add(id);
  }
}
