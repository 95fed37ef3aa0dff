import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../clock.js";
import { SiliconFlowClient as FetchClient } from "../fetch.js";
import { failureOf } from "../failure-of.js";
import { SiliconFlowClient } from "../index.js";
import { resolveOptions } from "../options.js";
import { Transport } from "../transport.js";
import { downloadWithUndici } from "../wires/undici-download.js";
import { UndiciWire } from "../wires/undici.js";
import { Assets, type AssetOptions } from "./assets.js";

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

let handler: Handler;
const seen: IncomingMessage[] = [];
const server = createServer((request, response) => {
  seen.push(request);
  handler(request, response);
});
let port = 0;
let folder = "";

beforeEach(async () => {
  seen.length = 0;
  handler = (_, response) => response.end("a picture");
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ({ port } = server.address() as AddressInfo);
  folder = await mkdtemp(join(tmpdir(), "assets-"));
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, "close");
  await rm(folder, { recursive: true });
});

const options = { apiKey: "sk-secret", headers: { "x-team": "ours" }, maxRetries: 0 };
const far = { ...options, baseURL: "https://siliconflow.test/v1" };
const clients = [
  ["undici", (given: typeof far) => new SiliconFlowClient(given)],
  ["fetch", (given: typeof far) => new FetchClient(given)],
] as const;

/** Assets whose names mean what the test says. */
function assetsWith(names: (name: string) => string[], baseURL = "https://siliconflow.test/v1") {
  const looked: string[] = [];
  class StubbedWire extends UndiciWire {
    override download(request: Parameters<UndiciWire["download"]>[0]) {
      return downloadWithUndici(request, undefined, async (name) => {
        looked.push(name);
        return names(name).map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
      });
    }
  }
  const resolved = resolveOptions({ ...options, baseURL });
  const wire = new StubbedWire(resolved.baseURL, 10_000, undefined);
  return { assets: new Assets(new Transport(resolved, wire, systemClock), wire, systemClock), looked };
}

