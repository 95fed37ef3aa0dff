import { parseAnswer } from "./answer.js";
import { InvalidResponseError } from "./errors.js";
import { decodeText, nextPiece, promisedBytes } from "./read-body.js";
import type { Exchange } from "./transport.js";
import type { WireResponse } from "./wire.js";

/** No sound begins with so much text. */
const textBytes = 512;
/** Of what is no sound. */
const maxTextBytes = 64 * 1024;

/**
 * The bytes of an answer that is sound, piece by piece. What the service calls them is not reliable, and every format begins with
 * bytes that no text has: an answer that begins as text is an error, or a page, whatever its status and its type.
 */
export class AudioAnswer {
  readonly #response: WireResponse;
  readonly #exchange: Exchange;
  /** What was read to see what it is. */
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  readonly #promised: number | undefined;

  private constructor(response: WireResponse, exchange: Exchange) {
    this.#response = response;
    this.#exchange = exchange;
    this.#promised = promisedBytes(response);
  }

  /**
   * Reads until it is certain that this is sound.
   *
   * @throws what it is instead: an error of the service, a page, or nothing at all
   */
  static async begin(response: WireResponse, exchange: Exchange): Promise<AudioAnswer> {
    const answer = new AudioAnswer(response, exchange);
    const text = new TextDecoder("utf-8", { fatal: true });
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    let isText = true;
    let piece: Uint8Array | null = null;
    while (isText && bytes < textBytes && (piece = await answer.#read()) !== null) {
      isText = continues(text, piece);
      pieces.push(piece);
      bytes += piece.length;
    }
    if (!isText) {
      answer.#pieces = pieces;
      return answer;
    }
    while (bytes < maxTextBytes && piece !== null && (piece = await answer.#read()) !== null) {
      pieces.push(piece);
      bytes += piece.length;
    }
    if (piece !== null) response.body.cancel();
    parseAnswer(decodeText(pieces, bytes), response, exchange, () => false);
    // Not reached: with nothing accepted as an answer, parseAnswer throws.
    throw new InvalidResponseError("The answer is text, and no sound.");
  }

  /** The next piece; `null` at the end of a whole answer. */
  async next(): Promise<Uint8Array | null> {
    return this.#pieces.shift() ?? (await this.#read());
  }

  async #read(): Promise<Uint8Array | null> {
    const piece = await nextPiece(this.#response.body, this.#exchange.deadline);
    if (piece !== null) {
      this.#bytes += piece.length;
    } else if (this.#promised !== undefined && this.#bytes < this.#promised) {
      throw new InvalidResponseError(`The answer ended after ${this.#bytes} of its ${this.#promised} bytes.`, {
        reason: "truncated",
        retryable: true,
        traceId: this.#response.header("x-siliconcloud-trace-id"),
      });
    }
    return piece;
  }
}

/** Whether the text goes on as one: in UTF-8, and without what only machines write. */
function continues(text: InstanceType<typeof TextDecoder>, piece: Uint8Array): boolean {
  try {
    // oxlint-disable-next-line no-control-regex -- they are what is looked for
    return !/[\u0000-\u0008\u000e-\u001a\u001c-\u001f\u007f]/.test(text.decode(piece, { stream: true }));
  } catch {
    return false;
  }
}
