import { link, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { DirectoryArtifactStore } from "./directory-artifact-store.js";
import { MemoryArtifactStore } from "./memory-artifact-store.js";

const png = Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), Buffer.alloc(1000)]);

/** In pieces of a few bytes, as a slow socket has them. */
async function* pieces(bytes: Uint8Array, size = 7): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function* broken(): AsyncGenerator<Uint8Array> {
  yield png;
  throw new Error("the socket died");
}

async function* endless(onEnd: () => void): AsyncGenerator<Uint8Array> {
  try {
    yield png;
    for (;;) yield Buffer.alloc(10_000);
  } finally {
    onEnd();
  }
}

/** Gone after the test. */
async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "store-"));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

const stores = [
  ["in memory", async (maxBytes?: number) => new MemoryArtifactStore({ maxBytes })],
  ["in a directory", async (maxBytes?: number) => new DirectoryArtifactStore({ directory: await folder(), maxBytes })],
] as const;

describe.each(stores)("a store %s", (_, make) => {
  test("gives back what it was given, under a name of its own", async () => {
    const store = await make();
    const one = await store.save(pieces(png), "image");
    const other = await store.save(pieces(png), "image");
    expect(one).toMatchObject({
      name: expect.stringMatching(/^image-[0-9a-f-]{13}\.png$/),
      mimeType: "image/png",
      size: 1008,
    });
    expect(other.name).not.toBe(one.name);
    const blob = await store.read(one.name);
    expect(blob.type).toBe("image/png");
    expect(Buffer.from(await blob.arrayBuffer())).toEqual(png);
  });

  test.each([
    ["a page", "image", "<!DOCTYPE html><title>404</title>", "HTML"],
    ["an answer in JSON", "audio", '{"code":50501,"message":"x"}', "JSON"],
    ["an SVG, which can hold scripts", "image", '<svg xmlns="http://www.w3.org/2000/svg"/>', "XML"],
    ["a program", "video", "\x7fELF\x02\x01\x01", "no type that is known"],
    ["sound in place of a picture", "image", "RIFF\0\0\0\0WAVEfmt ", "audio/wav"],
    ["nothing", "image", "", "nothing came"],
  ] as const)("refuses %s", async (_what, kind, text, word) => {
    const store = await make();
    const error: unknown = await store
      .save(pieces(Buffer.from(text, "latin1")), kind)
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: "InvalidResponseError", message: expect.stringContaining(word) });
  });

  test.each([
    ["image", "\xff\xd8\xff\xe0", "image/jpeg", "jpg"],
    ["image", "RIFF\0\0\0\0WEBPVP8 ", "image/webp", "webp"],
    ["audio", "ID3\x04\0", "audio/mpeg", "mp3"],
    ["audio", "\xff\xfb\x90\x00", "audio/mpeg", "mp3"],
    ["audio", "OggS\0\x02", "audio/ogg", "ogg"],
    ["video", "\0\0\0\x18ftypmp42", "video/mp4", "mp4"],
    ["video", "\x1aE\xdf\xa3", "video/webm", "webm"],
  ] as const)("knows %s by its bytes (%#)", async (kind, text, mimeType, extension) => {
    const saved = await (await make()).save(pieces(Buffer.from(text, "latin1")), kind);
    expect(saved).toMatchObject({ mimeType, name: expect.stringMatching(new RegExp(`\\.${extension}$`)) });
  });

  test("leaves a file that is too long, and closes where it came from", async () => {
    let ended = false;
    const error: unknown = await (
      await make(50_000)
    )
      .save(
        endless(() => (ended = true)),
        "image",
      )
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ reason: "tooLarge" });
    expect(ended).toBe(true);
  });

  test.each([
    "",
    ".",
    "..",
    "../store",
    "a/b.png",
    "a\\b.png",
    "C:x.png",
    "x\0.png",
    ".hidden",
    "__proto__",
    "none.png",
  ])("has no file %j", async (name) => {
    const error: unknown = await (await make()).read(name).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: "InvalidInputError", message: expect.stringContaining("There is no file") });
  });

  test("takes no limit that is none", async () => {
    await expect(make(0)).rejects.toThrow("maxBytes");
    await expect(make(Number.NaN)).rejects.toThrow("maxBytes");
  });
});

describe("a store in a directory", () => {
  test("shows a file when it is complete, and leaves nothing of one that is not", async () => {
    const directory = await folder();
    const store = new DirectoryArtifactStore({ directory, maxBytes: 500 });
    await expect(store.save(broken(), "image")).rejects.toThrow("maxBytes");
    const roomy = new DirectoryArtifactStore({ directory });
    await expect(roomy.save(broken(), "image")).rejects.toThrow("the socket died");
    await expect(store.save(pieces(png), "image")).rejects.toThrow("maxBytes");
    expect(await readdir(directory)).toEqual([]);
  });

  test("where no directory can be closes where the file came from", async () => {
    const file = join(await folder(), "a-file");
    await writeFile(file, "in the way");
    let ended = false;
    const source = endless(() => (ended = true));
    await expect(new DirectoryArtifactStore({ directory: file }).save(source, "image")).rejects.toThrow("EEXIST");
    expect(ended).toBe(true);
  });

  test("makes its directory with the first file", async () => {
    const directory = join(await folder(), "made", "today");
    const { path, name } = await new DirectoryArtifactStore({ directory }).save(pieces(png), "image");
    expect(path).toBe(join(directory, name));
    expect(await readdir(directory)).toEqual([name]);
  });

  test("reads a picture that lies there, and nothing that is a link, a directory, or no medium", async () => {
    const directory = await folder();
    const elsewhere = await folder();
    await writeFile(join(elsewhere, "private.png"), png);
    await writeFile(join(directory, "ours.png"), png);
    await writeFile(join(directory, "id_rsa"), "-----BEGIN OPENSSH PRIVATE KEY-----");
    await mkdir(join(directory, "below.png"));
    await symlink(join(elsewhere, "private.png"), join(directory, "soft.png"));
    await link(join(elsewhere, "private.png"), join(directory, "hard.png"));
    const store = new DirectoryArtifactStore({ directory });
    expect((await store.read("ours.png")).size).toBe(png.length);
    for (const name of ["soft.png", "hard.png", "below.png", "id_rsa"])
      await expect(store.read(name), name).rejects.toThrow("There is no file");
  });
});