describe.each(clients)("a link, asked with %s", (_, clientWith) => {
  const near = (given: AssetOptions = {}) => ({ allowPrivateNetwork: true, ...given });
  const link = (path = "/made.png") => `http://127.0.0.1:${port}${path}`;
  const { assets } = clientWith(far);

  test("is asked without the key and without the client's headers", async () => {
    const { bytes, size } = await assets.download(link(), near());
    expect([Buffer.from(bytes).toString(), size]).toEqual(["a picture", 9]);
    const { headers } = seen[0]!;
    expect(headers.authorization).toBeUndefined();
    expect(headers["x-team"]).toBeUndefined();
    expect(headers.cookie).toBeUndefined();
  });

  test("is read piece by piece, and the socket closes when it is left", async () => {
    let closed!: Promise<unknown>;
    handler = (_request, response) => {
      closed = once(response, "close");
      response.writeHead(200, { "content-type": "video/mp4" });
      response.write("one");
    };
    const { body, contentType, contentLength } = await assets.open(link(), near());
    expect([contentType, contentLength]).toEqual(["video/mp4", undefined]);
    const reader = body.getReader();
    expect(Buffer.from((await reader.read()).value!).toString()).toBe("one");
    await reader.cancel();
    await closed;
  });

  test.each([
    "http://127.0.0.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://[::1]/",
    "http://[::ffff:169.254.169.254]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://10.0.0.8/",
    "http://[64:ff9b::10.0.0.8]/",
    "http://localhost/",
    "http://metadata.google.internal/",
    "http://redis:6379/",
    "file:///etc/passwd",
    "data:text/plain,hello",
    "ftp://files.siliconflow.test/",
    "https://user:pass@files.siliconflow.test/",
  ])("to %s is refused before anything is sent", async (url) => {
    const error = await failureOf(assets.download(url));
    expect(error).toMatchObject({ name: "SiliconFlowError", reason: "blockedAddress", retryable: false });
    expect(seen).toEqual([]);
  });

  test("to the origin of the client's own base URL is asked: the caller chose it", async () => {
    const emulated = clientWith({ ...options, baseURL: `http://127.0.0.1:${port}/v1` });
    await expect(emulated.assets.download(link())).resolves.toMatchObject({ size: 9 });
  });

  test.each(["http://169.254.169.254/latest", "http://127.0.0.1:1/", "http://[::1]:1/", "file:///etc/passwd"])(
    "that redirects to %s is not followed, not even from the own origin",
    async (location) => {
      handler = (_request, response) => response.writeHead(302, { location }).end();
      const emulated = clientWith({ ...options, baseURL: `http://127.0.0.1:${port}/v1` });
      const error = await failureOf(emulated.assets.download(link()));
      expect(error.reason).toBe("blockedAddress");
      expect(seen).toHaveLength(1);
    },
  );

  test("that redirects once is followed, and one that goes round in circles is not", async () => {
    handler = (request, response) =>
      request.url === "/made.png" ? response.writeHead(307, { location: "/there.png" }).end() : response.end("there");
    const { bytes } = await assets.download(link(), near());
    expect(Buffer.from(bytes).toString()).toBe("there");

    seen.length = 0;
    handler = (_request, response) => response.writeHead(302, { location: "/made.png" }).end();
    expect(await failureOf(assets.download(link(), near()))).toMatchObject({ reason: "blockedAddress" });
    expect(seen).toHaveLength(4);
  });

  test.each([403, 404, 410])("that has run out (%i) says so, and keeps its signature to itself", async (status) => {
    handler = (_request, response) => response.writeHead(status).end("<Error>AccessDenied</Error>");
    const error = await failureOf(assets.download(link("/made.png?Signature=c2VjcmV0"), near()));
    expect(error).toMatchObject({ name: "ApiError", status, reason: "assetExpired", retryable: false });
    expect(error.message + JSON.stringify(error)).not.toContain("c2VjcmV0");
  });

  test("is asked again when the other side is down for a moment", async () => {
    handler = (_request, response) => (seen.length === 1 ? response.writeHead(503).end() : response.end("now"));
    const { bytes } = await assets.download(link(), near({ maxRetries: 1 }));
    expect(Buffer.from(bytes).toString()).toBe("now");
  });

  test("to a file that is too long by its own word is not read", async () => {
    handler = (_request, response) => response.writeHead(200, { "content-length": "1000000" }).write("x");
    const error = await failureOf(assets.download(link(), near({ maxBytes: 1000 })));
    expect(error).toMatchObject({ name: "InvalidResponseError", reason: "tooLarge" });
  });

  test("to a file without an end is left at the limit", async () => {
    const endless: Handler = (_request, response) => {
      const more = (): boolean => response.write(Buffer.alloc(65_536));
      response.on("drain", more);
      more();
    };
    handler = endless;
    const path = join(folder, "endless.bin");
    const error = await failureOf(assets.download(link(), { ...near({ maxBytes: 1_000_000 }), path }));
    expect(error.reason).toBe("tooLarge");
    expect(await readdir(folder)).toEqual([]);

    const { body } = await assets.open(link(), near({ maxBytes: 1_000_000 }));
    let length = 0;
    const read = async () => {
      for await (const piece of body) length += piece.length;
    };
    expect((await failureOf(read())).reason).toBe("tooLarge");
    expect(length).toBeLessThanOrEqual(1_000_000);
  });

  test("to little that swells when it is unpacked is left at the limit", async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    handler = (_request, response) => response.writeHead(200, { "content-encoding": "gzip" }).end(bomb);
    const error = await failureOf(assets.download(link(), near({ maxBytes: 1_000_000 })));
    expect(error.reason).toBe("tooLarge");
  });

  test.each([
    ["of a known length", 0],
    ["in small pieces", 700],
    ["in large pieces", 300_000],
  ])("to a file %s is the same byte for byte, and what else is in memory stays what it is", async (_kind, piece) => {
    const film = randomBytes(5_000_000);
    handler = (_request, response) => {
      if (piece === 0) return void response.writeHead(200, { "content-length": film.length }).end(film);
      for (let at = 0; at < film.length; at += piece) response.write(film.subarray(at, at + piece));
      response.end();
    };
    // Small buffers of the process share memory, also with small pieces of a body.
    const others = Array.from({ length: 1000 }, (_each, index) => Buffer.from(`other ${index}`));
    const path = join(folder, "film.mp4");
    await assets.download(link(), { ...near(), path });
    expect((await readFile(path)).equals(film)).toBe(true);
    expect(others.every((other, index) => other.toString() === `other ${index}`)).toBe(true);
  });

  test("to a file that ends too early is an error, and leaves no file", async () => {
    handler = (_request, response) => {
      response.writeHead(200, { "content-length": "1000" });
      response.write("half", () => response.destroy());
    };
    const path = join(folder, "half.png");
    const error = await failureOf(assets.download(link(), { ...near(), path }));
    expect(["truncated", "reset"]).toContain(error.reason);
    expect(await readdir(folder)).toEqual([]);
  });

  test("that falls silent ends at the limit of silence", async () => {
    handler = (_request, response) => void response.writeHead(200).write("and then");
    const error = await failureOf(assets.download(link(), near({ timeouts: { idleMs: 50 } })));
    expect(error).toMatchObject({ name: "TimeoutError", phase: "idle" });
  });

  test("is left at once when the caller has had enough, with the caller's reason", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    handler = (_request, response) => {
      response.writeHead(200).write("and then");
      controller.abort(reason);
    };
    const path = join(folder, "left.png");
    await expect(assets.download(link(), { ...near({ signal: controller.signal }), path })).rejects.toBe(reason);
    expect(await readdir(folder)).toEqual([]);
    const fired = AbortSignal.abort(reason);
    await expect(assets.open(link(), near({ signal: fired }))).rejects.toBe(reason);
    expect(seen).toHaveLength(1);
  });

  test("becomes a file that replaces what was there, also a link to elsewhere", async () => {
    const elsewhere = join(folder, "elsewhere");
    await writeFile(elsewhere, "untouched");
    const path = join(folder, "made.png");
    await symlink(elsewhere, path);
    const saved = await assets.download(link(), { ...near(), path });
    expect(saved).toMatchObject({ path, size: 9 });
    expect(await readFile(path, "utf8")).toBe("a picture");
    expect(await readFile(elsewhere, "utf8")).toBe("untouched");
    expect((await readdir(folder)).toSorted()).toEqual(["elsewhere", "made.png"]);
  });

  test("for a place where no file can be is refused before anything is sent", async () => {
    await mkdir(join(folder, "made.png"));
    const long = join(folder, "a".repeat(300));
    const strange = [`${folder}/a\0b`, new URL("http://127.0.0.1/made.png"), "", 7 as never];
    for (const path of [join(folder, "none", "made.png"), join(folder, "made.png"), long, ...strange]) {
      const error = await failureOf(assets.download(link(), { ...near(), path }));
      expect(error.name).toBe("InvalidInputError");
    }
    expect(seen).toEqual([]);
  });

  test("that is none, or a limit that is none, is named", async () => {
    expect(await failureOf(assets.open("made.png"))).toMatchObject({ name: "InvalidInputError" });
    expect((await failureOf(assets.open(link(), { maxBytes: 0 }))).message).toContain("maxBytes");
    expect((await failureOf(assets.open(link(), { maxRetries: -1 }))).message).toContain("maxRetries");
  });

  test("ends with the client", async () => {
    const client = clientWith(far);
    handler = (_request, response) => void response.writeHead(200).write("and then");
    const { body } = await client.assets.open(link(), near());
    const reader = body.getReader();
    await reader.read();
    const rest = failureOf(reader.read());
    await client.close();
    expect((await rest).message).toContain("closed");
    expect((await failureOf(client.assets.open(link(), near()))).message).toContain("closed");
  });
});

