import type { Readable } from "node:stream";

/** More compressions of one answer than anyone needs. */
const maxEncodings = 3;

/** The body as it was before it was compressed, by the names of `content-encoding`. */
export async function decompress(body: Readable, encodings: string): Promise<Readable> {
  const names = encodings
    .toLowerCase()
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "" && name !== "identity");
  if (names.length === 0) return body;
  // Each one costs memory before a byte has come, and a header can hold a thousand.
  if (names.length > maxEncodings) throw refuseEncoding(body, `${names.length} times over`);
  const [zlib, { pipeline }] = await Promise.all([import("node:zlib"), import("node:stream")]);
  // Bytes of a stream must not wait for a full block.
  const flush = { flush: zlib.constants.Z_SYNC_FLUSH };
  let decoded = body;
  for (const name of names.toReversed()) {
    const decoder =
      name === "gzip" || name === "x-gzip" || name === "deflate"
        ? name === "deflate" && (await isRawDeflate(decoded))
          ? zlib.createInflateRaw(flush)
          : zlib.createUnzip(flush)
        : name === "br"
          ? zlib.createBrotliDecompress({ flush: zlib.constants.BROTLI_OPERATION_FLUSH })
          : undefined;
    if (decoder === undefined) throw refuseEncoding(body, "in a way that was not asked for");
    // An error arrives at the last stream, where the body is read.
    decoded = pipeline(decoded, decoder, () => {});
  }
  return decoded;
}

/** "deflate" means a zlib stream, and some servers leave its head out. */
async function isRawDeflate(body: Readable): Promise<boolean> {
  const first = await new Promise<Buffer | null>((resolve, reject) => {
    const settle = (error?: Error | null): void => {
      const bytes = error ? null : (body.read(1) as Buffer | null);
      if (!error && bytes === null && !body.readableEnded) return;
      body.off("readable", settle).off("end", settle).off("error", settle);
      if (error) reject(error);
      else resolve(bytes);
    };
    body.on("readable", settle).on("end", settle).on("error", settle);
  });
  if (first === null) return false;
  body.unshift(first);
  return (first[0]! & 0x0f) !== 8;
}

function refuseEncoding(body: Readable, how: string): Error {
  body.on("error", () => {}).destroy();
  return Object.assign(new Error(`The answer is compressed ${how}.`), { code: "Z_DATA_ERROR" });
}
