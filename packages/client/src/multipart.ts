import { InvalidInputError } from "./errors.js";
import type { Inspector, Upload } from "./upload.js";

/** A `multipart/form-data` body, read as it is sent. */
export interface Form {
  readonly contentType: string;
  /** Bytes in all; `undefined` where a stream has not said. */
  readonly length: number | undefined;
  /** Whether it cannot be sent again, because a part of it could be read only once. */
  readonly spent: boolean;
  open(): ReadableStream<Uint8Array>;
}

const encoder = new TextEncoder();

/**
 * A form of these fields and, as its last part, one file. Nothing of the file is in memory: its Blob, where it has one, is only
 * referred to by the Blob of the whole form.
 */
export function formOf(fields: Record<string, unknown>, field: string, file?: Upload, inspector?: Inspector): Form {
  const boundary = `form-${crypto.randomUUID()}`;
  const contentType = `multipart/form-data; boundary=${boundary}`;
  let head = "";
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    head += `--${boundary}\r\nContent-Disposition: form-data; name="${escaped(name)}"\r\n\r\n${textOf(name, value)}\r\n`;
  }
  if (file === undefined) return blobForm(contentType, new Blob([`${head}--${boundary}--\r\n`]));
  head +=
    `--${boundary}\r\nContent-Disposition: form-data; name="${escaped(field)}"; filename="${escaped(file.filename)}"\r\n` +
    `Content-Type: ${mediaType(file.type)}\r\n\r\n`;
  const tail = `\r\n--${boundary}--\r\n`;
  if (file.blob !== undefined) return blobForm(contentType, new Blob([head, file.blob, tail]));
  return {
    contentType,
    length: undefined,
    get spent() {
      return file.spent;
    },
    open: () => framed(head, file.open(inspector), tail),
  };
}

function blobForm(contentType: string, blob: Blob): Form {
  return { contentType, length: blob.size, spent: false, open: () => blob.stream() };
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
