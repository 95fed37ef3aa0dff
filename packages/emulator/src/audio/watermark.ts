import { crc32 } from "node:zlib";

// "SFE1", the length of the text in UTF-8 and its CRC, then the text.
const mark = 0x5346_4531;
const headBytes = 12;

/** The samples with a text in their lowest bits, which nobody hears; a few silent ones more where the sound is too short. */
export function withText(samples: Int16Array, text: string): Int16Array<ArrayBuffer> {
  const bytes = Buffer.from(text);
  const head = Buffer.alloc(headBytes);
  head.writeUInt32BE(mark, 0);
  head.writeUInt32BE(bytes.length, 4);
  head.writeUInt32BE(crc32(bytes), 8);
  const hidden = Buffer.concat([head, bytes]);
  const marked = new Int16Array(Math.max(samples.length, hidden.length * 8));
  marked.set(samples);
  for (let bit = 0; bit < hidden.length * 8; bit += 1) {
    marked[bit] = (marked[bit]! & ~1) | ((hidden[bit >> 3]! >> (7 - (bit & 7))) & 1);
  }
  return marked;
}

/** The text in samples of 16 bits, little-endian; undefined when there is none, or not all of it. */
export function textIn(pcm: Uint8Array): string | undefined {
  const head = hiddenBytes(pcm, 0, headBytes);
  if (head?.readUInt32BE(0) !== mark) return undefined;
  const text = hiddenBytes(pcm, headBytes, head.readUInt32BE(4));
  return text && crc32(text) === head.readUInt32BE(8) ? text.toString() : undefined;
}

function hiddenBytes(pcm: Uint8Array, from: number, count: number): Buffer | undefined {
  // One bit in a sample of two bytes.
  if ((from + count) * 16 > pcm.length) return undefined;
  const bytes = Buffer.alloc(count);
  for (let bit = 0; bit < count * 8; bit += 1) bytes[bit >> 3]! |= (pcm[(from * 8 + bit) * 2]! & 1) << (7 - (bit & 7));
  return bytes;
}
