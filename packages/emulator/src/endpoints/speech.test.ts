import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startEmulator, type Emulator, type EmulatorOptions } from "../index.js";

const cosy = "FunAudioLLM/CosyVoice2-0.5B";
const moss = "fnlp/MOSS-TTSD-v0.5";
const fish = "fishaudio/fish-speech-1.5";
const request = { model: cosy, input: "Good night.", voice: `${cosy}:claire` };

let emulator: Emulator;
beforeAll(async () => {
  emulator = await startEmulator({ speech: "own" });
});
afterAll(() => emulator.close());

function ask(fields: object, at = emulator): Promise<Response> {
  const headers = { authorization: `Bearer ${at.apiKey}`, "content-type": "application/json" };
  return fetch(`${at.url}/audio/speech`, { method: "POST", headers, body: JSON.stringify(fields) });
}

async function speech(fields: object, at = emulator): Promise<Buffer<ArrayBuffer>> {
  const response = await ask(fields, at);
  if (response.status !== 200) throw new Error(await response.text());
  return Buffer.from(await response.arrayBuffer());
}

/** Asks another emulator than the one that spoke. */
async function heard(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const other = await startEmulator();
  try {
    const body = new FormData();
    body.set("model", "FunAudioLLM/SenseVoiceSmall");
    body.set("file", new File([bytes], "speech"));
    const headers = { authorization: `Bearer ${other.apiKey}` };
    const response = await fetch(`${other.url}/audio/transcriptions`, { method: "POST", headers, body });
    return ((await response.json()) as { text: string }).text;
  } finally {
    await other.close();
  }
}

async function refusal(fields: object, at = emulator): Promise<string> {
  const response = await ask(fields, at);
  const { code, message } = (await response.json()) as { code: number; message: string };
  return `${response.status} ${code} ${message}`;
}

async function withEmulator(options: EmulatorOptions, use: (emulator: Emulator) => Promise<void>): Promise<void> {
  const other = await startEmulator(options);
  try {
    await use(other);
  } finally {
    await other.close();
  }
}

/** Length of plain samples at 16,000 a second. */
const pcm = { response_format: "pcm", sample_rate: 16_000 };
const secondsOf = async (fields: object) => (await speech({ ...request, ...pcm, ...fields })).length / 2 / 16_000;

test("without a format it is mp3 of 32,000 Hz", async () => {
  const bytes = await speech(request);
  expect(bytes.toString("latin1", 0, 3)).toBe("ID3");
  // MPEG 1 layer 3 without CRC; then 64 kbit/s at 32,000 Hz.
  const frame = bytes.indexOf(Buffer.from([0xff, 0xfb]));
  expect(bytes[frame + 2]! & 0b1111_1100).toBe(0b0101_1000);
});

test.each([
  ["mp3", 44_100],
  ["opus", 48_000],
  ["wav", 8000],
  ["pcm", 24_000],
])("any emulator hears %s again as what was spoken", async (response_format, sample_rate) => {
  const input = "How far is it? 三百公里。";
  expect(await heard(await speech({ ...request, input, response_format, sample_rate }))).toBe(input);
});

test("each format has its sample rates, and opus only one", async () => {
  for (const [response_format, sample_rate] of [
    ["mp3", 8000],
    ["mp3", 48_000],
    ["opus", 44_100],
    ["wav", 48_000],
    ["pcm", 22_050],
  ] as const) {
    expect(await refusal({ ...request, response_format, sample_rate })).toContain(`400 20015 sample_rate of`);
  }
  const opus = await speech({ ...request, response_format: "opus" });
  expect(opus.readUInt32LE(opus.indexOf("OpusHead") + 12)).toBe(48_000);
});

test("the same request gets the same bytes, in an emulator started later too", async () => {
  const fields = { ...request, response_format: "opus" };
  const bytes = await speech(fields);
  expect(Buffer.compare(await speech(fields), bytes)).toBe(0);
  await withEmulator({ speech: "own" }, async (other) => {
    expect(Buffer.compare(await speech(fields, other), bytes)).toBe(0);
  });
});

