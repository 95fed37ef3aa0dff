import type { Deadline } from "./deadline.js";
import { InvalidResponseError } from "./errors.js";
import type { WireBody } from "./wire.js";

/** Reads a body to its end, or until it is longer than `maxBytes`: then it is cancelled. */
export async function readBody(
  body: WireBody,
  deadline: Deadline,
  maxBytes: number,
): Promise<{ pieces: Uint8Array[]; length: number; ended: boolean }> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    let bytes = body.read();
    if (bytes === undefined) bytes = await deadline.wait(body);
    if (bytes === null) {
      deadline.finished();
      return { pieces, length, ended: true };
    }
    deadline.answered();
    pieces.push(bytes);
    length += bytes.length;
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

const decoder = new TextDecoder();

/** UTF-8, in as many pieces as it came in. */
export function decodeText(pieces: Uint8Array[], length: number): string {
  const [only] = pieces;
  if (only === undefined) return "";
  if (pieces.length === 1) return decoder.decode(only);
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  return decoder.decode(whole);
}
