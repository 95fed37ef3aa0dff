import { mkdtemp, readdir, readFile, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ChatSiliconFlow, type BatchOptions, type BatchProgress, type BatchState } from "@langchain-siliconflow/chat";
import { type PartialFailureError, SiliconFlowClient } from "@langchain-siliconflow/client";
import { startEmulator, type Emulator, type EmulatorOptions } from "@langchain-siliconflow/emulator";
import { AIMessage, HumanMessage, ToolMessage } from "@langchain/core/messages";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import { tool } from "@langchain/core/tools";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";

const model = "Qwen/Qwen2.5-7B-Instruct";
const quick = { queueMs: 0, lineMs: 1, finalizeMs: 0 };
const hour = 3_600_000;

let emulator: Emulator;
let folder: string;
beforeEach(async () => {
  emulator = await startEmulator({ batchPace: quick });
  folder = await mkdtemp(join(tmpdir(), "siliconflow-batch-"));
});
afterEach(async () => {
  await emulator.close();
  await rm(folder, { recursive: true });
});

async function restart(options: EmulatorOptions): Promise<void> {
  await emulator.close();
  emulator = await startEmulator({ batchPace: quick, ...options });
}

function chat(fields: object = {}): ChatSiliconFlow {
  return new ChatSiliconFlow({ model, apiKey: emulator.apiKey, baseURL: emulator.url, maxRetries: 0, ...fields });
}

function viaBatch(options: Partial<BatchOptions> = {}, fields: object = {}): ReturnType<ChatSiliconFlow["viaBatch"]> {
  return chat(fields).viaBatch({ state: folder, pollIntervalMs: 10, ...options });
}

/** A question whose answer the emulator quotes. */
function question(n: number): string {
  return `[1] The town of Alpha${n} has ${n}00 bridges.\n\nQuestion: How many bridges has the town of Alpha${n}?`;
}

/** What the emulator says to it. */
function said(n: number): string {
  return `According to the passages:\n\n"The town of Alpha${n} has ${n}00 bridges." [1]`;
}

function answers(messages: readonly (AIMessage | Error)[]): (string | Error)[] {
  return messages.map((message) => (message instanceof Error ? message : message.text));
}

async function resultsFile(): Promise<string> {
  const names = await readdir(folder);
  return join(
    folder,
    names.find((name) => name.endsWith(".results.jsonl"))!,
  );
}

const asked = (endpoint: string, method: string) =>
  emulator.requests.filter((request) => request.endpoint === endpoint && request.method === method).length;

async function failureOf(promise: Promise<unknown>): Promise<PartialFailureError<AIMessage>> {
  return (await promise.then(
    () => expect.unreachable("It should have failed."),
    (error: unknown) => error,
  )) as PartialFailureError<AIMessage>;
}

