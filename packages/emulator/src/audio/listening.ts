import type { IAudioMetadata } from "music-metadata";
import { textTag } from "./audio-file.js";
import { textIn } from "./watermark.js";

/** What the emulator hears in a file. */
export interface Heard {
  /** What was spoken; undefined in speech that the emulator did not make. */
  text: string | undefined;
  /** E.g. `"MPEG 1 Layer 3"`; undefined when the file's format is not known, as it is of plain samples. */
  format: string | undefined;
  /** Undefined when the file does not tell. */
  seconds: number | undefined;
}

/** Reads a file of audio of any usual format. */
export async function listen(bytes: Uint8Array): Promise<Heard> {
  const metadata = await metadataOf(bytes);
  const wav = metadata?.format.container === "WAVE";
  const tag = Object.values(metadata?.native ?? {})
    .flat()
    .find(({ id }) => id === textTag || id === `TXXX:${textTag}`);
  const text = typeof tag?.value === "string" ? tag.value : textIn(wav ? samplesOf(bytes) : bytes);
  // Plain samples say nothing of themselves; what the emulator made of them is mono and 16 bits.
  const format = [metadata?.format.container, metadata?.format.codec].filter(Boolean).join(", ");
  return { text, format: format || undefined, seconds: metadata?.format.duration };
}

async function metadataOf(bytes: Uint8Array): Promise<IAudioMetadata | undefined> {
  const { parseBuffer } = await import("music-metadata");
  try {
    return await parseBuffer(bytes, undefined, { duration: true, skipCovers: true });
  } catch {
    // Not audio, or plain samples, or damaged: there is no telling.
    return undefined;
  }
}

/** The samples of a WAV file: the chunk `data`, wherever it stands. */
function samplesOf(wav: Uint8Array): Uint8Array {
  const bytes = Buffer.from(wav.buffer, wav.byteOffset, wav.byteLength);
  let at = 12;
  while (at + 8 <= bytes.length && bytes.toString("latin1", at, at + 4) !== "data") {
    // Chunks begin at even places.
    at += 8 + bytes.readUInt32LE(at + 4) + (bytes.readUInt32LE(at + 4) % 2);
  }
  return bytes.subarray(at + 8);
}
