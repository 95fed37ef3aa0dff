import { randomBytes } from "node:crypto";
import {
  createReadStream,
  createWriteStream,
  mkdtempSync,
  openAsBlob,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import type { Client } from "./client.js";
import { failureOf } from "./failure-of.js";
import { SiliconFlowClient as FetchClient } from "./fetch-client.js";
import { listen } from "./local-server.js";
import type { SharedClientOptions } from "./options.js";
import { SiliconFlowClient } from "./undici-client.js";

const folder = mkdtempSync(join(tmpdir(), "uploads-"));
afterAll(() => rmSync(folder, { recursive: true }));

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

const model = "FunAudioLLM/SenseVoiceSmall";
const sound = new Uint8Array(300_000).map((_, index) => index % 251);

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

interface Received {
  headers: IncomingMessage["headers"];
  form: FormData;
  /** The body as it came, one character a byte. */
  raw: string;
}

/** Answers in turn, the last for ever, once a form is complete; `begun` hears of the request before its body is read. */
async function serve(
  replies: [status: number, body: unknown][],
  begun?: (request: IncomingMessage, response: ServerResponse) => void,
) {
  const received: Received[] = [];
  const state = { requests: 0 };
  const server = createServer((request, response) => {
    const [status, body] = replies[Math.min(state.requests, replies.length - 1)]!;
    state.requests += 1;
    if (begun !== undefined) return begun(request, response);
    void (async () => {
      const pieces: Buffer[] = [];
      for await (const piece of request) pieces.push(piece as Buffer);
      const bytes = Buffer.concat(pieces);
      const form = await new Response(bytes, {
        headers: { "content-type": request.headers["content-type"]! },
      }).formData();
      received.push({ headers: request.headers, form, raw: bytes.toString("latin1") });
      response.writeHead(status).end(JSON.stringify(body));
    })().catch(() => {});
  });
  return { url: `http://127.0.0.1:${await listen(server)}/v1`, received, state, server };
}

const heard: [number, unknown] = [200, { text: "Good night." }];
const busy: [number, unknown] = [503, { code: 50505, message: "Model service overloaded." }];

describe.each<[string, (options: SharedClientOptions) => Client]>([
  ["undici", (options) => new SiliconFlowClient(options)],
  ["fetch", (options) => new FetchClient(options)],
])("an upload over %s", (name, makeClient) => {
  const connect = (baseURL: string, options: SharedClientOptions = {}): Client => {
    const client = makeClient({ apiKey: "sk-secret", baseURL, ...options });
    cleanUps.push(() => client.close());
    return client;
  };

  test.each<[string, () => string | URL | Blob]>([
    ["a path", () => write("night.mp3", sound)],
    ["a file: URL", () => pathToFileURL(write("night.mp3", sound))],
    ["a File", () => new File([sound], "night.mp3", { type: "audio/mpeg" })],
  ])("of %s says how long it is, and arrives byte for byte", async (_, makeFile) => {
    const { url, received } = await serve([heard]);
    await expect(connect(url).transcriptions.create({ model, file: makeFile() })).resolves.toEqual(heard[1]);
    const [{ headers, form, raw }] = received as [Received];
    expect(headers["content-length"]).toBe(`${raw.length}`);
    expect(headers["transfer-encoding"]).toBeUndefined();
    expect(form.get("model")).toBe(model);
    const file = form.get("file") as File;
    expect(file.name).toBe("night.mp3");
    expect(Buffer.from(await file.arrayBuffer()).equals(sound)).toBe(true);
  });

  test.each<[string, () => ReadableStream<Uint8Array> | Readable]>([
    ["of Node.js", () => createReadStream(write("night.mp3", sound))],
    ["of the web", () => new Blob([sound]).stream()],
  ])("of a stream %s arrives byte for byte", async (_, makeFile) => {
    const { url, received } = await serve([heard]);
    await connect(url).transcriptions.create({ model, file: makeFile(), filename: "night.mp3" });
    const file = received[0]!.form.get("file") as File;
    expect(file.name).toBe("night.mp3");
    expect(Buffer.from(await file.arrayBuffer()).equals(sound)).toBe(true);
  });

  test("of a path is sent again, from its beginning", async () => {
    const { url, received } = await serve([busy, heard]);
    const { attempts } = await connect(url).transcriptions.create({ model, file: write("night.mp3", sound) });
    expect(attempts).toBe(2);
    expect(received.map(({ form }) => (form.get("file") as File).size)).toEqual([sound.length, sound.length]);
  });

  test("of a stream that was read is not, and the error says why", async () => {
    const { url, state } = await serve([busy, heard]);
    const file = new Blob([sound]).stream();
    const error = await failureOf(connect(url).transcriptions.create({ model, file, filename: "night.mp3" }));
    expect(error).toMatchObject({ name: "ServiceUnavailableError", retryable: false, attempts: 1 });
    expect(error.message).toContain("The stream of the upload has been read");
    expect(state.requests).toBe(1);
  });

  test("of a stream is sent again while nothing of it was read", async () => {
    const { url } = await serve([heard]);
    const refused = await serve([heard]);
    refused.server.close();
    const waits: number[] = [];
    const client = connect(refused.url, { maxRetries: 1, onRetry: ({ attempt }) => void waits.push(attempt) });
    const file = Readable.from([Buffer.from("sound")]);
    const error = await failureOf(client.transcriptions.create({ model, file, filename: "a.mp3" }));
    expect(error).toMatchObject({ reason: "refused", attempts: 2, retryable: true });
    // So it can still be sent elsewhere.
    await expect(connect(url).transcriptions.create({ model, file, filename: "a.mp3" })).resolves.toEqual(heard[1]);
  });

  test("that is aborted ends at once with the reason, and so does its stream", async () => {
    let arrive = (): void => {};
    const arrived = new Promise<void>((resolve) => (arrive = resolve));
    const { url } = await serve([heard], (request) => void request.on("error", () => {}).once("data", () => arrive()));
    const controller = new AbortController();
    const file = new Readable({ read() {} });
    file.push("the beginning");
    const ended = new Promise((resolve) => file.once("close", resolve));
    const call = connect(url).transcriptions.create({ model, file, filename: "a.mp3" }, { signal: controller.signal });
    const reason = new Error("enough");
    arrived.then(
      () => controller.abort(reason),
      () => {},
    );
    await expect(call).rejects.toBe(reason);
    await ended;
  });

  test("whose stream falls silent is a TimeoutError, however long the answer may take", async () => {
    const { url } = await serve([heard], (request) => request.resume());
    const file = new Readable({ read() {} });
    file.push("the beginning");
    const timeouts = { idleMs: 60, firstByteMs: 60_000 };
    const error = await failureOf(connect(url).transcriptions.create({ model, file, filename: "a.mp3" }, { timeouts }));
    expect(error).toMatchObject({ name: "TimeoutError", phase: "idle", retryable: false });
    expect(error.message).toContain("The upload stood still");
  });

  test("whose stream breaks ends with that, and is not sent again", async () => {
    const { url, state } = await serve([heard], (request) => request.resume().on("error", () => {}));
    const broken = new Error("disk on fire");
    const file = Readable.from(
      (async function* () {
        yield Buffer.from("the beginning");
        throw broken;
      })(),
    );
    const error = await failureOf(connect(url).transcriptions.create({ model, file, filename: "a.mp3" }));
    expect(error).toMatchObject({ name: "InvalidInputError", cause: broken });
    expect(state.requests).toBeLessThan(2);
  });

  test("that is refused before it is complete ends with the refusal", async () => {
    const { url } = await serve([heard], (request, response) => {
      response.writeHead(401, { "content-type": "application/json" }).end('"Invalid token"');
      request.resume();
    });
    const file = new Readable({ read() {} });
    file.push("the beginning");
    const ended = new Promise((resolve) => file.once("close", resolve));
    const error = await failureOf(connect(url).transcriptions.create({ model, file, filename: "a.mp3" }));
    expect(error.name).toBe("AuthenticationError");
    // Whoever makes the pieces is told that nobody takes them any more.
    await ended;
  });

  test("that is answered before it is complete ends with the answer, and so does its stream", async () => {
    const { url } = await serve([heard], (request, response) => {
      request.once("data", () => response.end(JSON.stringify(heard[1])));
    });
    let leave = (): void => {};
    const left = new Promise<void>((resolve) => {
      leave = resolve;
    });
    const file = new ReadableStream<Uint8Array>({
      start: (it) => it.enqueue(new Uint8Array(9)),
      cancel: () => leave(),
    });
    await expect(connect(url).transcriptions.create({ model, file, filename: "a.mp3" })).resolves.toEqual(heard[1]);
    await left;
  });

  test("of a stream that was read says so when it is redirected", async () => {
    const { url } = await serve([heard], (request, response) => {
      request.resume().once("end", () => response.writeHead(307, { location: "/v1/elsewhere" }).end());
    });
    const file = Readable.from([Buffer.from("the beginning")]);
    const error = await failureOf(connect(url).transcriptions.create({ model, file, filename: "a.mp3" }));
    // A browser's fetch follows by itself, and then there is nothing left to send.
    if (name === "undici") expect(error).toMatchObject({ status: 307, reason: "badRequest" });
    expect(error.message).not.toContain("is empty");
  });

  test.each<[string, (client: Client, file: Blob) => Promise<unknown>]>([
    ["files.upload", (client, file) => client.files.upload({ file, filename: "a.jsonl" })],
    ["transcriptions.create", (client, file) => client.transcriptions.create({ model, file, filename: "a.mp3" })],
  ])("of a Blob whose file was changed before is an error of %s, which sends nothing", async (_, upload) => {
    const path = write("changed.mp3", sound);
    const file = await openAsBlob(path);
    write("changed.mp3", "short");
    const { url, state } = await serve([heard]);
    const error = await failureOf(upload(connect(url), file));
    expect(error).toMatchObject({ name: "InvalidInputError" });
    expect(error.message).toContain("could not be read to its end");
    expect(state.requests).toBe(0);
  });

  test("is not sent after a redirect to elsewhere", async () => {
    const elsewhere = await serve([heard]);
    const { url } = await serve([heard], (request, response) => {
      request.resume().on("end", () => response.writeHead(307, { location: `${elsewhere.url}/stolen` }).end());
    });
    const file = write("night.mp3", sound);
    const error = await failureOf(connect(url).transcriptions.create({ model, file }));
    expect(error).toMatchObject({ name: "ApiError", reason: "blockedAddress" });
    expect(elsewhere.state.requests).toBe(0);
  });
});

describe("names in a form", () => {
  test.each([
    ['a"; filename="b.mp3', "a%22; filename=%22b.mp3"],
    ["a\r\nX-Injected: 1\r\n\r\nb.mp3", "a%0D%0AX-Injected: 1%0D%0A%0D%0Ab.mp3"],
    ["Gute Nacht – 晚安.mp3", "Gute Nacht – 晚安.mp3"],
  ])("cannot leave their place: %j", async (filename, shown) => {
    const { url, received } = await serve([heard]);
    const client = new SiliconFlowClient({ apiKey: "sk-secret", baseURL: url });
    cleanUps.push(() => client.close());
    const field = 'model"; name="other\r\n';
    await client.transcriptions.create({ model: `${model}\r\n--x\r\n`, file: new Blob([sound]), filename, [field]: 1 });
    const [{ raw, form }] = received as [Received];
    expect(Buffer.from(raw.slice(0, 1000), "latin1").toString()).toContain(`filename="${shown}"`);
    expect(raw).toContain('name="model%22; name=%22other%0D%0A"');
    expect([...form.keys()]).toHaveLength(3);
    expect(form.get("model")).toBe(`${model}\r\n--x\r\n`);
  });

  test("are kept apart by a boundary that is never the same", async () => {
    const { url, received } = await serve([heard]);
    const client = new SiliconFlowClient({ apiKey: "sk-secret", baseURL: url });
    cleanUps.push(() => client.close());
    const file = new File(["x"], "a.mp3");
    for (let call = 0; call < 2; call += 1) await client.transcriptions.create({ model, file });
    const [one, other] = received.map(({ headers }) => headers["content-type"]);
    expect(one).toMatch(/boundary=form-[\da-f-]{36}$/);
    expect(other).not.toBe(one);
  });
});

describe("nothing is sent of", () => {
  const huge = (name: string, bytes: number): string => {
    const path = write(name, "");
    truncateSync(path, bytes);
    return path;
  };
  /** Ten bytes a second. */
  const wav = (seconds: number): Blob => {
    const head = Buffer.alloc(44);
    head.write("RIFF");
    head.write("WAVEfmt ", 8);
    head.writeUInt32LE(16, 16);
    head.writeUInt32LE(10, 28);
    head.write("data", 36);
    head.writeUInt32LE(seconds * 10, 40);
    return new File([head, new Uint8Array(seconds * 10)], "a.wav");
  };
  const client = new SiliconFlowClient({ apiKey: "sk-secret", baseURL: "http://127.0.0.1:1", maxRetries: 0 });
  const transcribe = (file: unknown, filename?: string) =>
    client.transcriptions.create({ model, file: file as Blob, ...(filename !== undefined && { filename }) });
  const used = Readable.from(["x"]).destroy();

  test.each<[string, () => Promise<unknown>, string]>([
    ["a file that does not exist", () => transcribe(join(folder, "nowhere.mp3")), "does not exist"],
    ["a directory", () => transcribe(folder), "is a directory"],
    ["a device", () => transcribe("/dev/null"), "no regular file"],
    ["an empty file", () => transcribe(write("empty.mp3", "")), "is empty"],
    ["an empty Blob", () => transcribe(new File([], "a.mp3")), "is empty"],
    ["an address", () => transcribe("https://files.test/a.mp3"), "not an address"],
    ["a URL that is no file", () => transcribe(new URL("https://files.test/a.mp3")), "must begin with file:"],
    ["no file at all", () => transcribe(undefined), "must be a path, a Blob, or a stream"],
    ["a number", () => transcribe(7), "must be a path, a Blob, or a stream"],
    ["bytes alone", () => transcribe(new Uint8Array(9)), "bytes go into a File"],
    ["a Blob without a name", () => transcribe(new Blob(["x"])), "give a filename"],
    ["a stream without a name", () => transcribe(new Blob(["x"]).stream()), "give a filename"],
    ["a stream that is over", () => transcribe(used, "a.mp3"), "has been read already"],
    ["a recording above 50 MB", () => transcribe(huge("long.mp3", 50 * 2 ** 20 + 1)), "Compress it"],
    ["a recording above an hour", () => transcribe(wav(3601)), "60"],
    ["a batch above 1 GB", () => client.files.upload({ file: huge("big.jsonl", 2 ** 30 + 1) }), "Spread its lines"],
    [
      "a batch above 5000 lines",
      () => client.files.upload({ file: new File(["{}\n".repeat(5001)], "a.jsonl") }),
      "more than 5000 lines",
    ],
    [
      "a sample above half a minute",
      () => client.voices.upload({ model, customName: "me", text: "x", file: wav(31) }),
      "under 30 s",
    ],
    [
      "a sample given twice",
      () =>
        client.voices.upload({ model, customName: "me", text: "x", file: wav(3), audio: "data:audio/wav;base64,AA" }),
      "either as file or as audio",
    ],
    [
      "a sample that is no data URL",
      () => client.voices.upload({ model, customName: "me", text: "x", audio: "https://files.test/a.mp3" }),
      "data:audio/",
    ],
    [
      "a field that no form can hold",
      () => client.files.upload({ file: wav(1), nested: {} }),
      "cannot stand in a form",
    ],
  ])("%s", async (_, call, said) => {
    const error = await failureOf(call());
    expect(error).toMatchObject({ name: "InvalidInputError", attempts: 0 });
    expect(error.message).toContain(said);
  });

  test.each<[string, string, () => ReadableStream<Uint8Array> | Readable]>([
    ["is too large", "tooLarge", () => new Blob([new Uint8Array(51 * 2 ** 20)]).stream()],
    ["is empty", "invalidOption", () => Readable.from([])],
  ])("a stream that %s is broken off", async (_, reason, makeFile) => {
    const { url } = await serve([heard], (request) => request.resume().on("error", () => {}));
    const own = new SiliconFlowClient({ apiKey: "sk-secret", baseURL: url });
    cleanUps.push(() => own.close());
    const error = await failureOf(own.transcriptions.create({ model, file: makeFile(), filename: "a.mp3" }));
    expect(error).toMatchObject({ name: "InvalidInputError", reason });
  });
});

describe("lines of a batch", () => {
  test.each([
    ["the last without its end", "{}\n".repeat(4999) + "{}"],
    ["blank ones between", "{}\n\r\n \n".repeat(5000)],
  ])("are 5000, %s", async (_, text) => {
    const { url } = await serve([[200, { code: 20000, message: "Ok", status: true, data: { id: "file-1" } }]]);
    const client = new SiliconFlowClient({ apiKey: "sk-secret", baseURL: url });
    cleanUps.push(() => client.close());
    await expect(client.files.upload({ file: new File([text], "a.jsonl") })).resolves.toEqual({ id: "file-1" });
    // The same in pieces that end anywhere.
    const pieces = text.match(/[^]{1,1000}/g)!.map((piece) => Buffer.from(piece));
    const file = Readable.from(pieces);
    await expect(client.files.upload({ file, filename: "a.jsonl" })).resolves.toEqual({ id: "file-1" });
  });

  test("are counted while a stream is sent", async () => {
    const { url } = await serve([heard], (request) => request.resume().on("error", () => {}));
    const client = new SiliconFlowClient({ apiKey: "sk-secret", baseURL: url });
    cleanUps.push(() => client.close());
    const file = Readable.from([Buffer.from("{}\n".repeat(5001))]);
    const error = await failureOf(client.files.upload({ file, filename: "a.jsonl" }));
    expect(error).toMatchObject({ name: "InvalidInputError", reason: "tooLarge" });
  });
});

test("a large file arrives byte for byte, also when nobody reads it for a while", async () => {
  // More than the buffers of both sides take: what is sent from one buffer must have left before the next piece comes into it.
  const content = randomBytes(24_000_000);
  const path = write("large.bin", content);
  const pieces: Buffer[] = [];
  const { url } = await serve([heard], (request, response) => {
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => response.end(JSON.stringify(heard[1])));
    request.pause();
    setTimeout(() => request.resume(), 200);
  });
  const client = new SiliconFlowClient({ apiKey: "sk-secret", baseURL: url });
  cleanUps.push(() => client.close());
  await client.transcriptions.create({ model, file: path });
  expect(Buffer.concat(pieces).includes(content)).toBe(true);
});