describe("a batch", () => {
  test("answers every input in its place, as invoke would", async () => {
    const inputs = [1, 2, 3, 4, 5].map(question);
    const messages = await viaBatch({ maxLines: 2 }).batch(inputs);
    expect(answers(messages)).toEqual([1, 2, 3, 4, 5].map(said));
    const online = await chat().invoke(inputs[0]!);
    const [first] = messages;
    expect(first).toBeInstanceOf(AIMessage);
    expect(first!.usage_metadata).toEqual(online.usage_metadata);
    expect(Object.keys(first!.response_metadata)).toEqual(
      Object.keys(online.response_metadata).filter((name) => name !== "trace_id"),
    );
    expect([asked("files", "POST"), asked("batches", "POST"), emulator.batchLines.length]).toEqual([3, 3, 5]);
  });

  test("sends what invoke sends", async () => {
    const bodies: unknown[] = [];
    const look = (request: { endpoint: string | undefined; body: unknown }) => {
      if (request.endpoint !== "chat") return undefined;
      const { stream: _, ...body } = request.body as { stream?: boolean };
      bodies.push(body);
      return { content: "{}" };
    };
    const settings = { temperature: 0.2, topK: 7, modelKwargs: { custom: 1 }, streaming: false };
    const options = { stop: ["\n"], response_format: { type: "json_object" as const } };
    const messages = [new AIMessage("Hello"), new HumanMessage("Answer in JSON.")];
    emulator.script([look, look]);
    await chat(settings).invoke(messages, options);
    await viaBatch({}, settings).batch([messages], options);
    expect(bodies[1]).toEqual(bodies[0]);
    expect(bodies[0]).toMatchObject({ temperature: 0.2, top_k: 7, custom: 1, stop: ["\n"] });
  });

  test("keeps thoughts, tool calls and usage", async () => {
    const call = { name: "add", arguments: { a: 1, b: 2 } };
    emulator.script([{ reasoning: "A sum.", toolCalls: [call], usage: { prompt_tokens: 7, completion_tokens: 5 } }]);
    const add = tool(({ a, b }) => a + b, { name: "add", schema: z.object({ a: z.number(), b: z.number() }) });
    const [message] = await viaBatch().bindTools([add]).batch(["1 + 2?"]);
    expect(message!.tool_calls).toMatchObject([{ name: "add", args: { a: 1, b: 2 } }]);
    expect(message!.additional_kwargs["reasoning_content"]).toBe("A sum.");
    expect(message!.usage_metadata).toMatchObject({ input_tokens: 7, output_tokens: 5 });
  });

  test("is a part of a chain, with structured answers at its end", async () => {
    emulator.script([{ content: '{"bridges": 100}' }, { content: '{"bridges": 200}' }]);
    const schema = z.object({ bridges: z.number() });
    const prompt = ChatPromptTemplate.fromTemplate("How many bridges has {town}? Answer in JSON.");
    const chain = prompt.pipe(viaBatch().withStructuredOutput(schema, { method: "jsonMode" }));
    expect(await chain.batch([{ town: "Alpha" }, { town: "Beta" }])).toEqual([{ bridges: 100 }, { bridges: 200 }]);
    expect(asked("batches", "POST")).toBe(1);
  });

  test("works for models that stream, for tracers that ask for streams, and beyond maxConcurrency", async () => {
    const inputs = [1, 2, 3].map(question);
    const tokens: string[] = [];
    const messages = await viaBatch({}, { streaming: true, maxConcurrency: 1 }).batch(inputs, {
      callbacks: [{ handleLLMNewToken: (token: string) => void tokens.push(token) }],
    });
    expect(answers(messages)).toEqual(answers(await viaBatch().batch(inputs)));
    expect(tokens.join("")).toContain("Alpha2");
    expect(asked("batches", "POST")).toBe(1);
  });

  test("of one input is invoke, and of none nothing", async () => {
    expect((await viaBatch().invoke(question(1))).text).toContain("100 bridges");
    expect(await viaBatch().batch([])).toEqual([]);
    expect(asked("batches", "POST")).toBe(1);
  });

  test("tells each input's callbacks of its run", async () => {
    const seen: string[] = [];
    await viaBatch().batch([question(1), question(2)], {
      callbacks: [
        {
          handleChatModelStart: () => void seen.push("start"),
          handleLLMEnd: () => void seen.push("end"),
        },
      ],
    });
    expect(seen).toEqual(["start", "start", "end", "end"]);
  });

  test("reports its progress", async () => {
    const seen: BatchProgress[] = [];
    await viaBatch({ maxLines: 2, onProgress: (progress) => void seen.push(progress) }).batch([1, 2, 3].map(question));
    expect(seen.at(-1)).toMatchObject({ total: 3, completed: 3, failed: 0 });
    // Either may be first.
    const batches = seen.at(-1)!.batches.map(({ status, lines }) => `${status} ${lines}`);
    expect(batches.toSorted()).toEqual(["completed 1", "completed 2"]);
  });

  test.each([
    ["results under ids", { quirks: { batchOutput: "id" } }],
    ["errors in their own field", { quirks: { batchErrors: "error" } }],
  ] satisfies [string, EmulatorOptions][])("reads %s", async (_, options) => {
    await restart(options);
    emulator.script([{ endpoint: "chat", status: 400, body: { code: 20015, message: "No.", data: null } }]);
    const [wrong, right] = await viaBatch().batch([question(1), question(2)], {}, { returnExceptions: true });
    expect(wrong).toMatchObject({ name: "BadRequestError", status: 400, code: 20015 });
    expect((right as AIMessage).text).toContain("200 bridges");
  });
});

