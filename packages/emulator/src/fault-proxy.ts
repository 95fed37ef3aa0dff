import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** What a proxy does to the bytes that go in one direction. Everything left out is left alone. */
export interface Toxics {
  /** Milliseconds that every byte is late. */
  latencyMs?: number;
  /** Up to so many milliseconds more or less, by chance. Only with `latencyMs`. */
  jitterMs?: number;
  /** Bytes that pass in a second. */
  bytesPerSecond?: number;
  /** Milliseconds between the end of what is sent and the end of the connection. */
  slowCloseMs?: number;
  /** Nothing passes any more; after so many milliseconds the connection is closed, with `Infinity` never. */
  hangMs?: number;
  /** A TCP reset to both sides once so many bytes have passed; with 0 as soon as there is one to pass. */
  resetAfterBytes?: number;
  /** Passes bytes on in pieces of so many, each in a packet of its own. */
  sliceBytes?: number;
  /** Closes the connection in good order once so many bytes have passed. */
  limitBytes?: number;
}

/** Options of {@link startFaultProxy}. */
export interface FaultProxyOptions {
  /** Port on 127.0.0.1 that the proxy stands in front of. */
  port: number;
  /** For what is asked. @defaultValue none */
  toServer?: Toxics;
  /** For what is answered. @defaultValue none */
  toClient?: Toxics;
  /** Another seed is another row of jitters. @defaultValue 0 */
  seed?: number;
}

/** A running proxy. */
export interface FaultProxy {
  /** Its port on 127.0.0.1. */
  readonly port: number;
  /** Connections accepted so far. */
  readonly connections: number;
  /**
   * Replaces all toxics of the directions that are named, also for connections that are open.
   * Bytes that are on their way keep the delay they have.
   *
   * @throws RangeError for an impossible value, TypeError for a toxic that does not exist.
   */
  set(toxics: { toServer?: Toxics; toClient?: Toxics }): void;
  /** Ends every connection and stops listening. */
  close(): Promise<void>;
}

type Direction = "toServer" | "toClient";

/** The least that each takes, and whether only whole numbers make sense. */
const ranges: Record<keyof Toxics, { least: number; whole?: true }> = {
  latencyMs: { least: 0 },
  jitterMs: { least: 0 },
  bytesPerSecond: { least: 1 },
  slowCloseMs: { least: 0 },
  hangMs: { least: 0 },
  resetAfterBytes: { least: 0, whole: true },
  sliceBytes: { least: 1, whole: true },
  limitBytes: { least: 0, whole: true },
};

/** Bytes that may wait for their time before the sender is slowed down. */
const mostWaiting = 256 * 1024;
/** A reset discards what its receiver has not read yet: the pause before it, once bytes have passed. */
const readingMs = 20;

/**
 * Starts a TCP proxy on 127.0.0.1 in front of any port of it, which treats connections badly below HTTP: late, slow, in
 * pieces, or not to the end.
 *
 * @example
 * ```ts
 * import { startEmulator, startFaultProxy } from "@langchain-siliconflow/emulator";
 *
 * const emulator = await startEmulator();
 * const proxy = await startFaultProxy({ port: Number(new URL(emulator.url).port), toClient: { latencyMs: 50 } });
 * const baseURL = `http://127.0.0.1:${proxy.port}/v1`;
 * const models = await fetch(`${baseURL}/models`, { headers: { authorization: `Bearer ${emulator.apiKey}` } });
 * await Promise.all([proxy.close(), emulator.close()]);
 * ```
 *
 * @throws RangeError for an impossible value, TypeError for a toxic that does not exist.
 */
