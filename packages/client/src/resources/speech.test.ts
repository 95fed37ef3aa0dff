import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createNetServer } from "node:net";
import { randomBytes } from "node:crypto";
import { createWriteStream, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import type { AudioStream } from "../audio-stream.js";
import type { Client } from "../client.js";
import { failureOf } from "../failure-of.js";
import { SiliconFlowClient as FetchClient } from "../fetch-client.js";
import { listen } from "../local-server.js";
import type { SharedClientOptions } from "../options.js";
import { SiliconFlowClient } from "../undici-client.js";
import type { SpeechRequest } from "./speech.js";

const request: SpeechRequest = { model: "FunAudioLLM/CosyVoice2-0.5B", input: "Good night." };
const sound = Buffer.concat([Buffer.from("ID3\x04\0\0"), Buffer.alloc(200_000, 0xfb)]);

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** Answers in turn, the last for ever. */
async function serve(...answers: Answer[]) {
  const bodies: unknown[] = [];
  const server = createServer((message, response) => {
    void (async () => {
      let text = "";
      for await (const piece of message) text += String(piece);
      bodies.push(JSON.parse(text));
      response.setHeader("x-siliconcloud-trace-id", "ti_1");
      answers[Math.min(bodies.length, answers.length) - 1]!(response, message);
    })();
  });
  return { url: `http://127.0.0.1:${await listen(server)}/v1`, bodies };
}

function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "speech-"));
  cleanUps.push(() => rmSync(folder, { recursive: true }));
  return folder;
}

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
}

const whole: Answer = (response) => response.writeHead(200, { "content-type": "application/audio" }).end(sound);
const chunked: Answer = (response) => {
  response.write(sound.subarray(0, 3));
  setImmediate(() => response.end(sound.subarray(3)));
};

const clients: [string, (options: SharedClientOptions) => Client][] = [
  ["undici", (options) => new SiliconFlowClient(options)],
  ["fetch", (options) => new FetchClient(options)],
];

