import type { Deadline } from "./deadline.js";
import { InvalidResponseError } from "./errors.js";
import type { WireBody, WireResponse } from "./wire.js";

/** The next bytes of a body, within the limits of time; `null` at its end. */
export async function nextPiece(body: WireBody, deadline: Deadline): Promise<Uint8Array | null> {
  let piece = body.read();
  for (; piece === undefined; piece = body.read()) await deadline.wait(body);
  note(piece, deadline);
  return piece;
}

function note(piece: Uint8Array | null, deadline: Deadline): void {
  if (piece === null) deadline.finished();
  else deadline.answered();
}

/** Reads a body to its end, or until it is longer than `maxBytes`: then it is cancelled. */
export async function readBody(
  body: WireBody,
  deadline: Deadline,
  maxBytes: number,
): Promise<{ pieces: Uint8Array[]; length: number; ended: boolean }> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    // What has arrived comes without a promise.
    let piece = body.read();
    for (; piece === undefined; piece = body.read()) await deadline.wait(body);
    note(piece, deadline);
    if (piece === null) return { pieces, length, ended: true };
    pieces.push(piece);
    length += piece.length;
    if (length > maxBytes) {
      body.cancel();
      return { pieces, length, ended: false };
    }
  }
}

export function tooLarge(maxBytes: number): InvalidResponseError {
  return new InvalidResponseError(`The answer is longer than ${maxBytes} bytes (maxResponseBytes).`, {
    reason: "tooLarge",
  });
}

/** How many bytes will come; `undefined` where that was not said, or was said of compressed ones. */
export function promisedBytes(response: WireResponse): number | undefined {
  const length = response.header("content-length");
  const encoding = response.header("content-encoding")?.toLowerCase() ?? "identity";
  return length !== undefined && /^\d+$/.test(length) && encoding === "identity" ? Number(length) : undefined;
}

/** @param length - of all pieces together */
export function joined(pieces: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  return whole;
}

const decoder = new TextDecoder();

/** UTF-8, in as many pieces as it came in. */
export function decodeText(pieces: readonly Uint8Array[], length: number): string {
  return decoder.decode(pieces.length === 1 ? pieces[0] : joined(pieces, length));
}
