import { InvalidInputError, type ChatCompletionRequest } from "@langchain-siliconflow/client";

/** One line of a batch's input file. */
export interface Line {
  /** Which input it came from. */
  position: number;
  /** From position and content, so that a later run finds it again. */
  customId: string;
  /** JSON, with its line end. */
  bytes: Uint8Array;
}

/** The only endpoint whose requests batches run. */
export const lineEndpoint = "/v1/chat/completions";

const roles = new Set(["system", "user", "assistant"]);

/** A request as a line. @throws {@link InvalidInputError} for what the service does not run in a batch */
export async function lineOf(position: number, request: ChatCompletionRequest, maxBytes: number): Promise<Line> {
  // Neither belongs in a file; whether a caller wanted a stream must not change the line.
  const { stream: _, stream_options: __, ...body } = request;
  const strange = body.messages.find(({ role }) => !roles.has(role));
  if (strange !== undefined) {
    const message = `Input ${position} has a message of the role "${strange.role}". Batches take system, user and assistant messages.`;
    throw new InvalidInputError(message, { position });
  }
  if (body.messages.at(-1)?.role !== "user") {
    throw new InvalidInputError(`Input ${position} does not end with a user's message, as batches need it.`, {
      position,
    });
  }
  const digest = await digestOf(JSON.stringify(body, withSortedKeys));
  const customId = `${String(position).padStart(6, "0")}-${digest.slice(0, 16)}`;
  const line = { custom_id: customId, method: "POST", url: lineEndpoint, body };
  const bytes = new TextEncoder().encode(`${JSON.stringify(line)}\n`);
  if (bytes.length > maxBytes) {
    const message = `Input ${position} makes a line of ${bytes.length} bytes, and a batch takes ${maxBytes}.`;
    throw new InvalidInputError(message, { position });
  }
  return { position, customId, bytes };
}

/** The position in a `custom_id` of ours; NaN for one that is not. */
export function positionOf(customId: string): number {
  return /^\d{6,}-[0-9a-f]{16}$/.test(customId) ? Number.parseInt(customId, 10) : Number.NaN;
}

/** Cuts lines into files. */
export function splitLines(lines: readonly Line[], most: { lines: number; bytes: number }): Line[][] {
  const files: Line[][] = [];
  let current: Line[] = [];
  let bytes = 0;
  for (const line of lines) {
    if (current.length > 0 && (current.length === most.lines || bytes + line.bytes.length > most.bytes)) {
      files.push(current);
      current = [];
      bytes = 0;
    }
    current.push(line);
    bytes += line.bytes.length;
  }
  if (current.length > 0) files.push(current);
  return files;
}

/** What names a file of these lines: the same lines, asked at the same place for the same time, have the same key. */
export function keyOf(lines: readonly Line[], where: { baseURL: string; attempt: number }): Promise<string> {
  const ids = lines.map(({ customId }) => customId).join("\n");
  return digestOf(`${where.baseURL}\n${where.attempt}\n${ids}`).then((digest) => digest.slice(0, 32));
}

async function digestOf(text: string): Promise<string> {
  const digest = await globalThis.crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** For `JSON.stringify`: an object means the same in any order of its fields. */
function withSortedKeys(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
