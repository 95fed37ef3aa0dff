import { crc32 } from "node:zlib";
import { isFields } from "../fields.js";

/** What the emulator writes into the files it makes, so that its own models can say what they show. */
export interface Note {
  prompt: string;
  model: string;
  seed: number;
  /** What the pictures showed that it was made from, as far as that is known. */
  from: string[];
}

const mark = "siliconflow-emulator ";

/** The text of a note, with its length; long prompts are cut, because a JPEG's comment has at most 64 KB. */
export function noteText({ prompt, model, seed, from }: Note): string {
  const note = { prompt: prompt.slice(0, 4000), model, seed, from: from.map((text) => text.slice(0, 1000)) };
  const text = JSON.stringify(note);
  return `${mark}${Buffer.byteLength(text)} ${text}`;
}

/** Adds a text to a PNG file, as a chunk before the pixels' end. */
export function withPngText(png: Uint8Array, text: string): Uint8Array {
  // Keyword, then: not compressed, no language, no translated keyword.
  const body = Buffer.concat([Buffer.from("iTXtDescription\0\0\0\0\0", "latin1"), Buffer.from(text)]);
  const chunk = Buffer.alloc(body.length + 8);
  chunk.writeUInt32BE(body.length - 4, 0);
  body.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(body), body.length + 4);
  const end = png.length - 12;
  return Buffer.concat([png.subarray(0, end), chunk, png.subarray(end)]);
}

/** Adds a text to a WebP file of one simple chunk: the extended form, with the text as Exif's description. */
export function withWebpText(webp: Uint8Array, width: number, height: number, text: string): Uint8Array {
  const frame = Buffer.alloc(10);
  frame[0] = 0x08; // there is Exif
  frame.writeUIntLE(width - 1, 4, 3);
  frame.writeUIntLE(height - 1, 7, 3);
  const value = Buffer.from(`${text}\0`);
  const exif = Buffer.alloc(26);
  exif.write("II*\0", "latin1");
  exif.writeUInt32LE(8, 4); // the first directory
  exif.writeUInt16LE(1, 8); // has one entry:
  exif.writeUInt16LE(0x010e, 10); // ImageDescription,
  exif.writeUInt16LE(2, 12); // a text,
  exif.writeUInt32LE(value.length, 14); // so long,
  exif.writeUInt32LE(exif.length, 18); // right behind
  const chunks = Buffer.concat([
    riffChunk("VP8X", frame),
    webp.subarray(12),
    riffChunk("EXIF", Buffer.concat([exif, value])),
  ]);
  return riffChunk("RIFF", Buffer.concat([Buffer.from("WEBP"), chunks]));
}

function riffChunk(name: string, body: Uint8Array): Buffer {
  const head = Buffer.from(`${name}\0\0\0\0`, "latin1");
  head.writeUInt32LE(body.length, 4);
  // Chunks begin at even places.
  return Buffer.concat([head, body, Buffer.alloc(body.length % 2)]);
}

/** Adds a text to an MP4 file, in a box that players pass over. */
export function withMp4Text(mp4: Uint8Array, text: string): Uint8Array {
  const box = Buffer.from(`\0\0\0\0free${text}`);
  box.writeUInt32BE(box.length, 0);
  return Buffer.concat([mp4, box]);
}

/** The note in a file, wherever its format keeps it; undefined for a file that the emulator did not make. */
export function noteIn(bytes: Uint8Array): Note | undefined {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = file.indexOf(mark);
  const length =
    start < 0 ? null : /^(\d{1,6}) /.exec(file.toString("latin1", start + mark.length, start + mark.length + 7));
  if (!length) return undefined;
  const from = start + mark.length + length[0].length;
  try {
    const note: unknown = JSON.parse(file.toString("utf8", from, from + Number(length[1])));
    return isNote(note) ? note : undefined;
  } catch {
    return undefined;
  }
}

function isNote(value: unknown): value is Note {
  if (!isFields(value)) return false;
  const { prompt, model, seed, from } = value;
  const texts = [prompt, model, ...(Array.isArray(from) ? (from as unknown[]) : [undefined])];
  return typeof seed === "number" && texts.every((text) => typeof text === "string");
}
