import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startEmulator, type Emulator, type EmulatorOptions } from "../index.js";

let emulator: Emulator;
beforeEach(async () => {
  emulator = await startEmulator();
});
afterEach(() => emulator.close());

/** The same test against an emulator with other options. */
async function restart(options: EmulatorOptions): Promise<void> {
  await emulator.close();
  emulator = await startEmulator(options);
}

interface Batch extends Record<string, unknown> {
  id: string;
  status: string;
  output_file_id: string | null;
  error_file_id: string | null;
}

interface ResultLine {
  custom_id: string;
  response: { status_code: number; body: { model: string; choices: { message: { content: string } }[] } } | null;
  error: { code: string } | null;
}

const hour = 3_600_000;

async function call(
  method: string,
  path: string,
  body?: string | FormData,
): Promise<{ status: number; body: unknown }> {
  const headers = { authorization: `Bearer ${emulator.apiKey}` };
  const response = await fetch(emulator.url + path, { method, headers, ...(body !== undefined && { body }) });
  return { status: response.status, body: await response.json() };
}

function line(customId: string, fields: object = {}, body: object = {}): string {
  const messages = [{ role: "user", content: `Say ${customId}` }];
  const request = { model: "Qwen/Qwen3-8B", messages, ...body };
  return JSON.stringify({
    custom_id: customId,
    method: "POST",
    url: "/v1/chat/completions",
    body: request,
    ...fields,
  });
}

function form(text: string, fields: { filename?: string; purpose?: string } = {}): FormData {
  const body = new FormData();
  body.append("purpose", fields.purpose ?? "batch");
  body.append("file", new Blob([text]), fields.filename ?? "in.jsonl");
  return body;
}

async function upload(lines: readonly string[]): Promise<string> {
  const { status, body } = await call("POST", "/files", form(lines.join("\n")));
  expect(status).toBe(200);
  return (body as { data: { id: string } }).data.id;
}

function create(inputFile: string, fields: object = {}): Promise<{ status: number; body: unknown }> {
  const batch = { input_file_id: inputFile, endpoint: "/v1/chat/completions", completion_window: "24h", ...fields };
  return call("POST", "/batches", JSON.stringify(batch));
}

async function start(lines: readonly string[], fields: object = {}): Promise<string> {
  const { status, body } = await create(await upload(lines), fields);
  expect(status).toBe(200);
  return (body as Batch).id;
}

async function get(id: string): Promise<Batch> {
  return (await call("GET", `/batches/${id}`)).body as Batch;
}

async function results(link: string | null): Promise<ResultLine[]> {
  if (link === null) return [];
  const text = await (await fetch(link)).text();
  return text
    .trimEnd()
    .split("\n")
    .map((row) => JSON.parse(row) as ResultLine);
}

describe("files", () => {
  test("an upload and the list are wrapped, and date the file under two names", async () => {
    const text = `${line("a")}\n${line("b")}\n`;
    const uploaded = await call("POST", "/files", form(text));
    const { id, createdAt } = (uploaded.body as { data: { id: string; createdAt: number } }).data;
    const common = { id, object: "file", bytes: text.length, filename: "in.jsonl", purpose: "batch" };
    expect(createdAt).toBeCloseTo(Date.now() / 1000, -1);
    expect(uploaded.body).toEqual({ code: 20000, message: "Ok", status: true, data: { ...common, createdAt } });
    expect((await call("GET", "/files?purpose=batch")).body).toEqual({
      code: 20000,
      message: "Ok",
      status: true,
      data: { data: [{ ...common, created_at: createdAt, line_count: 2 }], object: "file" },
    });
  });

  test("the list gives the ten newest unless told otherwise", async () => {
    const ids: string[] = [];
    for (let count = 0; count < 12; count += 1) ids.push(await upload([line("a")]));
    const list = async (query: string) =>
      ((await call("GET", `/files?purpose=batch${query}`)).body as { data: { data: { id: string }[] } }).data.data;
    expect((await list("")).map(({ id }) => id)).toEqual(ids.toReversed().slice(0, 10));
    expect(await list("&limit=100")).toHaveLength(12);
    expect((await call("GET", "/files")).status).toBe(400);
    expect((await call("GET", "/files?purpose=batch&limit=0")).status).toBe(400);
  });

  test("only .jsonl files for batches are taken", async () => {
    expect((await call("POST", "/files", form("x", { filename: "in.txt" }))).status).toBe(400);
    expect((await call("POST", "/files", form("x", { purpose: "fine-tune" }))).status).toBe(400);
    expect((await call("POST", "/files", JSON.stringify({ purpose: "batch", file: "x" }))).status).toBe(400);
  });
});

