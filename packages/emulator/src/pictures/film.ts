import { setImmediate } from "node:timers/promises";
import type { Picture } from "./canvas.js";
import { withMp4Text, noteText, type Note } from "./note.js";
import { paint, type Scene } from "./scene.js";

const framesPerSecond = 12;
const frames = 24;

let films = 0;

/**
 * Films a scene for two seconds, over the given pictures where there are any: H.264 in MP4. The same scene and note give
 * the same bytes. Other work goes on between the frames.
 *
 * @param width even, in pixels
 * @param height even, in pixels
 */
export async function encodeFilm(
  scene: Scene,
  { width, height }: { width: number; height: number },
  given: readonly Picture[],
  note: Note,
): Promise<Uint8Array> {
  const { createH264MP4Encoder } = (await import("h264-mp4-encoder")).default;
  const encoder = await createH264MP4Encoder();
  films += 1;
  // All encoders share one file system in memory.
  const name = `${films}.mp4`;
  Object.assign(encoder, { outputFilename: name, width, height, frameRate: framesPerSecond });
  Object.assign(encoder, { groupOfPictures: framesPerSecond, quantizationParameter: 26, speed: 10 });
  try {
    encoder.initialize();
    for (let frame = 0; frame < frames; frame += 1) {
      encoder.addFrameRgba(paint(scene, width, height, given, frame / (frames - 1)).data);
      await setImmediate();
    }
    encoder.finalize();
    const file = encoder.FS.readFile(name);
    encoder.FS.unlink(name);
    return withMp4Text(withoutTimes(file), noteText(note));
  } finally {
    encoder.delete();
  }
}

/** Clears when a file was made, which would be another time each time. */
function withoutTimes(mp4: Uint8Array): Uint8Array {
  const file = Buffer.from(mp4);
  const moov = file.lastIndexOf("moov");
  // Four bytes of version and flags, then the times of making and changing it.
  for (const box of ["mvhd", "tkhd", "mdhd"]) file.fill(0, file.indexOf(box, moov) + 8, file.indexOf(box, moov) + 16);
  return file;
}
