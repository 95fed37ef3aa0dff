import { InvalidInputError, type ContentPart } from "@langchain-siliconflow/client";
import { toBase64 } from "@langchain-siliconflow/client/adapter";
import type { ContentBlock } from "@langchain/core/messages";

/** What a model takes beyond text, where it decides how a block is sent. */
export interface PartOptions {
  /** Whether PDF documents may stand in an image part, as DeepSeek-OCR takes them. */
  acceptsPdf: boolean;
}

/** A block of any of LangChain's generations: fields are checked before they are used. */
type Block = ContentBlock & Record<string, unknown>;

/**
 * One block of a user's message as a part of the wire.
 *
 * Reads standard blocks of LangChain v1 (`mimeType`) and v0 (`source_type`, `mime_type`), and OpenAI's parts.
 *
 * @throws {@link InvalidInputError} for a block the service has no part for; its message names the block.
 */
export function toContentPart(raw: ContentBlock, options: PartOptions): ContentPart {
  const block = raw as Block;
  switch (block.type) {
    case "text":
      return { type: "text", text: string(block["text"]) ?? "" };
    case "text-plain":
      return { type: "text", text: plainTextOf(block) };
    case "image_url":
      return { type: "image_url", image_url: urlObject(block, "image_url") as { url: string } };
    case "audio_url":
      return { type: "audio_url", audio_url: urlObject(block, "audio_url") as { url: string } };
    case "video_url":
      return { type: "video_url", video_url: withBothSpellings(urlObject(block, "video_url") as { url: string }) };
    case "input_audio":
      return { type: "audio_url", audio_url: { url: inputAudio(block) } };
    case "image":
      return { type: "image_url", image_url: { url: urlOf(block, "image/png"), ...pick(block, ["detail"]) } };
    case "audio":
      return { type: "audio_url", audio_url: { url: urlOf(block, "audio/mpeg") } };
    case "video":
      return {
        type: "video_url",
        video_url: withBothSpellings({
          url: urlOf(block, "video/mp4"),
          ...pick(block, ["detail", "fps", "max_frams", "max_frames"]),
        }),
      };
    case "file":
      return fromFile(block, options);
    default:
      throw unsupported(block.type, "a user's message", "Send text, image, audio or video.");
  }
}

/** The error for a block that has no place on the wire. */
export function unsupported(type: string, where: string, advice: string): InvalidInputError {
  return new InvalidInputError(
    `A content block of type "${type}" cannot be sent to SiliconFlow in ${where}. ${advice}`,
  );
}

/** A file is what its MIME type says it is. */
function fromFile(block: Block, options: PartOptions): ContentPart {
  const source = block["source_type"] === "text" ? "text/plain" : mimeTypeOf(block);
  const kind = source?.split("/", 1)[0];
  if (kind === "image") return toContentPart({ ...block, type: "image" }, options);
  if (kind === "audio") return toContentPart({ ...block, type: "audio" }, options);
  if (kind === "video") return toContentPart({ ...block, type: "video" }, options);
  if (kind === "text") return { type: "text", text: plainTextOf(block) };
  if (source === "application/pdf" && options.acceptsPdf) {
    return { type: "image_url", image_url: { url: urlOf(block, source) } };
  }
  const named = source === undefined ? "a file without a MIME type" : `a file of type ${source}`;
  throw new InvalidInputError(
    `A content block of type "file" holds ${named}, which this model does not take. Read its text first and send that.`,
  );
}

/** `{ url, … }` of an OpenAI part, where the URL may stand alone. */
function urlObject(block: Block, field: string): Record<string, unknown> {
  const value = block[field];
  const url = string(typeof value === "object" && value !== null ? (value as { url?: unknown }).url : value);
  if (url !== undefined) return { ...(typeof value === "object" ? value : {}), url: reachable(url, block.type) };
  throw new InvalidInputError(`A content block of type "${field}" needs { ${field}: { url } }.`);
}

/** What the service can fetch, or need not: it knows nothing of this machine's files. */
function reachable(url: string, type: string): string {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase();
  if (scheme === undefined || ["http", "https", "data"].includes(scheme)) return url;
  throw new InvalidInputError(
    `A content block of type "${type}" has the address of a ${scheme}: resource. Send an http(s) URL, or the data as base64.`,
  );
}

function inputAudio(block: Block): string {
  const { data, format } = (block["input_audio"] ?? {}) as { data?: unknown; format?: unknown };
  if (typeof data !== "string") {
    throw new InvalidInputError('A content block of type "input_audio" needs { input_audio: { data, format } }.');
  }
  return `data:audio/${format === undefined || format === "mp3" ? "mpeg" : String(format)};base64,${data}`;
}

/** URL or data URL of a standard block. */
function urlOf(block: Block, defaultMimeType: string): string {
  const url = string(block["url"]);
  if (url !== undefined) return reachable(url, block.type);
  const { data } = block;
  if (typeof data === "string" && data !== "") {
    return data.startsWith("data:") ? data : `data:${mimeTypeOf(block) ?? defaultMimeType};base64,${data}`;
  }
  if (data instanceof Uint8Array) return `data:${mimeTypeOf(block) ?? defaultMimeType};base64,${toBase64(data)}`;
  if (block["fileId"] !== undefined || block["source_type"] === "id") {
    throw new InvalidInputError(
      `A content block of type "${block.type}" names a stored file, which the chat endpoint does not take. Send a URL or base64 data.`,
    );
  }
  throw new InvalidInputError(`A content block of type "${block.type}" needs a url, or base64 data.`);
}

function plainTextOf(block: Block): string {
  const text = string(block["text"]);
  if (text !== undefined) return text;
  const { data } = block;
  if (data instanceof Uint8Array) return new TextDecoder().decode(data);
  if (typeof data === "string") return decodeText(data, block.type);
  throw new InvalidInputError(`A content block of type "${block.type}" holds no text. Set its text, or base64 data.`);
}

function decodeText(base64: string, type: string): string {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));
  } catch (cause) {
    throw new InvalidInputError(`The data of a content block of type "${type}" is not base64.`, { cause });
  }
}

function mimeTypeOf(block: Block): string | undefined {
  const stated = string(block["mimeType"]) ?? string(block["mime_type"]);
  if (stated !== undefined) return stated;
  const url = string(block["url"]) ?? string(block["data"]);
  return url === undefined ? undefined : /^data:([^;,]+)/.exec(url)?.[1];
}

/** Options of the service's own that ride in a block's metadata. */
function pick(block: Block, names: readonly string[]): Record<string, unknown> {
  const metadata = block["metadata"];
  const given: Record<string, unknown> = {};
  for (const name of names) {
    const value = block[name] ?? (metadata as Record<string, unknown> | undefined)?.[name];
    if (value !== undefined) given[name] = value;
  }
  return given;
}

function string(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** The service's schema says `max_frams`, its description `max_frames`: the second is sent with the first beside it. */
function withBothSpellings(video: { url: string }): { url: string; max_frams?: number } {
  const { max_frams, max_frames } = video as { max_frams?: number; max_frames?: number };
  return max_frams !== undefined || max_frames === undefined ? video : { ...video, max_frams: max_frames };
}
