import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  BadRequestError,
  InsufficientBalanceError,
  NotFoundError,
  AuthenticationError,
  RateLimitError,
  ServiceUnavailableError,
  JobFailedError,
  SiliconFlowClient,
} from "@langchain-siliconflow/client";
import { startEmulator, type Emulator, type EmulatorOptions, type Quirks } from "@langchain-siliconflow/emulator";
import { HumanMessage, type UsageMetadata } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { ChatSiliconFlow, SiliconFlowEmbeddings, SiliconFlowRerank } from "langchain-siliconflow";
import { afterEach, expect, test } from "vitest";
import { z } from "zod";
import { settingsFrom } from "../../packages/emulator/src/options.js";

// Not there in the tests that ask nobody.
let emulator: Emulator;
let client: SiliconFlowClient;
afterEach(async () => {
  await client?.close();
  await emulator?.close();
});

async function start(options: EmulatorOptions): Promise<void> {
  emulator = await startEmulator({ speech: "own", batchPace: { queueMs: 0, lineMs: 1, finalizeMs: 0 }, ...options });
  client = new SiliconFlowClient({ apiKey: emulator.apiKey, baseURL: emulator.url, maxRetries: 0 });
}

/** What holds of a service that has this habit. */
type Holds = () => Promise<void>;
/** Every quirk with every one of its values: what is missing here does not compile. */
type Cases = { [Quirk in keyof Required<Quirks>]: Record<Values<NonNullable<Quirks[Quirk]>>, Holds> };
/** Of a bound, which is any number: none, and the one that a document names. */
type Values<Value extends string | number | boolean> = number extends Value ? string : `${Value}`;

const qwen = "Qwen/Qwen3-8B";
const question = "What is the weather in Oslo?";
const weather = tool(() => "sunny", {
  name: "get_weather",
  description: "The weather in a city",
  schema: z.object({ city: z.string() }),
});
const chat = (fields: object = {}): ChatSiliconFlow => new ChatSiliconFlow({ model: qwen, client, ...fields });

const spent = (usage: UsageMetadata | undefined): number => usage?.output_tokens ?? 0;

const chats: Holds = async () => {
  const whole = await chat().invoke("Hello");
  expect(whole.text).toContain("I am an emulator");
  expect(spent(whole.usage_metadata)).toBeGreaterThan(0);
  expect(whole.response_metadata["finish_reason"]).toMatch(/^(stop|eos)$/);
  const chunks = await Array.fromAsync(await chat().stream("Hello"));
  expect(chunks.map(({ text }) => text).join("")).toBe(whole.text);
  const counts = chunks.map((chunk) => spent(chunk.usage_metadata));
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(spent(whole.usage_metadata));
  const calls = await Array.fromAsync(await chat().bindTools([weather]).stream(question));
  const called = calls.reduce((all, next) => all.concat(next));
  expect(called.tool_calls).toMatchObject([{ name: "get_weather", args: { city: "Oslo" } }]);
};
const thinks =
  (expected: boolean): Holds =>
  async () => {
    const { additional_kwargs } = await chat().invoke("Hello");
    expect(typeof additional_kwargs["reasoning_content"] === "string").toBe(expected);
    const asked = await chat({ enableThinking: true }).invoke("Hello");
    expect(asked.additional_kwargs["reasoning_content"]).toEqual(expect.any(String));
  };
const converses: Holds = async () => {
  const model = chat({ model: "zai-org/GLM-4.6", api: "messages" });
  expect((await model.invoke("Hello")).text).toContain("I am an emulator");
  const chunks = await Array.fromAsync(await model.stream("Hello"));
  expect(chunks.map(({ text }) => text).join("")).toContain("I am an emulator");
};
const ranks: Holds = async () => {
  const ranker = new SiliconFlowRerank({ model: "BAAI/bge-reranker-v2-m3", client });
  const [first, second] = await ranker.rerank(["a dog barks", "a cat purrs"], "cat");
  expect([first!.index, second!.index]).toEqual([1, 0]);
  const answer = await client.rerank.create({ model: "BAAI/bge-reranker-v2-m3", query: "cat", documents: ["a cat"] });
  expect(answer.results).toHaveLength(1);
};
const embeds: Holds = async () => {
  const vectors = await new SiliconFlowEmbeddings({ model: "BAAI/bge-m3", client }).embedDocuments(["a", "b"]);
  expect(vectors.map((vector) => vector.length)).toEqual([1024, 1024]);
  expect(Math.abs(vectors[0]!.reduce((sum, value) => sum + value * value, 0) - 1)).toBeLessThan(0.01);
};
const draws =
  (type: string): Holds =>
  async () => {
    const request = { model: "Kwai-Kolors/Kolors", prompt: "a red star", image_size: "128x128", seed: 4 };
    const { images, seed } = await client.images.generate(request);
    const { body, contentType } = await client.assets.open(images[0]!.url, { allowPrivateNetwork: true });
    await body.cancel();
    expect([seed, contentType]).toEqual([4, type]);
  };