describe.each(clients)("speech over %s", (_, makeClient) => {
  test("is saved whole, under its name when it is complete", async () => {
    // In pieces that share what one read of the socket brought, and in such that span several.
    const long = Buffer.concat([sound, randomBytes(3_000_000)]);
    const { url, bodies } = await serve((response) => {
      for (let at = 0; at < 500_000; at += 1000) response.write(long.subarray(at, at + 1000));
      response.end(long.subarray(500_000));
    });
    const folder = emptyFolder();
    const client = connect(url);
    const path = join(folder, "night.mp3");
    const stream = client.speech.stream(request);
    await expect(stream.save(path)).resolves.toEqual({ path, size: long.length });
    expect(readFileSync(path).equals(long)).toBe(true);
    expect(readdirSync(folder)).toEqual(["night.mp3"]);
    expect((await failureOf(stream.save(path))).name).toBe("InvalidInputError");

    // Nothing is paid for where nothing can be kept.
    const error = await failureOf(client.speech.stream(request).save(join(folder, "none", "night.mp3")));
    expect(error.name).toBe("InvalidInputError");
    expect(bodies).toHaveLength(1);
  });

  test("is not saved once somebody has read of it: it would be no whole file", async () => {
    const { url, bodies } = await serve((response) => void response.end(Buffer.concat([sound, randomBytes(500_000)])));
    const folder = mkdtempSync(join(tmpdir(), "speech-"));
    cleanUps.push(() => rmSync(folder, { recursive: true }));
    const path = join(folder, "night.mp3");
    writeFileSync(path, "last night");
    const client = connect(url);
    const ways: ((stream: AudioStream) => Promise<unknown>)[] = [
      async (stream) => {
        const reader = stream.getReader();
        await reader.read();
        reader.releaseLock();
      },
      (stream) => new Response(stream.tee()[0]).bytes(),
      async (stream) => {
        for await (const _ of stream);
      },
      async (stream) => {
        for await (const _ of stream) break;
      },
    ];
    for (const read of ways) {
      const stream = client.speech.stream(request);
      await read(stream);
      expect((await failureOf(stream.save(path))).name).toBe("InvalidInputError");
    }
    expect(bodies).toHaveLength(ways.length);

    const stream = client.speech.stream(request);
    await stream.cancel();
    expect((await failureOf(stream.save(path))).name).toBe("InvalidInputError");
    expect(bodies).toHaveLength(ways.length);
    expect(readFileSync(path, "utf8")).toBe("last night");
  });

  test("replaces no device, pipe or socket", async () => {
    const { url, bodies } = await serve((response) => void response.end(sound));
    const folder = mkdtempSync(join(tmpdir(), "speech-"));
    cleanUps.push(() => rmSync(folder, { recursive: true }));
    const path = join(folder, "socket");
    const socket = createNetServer().listen(path);
    cleanUps.push(() => new Promise((resolve) => socket.close(resolve)));
    await once(socket, "listening");
    expect((await failureOf(connect(url).speech.stream(request).save(path))).message).toContain("socket");
    expect(statSync(path).isSocket()).toBe(true);
    expect(bodies).toEqual([]);
  });

  test("that breaks off while it is saved leaves no file", async () => {
    const { url } = await serve((response) => {
      response.writeHead(200, { "content-length": "1000000" });
      response.write(sound, () => response.destroy());
    });
    const folder = emptyFolder();
    const error = await failureOf(connect(url).speech.stream(request).save(join(folder, "night.mp3")));
    expect(["truncated", "reset"]).toContain(error.reason);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("that is aborted while it is saved leaves no file, and rejects with the reason", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const { url } = await serve((response) => {
      response.write(sound);
      controller.abort(reason);
    });
    const folder = emptyFolder();
    const { signal } = controller;
    const saving = connect(url).speech.stream(request, { signal }).save(join(folder, "night.mp3"));
    await expect(saving).rejects.toBe(reason);
    expect(readdirSync(folder)).toEqual([]);
  });

  const connect = (baseURL: string, options: SharedClientOptions = {}): Client => {
    const client = makeClient({ apiKey: "sk-secret", baseURL, ...options });
    cleanUps.push(() => client.close());
    return client;
  };
  /** Both ways of asking, as one: the bytes. */
  const ways: [string, (client: Client) => Promise<Uint8Array>][] = [
    ["create", (client) => client.speech.create(request)],
    ["stream", (client) => collect(client.speech.stream(request))],
  ];

  test("is the whole sound with its trace id, which printing does not show", async () => {
    const { url, bodies } = await serve(whole);
    const bytes = await connect(url).speech.create({ ...request, unknown: 1 });
    expect(bytes).toBeInstanceOf(Uint8Array);
    expect(Buffer.from(bytes).equals(sound)).toBe(true);
    expect(bytes).toMatchObject({ traceId: "ti_1", attempts: 1 });
    expect(Object.keys(bytes)).not.toContain("traceId");
    expect(bodies).toEqual([{ ...request, unknown: 1, stream: false }]);
  });

  test("is sent for at the first read, and piped to a file", async () => {
    const { url, bodies } = await serve(chunked);
    const stream = connect(url).speech.stream(request);
    expect(stream.traceId).toBeUndefined();
    const folder = emptyFolder();
    expect(bodies).toEqual([]);
    await pipeline(stream, createWriteStream(join(folder, "night.mp3")));
    expect(readFileSync(join(folder, "night.mp3")).equals(sound)).toBe(true);
    expect(stream).toMatchObject({ traceId: "ti_1", attempts: 1 });
    expect(bodies).toEqual([{ ...request, stream: true }]);
  });

  describe.each(ways)("%s", (_, ask) => {
    test("answers with sound that may be called anything, and cut anywhere", async () => {
      const { url } = await serve((response) => {
        response.writeHead(200, { "content-type": "text/plain" });
        response.write(sound.subarray(0, 1));
        setImmediate(() => response.end(sound.subarray(1)));
      });
      expect(Buffer.from(await ask(connect(url))).equals(sound)).toBe(true);
    });

    test("answers with raw samples, short as they may be", async () => {
      const samples = Buffer.from([0x7b, 0x22, 0x00, 0x01]);
      const { url } = await serve((response) => response.end(samples));
      expect(Buffer.from(await ask(connect(url))).equals(samples)).toBe(true);
    });

    test.each<[string, Answer, object]>([
      ["nothing", (response) => response.end(), { name: "InvalidResponseError", reason: "empty" }],
      [
        "a page",
        (response) => response.end(`<!doctype html><title>Maintenance</title>${" ".repeat(100_000)}`),
        { name: "InvalidResponseError", reason: "notJson", traceId: "ti_1" },
      ],
      [
        "an error under a 200",
        (response) => response.end(JSON.stringify({ code: 20015, message: "Field required", data: null })),
        { name: "BadRequestError", code: 20015 },
      ],
      ["a refusal as a text", (response) => response.end('"Invalid token"'), { name: "AuthenticationError" }],
      ["some other JSON", (response) => response.end('{"url":"x"}'), { name: "InvalidResponseError" }],
      [
        "an error status",
        (response) => response.writeHead(400).end(JSON.stringify({ code: 20015, message: "No such voice" })),
        { name: "BadRequestError", status: 400 },
      ],
    ])("fails for %s in place of sound", async (_, answer, expected) => {
      const { url } = await serve(answer);
      expect(await failureOf(ask(connect(url, { maxRetries: 0 })))).toMatchObject(expected);
    });

    test.each<[string, Answer]>([
      [
        "its length",
        (response) => {
          response.writeHead(200, { "content-length": sound.length });
          response.write(sound.subarray(0, 1000), () => response.socket?.end());
        },
      ],
      [
        "the end of its chunks",
        (response) => {
          response.write(sound.subarray(0, 1000), () => response.socket?.end());
        },
      ],
    ])("is never short of %s without an error", async (_, answer) => {
      const { url } = await serve(answer);
      const error = await failureOf(ask(connect(url, { maxRetries: 0 })));
      expect(["ConnectionError", "InvalidResponseError"]).toContain(error.name);
      expect(["truncated", "reset", "malformed"]).toContain(error.reason);
    });

    test("is asked for again while nothing was heard", async () => {
      const busy: Answer = (response) => response.writeHead(503).end('{"code":50505,"message":"overloaded"}');
      const reset: Answer = (response) => response.socket?.destroy();
      const { url, bodies } = await serve(busy, reset, whole);
      expect((await ask(connect(url))).length).toBe(sound.length);
      expect(bodies).toHaveLength(3);
    });

    test("that falls silent in the middle is a TimeoutError", async () => {
      const { url, bodies } = await serve((response) => response.write(sound));
      const client = connect(url, { maxRetries: 0, timeouts: { idleMs: 60 } });
      expect(await failureOf(ask(client))).toMatchObject({ name: "TimeoutError", phase: "idle" });
      expect(bodies).toHaveLength(1);
    });
  });

  test("is asked for uncompressed", async () => {
    let encodings: unknown;
    const { url } = await serve((response, { headers }) => {
      encodings = headers["accept-encoding"];
      response.end(sound);
    });
    await connect(url).speech.create(request);
    expect(encodings).toBe("identity");
  });

  test("in one piece is no longer than maxResponseBytes", async () => {
    const { url } = await serve(whole);
    const error = await failureOf(connect(url, { maxResponseBytes: 1000 }).speech.create(request));
    expect(error).toMatchObject({ name: "InvalidResponseError", reason: "tooLarge" });
  });

  test("that was heard in part is not asked for again", async () => {
    const { url, bodies } = await serve((response) => {
      response.write(sound, () => response.socket?.end());
    });
    const heard: Uint8Array[] = [];
    const error = await failureOf(
      (async () => {
        for await (const piece of connect(url).speech.stream(request)) heard.push(piece);
      })(),
    );
    expect(error).toMatchObject({ name: "ConnectionError", attempts: 1 });
    expect(Buffer.concat(heard).equals(sound)).toBe(true);
    expect(bodies).toHaveLength(1);
  });

  test.each(["break", "cancel"])("that is left by %s closes its socket", async (how) => {
    let closed: Promise<unknown> | undefined;
    const { url } = await serve((response) => {
      closed = new Promise((resolve) => response.once("close", resolve));
      response.write(sound);
    });
    const stream = connect(url).speech.stream(request);
    if (how === "break") for await (const piece of stream) if (piece.length > 0) break;
    if (how === "cancel") {
      const reader = stream.getReader();
      await reader.read();
      await reader.cancel();
    }
    await closed;
    expect(closed).toBeDefined();
  });

  test("that is cancelled before its answer has begun closes its socket", async () => {
    let closed: Promise<unknown> | undefined;
    let asked = (): void => {};
    const begun = new Promise<void>((resolve) => (asked = resolve));
    const { url } = await serve((response) => {
      closed = new Promise((resolve) => response.once("close", resolve));
      asked();
    });
    const reader = connect(url).speech.stream(request).getReader();
    const first = reader.read();
    await begun;
    await reader.cancel();
    expect(await first).toEqual({ done: true, value: undefined });
    await closed;
  });

  test("that is aborted rejects with the reason itself", async () => {
    const { url } = await serve((response) => response.write(sound));
    const controller = new AbortController();
    const reason = new Error("enough");
    const stream = connect(url).speech.stream(request, { signal: controller.signal });
    const call = (async () => {
      for await (const piece of stream) if (piece.length > 0) controller.abort(reason);
    })();
    await expect(call).rejects.toBe(reason);
  });

  test("is read no faster than it is taken", async () => {
    let written = 0;
    const { url } = await serve((response) => {
      const more = (): void => {
        while (written < 512 && response.write(sound)) written += 1;
        written += 1;
        if (written < 512) response.once("drain", more);
        else response.end();
      };
      more();
    });
    const reader = connect(url).speech.stream(request).getReader();
    await reader.read();
    // What the sockets hold between them, and no more, has left the server by then.
    for (let before = -1; before !== written;) {
      before = written;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(written).toBeLessThan(400);
    await reader.cancel();
  });
});

test("compressed all the same, and cut, is an error", async () => {
  const { url } = await serve((response) => {
    response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(sound).subarray(0, -20));
  });
  const client = new SiliconFlowClient({ apiKey: "sk-secret", baseURL: url, maxRetries: 0 });
  cleanUps.push(() => client.close());
  expect(await failureOf(client.speech.create(request))).toMatchObject({ reason: "truncated" });
});

describe("a request for speech that contradicts itself is not sent", () => {
  const client = new SiliconFlowClient({ apiKey: "sk-secret", baseURL: "http://127.0.0.1:1", maxRetries: 0 });
  const references = [{ audio: "data:audio/mpeg;base64,AAAA", text: "x" }];

  test.each<[string, Partial<SpeechRequest>, string]>([
    ["no input", { input: "" }, "input"],
    ["a voice beside references", { voice: "v", references }, "exclude each other"],
    ["references without a text", { references: [{ audio: "x" } as never] }, "references"],
    ["a format that is none", { response_format: "flac" }, "mp3, opus, wav, pcm"],
    ["a rate that its format has not", { response_format: "opus", sample_rate: 44_100 }, "48000"],
    ["a rate that mp3 has not", { sample_rate: 8000 }, "32000, 44100"],
    ["too fast", { speed: 4.1 }, "0.25 to 4"],
    ["too loud", { gain: 11 }, "-10 to 10"],
    ["too long", { input: "x".repeat(128_001) }, "128000"],
  ])("%s", async (_, fields, said) => {
    const error = await failureOf(client.speech.create({ ...request, ...fields }));
    expect(error).toMatchObject({ name: "InvalidInputError", attempts: 0 });
    expect(error.message).toContain(said);
    expect(() => client.speech.stream({ ...request, ...fields })).toThrow(error.message);
  });

  test("an empty voice beside references is the service's own way of asking", async () => {
    const { url, bodies } = await serve(whole);
    const own = new SiliconFlowClient({ apiKey: "sk-secret", baseURL: url });
    cleanUps.push(() => own.close());
    await own.speech.create({ ...request, voice: "", references });
    expect(bodies).toEqual([{ ...request, voice: "", references, stream: false }]);
  });
});
