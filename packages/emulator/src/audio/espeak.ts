import { spawn } from "node:child_process";
import { once } from "node:events";

/** Longest time for one turn; a minute of speech takes it about a second. */
const longestMs = 60_000;

/**
 * Speaks a text with espeak-ng. @param voice its name for a language and a voice, such as `"en-us+f2"`
 * @param pitch in Hz, of which it has a scale of its own @returns samples from -1 to 1 and how many there are in a second; undefined where the program is not installed or fails
 */
export async function espeak(
  text: string,
  voice: string,
  pitch: number,
): Promise<{ samples: Float32Array; rate: number } | undefined> {
  // No shell, and the text goes in by the pipe: nothing in it can become an argument.
  const child = spawn(
    "espeak-ng",
    ["--stdin", "--stdout", "-b", "1", "-v", voice, "-p", String(Math.round(pitch / 4))],
    {
      stdio: ["pipe", "pipe", "ignore"],
      timeout: longestMs,
      killSignal: "SIGKILL",
    },
  );
  const ended = once(child, "close") as Promise<[number | null]>;
  // Whether the program is missing shows here and in `ended`; a pipe that broke is of no further interest.
  child.stdin.on("error", () => {});
  // Control characters would be its commands, doubled brackets phonemes.
  child.stdin.end(text.replaceAll(/[\p{Cc}[\]]/gu, " "));
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  const status = await ended.then(
    ([code]) => code,
    () => null,
  );
  const wav = Buffer.concat(chunks);
  if (status !== 0 || wav.length < 44) return undefined;
  // It writes 44 bytes of header, then mono samples of 16 bits to the end: the sizes in the header are made up.
  const samples = new Float32Array(Math.floor((wav.length - 44) / 2));
  for (let i = 0; i < samples.length; i += 1) samples[i] = wav.readInt16LE(44 + 2 * i) / 2 ** 15;
  return { samples, rate: wav.readUInt32LE(24) };
}