test("speed divides the time, gain makes it louder", async () => {
  const usual = await secondsOf({});
  expect(usual).toBeGreaterThan(0.5);
  expect(usual / (await secondsOf({ speed: 2 }))).toBeCloseTo(2, 1);
  expect(usual / (await secondsOf({ speed: 0.25 }))).toBeCloseTo(0.25, 1);
  const loudest = async (gain: number) => {
    const bytes = await speech({ ...request, ...pcm, gain });
    return Math.max(...new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2));
  };
  expect((await loudest(10)) / (await loudest(0))).toBeCloseTo(10 ** 0.5, 1);
});

test("voices sound differently", async () => {
  const spoken = await Promise.all(
    ["alex", "benjamin", "charles", "david", "anna", "bella", "claire", "diana"].map((name) =>
      speech({ ...request, ...pcm, voice: `${cosy}:${name}` }),
    ),
  );
  expect(new Set(spoken.map((bytes) => bytes.toString("base64"))).size).toBe(8);
});

test("instructions and marks are not spoken", async () => {
  const input = "Speak gently. <|endofprompt|>Good [laughter] night.";
  expect(await heard(await speech({ ...request, ...pcm, input }))).toBe("Good night.");
  const plain = await speech({ ...request, ...pcm, input: "Good night." });
  expect(Buffer.compare(await speech({ ...request, ...pcm, input: "Sing! <|endofprompt|>Good night." }), plain)).toBe(
    0,
  );
});

test("a dialogue has two voices", async () => {
  const turns = { model: moss, voice: `${moss}:alex`, ...pcm };
  const both = await speech({ ...turns, input: "[S1]Tea?[S2]Yes.[S1]Milk?" });
  expect(await heard(both)).toBe("Tea? Yes. Milk?");
  const alone = await speech({ ...turns, input: "[S1]Tea?[S1]Yes.[S1]Milk?" });
  expect(both).toHaveLength(alone.length);
  expect(Buffer.compare(both, alone)).not.toBe(0);
});

test("references give a voice, and exclude a named one", async () => {
  const { voice: _, ...rest } = { ...request, ...pcm };
  const sample = (letter: string) => ({ audio: `data:audio/wav;base64,${letter.repeat(8)}`, text: "A sample." });
  const one = await speech({ ...rest, references: [sample("A")] });
  expect(Buffer.compare(await speech({ ...rest, voice: "", references: [sample("A")] }), one)).toBe(0);
  expect(Buffer.compare(await speech({ ...rest, references: [sample("B")] }), one)).not.toBe(0);
  expect(await refusal({ ...request, references: [sample("A")] })).toContain("cannot be used together");
  expect(await refusal({ ...rest, references: [{ audio: "sample.wav", text: "A sample." }] })).toMatch(/^400 .*audio/);
  expect(await refusal({ ...rest, references: [{ audio: "https://example.com/a.mp3" }] })).toMatch(/^400 .*text/);
});

test("stream: false is one piece with its length, otherwise there are many without", async () => {
  const whole = await ask({ ...request, ...pcm, stream: false });
  const streamed = await ask({ ...request, ...pcm });
  expect(whole.headers.get("content-length")).toMatch(/^\d{4,}$/);
  expect(streamed.headers.get("content-length")).toBeNull();
  expect(streamed.headers.get("transfer-encoding")).toBe("chunked");
  expect(await streamed.arrayBuffer()).toEqual(await whole.arrayBuffer());
});

