import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { audioFile } from "../audio/audio-file.js";
import { startEmulator, type Emulator } from "../index.js";

const cosy = "FunAudioLLM/CosyVoice2-0.5B";
const named = { model: cosy, customName: "me", text: "A sample." };

let emulator: Emulator;
let sample: Uint8Array<ArrayBuffer>;
beforeAll(async () => {
  emulator = await startEmulator({ speech: "own" });
  sample = await wav(2);
});
afterEach(() => emulator.reset());
afterAll(() => emulator.close());

async function wav(seconds: number): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await audioFile(new Int16Array(8000 * seconds), 8000, "wav", ""));
}

async function call(path: string, body?: object, at = emulator): Promise<{ status: number; body: unknown }> {
  const json = body !== undefined && !(body instanceof FormData);
  const response = await fetch(at.url + path, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${at.apiKey}`, ...(json && { "content-type": "application/json" }) },
    ...(body !== undefined && { body: json ? JSON.stringify(body) : body }),
  });
  return { status: response.status, body: await response.json() };
}

function form(fields: Record<string, string | Blob>): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.set(name, value);
  return data;
}

const audio = () => `data:audio/wav;base64,${Buffer.from(sample).toString("base64")}`;
const uploaded = async (body: object) => ((await call("/uploads/audio/voice", body)).body as { uri: string }).uri;
const speak = (voice: string) =>
  call("/audio/speech", { model: cosy, input: "Hi", voice, response_format: "wav" }).then(
    ({ status }) => status,
    // Sound is no JSON.
    () => 200,
  );

test.each([
  ["as a file in a form", () => form({ ...named, file: new File([sample], "me.wav", { type: "audio/wav" }) })],
  ["as base64 in a form", () => form({ ...named, audio: audio() })],
  ["as base64 in JSON", () => ({ ...named, audio: audio() })],
])("a voice uploaded %s is listed, spoken with, and deleted", async (_, body) => {
  const uri = await uploaded(body());
  expect(uri).toMatch(/^speech:me:[^:]+:[^:]+$/);
  expect(await call("/audio/voice/list")).toEqual({ status: 200, body: { result: [{ ...named, uri }] } });
  expect(await speak(uri)).toBe(200);

  const deleted = await call("/audio/voice/deletions", { uri });
  expect([deleted.status, typeof deleted.body]).toEqual([200, "string"]);
  expect((await call("/audio/voice/list")).body).toEqual({ result: [] });
  expect(await speak(uri)).toBe(400);
  expect((await call("/audio/voice/deletions", { uri })).status).toBe(400);
});

test("reset forgets voices", async () => {
  const uri = await uploaded({ ...named, audio: audio() });
  emulator.reset();
  expect((await call("/audio/voice/list")).body).toEqual({ result: [] });
  expect(await speak(uri)).toBe(400);
});

test("a voice belongs to the model that it was uploaded for", async () => {
  const voice = await uploaded({ ...named, audio: audio() });
  const model = "fnlp/MOSS-TTSD-v0.5";
  expect((await call("/audio/speech", { model, input: "Hi", voice })).status).toBe(400);
});

test.each([
  ["without a name", { customName: undefined }],
  ["without its text", { text: undefined }],
  ["without a model", { model: undefined }],
  ["for a model that does not exist", { model: "no/such-model" }],
  ["for a model that takes none", { model: "fishaudio/fish-speech-1.5" }],
  ["without a sample", { audio: undefined }],
  ["with a sample that is no audio", { audio: "data:text/plain;base64,AAAA" }],
  ["with a sample that is a link", { audio: "https://example.com/me.mp3" }],
])("an upload %s is refused", async (_, fields) => {
  expect((await call("/uploads/audio/voice", { ...named, audio: audio(), ...fields })).status).toBe(400);
});

test("a sample of thirty seconds is too long, and two samples are one too many", async () => {
  const long = form({ ...named, file: new File([await wav(30)], "me.wav") });
  expect((await call("/uploads/audio/voice", long)).status).toBe(400);
  const both = form({ ...named, audio: audio(), file: new File([sample], "me.wav") });
  expect((await call("/uploads/audio/voice", both)).status).toBe(400);
});

test("quirks: the list has the documented key, and every speech model takes voices", async () => {
  const other = await startEmulator({ quirks: { voiceList: "results", voiceModels: "any" } });
  try {
    const model = "fishaudio/fish-speech-1.5";
    expect((await call("/uploads/audio/voice", { ...named, model, audio: audio() }, other)).status).toBe(200);
    expect((await call("/audio/voice/list", undefined, other)).body).toMatchObject({ results: [{ model }] });
  } finally {
    await other.close();
  }
});

describe("transcriptions", () => {
  const model = "TeleAI/TeleSpeechASR";
  const transcribe = (fields: Record<string, string | Blob>) => call("/audio/transcriptions", form(fields));
  const textOf = async (bytes: Uint8Array<ArrayBuffer>) =>
    ((await transcribe({ model, file: new File([bytes], "a") })).body as { text: string }).text;

  test("speech that no emulator made is not understood, and its length is told", async () => {
    // The text is in the lowest bits: without them it is anybody's file.
    const other = sample.map((byte, at) => (at >= 44 ? byte & 0xfe : byte));
    expect(await textOf(other)).toMatch(/^This is an emulator: .* 2\.0 seconds of audio \(WAVE/);
    expect(await textOf(Uint8Array.of(1, 2, 3))).toMatch(/^This is an emulator: .* 3 bytes of an unknown format/);
  });

  test("half of what was spoken as plain samples is not taken for the whole", async () => {
    const text = "word ".repeat(20).trim();
    const pcm = new Uint8Array(await audioFile(new Int16Array(10), 8000, "pcm", text));
    expect(await textOf(pcm)).toBe(text);
    expect(await textOf(pcm.slice(0, pcm.length / 2))).toMatch(/^This is an emulator/);
    // A bit of the text has changed, and so it is another text.
    expect(await textOf(pcm.with(500, pcm[500]! ^ 1))).toMatch(/^This is an emulator/);
  });

  test("only forms with a file and a model that listens are taken", async () => {
    const file = new File([sample], "a.wav");
    expect(await transcribe({ model })).toMatchObject({ status: 400, body: { code: 20015 } });
    expect(await transcribe({ file })).toMatchObject({ status: 400, body: { code: 20015 } });
    expect(await transcribe({ model, file: "not a file" })).toMatchObject({ status: 400 });
    expect(await transcribe({ model, file: new File([], "a.wav") })).toMatchObject({ status: 400 });
    expect(await transcribe({ model: "Qwen/Qwen3-8B", file })).toMatchObject({ status: 400, body: { code: 20012 } });
    expect(await call("/audio/transcriptions", { model, file: audio() })).toMatchObject({ status: 400 });
  });

  test("more than an hour and more than 50 MB are refused", async () => {
    const hour = Buffer.from(await wav(1));
    hour.writeUInt32LE(16, 28); // sixteen bytes in a second
    const header = Buffer.concat([hour, Buffer.alloc(16 * 3600)]);
    header.writeUInt32LE(header.length - 8, 4);
    header.writeUInt32LE(header.length - 44, 40);
    header.writeUInt32LE(8, 24);
    expect((await transcribe({ model, file: new File([header], "a.wav") })).status).toBe(400);
    expect((await transcribe({ model, file: new File([Buffer.alloc(50 * 2 ** 20 + 1)], "a.pcm") })).status).toBe(400);
  });
});
