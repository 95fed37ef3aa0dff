import { InvalidInputError } from "./errors.js";

/**
 * A picture: an http(s) address that the service can reach, `data:image/…;base64,…`, bare base64, or its bytes.
 * Bytes and Blobs are encoded when their request is sent, not before.
 */
export type ImageSource = string | URL | Uint8Array | Blob;

/** A text or a picture that was looked at: it can be sent. */
export interface Content {
  /** Where it is nothing but a text. */
  text: string | undefined;
  /** The fields it has on the wire: `text`, `image`, … */
  names: readonly string[];
  /** About how many characters of a request its picture takes; 0 for one at an address. */
  size: number;
  /** As the service takes it: a text, or an object such as `{ image }`. */
  toWire(): string | Fields | Promise<Fields>;
}

type Fields = { [field: string]: unknown };

/** Characters that the pictures of one request may take: a body is one text of JavaScript's, which ends at half a billion. */
export const maxContentSize = 384 * 2 ** 20;

const wanted = "must be a text, or an object with a text or an image.";

/**
 * Reads a text, an object of the wire such as `{ text }` or `{ image }`, or a content block of LangChain's.
 * What else is in an object of the wire is kept: not all that models take there is documented.
 *
 * @param place - what messages call it: `contents[2]`
 * @throws {@link InvalidInputError} for what cannot be sent
 */
export async function readContent(given: unknown, place: string, position?: number): Promise<Content> {
  const problem: Problem = (message, reason = "invalidOption") =>
    new InvalidInputError(`${place} ${message}`, { reason, ...(position !== undefined && { position }) });
  if (typeof given === "string") {
    if (given === "") throw problem("is empty: leave it out.");
    return { text: given, names: ["text"], size: 0, toWire: () => given };
  }
  if (!isFields(given)) throw problem(wanted);
  switch (given["type"]) {
    case undefined:
      return await ofFields(given, undefined, problem);
    case "text":
      return await ofFields({ text: given["text"] }, undefined, problem);
    case "image": {
      const { url, data, mimeType, mime_type: olderMimeType } = given;
      return await ofFields({ image: url ?? data }, mimeType ?? olderMimeType, problem);
    }
    case "image_url": {
      const { image_url: address } = given;
      return await ofFields({ image: isFields(address) ? address["url"] : address }, undefined, problem);
    }
    default:
      throw problem(`is a content block of type "${String(given["type"])}". Give a text or an image.`);
  }
}

type Problem = (message: string, reason?: "invalidOption" | "tooLarge") => InvalidInputError;

async function ofFields(fields: Fields, mimeType: unknown, problem: Problem): Promise<Content> {
  const names = Object.keys(fields).filter((name) => fields[name] !== undefined);
  if (names.length === 0) throw problem(wanted);
  const { text, image } = fields;
  if (text === "" || (text !== undefined && typeof text !== "string")) throw problem("has no text, or an empty one.");
  if (image === undefined) return { text: names.length === 1 ? text : undefined, names, size: 0, toWire: () => fields };
  const picture = await readPicture(image, mimeType, problem);
  if (picture.size > maxContentSize)
    throw problem("is a picture larger than a request can be. Make it smaller, or give its address.", "tooLarge");
  const toWire = async () => ({ ...fields, image: await picture.toWire() });
  return { text: undefined, names, size: picture.size, toWire };
}

interface Picture {
  size: number;
  toWire(): string | Promise<string>;
}

async function readPicture(image: unknown, stated: unknown, problem: Problem): Promise<Picture> {
  if (typeof image === "string" || image instanceof URL) return readAddress(String(image), stated, problem);
  if (!isBinary(image)) throw problem("has no image: give an http(s) address, a data URL, a Uint8Array or a Blob.");
  const bytes = image instanceof Blob ? image.size : image.length;
  if (bytes === 0) throw problem("is an empty picture.");
  const head = image instanceof Blob ? await bytesOf(image.slice(0, headLength)) : image;
  const type = [imageTypeOf(head), stated, image instanceof Blob && image.type].find(isImageType);
  if (type === undefined)
    throw problem("is no PNG, JPEG, WebP, GIF, BMP or AVIF. Give other pictures as data:image/…;base64,…");
  const prefix = `data:${String(type)};base64,`;
  return {
    size: prefix.length + Math.ceil(bytes / 3) * 4,
    toWire: async () => prefix + toBase64(image instanceof Blob ? await bytesOf(image) : image),
  };
}

function readAddress(address: string, stated: unknown, problem: Problem): Picture {
  if (/^https?:\/\/./i.test(address)) return { size: 0, toWire: () => address };
  const bare = /^[A-Za-z0-9+/]{32,}={0,2}$/.test(address);
  // Whoever says what his base64 is means a data URL. Without that it goes as it is, which the service documents too.
  const wire = bare && isImageType(stated) ? `data:${stated};base64,${address}` : address;
  if (!bare && /^data:/i.test(address)) {
    if (!/^data:image\/[\w.+-]+(;[^,;]*)*;base64,[A-Za-z0-9+/]/i.test(address.slice(0, 1000)))
      throw problem("is no picture: its data URL must begin with data:image/png;base64, or the like.");
  } else if (!bare) {
    throw problem(
      "has an image that is neither an http(s) address, nor a data URL, nor base64. Give the bytes of a file.",
    );
  }
  return { size: wire.length, toWire: () => wire };
}

const letterD = 0x64;

/** What a text stands for: a `data:image/…` URL is a picture and never meant as words. */
export function pictureOrText(text: string): string | { image: string } {
  // The first letter alone tells of nearly all of them, in a third of the time that the pattern takes.
  return (text.charCodeAt(0) | 0x20) === letterD && /^data:image\//i.test(text) ? { image: text } : text;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isBinary(value);
}

function isBinary(value: unknown): value is Uint8Array | Blob {
  return value instanceof Uint8Array || value instanceof Blob;
}

function isImageType(type: unknown): type is string {
  return typeof type === "string" && /^image\/[\w.+-]+$/.test(type);
}

async function bytesOf(blob: Blob): Promise<Uint8Array> {
  return new Uint8Array(await blob.arrayBuffer());
}

const headLength = 16;

/** By its first bytes, which tell more truly than names and headers. */
function imageTypeOf(bytes: Uint8Array): string | undefined {
  const head = String.fromCharCode(...bytes.subarray(0, headLength));
  if (head.startsWith("\x89PNG\r\n\x1a\n")) return "image/png";
  if (head.startsWith("\xff\xd8\xff")) return "image/jpeg";
  if (head.startsWith("GIF8")) return "image/gif";
  if (head.startsWith("RIFF") && head.startsWith("WEBP", 8)) return "image/webp";
  if (head.startsWith("BM") && bytes.length > 26) return "image/bmp";
  return head.startsWith("ftypavif", 4) ? "image/avif" : undefined;
}

/** Without `Buffer`, which not every runtime has; in slices, since a call takes only so many arguments. */
export function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (let start = 0; start < bytes.length; start += 0x8000) {
    binary += String.fromCharCode(...bytes.subarray(start, start + 0x8000));
  }
  return btoa(binary);
}
