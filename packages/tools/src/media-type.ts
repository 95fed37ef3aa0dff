import { InvalidResponseError } from "@langchain-siliconflow/client";

/** What a file is for. */
export type MediaKind = "image" | "audio" | "video";

/** A format of files. */
export interface MediaType {
  mimeType: string;
  /** Without its dot. */
  extension: string;
}

/** As many bytes of a file's beginning as its type needs. */
export const headBytes = 64;

/**
 * What a file is, by its own first bytes: neither its name nor what a server calls it can be trusted, and what is a page
 * must not be stored as a picture.
 *
 * @throws {@link InvalidResponseError} when it is nothing of this kind
 */
export function mediaTypeOf(head: Uint8Array, kind: MediaKind): MediaType {
  const [found, type] = sniff(head) ?? [];
  if (found === kind && type !== undefined) return type;
  const what = type === undefined ? describe(head) : `${type.mimeType} came`;
  throw new InvalidResponseError(`Instead of ${named[kind]} ${what}. Nothing was stored.`, {
    reason: head.length === 0 ? "empty" : "malformed",
  });
}

const named = { image: "a picture", audio: "sound", video: "a video" } as const;

/** What a file is, of whatever kind; `undefined` for what is neither picture nor sound nor video. */
export function anyMediaTypeOf(head: Uint8Array): MediaType | undefined {
  return sniff(head)?.[1];
}

function sniff(head: Uint8Array): [MediaKind, MediaType] | undefined {
  const text = latin(head);
  if (text.startsWith("\x89PNG\r\n\x1a\n")) return image("png");
  if (text.startsWith("\xff\xd8\xff")) return ["image", { mimeType: "image/jpeg", extension: "jpg" }];
  if (text.startsWith("GIF87a") || text.startsWith("GIF89a")) return image("gif");
  const form = text.startsWith("RIFF") ? text.slice(8, 12) : "";
  if (form === "WEBP") return image("webp");
  if (form === "WAVE") return ["audio", { mimeType: "audio/wav", extension: "wav" }];
  if (text.startsWith("OggS")) return ["audio", { mimeType: "audio/ogg", extension: "ogg" }];
  if (text.startsWith("fLaC")) return ["audio", { mimeType: "audio/flac", extension: "flac" }];
  if (text.startsWith("ID3") || isMp3Frame(head)) return ["audio", { mimeType: "audio/mpeg", extension: "mp3" }];
  if (text.startsWith("\x1aE\xdf\xa3")) return ["video", { mimeType: "video/webm", extension: "webm" }];
  if (text.slice(4, 8) !== "ftyp") return undefined;
  const brand = text.slice(8, 12);
  if (brand === "avif") return image("avif");
  if (brand.startsWith("M4A")) return ["audio", { mimeType: "audio/mp4", extension: "m4a" }];
  if (brand === "qt  ") return ["video", { mimeType: "video/quicktime", extension: "mov" }];
  return ["video", { mimeType: "video/mp4", extension: "mp4" }];
}

function image(format: string): [MediaKind, MediaType] {
  return ["image", { mimeType: `image/${format}`, extension: format }];
}

/** Eleven bits of sync, then a version and a layer that exist. */
function isMp3Frame([first = 0, second = 0, third = 0]: Uint8Array): boolean {
  return first === 0xff && (second & 0xe0) === 0xe0 && (second & 0x06) === 0x02 && (third & 0xf0) !== 0xf0;
}

function describe(head: Uint8Array): string {
  if (head.length === 0) return "nothing came";
  const text = latin(head).trimStart();
  if (/^(<!doctype|<html|<\?xml|<svg|<)/i.test(text)) return "a page came (HTML or XML)";
  if (/^[[{"]/.test(text)) return "a message came (JSON)";
  return "something else came, of no type that is known";
}

function latin(head: Uint8Array): string {
  return String.fromCharCode(...head.subarray(0, headBytes));
}
