/** A file that came in a form. */
export class UploadedFile {
  readonly filename: string;
  readonly type: string;
  readonly bytes: Uint8Array;

  constructor(filename: string, type: string, bytes: Uint8Array) {
    this.filename = filename;
    this.type = type;
    this.bytes = bytes;
  }

  /** What the journal keeps of it: not its bytes, which may be many. */
  describe(): { filename: string; type: string; size: number } {
    return { filename: this.filename, type: this.type, size: this.bytes.length };
  }
}

/** The fields of a `multipart/form-data` body; the last one of a name counts. @throws what the platform throws for a body that is none */
export async function readForm(
  bytes: Uint8Array<ArrayBuffer>,
  contentType: string,
): Promise<Record<string, string | UploadedFile>> {
  const form = await new Response(bytes, { headers: { "content-type": contentType } }).formData();
  const fields: Record<string, string | UploadedFile> = {};
  for (const [name, value] of form) {
    const given =
      typeof value === "string"
        ? value
        : new UploadedFile(value.name, value.type, new Uint8Array(await value.arrayBuffer()));
    Object.defineProperty(fields, name, { value: given, enumerable: true, configurable: true, writable: true });
  }
  return fields;
}

/** A body as the journal keeps it: a form without the bytes of its files. */
export function withoutBytes(body: unknown): unknown {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return body;
  const fields = Object.entries(body);
  if (!fields.some(([, value]) => value instanceof UploadedFile)) return body;
  return Object.fromEntries(
    fields.map(([name, value]) => [name, value instanceof UploadedFile ? value.describe() : value]),
  );
}