describe("what fails", () => {
  test("is a typed error in its place, and what was paid for is kept", async () => {
    const refusal = { endpoint: "chat" as const, status: 400, body: { code: 20015, message: "No.", data: null } };
    emulator.script([refusal]);
    const error = await failureOf(viaBatch().batch([question(1), question(2)]));
    expect(error.name).toBe("PartialFailureError");
    expect(error.failures).toMatchObject([{ position: 0, error: { name: "BadRequestError" } }]);
    expect(error.results[0]).toBeUndefined();
    expect(error.results[1]!.text).toContain("200 bridges");
    // A refusal for what a line says is not asked again, by nobody.
    const again = await failureOf(error.resume());
    expect(again.failures).toMatchObject([{ position: 0, error: { name: "BadRequestError" } }]);
    expect([asked("batches", "POST"), emulator.batchLines.length]).toEqual([1, 2]);
  });

  test("is quoted without the key and the secrets of headers", async () => {
    const [key, password] = [emulator.apiKey, "correct-horse-battery"];
    const message = `Refused ${key}, ${encodeURIComponent(password)}.`;
    emulator.script([{ endpoint: "chat", status: 400, body: { code: 20015, message, data: null } }]);
    const client = new SiliconFlowClient({ apiKey: key, baseURL: emulator.url });
    const shared = new ChatSiliconFlow({ model, client, headers: { "x-password": password } });
    const batched = shared.viaBatch({ state: folder, pollIntervalMs: 10 });
    const error = await failureOf(batched.batch([question(1)]));
    await client.close();
    expect(error.failures[0]!.error.message).toContain("Refused ***, ***.");
    expect(`${error.message} ${JSON.stringify(error)}`).not.toMatch(new RegExp(`${key}|${password}`));
  });

  test("is asked again when the service was to blame", async () => {
    emulator.script([{ endpoint: "chat", status: 503 }]);
    const messages = await viaBatch().batch([1, 2, 3].map(question));
    expect(answers(messages).every((text) => String(text).includes("bridges"))).toBe(true);
    expect(asked("batches", "POST")).toBe(2);
    expect(emulator.batchLines).toHaveLength(4);
  });

  test("is asked again as often as allowed, and by resume()", async () => {
    emulator.script([
      { endpoint: "chat", status: 503 },
      { endpoint: "chat", status: 503 },
    ]);
    const error = await failureOf(viaBatch({ resubmissions: 0 }).batch([question(1), question(2)]));
    expect(error.failures).toHaveLength(2);
    expect(error.failures[0]!.error).toMatchObject({ name: "ServiceUnavailableError", retryable: true });
    expect(answers(await error.resume())).toEqual([1, 2].map(said));
    expect(asked("batches", "POST")).toBe(2);
  });

  test("for want of time is asked again", async () => {
    await restart({ batchPace: { queueMs: 0, lineMs: 10 * hour, finalizeMs: 0 } });
    const batched = viaBatch({ onProgress: () => emulator.advance(25 * hour) });
    expect(answers(await batched.batch([1, 2, 3].map(question)))).toHaveLength(3);
    expect(new Set(emulator.batchLines.map(({ customId }) => customId)).size).toBe(3);
    expect([asked("batches", "POST"), emulator.batchLines.length]).toEqual([2, 3]);
  });

  test("by somebody's cancelling is not asked again in this run, and is in the next", async () => {
    await restart({ batchPace: { queueMs: 0, lineMs: hour, finalizeMs: 0 } });
    const client = new SiliconFlowClient({ apiKey: emulator.apiKey, baseURL: emulator.url });
    let cancelled = false;
    const batched = viaBatch({
      onProgress: ({ batches: [batch] }) => {
        if (!cancelled) void client.batches.cancel(batch!.id);
        else emulator.advance(10 * hour);
        cancelled = true;
      },
    });
    const error = await failureOf(batched.batch([question(1), question(2)]));
    expect(error.failures).toHaveLength(2);
    expect(error.failures[0]!.error).toMatchObject({ reason: "truncated", retryable: true });
    expect(answers(await error.resume())).toHaveLength(2);
    expect(emulator.batchLines).toHaveLength(2);
  });

  test("as a whole batch says why, and is asked anew by the next run", async () => {
    const list = { endpoint: "batches" as const, body: { object: "list", data: [] } };
    emulator.script([
      list,
      { endpoint: "batches", body: { id: "batch_bad", status: "in_queue" } },
      { endpoint: "batches", body: { id: "batch_bad", status: "failed", errors: [{ message: "Bad file." }] } },
    ]);
    const error = await failureOf(viaBatch().batch([question(1)]));
    expect(error.failures[0]!.error).toMatchObject({ name: "JobFailedError", message: expect.stringContaining("Bad") });
    expect(answers(await error.resume())).toHaveLength(1);
  });

  test("before anything is sent rejects the call, and names the input", async () => {
    const inputs = [question(1), [new ToolMessage({ content: "3", tool_call_id: "1" })], [new AIMessage("Hello")]];
    await expect(viaBatch().batch(inputs)).rejects.toMatchObject({ name: "InvalidInputError", position: 1 });
    expect(emulator.requests).toEqual([]);
    const found = await viaBatch().batch(inputs, {}, { returnExceptions: true });
    expect(found.map((each) => each.constructor.name)).toEqual(["AIMessage", "InvalidInputError", "InvalidInputError"]);
    await expect(viaBatch({ maxBytes: 10 }).batch([question(1)])).rejects.toMatchObject({ name: "InvalidInputError" });
  });

  test("is asked without response_format where the model has no JSON mode", async () => {
    const refusal = { code: 20024, message: "Json mode is not supported for this model.", data: null };
    emulator.script([{ endpoint: "chat", status: 400, body: refusal }, { content: "{}" }]);
    const [message] = await viaBatch().batch(["JSON?"], { response_format: { type: "json_object" } });
    expect(message!.response_metadata["dropped_parameters"]).toEqual(["response_format"]);
    expect(asked("batches", "POST")).toBe(2);
  });

  test("with results that are cut off is not taken for the whole", async () => {
    emulator.fault({ endpoint: "outputs", cutAfterBytes: 40, times: Infinity });
    const error = await failureOf(viaBatch().batch([question(1), question(2)]));
    expect(error.failures).toHaveLength(2);
    const names = await readdir(folder);
    expect(names.filter((name) => name.includes("results"))).toEqual([]);
  });

  test("with one damaged result keeps the others, and fetches it again without paying twice", async () => {
    const inputs = [1, 2].map(question);
    await viaBatch().batch(inputs);
    const [row] = (await readFile(await resultsFile(), "utf8")).split("\n");
    emulator.fault({ endpoint: "outputs", body: `${row}\n{"custom_id": "0000` });
    const error = await failureOf(viaBatch({ state: join(folder, "other") }).batch(inputs));
    expect(error.failures).toMatchObject([{ position: 1, error: { reason: "truncated", retryable: true } }]);
    expect(error.results[0]?.text).toBe(said(1));
    expect(answers(await error.resume())).toEqual([1, 2].map(said));
    expect(asked("batches", "POST")).toBe(1);
  });
});