const speaks: Holds = async () => {
  const voice = "FunAudioLLM/CosyVoice2-0.5B:anna";
  const request = { model: "FunAudioLLM/CosyVoice2-0.5B", voice, input: "Good night, dear friends." };
  for (const response_format of ["wav", "opus", "pcm"]) {
    const sound = await client.speech.create({ ...request, response_format });
    let streamed = 0;
    for await (const piece of client.speech.stream({ ...request, response_format })) streamed += piece.length;
    expect(streamed).toBe(sound.length);
  }
  const file = new File([await client.speech.create({ ...request, response_format: "wav" })], "a.wav");
  const heard = await client.transcriptions.create({ model: "FunAudioLLM/SenseVoiceSmall", file });
  expect(heard.text).toBe("Good night, dear friends.");
};
const keepsVoices: Holds = async () => {
  const model = "FunAudioLLM/CosyVoice2-0.5B";
  const sample = await client.speech.create({ model, voice: `${model}:anna`, input: "Hi.", response_format: "wav" });
  const file = new File([sample], "a.wav");
  const { uri } = await client.voices.upload({ model, customName: "own", text: "Hi.", file });
  expect((await client.voices.list()).results).toMatchObject([{ uri, customName: "own" }]);
  expect(await client.voices.delete(uri)).toMatchObject({ uri });
  expect((await client.voices.list()).results).toEqual([]);
};
const films: Holds = async () => {
  const request = { model: "Wan-AI/Wan2.2-T2V-A14B", prompt: "a red star", image_size: "960x960" };
  const job = await client.videos.submit(request);
  expect(await client.videos.status(job)).toMatchObject({ status: "InQueue" });
  emulator.advance(3000);
  expect(await client.videos.status(job)).toMatchObject({ status: "InProgress" });
  emulator.advance(4000);
  const { results } = await client.videos.wait(job);
  const { body } = await client.assets.open(results!.videos![0]!.url, { allowPrivateNetwork: true });
  await body.cancel();
};
const line = (content: string, model = qwen) =>
  JSON.stringify({
    custom_id: content,
    method: "POST",
    url: "/v1/chat/completions",
    body: { model, messages: [{ role: "user", content }] },
  });
const runsBatches: Holds = async () => {
  const file = new File([`${line("one")}\n${line("two", "no/such")}\n`], "lines.jsonl");
  const { id } = await client.files.upload({ file });
  expect((await client.files.list()).data).toMatchObject([{ id, line_count: 2 }]);
  const batch = await client.batches.create({ input_file_id: id });
  expect(batch.status).toMatch(/^(in_queue|validating)$/);
  emulator.advance(3_600_000);
  const done = await client.batches.wait(batch.id);
  expect(done).toMatchObject({ status: "completed", request_counts: { total: 2, completed: 1, failed: 1 } });
  const state = await mkdtemp(join(tmpdir(), "siliconflow-contract-"));
  try {
    const answers = await chat().viaBatch({ state, pollIntervalMs: 10 }).batch(["Hello", "Hello again"]);
    expect(answers.map(({ text }) => text.includes("I am an emulator"))).toEqual([true, true]);
  } finally {
    await rm(state, { recursive: true });
  }
};
const structures: Holds = async () => {
  const City = z.object({ city: z.string() });
  for (const method of ["jsonSchema", "functionCalling"] as const) {
    const model = chat({ enableThinking: false }).withStructuredOutput(City, { method });
    expect(await model.invoke('Answer in JSON: "Lima" is the capital of Peru')).toMatchObject({
      city: expect.any(String),
    });
  }
};
const refusedAs =
  (ask: () => Promise<unknown>, error: new (...args: never[]) => Error, text: RegExp): Holds =>
  async () => {
    const refusal = await ask().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(refusal).toBeInstanceOf(error);
    expect((refusal as Error).message).toMatch(text);
  };
const asks =
  (fields: object): Holds =>
  async () =>
    void (await chat(fields).invoke("Hello"));
const allOf =
  (...all: Holds[]): Holds =>
  async () => {
    for (const holds of all) await holds();
  };
