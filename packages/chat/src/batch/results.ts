import {
  InvalidResponseError,
  SiliconFlowError,
  type ChatCompletion,
  type RequestOptions,
} from "@langchain-siliconflow/client";
import { errorFromResponse } from "@langchain-siliconflow/client/adapter";
import { isPlainObject } from "../tool-calls.js";
import type { Line } from "./lines.js";

/** What became of a line. */
export type Outcome = { completion: ChatCompletion } | { error: Error; /** Worth another batch. */ again: boolean };

/** One row of an output or error file. */
interface Row {
  customId: string;
  answer: Outcome;
}

/** Whose results are read, and what must not be shown of them. */
export interface Origin {
  client: { readonly baseURL: string; readonly batches: { redact(text: string, options?: RequestOptions): string } };
  requestOptions: RequestOptions;
}

/** Rows of both files of a batch, as they came, and whether one was cut off or is no JSON: the others hold all the same. */
export function readRows(text: string, origin: Origin): { rows: Row[]; damaged: boolean } {
  const rows: Row[] = [];
  let damaged = false;
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    const row = parsed(line);
    if (!isPlainObject(row)) damaged = true;
    // A row without a name belongs to nobody; the line it was meant for will be missed.
    else if (typeof row["custom_id"] === "string") {
      rows.push({ customId: row["custom_id"], answer: outcomeOf(row, origin) });
    }
  }
  return { rows, damaged };
}

/** One outcome for each `custom_id`. Where a line has two rows, its answer counts. */
export function byCustomId(rows: readonly Row[]): Map<string, Outcome> {
  const found = new Map<string, Outcome>();
  for (const { customId, answer } of rows) {
    if (!found.has(customId) || "completion" in answer) found.set(customId, answer);
  }
  return found;
}

/** One outcome for each line. `whole`: no row can have been lost on the way. */
export function outcomesOf(lines: readonly Line[], rows: readonly Row[], whole = true): Map<string, Outcome> {
  const found = byCustomId(rows);
  return new Map(lines.map(({ customId, position }) => [customId, found.get(customId) ?? missing(position, whole)]));
}

/** How many lines have an answer among the rows. */
export function countAnswers(rows: readonly Row[]): number {
  return new Set(rows.flatMap(({ customId, answer }) => ("completion" in answer ? [customId] : []))).size;
}

/** For a line without a row. Where rows were lost on the way, it may have been answered, and paid: they are fetched again first. */
export function missing(position: number, whole = true): Outcome {
  const text = whole
    ? `The batch ended without an answer to input ${position}.`
    : `The results of the batch came damaged or cut off, without an answer to input ${position}. The same call made again, or resume(), fetches them again.`;
  const error = new InvalidResponseError(text, {
    reason: "truncated",
    retryable: true,
    position,
  });
  return { error, again: whole };
}

function outcomeOf(row: Record<string, unknown>, origin: Origin): Outcome {
  const { response, error } = row;
  if (isPlainObject(response)) {
    const { status_code: code, body: given } = response;
    const status = Number(code);
    const body = typeof given === "string" ? (parsed(given) ?? given) : given;
    // What is in it is judged where every answer is.
    if (status === 200 && isPlainObject(body)) return { completion: body as unknown as ChatCompletion };
    // Not worth another batch by itself: it has been paid.
    if (status === 200) return { error: new InvalidResponseError("A line was answered without a body."), again: false };
    return refused(status || 500, body, origin);
  }
  const { code, message } = isPlainObject(error) ? error : {};
  if (code === "batch_expired" || code === "batch_cancelled") {
    const text = "The batch ended before this line was run. Run it again, or give it a longer completionWindowHours.";
    return { error: new SiliconFlowError(text, { reason: "timeout", retryable: true }), again: true };
  }
  // Without a status, only the code tells who is to blame: those that begin with 5 are the service's.
  const status = /^5\d\d/.test(String(code)) ? Number(String(code).slice(0, 3)) : 400;
  return refused(status, { code: Number(code) || code, message: message ?? "The line failed." }, origin);
}

function refused(status: number, body: unknown, { client, requestOptions }: Origin): Outcome {
  const redact = (text: string) => client.batches.redact(text, requestOptions);
  const error = errorFromResponse({
    status,
    text: redact(typeof body === "string" ? body : JSON.stringify(body ?? null)),
    redact,
    header: () => undefined,
    baseURL: client.baseURL,
    region: undefined,
    now: Date.now(),
  });
  return { error, again: status === 429 || status >= 500 };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
