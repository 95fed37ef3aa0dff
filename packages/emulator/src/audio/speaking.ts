import { createHash } from "node:crypto";
import { espeak } from "./espeak.js";
import { ownVoice } from "./own-voice.js";
import { join, resample, stretch } from "./samples.js";

/** The voices that every speech model has. */
export const voiceNames = ["alex", "benjamin", "charles", "david", "anna", "bella", "claire", "diana"] as const;

/** A voice: how high it is in Hz, and what espeak-ng calls one like it. */
export interface Speaker {
  pitch: number;
  variant: string;
}

/** A text and who speaks it. */
export interface Turn {
  speaker: Speaker;
  text: string;
}

/** A text may have 128,000 characters, for which speech would take minutes to make: it ends here. */
const longestSeconds = 120;
const charactersInSecond = 15;

/** The speaker of a name in {@link voiceNames}. */
export function namedSpeaker(name: (typeof voiceNames)[number]): Speaker {
  const index = voiceNames.indexOf(name);
  return index < 4
    ? { pitch: 95 + 12 * index, variant: `m${index + 1}` }
    : { pitch: 185 + 14 * (index - 4), variant: `f${index - 3}` };
}

/** A speaker for a sample of a voice: the same sample, the same speaker. The likeness ends there. */
export function sampledSpeaker(sample: string | Uint8Array): Speaker {
  const byte = createHash("sha256").update(sample).digest()[0]!;
  return { pitch: 90 + (byte * 160) / 255, variant: byte < 128 ? `m${(byte % 7) + 1}` : `f${(byte % 4) + 1}` };
}

/**
 * Speaks, by espeak-ng where that is wanted and installed, else by a voice of the emulator's own. Stops after two minutes.
 * @returns samples of no certain loudness
 */
export async function speak(
  turns: readonly Turn[],
  options: { speed: number; rate: number; program: boolean },
): Promise<Float32Array> {
  const { speed, rate, program } = options;
  const parts: Float32Array[] = [];
  let characters = Math.floor(longestSeconds * charactersInSecond * speed);
  for (const { speaker, text } of turns) {
    const part = text.slice(0, characters);
    characters -= part.length;
    if (part === "") continue;
    const language = /\p{Script=Han}/u.test(part) ? "cmn" : "en-us";
    const spoken = program ? await espeak(part, `${language}+${speaker.variant}`, speaker.pitch) : undefined;
    parts.push(
      spoken
        ? resample(stretch(spoken.samples, spoken.rate, speed), spoken.rate, rate)
        : ownVoice(part, speaker.pitch, speed, rate),
      // A pause between two speakers, and something to hear where there is nothing but punctuation.
      new Float32Array(Math.round((0.2 * rate) / speed)),
    );
  }
  return join(parts).subarray(0, longestSeconds * rate);
}