/** 401 and 404 are the errors of their status, in whichever shape. */
const tellsErrors: Holds = async () => {
  const stranger = new SiliconFlowClient({ apiKey: "sk-wrong", baseURL: emulator.url, maxRetries: 0 });
  await refusedAs(() => stranger.models.list(), AuthenticationError, /Invalid token/)();
  const lost = new SiliconFlowClient({ apiKey: emulator.apiKey, baseURL: `${emulator.url}/v0`, maxRetries: 0 });
  // Off the described paths on purpose, under another name.
  const headers = { "user-agent": "lost" };
  await refusedAs(() => lost.models.list({}, { headers }), NotFoundError, /404 page not found/)();
  await Promise.all([stranger.close(), lost.close()]);
};
const overloaded: Holds = async () => {
  emulator.fault({ endpoint: "chat", status: 503 });
  await refusedAs(() => chat().invoke("Hello"), ServiceUnavailableError, /busy|overloaded/)();
};
const limited =
  (retryAfterMs: number | undefined): Holds =>
  async () => {
    emulator.fault({ endpoint: "chat", status: 429 });
    const error = await client.chat
      .create({ model: qwen, messages: [{ role: "user", content: "Hello" }] })
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RateLimitError);
    expect((error as RateLimitError).retryAfterMs).toBe(retryAfterMs);
  };
const poor = refusedAs(() => chat().invoke("Hello"), InsufficientBalanceError, /balance/);
const picksTool = (choice: string) => async () => chat().bindTools([weather], { tool_choice: choice }).invoke(question);
const callsTool =
  (choice: string): Holds =>
  async () =>
    expect((await picksTool(choice)()).tool_calls).toHaveLength(1);

const cases: Cases = {
  role: { first: chats, every: chats },
  toolName: { empty: chats, absent: chats },
  idleField: { null: chats, empty: chats, absent: chats },
  trailingUsage: { true: chats, false: chats },
  maxTokensCountThoughts: {
    false: async () => expect((await chat({ maxTokens: 3 }).invoke("Hello")).text).not.toBe(""),
    true: async () => {
      const cut = await chat({ maxTokens: 3 }).invoke("Hello");
      expect([cut.text, cut.response_metadata["finish_reason"]]).toEqual(["", "length"]);
    },
  },
  maxMessages: {
    Infinity: async () => void (await chat().invoke(Array.from({ length: 12 }, () => new HumanMessage("Hello")))),
    10: refusedAs(
      () => chat().invoke(Array.from({ length: 12 }, () => new HumanMessage("Hello"))),
      BadRequestError,
      /at most 10 items/,
    ),
  },
  rerankShape: { A: ranks, B: ranks },
  rerankOrder: { score: ranks, index: ranks },
  messagesEnd: { both: converses, message_stop: converses, "[DONE]": converses },
  messagesMaxTokens: { optional: converses, required: converses },
  errorBodies: { string: tellsErrors, bare: tellsErrors, object: tellsErrors },
  batchOutput: { url: runsBatches, id: runsBatches },
  batchErrors: { response: runsBatches, error: runsBatches },
  batchBegins: { in_queue: runsBatches, validating: runsBatches },
  uploadDate: { createdAt: runsBatches, created_at: runsBatches },
  imageFormat: { png: draws("image/png"), jpeg: draws("image/jpeg"), webp: draws("image/webp") },
  videoOutcome: { succeed: films, fail: refusedAs(films, JobFailedError, /told to fail/) },
  videoPending: { empty: films, null: films },
  videoLife: { "1 hour": films, "10 minutes": films },
  speechType: { format: speaks, "application/audio": speaks, "application/octet-stream": speaks },
  speechRate: { 32000: speaks, 44100: speaks },
  voiceModels: { CosyVoice2: keepsVoices, any: keepsVoices },
  voiceList: { result: keepsVoices, results: keepsVoices },
  voiceDeleted: { text: keepsVoices, nothing: keepsVoices, object: keepsVoices },
  maxTokensCeiling: {
    Infinity: asks({ maxTokens: 9000 }),
    4096: refusedAs(() => chat({ maxTokens: 9000 }).invoke("Hello"), BadRequestError, /less than or equal to 4096/),
  },
  thinksByDefault: { true: thinks(true), false: thinks(false) },
  thinkingBudgetCeiling: {
    65536: asks({ thinkingBudget: 38_912 }),
    32768: refusedAs(() => chat({ thinkingBudget: 38_912 }).invoke("Hello"), BadRequestError, /32768/),
  },
  reasoningEffort: {
    taken: asks({ reasoningEffort: "high" }),
    refused: refusedAs(() => chat({ reasoningEffort: "high" }).invoke("Hello"), BadRequestError, /reasoningEffort/),
  },
  topKCeiling: {
    100: asks({ topK: 80 }),
    50: refusedAs(() => chat({ topK: 80 }).invoke("Hello"), BadRequestError, /less than or equal to 50/),
  },
  toolChoices: {
    any: callsTool("required"),
    "auto and none": allOf(chats, callsTool("auto"), refusedAs(picksTool("required"), BadRequestError, /tool_choice/)),
  },
  jsonSchema: {
    taken: structures,
    refused: refusedAs(
      () =>
        chat()
          .withStructuredOutput(z.object({ city: z.string() }), { method: "jsonSchema" })
          .invoke("JSON"),
      BadRequestError,
      /json_object/,
    ),
  },
  // Without it, the schema is told in words: what the model makes of them is not the client's business.
  jsonMode: {
    catalogue: structures,
    refused: async () => {
      const { response_metadata } = await chat().invoke("Answer in JSON.", {
        response_format: { type: "json_object" },
      } as object);
      expect(JSON.stringify(response_metadata)).toContain("response_format");
    },
  },
  completions: {
    served: async () => void (await client.completions.create({ model: qwen, prompt: "def" })),
    gone: refusedAs(() => client.completions.create({ model: qwen, prompt: "def" }), NotFoundError, /404/),
  },
  streamUsage: { every: chats, last: chats },
  usageShape: { details: chats, counts: chats },
  naturalEnd: { stop: chats, eos: chats },
  balance: { enough: chats, 402: poor, 403: poor },
  overloadCode: { 50505: overloaded, 50603: overloaded },
  retryAfter: { absent: limited(undefined), sent: limited(1000) },
  dimensionsElsewhere: {
    refused: allOf(
      embeds,
      refusedAs(
        () => new SiliconFlowEmbeddings({ model: "BAAI/bge-m3", client, dimensions: 256 }).embedQuery("a"),
        BadRequestError,
        /dimensions|invalid/,
      ),
    ),
    ignored: allOf(
      embeds,
      // A vector of another length would spoil an index.
      refusedAs(
        () => new SiliconFlowEmbeddings({ model: "BAAI/bge-m3", client, dimensions: 256 }).embedQuery("a"),
        Error,
        /1024|256/,
      ),
    ),
  },
  base64Order: {
    little: embeds,
    // Numbers in the wrong order would spoil an index without a word.
    big: allOf(
      refusedAs(embeds, Error, /encodingFormat: "float"/),
      async () =>
        void (await new SiliconFlowEmbeddings({ model: "BAAI/bge-m3", client, encodingFormat: "float" }).embedQuery(
          "a",
        )),
    ),
  },
  subTypes: {
    every: async () => expect((await client.models.list({ sub_type: "text-to-speech" })).data).not.toEqual([]),
    documented: refusedAs(() => client.models.list({ sub_type: "text-to-speech" }), BadRequestError, /invalid/),
  },
  account: {
    served: async () => expect((await client.account.info()).totalBalance).toBe("88.00"),
    gone: refusedAs(() => client.account.info(), NotFoundError, /no longer promises/),
  },
};

