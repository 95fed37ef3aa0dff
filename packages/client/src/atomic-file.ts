import type { FileHandle } from "node:fs/promises";
import { InvalidInputError } from "./errors.js";
import { builtin, pathOfURL } from "./file-path.js";

const withoutFiles = "leave path out, or use assets.open()";

const gatheredBytes = 256 * 1024;

/** A file that appears under its name when it is complete, and not before. */
export class AtomicFile {
  readonly #path: string;
  readonly #part: string;
  readonly #handle: FileHandle;
  #gathered: Uint8Array | undefined;
  #filled = 0;

  private constructor(path: string, part: string, handle: FileHandle) {
    this.#path = path;
    this.#part = part;
    this.#handle = handle;
  }

  /**
   * @throws {@link InvalidInputError} when the folder does not exist, may not be written, or the path is a folder, a device, or none at all.
   */
  static async create(path: string | URL): Promise<AtomicFile> {
    if (!(path instanceof URL) && (typeof path !== "string" || path === ""))
      throw new InvalidInputError("path must be the path of a file, or a file: URL.");
    const { fs, names } = fileSystem();
    const target = names.resolve(path instanceof URL ? pathOfURL(path, "path", withoutFiles) : path);
    const folder = names.dirname(target);
    const part = names.join(folder, `.${globalThis.crypto.randomUUID()}.part`);
    try {
      const found = await fs.stat(target).catch((error: NodeJS.ErrnoException) => {
        // Any other failure (a name that is too long, a zero byte) would stop the file at its very end.
        if (error.code !== "ENOENT") throw error;
      });
      if (found?.isDirectory()) throw new InvalidInputError("path is a folder: give the path of a file.");
      // As root, /dev/null would be replaced like any other.
      if (found?.isFile() === false)
        throw new InvalidInputError("path is a device, a pipe or a socket: give the path of a file.");
      // A name that nobody knows, and that must not exist.
      return new AtomicFile(target, part, await fs.open(part, "wx"));
    } catch (cause) {
      if (cause instanceof InvalidInputError) throw cause;
      throw new InvalidInputError("No file can be made at path: does its folder exist, and may it be written?", {
        cause,
      });
    }
  }

  /** Gathers small pieces: each would cost a call of the system. What `bytes` holds may change afterwards. */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#filled + bytes.length > gatheredBytes) await this.#flush();
    if (bytes.length >= gatheredBytes) return await this.#write(bytes);
    this.#gathered ??= new Uint8Array(gatheredBytes);
    this.#gathered.set(bytes, this.#filled);
    this.#filled += bytes.length;
  }

  async #flush(): Promise<void> {
    const filled = this.#filled;
    this.#filled = 0;
    if (filled > 0) await this.#write(this.#gathered!.subarray(0, filled));
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let rest = bytes; rest.length > 0;) {
      const { bytesWritten } = await this.#handle.write(rest);
      rest = rest.subarray(bytesWritten);
    }
  }

  /** On the disk, then under its name: a crash leaves the whole file or none. A link of that name is replaced, not followed. */
  async finish(): Promise<string> {
    const { fs, names } = fileSystem();
    await this.#flush();
    await this.#handle.sync();
    await this.#handle.close();
    await fs.rename(this.#part, this.#path);
    // The name is on the disk when the folder is. Not every file system can do that.
    const folder = await fs.open(names.dirname(this.#path), "r").catch(() => undefined);
    await folder?.sync().catch(() => {});
    await folder?.close();
    return this.#path;
  }

  /** Leaves nothing behind. Does nothing after `finish()`. */
  async discard(): Promise<void> {
    const { fs } = fileSystem();
    await this.#handle.close().catch(() => {});
    await fs.rm(this.#part, { force: true });
  }
}

function fileSystem() {
  return { fs: builtin("node:fs", withoutFiles).promises, names: builtin("node:path", withoutFiles) };
}
