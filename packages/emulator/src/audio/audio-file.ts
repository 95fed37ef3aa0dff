import { setImmediate as nextTurn } from "node:timers/promises";
import { oggStream, type Packet } from "./ogg.js";
import { withText } from "./watermark.js";

/** The formats in which speech is asked for, and the sample rates that each may have. */
export const sampleRates = {
  mp3: [32_000, 44_100],
  opus: [48_000],
  wav: [8000, 16_000, 24_000, 32_000, 44_100],
  pcm: [8000, 16_000, 24_000, 32_000, 44_100],
} as const;

/** A format in which speech is asked for. */
export type AudioFormat = keyof typeof sampleRates;

/** Under which name tags carry what was spoken. */
export const textTag = "SILICONFLOW_EMULATOR";

/** A mono file of the format. It carries `text`, so that it can be heard again: in tags, or in the lowest bits of its samples. */
export async function audioFile(
  samples: Int16Array<ArrayBuffer>,
  rate: number,
  format: AudioFormat,
  text: string,
): Promise<Uint8Array> {
  switch (format) {
    case "mp3":
      return mp3(samples, rate, text);
    case "opus":
      return opus(samples, text);
    case "wav":
      return wav(withText(samples, text), rate);
    case "pcm":
      return littleEndian(withText(samples, text));
  }
}

function littleEndian(samples: Int16Array<ArrayBuffer>): Uint8Array {
  const bytes = Buffer.alloc(samples.length * 2);
  samples.forEach((sample, index) => bytes.writeInt16LE(sample, index * 2));
  return bytes;
}

function wav(samples: Int16Array<ArrayBuffer>, rate: number): Uint8Array {
  const head = Buffer.alloc(44);
  head.write("RIFF", 0, "latin1");
  head.writeUInt32LE(36 + samples.length * 2, 4);
  head.write("WAVEfmt ", 8, "latin1");
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20); // PCM
  head.writeUInt16LE(1, 22); // channels
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE(rate * 2, 28); // bytes in a second
  head.writeUInt16LE(2, 32); // bytes in a sample
  head.writeUInt16LE(16, 34); // bits in a sample
  head.write("data", 36, "latin1");
  head.writeUInt32LE(samples.length * 2, 40);
  return Buffer.concat([head, littleEndian(samples)]);
}

async function mp3(samples: Int16Array, rate: number, text: string): Promise<Uint8Array> {
  const { createMp3Encoder } = await import("wasm-media-encoders");
  const encoder = await createMp3Encoder();
  encoder.configure({ channels: 1, sampleRate: rate as 32_000 | 44_100, bitrate: 64 });
  const parts: Uint8Array[] = [id3(text)];
  for (let at = 0; at < samples.length; at += rate) {
    const second = Float32Array.from(samples.subarray(at, at + rate), (sample) => sample / 2 ** 15);
    // What it returns is its own memory, which the next call writes over.
    parts.push(encoder.encode([second]).slice());
    // Other requests are not to wait until a long text has been encoded.
    await nextTurn();
  }
  parts.push(encoder.finalize().slice());
  return Buffer.concat(parts);
}

/** An ID3v2.4 tag with one user-defined text. @see https://id3.org/id3v2.4.0-structure */
function id3(text: string): Uint8Array {
  // 3: UTF-8. A zero ends the description.
  const body = Buffer.from(`\x03${textTag}\0${text}`);
  const head = Buffer.from("ID3\x04\0\0----TXXX----\0\0", "latin1");
  sevenBits(body.length + 10).copy(head, 6);
  sevenBits(body.length).copy(head, 14);
  return Buffer.concat([head, body]);
}

/** A number of 28 bits, seven in each byte: no byte of it can look like the beginning of sound. */
function sevenBits(value: number): Buffer {
  return Buffer.from([21, 14, 7, 0].map((shift) => (value >> shift) & 127));
}

/** Opus works in steps of 20 ms, and is this many samples late at 48,000 a second. */
const frame = 960;
const lookahead = 312;

/** @see https://www.rfc-editor.org/rfc/rfc7845 */
async function opus(samples: Int16Array, text: string): Promise<Uint8Array> {
  const { default: OpusScript } = await import("opusscript");
  const encoder = new OpusScript(48_000, 1, OpusScript.Application.VOIP);
  try {
    const packets: Packet[] = [
      { bytes: opusHead(), granule: 0 },
      { bytes: opusTags(text), granule: 0 },
    ];
    const frames = Math.ceil((samples.length + lookahead) / frame);
    for (let index = 0; index < frames; index += 1) {
      const part = Buffer.alloc(frame * 2);
      part.set(littleEndian(samples.slice(index * frame, (index + 1) * frame)));
      // The last position says where the sound ends, before the silence that fills the last step.
      const granule = Math.min((index + 1) * frame, samples.length + lookahead);
      packets.push({ bytes: Buffer.from(encoder.encode(part, frame)), granule });
      if (index % 50 === 49) await nextTurn();
    }
    return oggStream(packets);
  } finally {
    encoder.delete();
  }
}

function opusHead(): Uint8Array {
  const head = Buffer.alloc(19);
  head.write("OpusHead\x01\x01", 0, "latin1"); // version, channels
  head.writeUInt16LE(lookahead, 10);
  head.writeUInt32LE(48_000, 12);
  return head;
}

function opusTags(text: string): Uint8Array {
  const count = Buffer.alloc(4);
  count.writeUInt32LE(1);
  return Buffer.concat([
    Buffer.from("OpusTags"),
    counted("siliconflow-emulator"),
    count,
    counted(`${textTag}=${text}`),
  ]);
}

function counted(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([length, bytes]);
}
