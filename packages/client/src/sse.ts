import { InvalidResponseError } from "./errors.js";

/** An event that names its type. Events without one are plain strings: nearly all are, and a string costs no object. */
interface TypedEvent {
  type: string;
  data: string;
}

/** A line that no event stream holds: bare JSON, a page, a complaint in plain words. */
interface RawLine {
  raw: string;
}

export type SseEvent = string | TypedEvent | RawLine;

const textDecoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Where there is a `Buffer`, it turns short pieces into text in half the time (measured on Node.js 24). */
const decode: (bytes: Uint8Array, start: number, end: number) => string =
  typeof globalThis.Buffer === "function"
    ? (bytes, start, end) => toBuffer(bytes).toString("utf8", start, end)
    : (bytes, start, end) => textDecoder.decode(bytes.subarray(start, end));

/** Not zeroed where there is a choice: every byte is written. */
const allocate: (length: number) => Uint8Array =
  typeof globalThis.Buffer === "function" ? (length) => Buffer.allocUnsafe(length) : (length) => new Uint8Array(length);

const byteLength: (text: string) => number =
  typeof globalThis.Buffer === "function"
    ? (text) => Buffer.byteLength(text)
    : (text) => new TextEncoder().encode(text).length;

function toBuffer(bytes: Uint8Array): Buffer {
  return bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

const newline = 10;
const carriageReturn = 13;
const colon = 58;

/**
 * Decodes the bytes of a `text/event-stream`, however they were split, into the data of its events.
 *
 * All complete events of a read are decoded in one go. Text is decoded by whole lines only: a character may be
 * split across two reads, but never holds the byte of a line end.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
 */
export class SseDecoder {
  readonly #maxBytes: number;
  /** Bytes of the unfinished line, in the pieces they came in: joined once, so that a slow drip costs no more than a burst. */
  #pieces: Uint8Array[] = [];
  #pieceBytes = 0;
  #started = false;
  /** The text before ended in CR: a LF that follows belongs to it. */
  #skipNewline = false;
  /** Data of the unfinished event. */
  #data: string | undefined;
  #type = "";
  /** An event has come: this is an event stream. */
  #begun = false;
  /** A line has come that is no field: from there on all is one text, JSON of several lines perhaps, or a page. */
  #rawOpen = false;
  /** The first unknown field before any event: it was the beginning of that text, should one come. */
  #skipped: string | undefined;

  /** @param maxBytes longest line, and longest event, that is put up with */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether a part of something other than a comment has arrived. */
  get expecting(): boolean {
    const [first] = this.#pieces;
    return this.#data !== undefined || (first !== undefined && first[0] !== colon);
  }

  /** Adds the events that these bytes complete. */
  feed(bytes: Uint8Array, events: SseEvent[]): void {
    let last = bytes.lastIndexOf(newline);
    // Line ends of CR alone are rare: looked for where no LF follows.
    if (last + 1 < bytes.length) last = Math.max(last, bytes.lastIndexOf(carriageReturn));
    if (last < 0) {
      this.#keep(bytes);
      return this.#bound(this.#pieceBytes);
    }

    const end = last + 1;
    let start = 0;
    if (this.#pieceBytes > 0) {
      // The line that had begun alone: joining all that came with its end copied whole reads, 9 % of a stream's time.
      const first = bytes.indexOf(newline);
      start = first < 0 ? end : first + 1;
      this.#keep(bytes.subarray(0, start));
      this.#text(this.#join(), events);
    }
    if (start < end) this.#text(decode(bytes, start, end), events);
    if (end < bytes.length) this.#keep(bytes.subarray(end));
  }

  /** Whole lines. */
  #text(text: string, events: SseEvent[]): void {
    if (!this.#started) {
      this.#started = true;
      if (text.charCodeAt(0) === 0xfeff) text = text.slice(1);
    }
    if (this.#skipNewline || text.includes("\r")) text = this.#normalize(text);
    this.#lines(text, events);
  }

  /** The stream has ended: a last event without its blank line still counts, the caller judges whether it is whole. */
  end(events: SseEvent[]): void {
    if (this.#pieces.length > 0) {
      let text = this.#join();
      if (!this.#started && text.charCodeAt(0) === 0xfeff) text = text.slice(1);
      this.#line(text, 0, text.length, events);
    }
    this.#dispatch(events);
  }

  #keep(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#pieces.push(bytes);
    this.#pieceBytes += bytes.length;
  }

  #join(): string {
    const whole = allocate(this.#pieceBytes);
    let offset = 0;
    for (const piece of this.#pieces) {
      whole.set(piece, offset);
      offset += piece.length;
    }
    this.#pieces = [];
    this.#pieceBytes = 0;
    return decode(whole, 0, whole.length);
  }

  #normalize(text: string): string {
    const rest = this.#skipNewline && text.charCodeAt(0) === newline ? text.slice(1) : text;
    this.#skipNewline = text.charCodeAt(text.length - 1) === carriageReturn;
    return rest.replace(/\r\n?/g, "\n");
  }

  #lines(text: string, events: SseEvent[]): void {
    let start = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
      // The usual event, one data line and a blank one, goes straight through.
      if (
        this.#data === undefined &&
        this.#type === "" &&
        !this.#rawOpen &&
        text.startsWith("data: ", start) &&
        text.charCodeAt(end + 1) === newline
      ) {
        this.#check(text, start, end);
        if (end > start + 6) {
          this.#begun = true;
          events.push(text.slice(start + 6, end));
        }
        start = end + 2;
        continue;
      }
      this.#line(text, start, end, events);
      start = end + 1;
    }
  }

  #line(text: string, start: number, end: number, events: SseEvent[]): void {
    if (start === end) return this.#dispatch(events);
    this.#check(text, start, end);
    const line = text.slice(start, end);
    if (this.#rawOpen) return void events.push({ raw: line });
    const at = line.indexOf(":");
    const field = at < 0 ? line : line.slice(0, at);
    const value = at < 0 ? "" : line.slice(line.charCodeAt(at + 1) === 32 ? at + 2 : at + 1);
    if (field === "data") {
      this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`;
      this.#check(this.#data, 0, this.#data.length);
    } else if (field === "event") {
      this.#type = value;
    } else if (field !== "" && field !== "id" && field !== "retry") {
      this.#unknown(line, events);
    }
  }

  #unknown(line: string, events: SseEvent[]): void {
    if (this.#isForeign(line)) {
      this.#rawOpen = true;
      // It stands in the middle of an event: whether that was a ping is not certain any more, and its data are not dropped.
      if (this.#type === "ping") this.#type = "";
      if (this.#skipped !== undefined && !this.#begun) events.push({ raw: this.#skipped });
      events.push({ raw: line });
    } else if (!this.#begun) this.#skipped ??= line;
  }

  /**
   * Whether an unknown field is no field at all. The standard ignores unknown ones; but where a brace is in it, it may be an event
   * whose name was damaged, or the service's complaint, and ignoring that would lose it unseen. `"` and `<` begin no field, and
   * before the first event a line without a colon is more likely a complaint.
   */
  #isForeign(line: string): boolean {
    return line.includes("{") || /^["<]/.test(line) || (!this.#begun && !line.includes(":"));
  }

  #dispatch(events: SseEvent[]): void {
    const data = this.#data;
    const type = this.#type;
    this.#data = undefined;
    this.#type = "";
    // Nothing to say: a ping, or an event without data.
    if (data === undefined || data === "" || type === "ping") return;
    this.#begun = true;
    events.push(type === "" || type === "message" ? data : { type, data });
  }

  /** Of a line or an event. Its bytes are counted only where there could be too many. */
  #check(text: string, start: number, end: number): void {
    if ((end - start) * 3 <= this.#maxBytes) return;
    this.#bound(byteLength(text.slice(start, end)));
  }

  #bound(bytes: number): void {
    if (bytes <= this.#maxBytes) return;
    const message = `A line or an event of the stream is longer than ${this.#maxBytes} bytes.`;
    throw new InvalidResponseError(message, { reason: "tooLarge" });
  }
}
