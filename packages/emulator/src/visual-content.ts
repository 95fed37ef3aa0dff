import { isFields } from "./fields.js";
import { bytesAt, describePicture, type PictureDescription } from "./looking.js";
import { namedColours } from "./pictures/colours.js";
import { noteIn } from "./pictures/note.js";
import { invalid } from "./reply.js";
import type { Service } from "./router.js";
import { countTokens } from "./tokens.js";

/** One input of a model that turns texts and pictures into vectors or scores. */
export interface VisualContent {
  /** What stands for it: the text itself, or what there is to see. */
  words: string;
  textTokens: number;
  imageTokens: number;
}

// For what cannot be measured: the size of a picture that was made small.
const unseenTokens = 256;

/** A text as it is. @throws {@link Refusal} 400 for anything else. */
export function readText(given: unknown): VisualContent {
  if (typeof given !== "string") throw invalid("Input should be a valid string");
  return { words: given, textTokens: countTokens(given), imageTokens: 0 };
}

/**
 * A text, `{ text }` or `{ image }`, and of models that take it `{ video }`. Pictures are looked at: one that the emulator made is
 * known by what it was asked for, another by its format, size and colours. An address elsewhere is never opened; its own words stand for it.
 *
 * @throws {@link Refusal} 400 for anything else, and for what is no picture
 */
export async function readVisualContent(
  given: unknown,
  service: Pick<Service, "outputs">,
  { video: takesVideo }: { video: boolean },
): Promise<VisualContent> {
  if (!isFields(given)) return readText(given);
  const { text, image, video } = given;
  const parts: VisualContent[] = [];
  if (text !== undefined) parts.push(readText(text));
  if (image !== undefined) parts.push(await seen(image, service));
  if (video !== undefined && takesVideo) parts.push(watched(video, service));
  if (parts.length === 0) throw invalid("Field required");
  return {
    words: parts.map(({ words }) => words).join("\n"),
    textTokens: parts.reduce((sum, { textTokens }) => sum + textTokens, 0),
    imageTokens: parts.reduce((sum, { imageTokens }) => sum + imageTokens, 0),
  };
}

async function seen(given: unknown, service: Pick<Service, "outputs">): Promise<VisualContent> {
  if (typeof given !== "string") throw invalid("Input should be a valid string");
  const bytes = open(given, service);
  if (bytes === undefined) return { words: given, textTokens: 0, imageTokens: unseenTokens };
  const description = await describePicture(bytes);
  if (description === undefined) throw invalid();
  const { width, height } = description;
  return {
    words: wordsFor(description),
    textTokens: 0,
    imageTokens: Math.min(16_384, Math.ceil(width / 28) * Math.ceil(height / 28)),
  };
}

function watched(given: unknown, service: Pick<Service, "outputs">): VisualContent {
  if (typeof given !== "string") throw invalid("Input should be a valid string");
  const bytes = open(given, service);
  return { words: (bytes && noteIn(bytes)?.prompt) ?? "a film", textTokens: 0, imageTokens: unseenTokens };
}

/** The bytes of a data URL, of bare base64 or of a link of this emulator; undefined for an address elsewhere. */
function open(given: string, { outputs }: Pick<Service, "outputs">): Uint8Array | undefined {
  if (/^[A-Za-z0-9+/]{32,}={0,2}$/.test(given)) return Buffer.from(given, "base64");
  const bytes = bytesAt(given, { outputs });
  const isElsewhere = /^https?:\/\/./i.test(given) && !given.startsWith(`${outputs.origin}/`);
  // A link of its own at which nothing lies any more cannot be fetched, as on the service.
  if (bytes === undefined && !isElsewhere) throw invalid();
  return bytes;
}

function wordsFor({ format, width, height, made, colours }: PictureDescription): string {
  if (made) return [made.prompt, ...made.from].join("\n");
  const names = colours.flatMap(({ name }) => [name, ...(namedColours.get(name)?.words ?? [])]);
  return `${format} picture ${width}×${height} ${names.join(" ")}`;
}
