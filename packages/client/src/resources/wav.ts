import { unreadable } from "../upload.js";

/** Where `fmt ` and `data` stand in all files but odd ones. */
const headBytes = 4096;

/** How long a WAV file plays, from its header. `undefined` for other formats, and for a header that does not tell. */
export async function wavSeconds(file: Blob): Promise<number | undefined> {
  const bytes = await file
    .slice(0, headBytes)
    .arrayBuffer()
    .catch((cause: unknown) => {
      throw unreadable(cause);
    });
  const view = new DataView(bytes);
  if (view.byteLength < 12 || nameAt(view, 0) !== "RIFF" || nameAt(view, 8) !== "WAVE") return undefined;
  let bytesPerSecond: number | undefined;
  for (let at = 12; at + 8 <= view.byteLength;) {
    const name = nameAt(view, at);
    const size = view.getUint32(at + 4, true);
    if (name === "fmt " && at + 20 <= view.byteLength) bytesPerSecond = view.getUint32(at + 16, true);
    if (name === "data") {
      // What was written as it came does not know its own size: then the rest of the file counts.
      const length = Math.min(size, file.size - at - 8);
      return bytesPerSecond ? length / bytesPerSecond : undefined;
    }
    at += 8 + size + (size % 2);
  }
  return undefined;
}

function nameAt(view: DataView, at: number): string {
  return String.fromCharCode(...new Uint8Array(view.buffer, at, 4));
}
