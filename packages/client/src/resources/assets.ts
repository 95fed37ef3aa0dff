import { AtomicFile } from "../atomic-file.js";
import type { Clock } from "../clock.js";
import { Deadline } from "../deadline.js";
import { Download } from "../download.js";
import { InvalidInputError } from "../errors.js";
import { checkMaxRetries, checkSignal, mergeTimeouts, ownOptions, type Timeouts } from "../options.js";
import { joined, promisedBytes } from "../read-body.js";
import type { Transport } from "../transport.js";
import type { Wire, WireResponse } from "../wire.js";

/** What a download takes beside its link. */
export interface AssetOptions {
  /** Stops the download at any moment: it rejects with the signal's own reason. */
  signal?: AbortSignal | undefined;
  /** Each limit given replaces the client's. */
  timeouts?: Timeouts | undefined;
  /** In place of the client's `maxRetries`. Whole number, 0 to 20. */
  maxRetries?: number | undefined;
  /** Bytes of the file, decompressed, above which the download fails. `Infinity` for no limit. @defaultValue 256 MiB */
  maxBytes?: number | undefined;
  /**
   * Whether addresses may be asked that are not on the public internet: private, loopback, link-local and the like.
   * Links of the base URL's own origin always may. @defaultValue false
   */
  allowPrivateNetwork?: boolean | undefined;
}

/** A file that is coming in. */
export interface OpenAsset {
  /** Read as fast as it is taken; nothing is kept. Read it to the end or `cancel()` it, or its socket stays open. */
  body: ReadableStream<Uint8Array>;
  /** As the other side calls it, which need not be true. */
  contentType: string | undefined;
  /** Bytes, when the other side said so. */
  contentLength: number | undefined;
}

/** A file that has come. */
export interface Asset {
  /** Bytes. */
  size: number;
  /** As the other side calls it, which need not be true. */
  contentType: string | undefined;
}

const defaultMaxBytes = 256 * 1024 * 1024;

/**
 * The files that links in answers lead to: pictures, videos, output of batches.
 *
 * A link is a stranger's word. It is asked without the key and without the client's headers, only over http(s), never at an
 * address that is not on the public internet, and again checked at each of at most three redirects; the socket goes to the very
 * address that was checked. In the client over `fetch` the runtime looks names up by itself: there, addresses and local
 * names in links are refused, and a public name that means a private address is not seen.
 */
export class Assets {
  readonly #transport: Transport;
  readonly #wire: Wire;
  readonly #clock: Clock;

  constructor(transport: Transport, wire: Wire, clock: Clock) {
    this.#transport = transport;
    this.#wire = wire;
    this.#clock = clock;
  }

  /**
   * Opens a link, to be read piece by piece. What breaks the file later is thrown by its body.
   *
   * @example
   * ```ts compile-only
   * import { SiliconFlowClient } from "@langchain-siliconflow/client";
   *
   * const client = new SiliconFlowClient();
   * const request = { model: "Kwai-Kolors/Kolors", prompt: "a boat", image_size: "1024x1024" };
   * const { images } = await client.images.generate(request);
   * const { body, contentType } = await client.assets.open(images[0]!.url);
   * let size = 0;
   * for await (const piece of body) size += piece.length;
   * console.log(contentType, size);
   * ```
   *
   * @throws {@link ApiError} with reason `"assetExpired"` when the link has run out: after an hour, for those of the service.
   * @throws {@link SiliconFlowError} with reason `"blockedAddress"` for a link that must not be asked.
   * @throws {@link InvalidResponseError} with reason `"tooLarge"` for more than `maxBytes`, at once or from the body.
   */
  async open(url: string | URL, options?: AssetOptions): Promise<OpenAsset> {
    const download = this.#begin(url, options);
    try {
      const response = await download.attempts(() => download.connect());
      return {
        body: streamOf(download, response),
        contentType: response.header("content-type"),
        contentLength: promisedBytes(response),
      };
    } catch (error) {
      download.deadline.end();
      throw error;
    }
  }

