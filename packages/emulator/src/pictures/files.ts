import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { Picture } from "./canvas.js";
import { noteText, withPngText, withWebpText, type Note } from "./note.js";

/** The formats that pictures are made in. */
export type PictureFormat = "png" | "jpeg" | "webp";

/** A picture file's format and size, as its head says. */
export interface PictureHead {
  /** `"png"`, `"jpeg"`, `"webp"`, `"gif"`, … */
  format: string;
  width: number;
  height: number;
}

// A small file may claim to be an enormous picture.
const mostPixels = 4096 * 4096;

/** Makes a file of a picture, with a note of what it shows. The same picture and note give the same bytes. */
export async function encodePicture(picture: Picture, format: PictureFormat, note: Note): Promise<Uint8Array> {
  const { width, height } = picture;
  const text = noteText(note);
  if (format === "jpeg") {
    const { encode } = (await import("jpeg-js")).default;
    // The library writes one byte a character.
    const comments = [Buffer.from(text).toString("latin1")];
    return encode({ width, height, data: picture.data, comments }, 85).data;
  }
  if (format === "webp") {
    const encode = await loadWebpEncoder();
    return withWebpText(await encode(picture), width, height, text);
  }
  const { PNG } = (await import("pngjs")).default;
  const png = new PNG({ width, height });
  png.data = Buffer.from(picture.data.buffer, picture.data.byteOffset, picture.data.byteLength);
  return withPngText(PNG.sync.write(png, { colorType: 2, deflateLevel: 6 }), text);
}

/** The format and size of a picture file; undefined for what is none. */
export async function headOf(bytes: Uint8Array): Promise<PictureHead | undefined> {
  const { imageSize } = await import("image-size");
  try {
    const { type = "unknown", width, height } = imageSize(bytes);
    return { format: type === "jpg" ? "jpeg" : type, width, height };
  } catch {
    return undefined;
  }
}

/** The pixels of a PNG, JPEG or WebP file; undefined for anything else, a broken file, and one beyond 16 million pixels. */
export async function decodePicture(bytes: Uint8Array): Promise<Picture | undefined> {
  const head = await headOf(bytes);
  if (head === undefined || head.width * head.height > mostPixels) return undefined;
  try {
    if (head.format === "png") {
      const { PNG } = (await import("pngjs")).default;
      return PNG.sync.read(Buffer.from(bytes));
    }
    if (head.format === "jpeg") {
      const { decode } = (await import("jpeg-js")).default;
      return decode(bytes, { useTArray: true, maxResolutionInMP: 17, maxMemoryUsageInMB: 512 });
    }
    if (head.format === "webp") {
      const { decode } = (await import("@cwasm/webp")).default;
      const { width, height, data } = decode(bytes);
      return { width, height, data: new Uint8Array(data) };
    }
  } catch {
    // Whatever a decoder says of it: this file cannot be looked at.
  }
  return undefined;
}

let webpEncoder: Promise<(picture: Picture) => Promise<Uint8Array>> | undefined;

function loadWebpEncoder(): Promise<(picture: Picture) => Promise<Uint8Array>> {
  return (webpEncoder ??= (async () => {
    const { default: encode, init } = await import("@jsquash/webp/encode.js");
    // Left to itself it would fetch its program by URL, which Node.js does not do for files.
    const path = createRequire(import.meta.url).resolve("@jsquash/webp/codec/enc/webp_enc_simd.wasm");
    const program = await readFile(path);
    await init({ wasmBinary: new Uint8Array(program).buffer });
    return async ({ width, height, data }) => {
      const pixels = { width, height, data: new Uint8ClampedArray(data), colorSpace: "srgb" as const };
      return new Uint8Array(await encode(pixels, { quality: 85, method: 2 }));
    };
  })());
}