/** As the emulator takes it. */
function valueOf(key: string): unknown {
  if (key === "true" || key === "false") return key === "true";
  return key === "402" || key === "403" || !/^(\d+|Infinity)$/.test(key) ? key : Number(key);
}

const defaults = settingsFrom({}).quirks;

test("every quirk has a case for its default, and one for another value", () => {
  expect(Object.keys(cases).toSorted()).toEqual(Object.keys(defaults).toSorted());
  for (const [quirk, values] of Object.entries(cases)) {
    expect(Object.keys(values), quirk).toContain(String(defaults[quirk as keyof Quirks]));
    expect(Object.keys(values).length, quirk).toBeGreaterThan(1);
  }
});

// A service with no quirk turned is the same for every default: the same is asked of it once.
const askedOfDefaults = new Set<Holds>();
const table = Object.entries(cases).flatMap(([quirk, values]) =>
  Object.entries(values as Record<string, Holds>)
    .filter(([value, holds]) => {
      if (value !== String(defaults[quirk as keyof Quirks])) return true;
      const isNew = !askedOfDefaults.has(holds);
      askedOfDefaults.add(holds);
      return isNew;
    })
    .map(([value, holds]) => ({ quirk, value, holds })),
);

test.each(table)("$quirk is $value", async ({ quirk, value, holds }) => {
  await start({ quirks: { [quirk]: valueOf(value) } });
  await expect(holds().then(() => "held")).resolves.toBe("held");
});

test.each([32, 64, 256])("a batch cap of %i texts", async (batchCap) => {
  await start({ batchCap });
  const texts = Array.from({ length: 300 }, (_, index) => `text ${index}`);
  // More than the service takes: it is split by what the refusal says.
  const embeddings = new SiliconFlowEmbeddings({ model: "BAAI/bge-m3", client, batchSize: 64 });
  expect(await embeddings.embedDocuments(texts)).toHaveLength(300);
});
