import type { Picture } from "./pictures/canvas.js";
import { mainColours, namedColours } from "./pictures/colours.js";
import { decodePicture, headOf } from "./pictures/files.js";
import { noteIn, type Note } from "./pictures/note.js";
import type { Service } from "./router.js";
import { paint, sceneOf } from "./pictures/scene.js";

/** Something to look at or listen to in a conversation. */
export interface MediaPart {
  kind: "image" | "audio" | "video";
  /** A data URL, or an address. */
  url: string;
}

/** What there is to see in a picture. */
export interface PictureDescription {
  /** `"png"`, `"jpeg"`, `"webp"`, `"gif"`, … */
  format: string;
  width: number;
  height: number;
  /** What the emulator was asked for when it made the picture; undefined for any other picture. */
  made: Note | undefined;
  /** Shares of 0–1, the largest first; empty when the pixels could not be read. */
  colours: { name: string; share: number }[];
}

/** Looks at a picture file. Resolves to undefined for what is no picture. */
export async function describePicture(bytes: Uint8Array): Promise<PictureDescription | undefined> {
  const head = await headOf(bytes);
  if (head === undefined) return undefined;
  const pixels = await decodePicture(bytes);
  return { ...head, made: noteIn(bytes), colours: pixels ? mainColours(pixels) : [] };
}

/** The bytes that a data URL holds, or that lie at a link of this emulator. Nothing else is ever opened. */
export function bytesAt(url: string, { outputs }: Pick<Service, "outputs">): Uint8Array | undefined {
  const data = /^data:[^,]*;base64,/i.exec(url);
  if (data) return Buffer.from(url.slice(data[0].length), "base64");
  const prefix = `${outputs.origin}/outputs/`;
  if (!url.startsWith(prefix)) return undefined;
  const output = outputs.get(url.slice(prefix.length).replace(/\?.*$/, ""));
  return typeof output === "object" ? output.bytes : undefined;
}

/** A picture that a request brings, and what it shows as far as that is known. */
export interface GivenPicture {
  picture: Picture;
  shows: string;
}

/**
 * Opens a picture to start from: a data URL, bare base64, or a link of this emulator. An address elsewhere, which the
 * emulator never opens, is stood in for by a picture of its text. Resolves to undefined for what is no picture.
 */
export async function givenPicture(
  given: string,
  service: Pick<Service, "outputs">,
): Promise<GivenPicture | undefined> {
  const bare = /^[A-Za-z0-9+/]{32,}={0,2}$/.test(given);
  const bytes = bare ? Buffer.from(given, "base64") : bytesAt(given, service);
  if (bytes !== undefined) {
    const picture = await decodePicture(bytes);
    return picture && { picture, shows: noteIn(bytes)?.prompt ?? "a picture" };
  }
  if (!/^https?:\/\/./.test(given)) return undefined;
  const standIn = sceneOf({ model: "", prompt: given, seed: 0, index: 0 });
  return { picture: paint({ ...standIn, things: [] }, 1024, 1024, []), shows: given };
}

/** One sentence or two about a part, in English or Chinese. */
export async function sightOf(part: MediaPart, service: Service, chinese: boolean): Promise<string> {
  const bytes = bytesAt(part.url, service);
  if (bytes === undefined) {
    const named = { image: ["a picture", "图片"], audio: ["a sound", "音频"], video: ["a film", "视频"] }[part.kind];
    return chinese ? `一个${named[1]}，它的地址我不会打开。` : `${named[0]} at an address that I do not open.`;
  }
  if (part.kind === "image") return pictureInWords(await describePicture(bytes), chinese);
  const made = part.kind === "video" ? noteIn(bytes) : undefined;
  if (made) return chinese ? `一段视频：${shown(made, chinese)}` : `a film of this: ${shown(made, chinese)}`;
  if (part.kind === "video") return chinese ? "一段我看不懂的视频。" : "a film that I cannot see.";
  return chinese ? "一段我听不见的音频。" : "a sound that I cannot hear.";
}

function pictureInWords(description: PictureDescription | undefined, chinese: boolean): string {
  if (description === undefined) return chinese ? "一个不是图片的文件。" : "a file that is no picture.";
  const { format, width, height, made, colours } = description;
  const kind = `${format.toUpperCase()} ${width}×${height}`;
  if (made)
    return chinese
      ? `图片（${kind}）：${shown(made, chinese)}`
      : `a picture (${kind}) of this: ${shown(made, chinese)}`;
  const mostly = colours
    .slice(0, 3)
    .map(({ name, share }) => `${chinese ? inChinese(name) : name} ${Math.round(share * 100)}%`)
    .join(chinese ? "、" : ", ");
  if (chinese) return `图片（${kind}）${mostly && `，主要颜色：${mostly}`}。我看不出它的内容。`;
  return `a picture (${kind})${mostly && `, mostly ${mostly}`}. I cannot tell what it shows.`;
}

function inChinese(colour: string): string {
  const word = namedColours.get(colour)?.words.find((each) => !/[a-z]/.test(each));
  return word === undefined ? "透明" : `${word}色`;
}

function shown({ prompt, model, from }: Note, chinese: boolean): string {
  const made = chinese ? `（${model} 的模拟）` : ` (made by the emulated ${model}`;
  if (chinese) return `“${prompt}”${made}${from.length > 0 ? `，由此修改而来：${from.join("；")}` : ""}。`;
  return `“${prompt}”${made}${from.length > 0 ? `, from: ${from.join("; ")}` : ""}).`;
}