describe("a run that was made before", () => {
  test("is answered from the state, for nothing", async () => {
    const inputs = [1, 2, 3].map(question);
    const first = await viaBatch().batch(inputs);
    const before = emulator.requests.length;
    expect(answers(await viaBatch().batch(inputs))).toEqual(answers(first));
    expect(emulator.requests.length).toBe(before);
    await viaBatch({}, { temperature: 0.5 }).batch(inputs);
    expect(emulator.batchLines).toHaveLength(6);
  });

  test("is found at the service when the state is lost", async () => {
    const inputs = [1, 2].map(question);
    await viaBatch().batch(inputs);
    const elsewhere = await mkdtemp(join(tmpdir(), "siliconflow-batch-"));
    await viaBatch({ state: elsewhere }).batch(inputs);
    await rm(elsewhere, { recursive: true });
    expect([asked("batches", "POST"), emulator.batchLines.length]).toEqual([1, 2]);
  });

  test("goes on after an abort, which leaves its batches running", async () => {
    await restart({ batchPace: { queueMs: 0, lineMs: hour, finalizeMs: 0 } });
    const leaving = new AbortController();
    const reason = new Error("Closing time.");
    const inputs = [1, 2].map(question);
    const aborted = viaBatch({ onProgress: () => leaving.abort(reason) }).batch(inputs, { signal: leaving.signal });
    await expect(aborted).rejects.toBe(reason);
    emulator.advance(10 * hour);
    expect(answers(await viaBatch().batch(inputs))).toHaveLength(2);
    expect(asked("batches", "POST")).toBe(1);
  });

  test("is cancelled by an abort where that is asked for", async () => {
    await restart({ batchPace: { queueMs: 0, lineMs: hour, finalizeMs: 0 } });
    const leaving = new AbortController();
    const batched = viaBatch({ cancelOnAbort: true, onProgress: () => leaving.abort() });
    await expect(batched.batch([question(1)], { signal: leaving.signal })).rejects.toMatchObject({
      name: "AbortError",
    });
    expect(emulator.requests.at(-1)!.path).toMatch(/\/cancel$/);
  });

  test("ends waiting at its deadline, and goes on in the next", async () => {
    await restart({ batchPace: { queueMs: 0, lineMs: hour, finalizeMs: 0 } });
    const error = await failureOf(viaBatch({ timeouts: { totalMs: 50 } }).batch([question(1)]));
    expect(error.failures[0]!.error).toMatchObject({ name: "TimeoutError", phase: "total" });
    emulator.advance(10 * hour);
    expect(answers(await error.resume())).toHaveLength(1);
    expect(emulator.batchLines).toHaveLength(1);
  });

  test("of which the answer to the creation was lost is found by its note", async () => {
    emulator.fault({ endpoint: "batches", nth: 2, reset: true, cutAfterBytes: 10 });
    expect(answers(await viaBatch().batch([question(1)]))).toHaveLength(1);
    expect([asked("batches", "POST"), emulator.batchLines.length]).toEqual([1, 1]);
  });
});