test("a file that changes while it is sent is an error, and no mixture of both", async () => {
  const path = write("changing.mp3", new Uint8Array(20 * 2 ** 20));
  const { url } = await serve([heard], (request) => {
    request.once("readable", () => {
      createWriteStream(path, { flags: "a" }).end("more", () => request.resume());
    });
    request.on("error", () => {});
  });
  const client = new SiliconFlowClient({ apiKey: "sk-secret", baseURL: url, maxRetries: 0 });
  cleanUps.push(() => client.close());
  const error = await failureOf(client.transcriptions.create({ model, file: path }));
  expect(error).toMatchObject({ name: "InvalidInputError" });
  expect(error.message).toContain("could not be read to its end");
});

test("a file stream that cannot be opened is an error of the call, and does not end the process", async () => {
  const { url } = await serve([heard], (request) => request.resume().on("error", () => {}));
  const file = createReadStream(join(folder, "nowhere.mp3"));
  const failed = new Promise<void>((resolve) => file.once("close", () => resolve()));
  // The call waits for its turn, and nobody reads the stream.
  const acquire = () => failed.then(() => ({ settle() {}, penalize() {} }));
  const client = new SiliconFlowClient({ apiKey: "sk-secret", baseURL: url, limiter: { acquire } });
  cleanUps.push(() => client.close());
  const error = await failureOf(client.transcriptions.create({ model, file }));
  expect(error).toMatchObject({ name: "InvalidInputError", cause: { code: "ENOENT" } });
});