test.each([
  ["without a text", { input: undefined }, "Field required"],
  ["with an empty text", { input: "" }, "at least 1 character"],
  ["with nothing but an instruction", { input: "Softly.<|endofprompt|> " }, "nothing to be spoken"],
  ["with 128,001 characters", { input: "a".repeat(128_001) }, "at most 128000"],
  ["without a voice", { voice: undefined }, "Field required: voice"],
  ["with an empty voice and no references", { voice: "" }, "Field required: voice"],
  ["with a voice that has no model before it", { voice: "claire" }, "Invalid voice"],
  ["with another model's voice", { voice: `${fish}:claire` }, "Invalid voice"],
  ["with a voice that was never uploaded", { voice: "speech:me:emulator:1" }, "Invalid voice"],
  ["in a format that is none", { response_format: "flac" }, "Input should be 'mp3'"],
  ["too slow", { speed: 0.2 }, "greater than or equal to 0.25"],
  ["too loud", { gain: 11 }, "less than or equal to 10"],
  ["with OpenAI's instructions", { instructions: "Softly." }, "Extra inputs are not permitted"],
  ["with max_tokens on a model that has none", { max_tokens: 5 }, "Extra inputs are not permitted"],
  ["with a stream that is no boolean", { stream: "yes" }, "valid boolean"],
])("a request %s is refused", async (_, fields, message) => {
  expect(await refusal({ ...request, ...fields })).toMatch(new RegExp(`^400 20015 .*${message}`));
});

test("what only some models take", async () => {
  expect((await ask({ model: moss, voice: `${moss}:anna`, input: "Hi", max_tokens: 2048 })).status).toBe(200);
  expect(await refusal({ model: moss, voice: `${moss}:anna`, input: "Hi", max_tokens: 32_768 })).toMatch(/^400 20015/);
  expect(await refusal({ model: fish, voice: `${fish}:anna`, input: "Hi", references: [] })).toMatch(
    /^400 20015 Extra/,
  );
  expect(await refusal({ ...request, model: "Qwen/Qwen3-8B" })).toMatch(/^400 20012/);
});

describe("quirks", () => {
  test("the content type is one of those that are documented", async () => {
    const types = async (at: Emulator) => {
      const formats = ["mp3", "opus", "wav", "pcm"];
      const responses = await Promise.all(formats.map((response_format) => ask({ ...request, response_format }, at)));
      return responses.map(({ headers }) => headers.get("content-type"));
    };
    expect(await types(emulator)).toEqual(["application/audio", "audio/opus", "audio/wav", "application/audio"]);
    for (const speechType of ["application/audio", "application/octet-stream"] as const) {
      await withEmulator({ quirks: { speechType } }, async (other) => {
        expect(new Set(await types(other))).toEqual(new Set([speechType]));
      });
    }
  });

  test("the usual sample rate is one of those that are documented", async () => {
    const rate = async (at: Emulator) => (await speech({ ...request, response_format: "wav" }, at)).readUInt32LE(24);
    expect(await rate(emulator)).toBe(32_000);
    await withEmulator({ quirks: { speechRate: 44_100 } }, async (other) => expect(await rate(other)).toBe(44_100));
  });
});

test("with espeak-ng the words are its own, their time is what speed says, and nothing in a text is a command", async ({
  skip,
}) => {
  if (spawnSync("espeak-ng", ["--version"]).error) skip("espeak-ng is not installed: only the own voice was tested.");
  await withEmulator({}, async (other) => {
    const spoken = async (fields: object) => speech({ ...request, ...pcm, ...fields }, other);
    const usual = await spoken({});
    expect(Buffer.compare(usual, await speech({ ...request, ...pcm }))).not.toBe(0);
    expect(usual.length / (await spoken({ speed: 0.5 })).length).toBeCloseTo(0.5, 1);
    expect(await heard(await spoken({ input: "你好，世界！" }))).toBe("你好，世界！");
    const odd = "--version; $(reboot) [[h@'loU]] \u0001 -w /no/such/file";
    expect(await heard(await spoken({ input: odd }))).toBe(odd.replace(" \u0001 ", " "));
  });
});

test("an option that does not exist is named", async () => {
  await expect(startEmulator({ speech: "loud" as "own" })).rejects.toThrow('speech is "auto" or "own", not "loud".');
});