describe("a name", () => {
  test.each([["127.0.0.1"], ["10.1.2.3"], ["::1"], ["::ffff:192.168.0.1"], ["8.8.8.8", "169.254.169.254"]])(
    "that means %s is refused",
    async (...addresses) => {
      const { assets, looked } = assetsWith(() => addresses);
      const error = await failureOf(assets.download(`http://files.siliconflow.test:${port}/made.png`));
      expect(error).toMatchObject({ reason: "blockedAddress", retryable: false });
      expect(looked).toEqual(["files.siliconflow.test"]);
      expect(seen).toEqual([]);
    },
  );

  test("is looked up once: what it means a moment later does not matter", async () => {
    // A check that looks up by itself would see 8.8.8.8, and the socket after it 127.0.0.1.
    const answers = ["8.8.8.8", "127.0.0.1", "127.0.0.1"];
    const { assets, looked } = assetsWith(() => [answers.shift()!]);
    const error = await failureOf(assets.download(`http://rebinding.test:${port}/made.png`));
    // The guard of these tests refuses the public address.
    expect(error.name).toBe("ConnectionError");
    expect(looked).toHaveLength(1);
    expect(seen).toEqual([]);
  });

  test("is looked up anew at each redirect", async () => {
    handler = (request, response) =>
      request.url === "/made.png"
        ? response.writeHead(302, { location: `http://inside.test:${port}/admin` }).end()
        : response.end("a secret");
    const { assets, looked } = assetsWith(() => ["127.0.0.1"], `http://outside.test:${port}/v1`);
    const error = await failureOf(assets.download(`http://outside.test:${port}/made.png`));
    expect(error.reason).toBe("blockedAddress");
    expect(looked).toEqual(["outside.test", "inside.test"]);
    expect(seen.map(({ url }) => url)).toEqual(["/made.png"]);
  });

  test("keeps its place in the Host header when the socket goes to its address", async () => {
    const { assets } = assetsWith(() => ["127.0.0.1"]);
    await assets.download(`http://files.siliconflow.test:${port}/made.png`, { allowPrivateNetwork: true });
    expect(seen[0]!.headers.host).toBe(`files.siliconflow.test:${port}`);
  });

  test("that does not exist says so", async () => {
    const { assets } = assetsWith(() => []);
    const error = await failureOf(assets.download("https://files.siliconflow.test/made.png"));
    expect(error).toMatchObject({ name: "ConnectionError", reason: "dns" });
  });
});

