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

/** Rows of both files of a batch, as they came. @throws {@link InvalidResponseError} for a row that is cut off or no JSON */
export function readRows(text: string, origin: Origin): Row[] {
  const rows: Row[] = [];
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    const row = parsed(line);
    if (!isPlainObject(row)) {
      throw new InvalidResponseError("A results file of a batch has a line that is no JSON object.", {
        reason: "notJson",
        retryable: true,
      });
    }
    // A row without a name belongs to nobody; the line it was meant for will be missed.
    if (typeof row["custom_id"] === "string") {
      rows.push({ customId: row["custom_id"], answer: outcomeOf(row, origin) });
    }
  }
  return rows;
}

/** One outcome for each `custom_id`. Where a line has two rows, its answer counts. */
export function byCustomId(rows: readonly Row[]): Map<string, Outcome> {
  const found = new Map<string, Outcome>();
  for (const { customId, answer } of rows) {
    if (!found.has(customId) || "completion" in answer) found.set(customId, answer);
  }
  return found;
}

/** One outcome for each line, of those without a row that it is missing. */
export function outcomesOf(lines: readonly Line[], rows: readonly Row[]): Map<string, Outcome> {
  const found = byCustomId(rows);
  return new Map(lines.map(({ customId, position }) => [customId, found.get(customId) ?? missing(position)]));
}

/** How many rows hold an answer. */
export function countAnswers(rows: readonly Row[]): number {
  return rows.filter(({ answer }) => "completion" in answer).length;
}

/** What becomes of an input whose line has no row. */
export function missing(position: number): Outcome {
  const error = new InvalidResponseError(`The batch ended without an answer to input ${position}.`, {
    reason: "truncated",
    retryable: true,
    position,
  });
  return { error, again: true };
}

function outcomeOf(row: Record<string, unknown>, origin: Origin): Outcome {
  const { response, error } = row;
  if (isPlainObject(response)) {
    const { status_code: status, body: given } = response;
    const body = typeof given === "string" ? (parsed(given) ?? given) : given;
    // What is in it is judged where every answer is.
    if (status === 200 && isPlainObject(body)) return { completion: body as unknown as ChatCompletion };
    // Not worth another batch by itself: it has been paid.
    if (status === 200) return { error: new InvalidResponseError("A line was answered without a body."), again: false };
    return refused(Number(status) || 500, body, origin);
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
