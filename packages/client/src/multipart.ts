import { InvalidInputError } from "./errors.js";
import type { Inspector, Upload } from "./upload.js";

/** A `multipart/form-data` body, read as it is sent. */
export interface Form {
  readonly contentType: string;
  /** Bytes in all; `undefined` where a stream has not said. */
  readonly length: number | undefined;
  /** Whether it cannot be sent again, because a part of it could be read only once. */
  readonly spent: boolean;
  /** @param lent - whether a piece may change as soon as the next one is asked for, which spares memory */
  open(lent: boolean): ReadableStream<Uint8Array>;
}

const encoder = new TextEncoder();

/** A form of these fields and, as its last part, one file, of which nothing is kept in memory. */
export function formOf(fields: Record<string, unknown>, field: string, file?: Upload, inspector?: Inspector): Form {
  const boundary = `form-${crypto.randomUUID()}`;
  const contentType = `multipart/form-data; boundary=${boundary}`;
  let head = "";
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    head += `--${boundary}\r\nContent-Disposition: form-data; name="${escaped(name)}"\r\n\r\n${textOf(name, value)}\r\n`;
  }
  if (file === undefined) {
    const whole = new Blob([`${head}--${boundary}--\r\n`]);
    return { contentType, length: whole.size, spent: false, open: () => whole.stream() };
  }
  head +=
    `--${boundary}\r\nContent-Disposition: form-data; name="${escaped(field)}"; filename="${escaped(file.filename)}"\r\n` +
    `Content-Type: ${mediaType(file.type)}\r\n\r\n`;
  const tail = `\r\n--${boundary}--\r\n`;
  const frame = encoder.encode(head).length + tail.length;
  return {
    contentType,
    length: file.blob === undefined ? undefined : frame + file.blob.size,
    get spent() {
      return file.spent;
    },
    open: (lent) => framed(head, file.open(lent, inspector), tail),
  };
}

/** The beginning goes out with the first piece of the file: of one that cannot be read nothing is sent. */
function framed(head: string, file: ReadableStream<Uint8Array>, tail: string): ReadableStream<Uint8Array> {
  const reader = file.getReader();
  let begun = false;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await reader.read();
        if (!begun) controller.enqueue(encoder.encode(head));
        begun = true;
        if (!done) return controller.enqueue(value);
        controller.enqueue(encoder.encode(tail));
        controller.close();
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

/** As browsers do it: nothing in a name can end the name, or the line. */
function escaped(name: string): string {
  return name.replaceAll("\n", "%0A").replaceAll("\r", "%0D").replaceAll('"', "%22");
}

/** What a Blob calls itself, where that is a media type. */
function mediaType(type: string): string {
  return /^[\w.+-]+\/[\w.+-]+(;[\x20-\x7e]*)?$/.test(type) ? type : "application/octet-stream";
}

function textOf(name: string, value: unknown): string {
  if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean")
    throw new InvalidInputError(`${name} cannot stand in a form: give a text, a number or a boolean.`);
  return String(value);
}