test("a proxy of the environment carries the download, and an address inside is refused before it", async () => {
  const asked: string[] = [];
  const proxy = createServer((request, response) => {
    asked.push(request.url!);
    response.end("a picture");
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  process.env["HTTP_PROXY"] = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  try {
    const names: Record<string, string[]> = { "inside.test": ["10.0.0.1"] };
    const { assets } = assetsWith((name) => names[name] ?? []);
    expect((await failureOf(assets.download("http://inside.test/made.png"))).reason).toBe("blockedAddress");
    await expect(assets.download("http://files.siliconflow.test/made.png")).resolves.toMatchObject({ size: 9 });
    expect(asked).toEqual(["http://files.siliconflow.test/made.png"]);
  } finally {
    delete process.env["HTTP_PROXY"];
    proxy.closeAllConnections();
    proxy.close();
  }
});

// What a runtime's fetch makes of it is not told.
test("a link to a file without a length that breaks off is an error", async () => {
  const client = new SiliconFlowClient(far);
  let beginning = (): void => {};
  handler = ({ socket }) => {
    socket.write("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhalf");
    // As soon as its beginning has been read.
    beginning = () => socket.resetAndDestroy();
  };
  const { body } = await client.assets.open(`http://127.0.0.1:${port}/made.png`, { allowPrivateNetwork: true });
  const reader = body.getReader();
  await reader.read();
  beginning();
  await expect(reader.read()).rejects.toMatchObject({ name: "ConnectionError" });
});