  /**
   * Fetches a file whole: to `path`, where it appears when it is complete and replaces what was there, or into memory.
   *
   * @example
   * ```ts compile-only
   * import { SiliconFlowClient } from "@langchain-siliconflow/client";
   *
   * const client = new SiliconFlowClient();
   * const request = { model: "Kwai-Kolors/Kolors", prompt: "a boat", image_size: "1024x1024" };
   * const { images } = await client.images.generate(request);
   * const { path, size } = await client.assets.download(images[0]!.url, { path: "boat.png" });
   * console.log(path, size);
   * ```
   *
   * @throws as {@link open}, and {@link InvalidInputError} when no file can be made at `path`.
   */
  async download(url: string | URL, options: AssetOptions & { path: string | URL }): Promise<Asset & { path: string }>;
  async download(
    url: string | URL,
    options?: AssetOptions & { path?: undefined },
  ): Promise<Asset & { bytes: Uint8Array }>;
  async download(
    url: string | URL,
    options?: AssetOptions & { path?: string | URL | undefined },
  ): Promise<Asset & ({ path: string } | { bytes: Uint8Array })> {
    const path = options?.path;
    const download = this.#begin(url, options);
    try {
      return await download.attempts(async () =>
        path === undefined ? intoMemory(download) : await intoFile(download, path),
      );
    } finally {
      download.deadline.end();
    }
  }

  #begin(url: string | URL, options: AssetOptions | undefined): Download {
    const { signal, timeouts, maxRetries, maxBytes, allowPrivateNetwork } = ownOptions(options ?? {});
    if (!URL.canParse(String(url))) throw new InvalidInputError("The link is no URL.");
    if (maxBytes !== undefined && !(maxBytes > 0)) throw new InvalidInputError("maxBytes must be a number above 0.");
    checkSignal(signal);
    const limits = {
      maxBytes: maxBytes ?? defaultMaxBytes,
      maxRetries: checkMaxRetries(maxRetries) ?? this.#transport.options.maxRetries,
      allowPrivateNetwork: allowPrivateNetwork === true,
      ownOrigin: new URL(this.#transport.options.baseURL).origin,
    };
    const merged = mergeTimeouts(this.#transport.options.timeouts, timeouts);
    const deadline = new Deadline(signal ?? undefined, merged, true, this.#clock);
    this.#transport.track(deadline);
    return new Download(new URL(url), limits, deadline, this.#wire, this.#clock);
  }
}

async function intoMemory(download: Download): Promise<Asset & { bytes: Uint8Array }> {
  const response = await download.connect();
  const read = download.reader(response);
  const pieces: Uint8Array[] = [];
  let size = 0;
  for (let piece = await read(); piece !== null; piece = await read()) {
    pieces.push(piece);
    size += piece.length;
  }
  return { bytes: joined(pieces, size), size, contentType: response.header("content-type") };
}

async function intoFile(download: Download, path: string | URL): Promise<Asset & { path: string }> {
  const file = await AtomicFile.create(path);
  let response: WireResponse | undefined;
  try {
    response = await download.connect();
    const read = download.reader(response);
    response.body.lend?.();
    let size = 0;
    for (let piece = await read(); piece !== null; piece = await read()) {
      await file.write(piece);
      size += piece.length;
    }
    download.deadline.throwIfStopped();
    return { path: await file.finish(), size, contentType: response.header("content-type") };
  } catch (error) {
    response?.body.cancel();
    await file.discard();
    throw error;
  }
}

function streamOf(download: Download, response: WireResponse): ReadableStream<Uint8Array> {
  const read = download.reader(response);
  const { deadline } = download;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const piece = await read();
          if (piece !== null) return controller.enqueue(piece);
          deadline.end();
          controller.close();
        } catch (error) {
          response.body.cancel();
          deadline.end();
          throw error;
        }
      },
      cancel() {
        response.body.cancel();
        deadline.abandon();
        deadline.end();
      },
    },
    // Nothing is read ahead of whoever takes it.
    { highWaterMark: 0 },
  );
}
