/** One page of an Ogg stream holds at most so many pieces of 255 bytes. */
const mostSegments = 255;
// Any number would do: there is one stream in the file.
const serial = 0x5346_4531;

/** What an Ogg stream is made of: bytes, and how many samples have been played when they have been. */
export interface Packet {
  bytes: Uint8Array;
  granule: number;
}

/** An Ogg stream of one page (more, if it is long) for each packet. @see https://www.rfc-editor.org/rfc/rfc3533 */
export function oggStream(packets: readonly Packet[]): Uint8Array {
  const pages: Buffer[] = [];
  packets.forEach(({ bytes, granule }, index) => {
    // A packet ends with a segment of less than 255 bytes, if need be an empty one.
    const segments = Math.floor(bytes.length / 255) + 1;
    for (let done = 0; done < segments; done += mostSegments) {
      const count = Math.min(mostSegments, segments - done);
      const ends = done + count === segments;
      const part = bytes.subarray(done * 255, (done + count) * 255);
      const begins = index === 0 && done === 0;
      const flags = (done > 0 ? 1 : 0) | (begins ? 2 : 0) | (ends && index === packets.length - 1 ? 4 : 0);
      const head = Buffer.alloc(27 + count, 255);
      head.write("OggS\0", 0, "latin1");
      head[5] = flags;
      // No packet ends on a page whose position is -1.
      head.writeBigInt64LE(ends ? BigInt(granule) : -1n, 6);
      head.writeUInt32LE(serial, 14);
      head.writeUInt32LE(pages.length, 18);
      head.writeUInt32LE(0, 22);
      head[26] = count;
      if (ends) head[26 + count] = bytes.length % 255;
      const page = Buffer.concat([head, part]);
      page.writeUInt32LE(checksum(page), 22);
      pages.push(page);
    }
  });
  return Buffer.concat(pages);
}

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 24;
  for (let bit = 0; bit < 8; bit += 1) value = (value << 1) ^ (value < 0 ? 0x04c1_1db7 : 0);
  return value;
});

/** Ogg's own CRC: the polynomial of the usual one, from the other end. */
function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes) sum = (sum << 8) ^ table[(sum >>> 24) ^ byte]!;
  return sum >>> 0;
}