export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const { port, toServer = {}, toClient = {}, seed = 0 } = options;
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new RangeError(`port takes a whole number from 1 to 65535, not ${String(port)}.`);
  const toxics = { toServer: checked("toServer", toServer), toClient: checked("toClient", toClient) };
  const random = chance(seed);
  const sockets = new Set<Socket>();
  const lanes: Record<Direction, Set<Lane>> = { toServer: new Set(), toClient: new Set() };
  let connections = 0;

  // Either side may end what it says and go on listening.
  const server = createServer({ allowHalfOpen: true }, (client) => {
    connections += 1;
    const upstream = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    for (const socket of [client, upstream]) {
      sockets.add(socket.setNoDelay(true));
      socket.on("close", () => sockets.delete(socket)).on("error", () => {});
    }
    const asked = new Lane(client, upstream, toxics.toServer, random);
    const answered = new Lane(upstream, client, toxics.toClient, random);
    lanes.toServer.add(asked);
    lanes.toClient.add(answered);
    client.on("close", () => void (lanes.toServer.delete(asked), lanes.toClient.delete(answered)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  let closed: Promise<unknown> | undefined;

  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections;
    },
    set(next) {
      for (const direction of ["toServer", "toClient"] as const) {
        const given = next[direction];
        if (given === undefined) continue;
        toxics[direction] = checked(direction, given);
        for (const lane of lanes[direction]) lane.set(toxics[direction]);
      }
    },
    async close() {
      closed ??= once(server.close(), "close");
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** One direction of one connection: what `from` says is passed to `to`, as the toxics want it. */
class Lane {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #random: () => number;
  #toxics: Toxics;
  /** Lets what hangs look at its toxics again. */
  #wake: (() => void) | undefined;
  /** `undefined` is the end of what is sent. */
  readonly #waiting: { bytes: Buffer | undefined; dueMs: number }[] = [];
  #waitingBytes = 0;
  #passed = 0;
  #passing = false;

  constructor(from: Socket, to: Socket, toxics: Toxics, random: () => number) {
    this.#from = from;
    this.#to = to;
    this.#toxics = toxics;
    this.#random = random;
    from.on("data", (bytes: Buffer) => this.#take(bytes)).on("end", () => this.#take(undefined));
    // Reset, or never connected: the other side hears it as it is.
    from.on("error", () => to.resetAndDestroy());
    to.on("close", () => this.#wake?.());
  }

  set(toxics: Toxics): void {
    this.#toxics = toxics;
    this.#wake?.();
  }

  #take(bytes: Buffer | undefined): void {
    const { latencyMs = 0, jitterMs = 0 } = this.#toxics;
    const lateMs = latencyMs === 0 ? 0 : latencyMs + jitterMs * (2 * this.#random() - 1);
    this.#waiting.push({ bytes, dueMs: performance.now() + lateMs });
    this.#waitingBytes += bytes?.length ?? 0;
    if (this.#waitingBytes > mostWaiting) this.#from.pause();
    if (!this.#passing) void this.#pass();
  }

  async #pass(): Promise<void> {
    this.#passing = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      await pause(next.dueMs - performance.now());
      if (next.bytes === undefined) await this.#end();
      else await this.#send(next.bytes);
      this.#waitingBytes -= next.bytes?.length ?? 0;
      if (this.#waitingBytes <= mostWaiting) this.#from.resume();
    }
    this.#passing = false;
  }

  async #end(): Promise<void> {
    await this.#hang();
    await pause(this.#toxics.slowCloseMs ?? 0);
    this.#to.end();
  }

  async #send(bytes: Buffer): Promise<void> {
    for (let offset = 0; offset < bytes.length;) {
      await this.#hang();
      if (this.#to.destroyed) return;
      const { bytesPerSecond = Infinity, sliceBytes = Infinity, resetAfterBytes, limitBytes } = this.#toxics;
      const left = Math.min(resetAfterBytes ?? Infinity, limitBytes ?? Infinity) - this.#passed;
      if (left <= 0) return this.#cut();
      // A slow line gives a little at a time, not a lot now and then.
      const step = Math.max(1, Math.floor(Math.min(left, sliceBytes, bytesPerSecond / 20)));
      const piece = bytes.subarray(offset, offset + step);
      offset += piece.length;
      this.#passed += piece.length;
      if (!this.#to.write(piece)) await this.#drained();
      if (bytesPerSecond < Infinity) await pause((piece.length / bytesPerSecond) * 1000);
      // What is written in one turn may travel in one packet.
      else if (sliceBytes < Infinity) await new Promise<void>((resolve) => void setImmediate(resolve));
      if (piece.length === left) return this.#cut();
    }
  }

  async #cut(): Promise<void> {
    const { resetAfterBytes = Infinity } = this.#toxics;
    const resets = this.#passed >= resetAfterBytes;
    if (resets && this.#passed > 0) await pause(readingMs);
    for (const socket of [this.#from, this.#to]) {
      if (resets) socket.resetAndDestroy();
      else socket.destroySoon();
    }
  }

  /** Waits while the toxics say so: for its time, for other toxics, or for the end of the listener's patience. */
  async #hang(): Promise<void> {
    for (let { hangMs } = this.#toxics; hangMs !== undefined; { hangMs } = this.#toxics) {
      if (this.#to.destroyed) return;
      const close = (): void => {
        for (const socket of [this.#from, this.#to]) socket.destroy();
      };
      // A timer of more than 2^31 ms would fire at once.
      const timer = hangMs < 2 ** 31 ? setTimeout(close, hangMs).unref() : undefined;
      await new Promise<void>((resolve) => (this.#wake = resolve));
      clearTimeout(timer);
    }
  }

  async #drained(): Promise<void> {
    await new Promise<void>((resolve) => void this.#to.once("drain", resolve).once("close", resolve));
  }
}

async function pause(milliseconds: number): Promise<void> {
  if (milliseconds > 0) await new Promise<void>((resolve) => void setTimeout(resolve, milliseconds).unref());
}

function checked(direction: Direction, toxics: Toxics): Toxics {
  for (const [name, value] of Object.entries(toxics) as [keyof Toxics, number | undefined][]) {
    const range = Object.hasOwn(ranges, name) ? ranges[name] : undefined;
    if (range === undefined)
      throw new TypeError(`${direction} has no toxic "${name}": there are ${Object.keys(ranges).join(", ")}.`);
    if (value === undefined || (value >= range.least && (!range.whole || Number.isInteger(value)))) continue;
    const kind = range.whole ? "a whole number" : "a number";
    throw new RangeError(`${direction}.${name} takes ${kind} of ${range.least} or more, not ${String(value)}.`);
  }
  return { ...toxics };
}

/** Numbers from 0 up to, not including, 1: the same for the same seed. */
function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