describe("a handle", () => {
  test("is plain JSON that another process collects", async () => {
    const inputs = [1, 2, 3].map(question);
    const handle = await viaBatch({ maxLines: 2 }).submit(inputs);
    expect(handle.batches.map(({ lines }) => lines)).toEqual([2, 1]);
    expect(await viaBatch({ maxLines: 2 }).submit(inputs)).toEqual(handle);
    const read = JSON.parse(JSON.stringify(handle)) as typeof handle;
    const messages = await viaBatch({ state: join(folder, "other") }).collect(read);
    expect(answers(messages)).toEqual([1, 2, 3].map(said));
    expect(answers(await viaBatch({ maxLines: 2 }).batch(inputs))).toEqual(answers(messages));
    expect(emulator.batchLines).toHaveLength(3);
  });

  test("that somebody else has written reaches nothing outside the state", async () => {
    const batched = viaBatch({ state: join(folder, "state") });
    const handle = await batched.submit([question(1)]);
    const [part] = handle.batches as [(typeof handle.batches)[0]];
    const forged = [{ ...part, key: `../${part.key}` }, { ...part, key: 7 }, { ...part, batchId: null }, null];
    for (const batch of forged)
      await expect(batched.collect({ ...handle, batches: [batch as never] })).rejects.toThrow("what submit() returned");
    for (const inputs of [1e9, -1, 1.5, "1" as never])
      await expect(batched.collect({ ...handle, inputs })).rejects.toThrow("what submit() returned");
    expect(await readdir(folder)).toEqual(["state"]);
    expect(answers(await batched.collect(handle))).toEqual([said(1)]);
  });

  test("leaves gaps where lines failed", async () => {
    emulator.script([{ endpoint: "chat", status: 503 }]);
    const batched = viaBatch();
    const inputs = [question(1), question(2)];
    const error = await failureOf(batched.submit(inputs).then((handle) => batched.collect(handle)));
    expect(error.failures).toMatchObject([{ position: 0, error: { name: "ServiceUnavailableError" } }]);
    expect(answers(await batched.batch(inputs))).toHaveLength(2);
  });
});

describe("the state", () => {
  test("is fetched again where the disk has damaged it", async () => {
    await viaBatch().batch([question(1)]);
    const path = await resultsFile();
    await truncate(path, 30);
    expect(answers(await viaBatch().batch([question(1)]))).toEqual([said(1)]);
    expect((await readFile(path)).length).toBeGreaterThan(30);
    expect(asked("batches", "POST")).toBe(1);
  });

  test("may say null for what it does not have, and must say a text for what it has", async () => {
    const state = (value: unknown): BatchState => ({ get: async () => value as string, set: async () => {} });
    expect(answers(await viaBatch({ state: state(null) }).batch([question(1)]))).toEqual([said(1)]);
    const error = await failureOf(viaBatch({ state: state({}) }).batch([question(1)]));
    expect(error.failures).toMatchObject([{ error: { name: "InvalidInputError" } }]);
  });

  test("is a folder of whole files, without the key", async () => {
    await viaBatch().batch([question(1)]);
    const names = await readdir(folder);
    expect(names.map((name) => name.replace(/^[0-9a-f]{32}/, "key")).sort()).toEqual(["key.json", "key.results.jsonl"]);
  });

  test("may be any store of texts", async () => {
    const kept = new Map<string, string>();
    const state: BatchState = {
      get: async (key) => kept.get(key),
      set: async (key, value) => void kept.set(key, value),
    };
    await viaBatch({ state }).batch([question(1)]);
    expect(kept.size).toBe(2);
    expect([...kept.values()].join("")).not.toContain(emulator.apiKey);
  });

  test("must be given", () => {
    expect(() => chat().viaBatch({} as BatchOptions)).toThrow(/state/);
    expect(() => viaBatch({ maxLines: 5001 })).toThrow(/maxLines/);
    expect(() => viaBatch({ completionWindowHours: 12 })).toThrow(/completionWindowHours/);
    expect(() => viaBatch({}, { api: "messages" })).toThrow(/api/);
  });

  test("an option that does not exist is refused, and the right one named", () => {
    const misspelled: object = { pollInterval: 1000 };
    expect(() => viaBatch(misspelled)).toThrow('viaBatch has no option "pollInterval". Did you mean pollIntervalMs?');
  });
});