describe("a batch", () => {
  test("goes from the queue to its end on the emulator's clock", async () => {
    await restart({ batchPace: { queueMs: 60_000, lineMs: 60_000, finalizeMs: 60_000 } });
    const id = await start([line("a"), line("b")]);
    expect(await get(id)).toMatchObject({
      object: "batch",
      endpoint: "/v1/chat/completions",
      completion_window: "24h",
      status: "in_queue",
      errors: null,
      request_counts: null,
      in_progress_at: null,
      output_file_id: null,
      metadata: null,
    });
    emulator.advance(2 * 60_000);
    expect(await get(id)).toMatchObject({
      status: "in_progress",
      request_counts: { total: 2, completed: 1, failed: 0 },
    });
    emulator.advance(60_000);
    expect(await get(id)).toMatchObject({ status: "finalizing", output_file_id: null });
    emulator.advance(60_000);
    const batch = await get(id);
    expect(batch).toMatchObject({ status: "completed", error_file_id: null, failed_at: null });
    expect(Number(batch["completed_at"]) - Number(batch["created_at"])).toBe(240);
    expect(Number(batch["expires_at"]) - Number(batch["created_at"])).toBe(24 * 3600);
    expect(emulator.batchLines.map(({ customId }) => customId)).toEqual(["a", "b"]);
  });

  test("runs its lines through the chat model, apart from the limits of online requests", async () => {
    await restart({ limits: { requestsPerMinute: 1 } });
    const prompt = "[1] Alpha lies on the river Beta.\n\nQuestion: On which river does Alpha lie?";
    const id = await start([
      line("asked", {}, { messages: [{ role: "user", content: prompt }], stream: true }),
      line("other"),
    ]);
    emulator.advance(hour);
    const lines = await results((await get(id)).output_file_id);
    const asked = lines.find((row) => row.custom_id === "asked")?.response?.body;
    expect(asked?.choices[0]?.message.content).toContain('"Alpha lies on the river Beta." [1]');
    expect(lines).toHaveLength(2);
  });

  test("says what the script has for its lines", async () => {
    const id = await start([line("a"), line("b")]);
    emulator.script([{ content: "one" }, { endpoint: "chat", status: 503, body: { code: 50505, message: "busy" } }]);
    emulator.advance(hour);
    const batch = await get(id);
    const [good] = await results(batch.output_file_id);
    expect([good?.custom_id, good?.response?.body.choices[0]?.message.content]).toEqual(["a", "one"]);
    expect(await results(batch.error_file_id)).toMatchObject([
      { custom_id: "b", response: { status_code: 503, body: { code: 50505 } }, error: null },
    ]);
  });

  test("reports wrong lines in the error file and runs the others", async () => {
    const assistant = [{ role: "assistant", content: "I" }];
    const id = await start([
      line("good"),
      "{ not JSON",
      line("method", { method: "GET" }),
      line("url", { url: "/v1/embeddings" }),
      line("last", {}, { messages: assistant }),
      line("model", {}, { model: "nobody/nothing" }),
    ]);
    emulator.advance(hour);
    const batch = await get(id);
    expect(batch).toMatchObject({ status: "completed", request_counts: { total: 6, completed: 1, failed: 5 } });
    const errors = await results(batch.error_file_id);
    expect(new Set(errors.map((row) => row.custom_id))).toEqual(new Set([null, "method", "url", "last", "model"]));
    for (const row of errors) expect(row.response?.status_code).toBe(400);
  });

  test("gives errors in the field `error` where it is told to", async () => {
    await restart({ quirks: { batchErrors: "error" } });
    const id = await start([line("model", {}, { model: "nobody/nothing" })]);
    emulator.advance(hour);
    expect(await results((await get(id)).error_file_id)).toMatchObject([{ response: null, error: { code: "20012" } }]);
  });

  test("takes another model for every line", async () => {
    const id = await start([line("a"), line("b")], { replace: { model: "deepseek-ai/DeepSeek-V3" } });
    emulator.advance(hour);
    const lines = await results((await get(id)).output_file_id);
    expect(lines.map((row) => row.response?.body.model)).toEqual([
      "deepseek-ai/DeepSeek-V3",
      "deepseek-ai/DeepSeek-V3",
    ]);
  });

  test("expires with what it had, and names the lines that did not run", async () => {
    await restart({ batchPace: { queueMs: 0, lineMs: 10 * hour } });
    const id = await start([line("a"), line("b"), line("c")]);
    emulator.advance(25 * hour);
    const batch = await get(id);
    expect(batch).toMatchObject({ status: "expired", request_counts: { total: 3, completed: 2, failed: 1 } });
    expect(await results(batch.output_file_id)).toHaveLength(2);
    expect(await results(batch.error_file_id)).toMatchObject([
      { custom_id: "c", response: null, error: { code: "batch_expired" } },
    ]);
  });

  test("can be cancelled, and keeps what it had", async () => {
    await restart({ batchPace: { queueMs: 0, lineMs: hour } });
    const id = await start([line("a"), line("b")]);
    emulator.advance(hour);
    expect((await call("POST", `/batches/${id}/cancel`)).body).toMatchObject({ id, status: "cancelling" });
    emulator.advance(hour);
    const batch = await get(id);
    expect(batch).toMatchObject({ status: "cancelled", error_file_id: null });
    expect(await results(batch.output_file_id)).toMatchObject([{ custom_id: "a" }]);
    expect(emulator.batchLines).toHaveLength(1);
    expect((await call("POST", `/batches/${id}/cancel`)).status).toBe(200);
  });

  test("cannot be cancelled once it has ended", async () => {
    const id = await start([line("a")]);
    emulator.advance(hour);
    expect((await call("POST", `/batches/${id}/cancel`)).status).toBe(400);
    expect((await call("POST", "/batches/batch_none/cancel")).status).toBe(404);
    expect((await call("GET", "/batches/batch_none")).status).toBe(404);
  });

  test.each([
    ["a custom_id twice", [line("a"), line("a")], "duplicate_custom_id"],
    ["more than 5,000 lines", Array.from({ length: 5001 }, (_, index) => line(String(index))), "too_many_lines"],
    ["no line", ["\n"], "empty_file"],
  ])("fails as a whole with %s, and runs nothing", async (_, lines, code) => {
    const id = await start(lines);
    emulator.advance(hour);
    expect(await get(id)).toMatchObject({ status: "failed", errors: [{ code }], output_file_id: null });
    expect(emulator.batchLines).toEqual([]);
  });

  test("has results for thirty days", async () => {
    const id = await start([line("a")]);
    emulator.advance(hour);
    const link = (await get(id)).output_file_id!;
    emulator.advance(29 * 24 * hour);
    expect((await fetch(link)).status).toBe(200);
    emulator.advance(24 * hour);
    expect((await fetch(link)).status).toBe(403);
  });

  test("has ids instead of links where it is told to", async () => {
    const before = await call("GET", `/files/${await upload([line("a")])}/content`);
    expect(before.status).toBe(404);
    await restart({ quirks: { batchOutput: "id" } });
    const id = await start([line("a")]);
    emulator.advance(hour);
    const { output_file_id: output } = await get(id);
    expect(output).toMatch(/^file-/);
    expect((await call("GET", `/files/${output}/content`)).body).toMatchObject({ custom_id: "a" });
    expect((await call("GET", "/files?purpose=batch")).body).toMatchObject({ data: { data: [{ purpose: "batch" }] } });
  });
});

test("batches are listed newest first, with the names of their files and no pages", async () => {
  const first = await start([line("a")], { metadata: { run: "1" } });
  const second = await start([line("b")]);
  expect((await call("GET", "/batches")).body).toMatchObject({
    object: "list",
    data: [
      { id: second, file_name: "in.jsonl" },
      { id: first, metadata: { run: "1" } },
    ],
    first_id: second,
    last_id: first,
    has_more: false,
  });
  emulator.reset();
  expect((await call("GET", "/batches")).body).toMatchObject({ data: [], first_id: null });
  expect((await call("GET", "/files?purpose=batch")).body).toMatchObject({ data: { data: [] } });
});

test.each([
  ["a window under a day", { completion_window: "23h" }],
  ["a window over two weeks", { completion_window: "337h" }],
  ["another endpoint", { endpoint: "/v1/embeddings" }],
  ["a file that does not exist", { input_file_id: "file-none" }],
  ["seventeen keys", { metadata: Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`k${index}`, "v"])) }],
  ["a key of 65 characters", { metadata: { ["k".repeat(65)]: "v" } }],
  ["a value of 513 characters", { metadata: { k: "v".repeat(513) } }],
  ["no window", { completion_window: undefined }],
])("a batch with %s is refused", async (_, fields) => {
  const { status, body } = await create(await upload([line("a")]), fields);
  expect([status, body]).toEqual([400, expect.objectContaining({ code: 20015 })]);
});

test("two looks at once run no line twice", async () => {
  const id = await start(Array.from({ length: 120 }, (_, index) => line(String(index))));
  emulator.advance(hour);
  await Promise.all([get(id), get(id), call("GET", "/batches")]);
  expect(emulator.batchLines).toHaveLength(120);
});

test("a pace that is none is refused", async () => {
  await expect(startEmulator({ batchPace: { lineMs: 0 } })).rejects.toThrow(RangeError);
});
