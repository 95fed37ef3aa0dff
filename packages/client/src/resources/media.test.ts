import nock from "nock";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { failureOf } from "../failure-of.js";
import type { AcquireRequest } from "../rate-limiter.js";
import { SiliconFlowClient } from "../undici-client.js";

const site = "https://siliconflow.test";
const options = { apiKey: "sk-secret", baseURL: `${site}/v1` };
const client = new SiliconFlowClient({ ...options, maxRetries: 0 });
const patient = new SiliconFlowClient(options);

beforeEach(() => nock.disableNetConnect());
afterEach(() => {
  const unused = nock.pendingMocks();
  nock.cleanAll();
  if (unused.length > 0) throw new Error(`Never asked: ${unused.join()}.`);
});

type Body = nock.Body | object;

const post = (path: string, sent: nock.RequestBodyMatcher, body: Body, status = 200) =>
  nock(site)
    .post(`/v1${path}`, sent)
    .reply(status, body as nock.Body, { "x-siliconcloud-trace-id": "ti_1" });
const get = (path: string, body: Body, status = 200) =>
  nock(site)
    .get(`/v1${path}`)
    .reply(status, body as nock.Body, { "x-siliconcloud-trace-id": "ti_1" });

const wrapped = (data: unknown, code = 20000) => ({ code, message: code === 20000 ? "Ok" : "No.", status: true, data });
const overloaded = { code: 50505, message: "Model service overloaded." };

describe("images.generate", () => {
  const request = {
    model: "Kwai-Kolors/Kolors",
    prompt: "fog",
    image_size: "1024x1024",
    image: "https://a.test/a.png",
  };
  const answer = {
    images: [{ url: "https://files.test/a.png" }],
    timings: { inference: 2.4 },
    seed: 1,
    shared_id: "0",
  };

  test("sends what it is given and answers with the wire's object", async () => {
    post("/images/generations", { ...request, unknown: 1 }, answer);
    const images = await client.images.generate({ ...request, unknown: 1 });
    expect(images).toEqual(answer);
    expect(images.traceId).toBe("ti_1");
  });

  test.each([{}, { images: [] }, { images: [{}] }, { images: [{ url: "" }] }, { images: [null] }])(
    "takes %j for no answer",
    async (body) => {
      post("/images/generations", () => true, body);
      expect(await failureOf(client.images.generate(request))).toMatchObject({ name: "InvalidResponseError" });
    },
  );

  test.each([0, 5, 1.5, "2"])("refuses a batch_size of %j", async (size) => {
    const error = await failureOf(client.images.generate({ ...request, batch_size: size as number }));
    expect(error).toMatchObject({ name: "InvalidInputError", attempts: 0 });
  });

  test("asks the limiter for as many images as it makes, and for no tokens", async () => {
    const asked: AcquireRequest[] = [];
    const limiter = {
      acquire: async (wanted: AcquireRequest) => {
        asked.push(wanted);
        return { settle() {}, penalize() {}, cancel() {} };
      },
    };
    const own = new SiliconFlowClient({ ...options, limiter });
    post("/images/generations", () => true, answer);
    await own.images.generate({ ...request, batch_size: 3 });
    expect(asked).toMatchObject([{ model: request.model, images: 3, tokens: 0 }]);
  });
});

describe("voices", () => {
  const voice = { uri: "speech:me:a:b", customName: "me" };

  test("are uploaded as a text of base64", async () => {
    const request = { model: "m", customName: "me", text: "Hello.", audio: "data:audio/mpeg;base64,SUQz" };
    post("/uploads/audio/voice", request, { uri: voice.uri });
    await expect(client.voices.upload(request)).resolves.toEqual({ uri: voice.uri });
  });

  test.each(["result", "results"])("are listed under %s", async (key) => {
    get("/audio/voice/list", { [key]: [voice] });
    await expect(client.voices.list()).resolves.toEqual({ results: [voice] });
  });

  test.each([{}, { result: null }, { results: [{}] }])("are not in %j", async (body) => {
    get("/audio/voice/list", body);
    expect(await failureOf(client.voices.list())).toMatchObject({ name: "InvalidResponseError" });
  });

  test.each<[string, Body]>([
    ["nothing", ""],
    ["a text", '"Deleted"'],
    ["an object", {}],
    ["words", "OK"],
  ])("are deleted, whether the service says %s", async (_, body) => {
    for (const given of [voice.uri, voice]) {
      post("/audio/voice/deletions", { uri: voice.uri }, body);
      await expect(client.voices.delete(given)).resolves.toEqual({ uri: voice.uri });
    }
  });

  test("are not deleted where the service refuses, or a page answers", async () => {
    post("/audio/voice/deletions", () => true, { code: 20015, message: "No such voice" });
    expect(await failureOf(client.voices.delete(voice))).toMatchObject({ name: "BadRequestError" });
    post("/audio/voice/deletions", () => true, "<html>Maintenance</html>");
    expect(await failureOf(client.voices.delete(voice))).toMatchObject({ reason: "notJson" });
  });
});

describe("videos", () => {
  const request = { model: "Wan-AI/Wan2.2-T2V-A14B", prompt: "fog", image_size: "1280x720" };
  const done = { status: "Succeed", results: { videos: [{ url: "https://files.test/a.mp4" }], seed: 7 } };
  const status = (body: Body, code = 200) => post("/video/status", { requestId: "r1" }, body, code);

  test("are submitted, looked at and waited for", async () => {
    post("/video/submit", request, { requestId: "r1" });
    const video = await client.videos.submit(request);
    expect(video).toEqual({ requestId: "r1" });
    status({ status: "InQueue", results: null });
    await expect(client.videos.status(video)).resolves.toEqual({ status: "InQueue", results: null });

    const seen: string[] = [];
    for (const body of [{ status: "InQueue" }, { status: "Rendering", results: { videos: [] } }, done]) status(body);
    const onProgress = (video: { status: string }) => void seen.push(video.status);
    await expect(client.videos.wait(video, { pollIntervalMs: 1, onProgress })).resolves.toEqual(done);
    expect(seen).toEqual(["InQueue", "Rendering", "Succeed"]);
  });

  test("that failed say why", async () => {
    status({ status: "Failed", reason: "The picture\n is not allowed. Key sk-secret.", results: null });
    const error = await failureOf(client.videos.wait("r1"));
    expect(error).toMatchObject({
      name: "JobFailedError",
      id: "r1",
      status: "Failed",
      reason: "jobFailed",
      traceId: "ti_1",
    });
    expect(error.message).toContain("The picture is not allowed. Key ***.");
  });

  test.each([{}, { results: null }, { results: { videos: null } }, { results: { videos: [{ url: "" }] } }])(
    "that are made and nowhere are an error: %j",
    async (rest) => {
      status({ status: "Succeed", ...rest });
      expect(await failureOf(client.videos.wait("r1"))).toMatchObject({ name: "InvalidResponseError" });
    },
  );

  test("are waited for while looks at them fail", async () => {
    status(overloaded, 503);
    status("", 502);
    status(done);
    await expect(client.videos.wait("r1", { pollIntervalMs: 1 })).resolves.toEqual(done);
  });

  test.each([401, 404])("are not waited for where a look is refused with %i", async (code) => {
    status('"no"', code);
    expect(await failureOf(client.videos.wait("r1", { pollIntervalMs: 1 }))).toMatchObject({ status: code });
  });

  test("are not waited for longer than timeouts.totalMs", async () => {
    status({ status: "InQueue" });
    const error = await failureOf(client.videos.wait("r1", { pollIntervalMs: 60_000, timeouts: { totalMs: 50 } }));
    expect(error).toMatchObject({ name: "TimeoutError", phase: "total" });
    expect(error.message).toContain("50 ms");
  });

  test.each([Infinity, 1e12, 0, Number.NaN])("are not looked at every %d ms", async (pollIntervalMs) => {
    expect(await failureOf(client.videos.wait("r1", { pollIntervalMs }))).toMatchObject({ name: "InvalidInputError" });
  });

  test("are not waited for once the caller has had enough", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    status({ status: "InQueue" });
    const onProgress = () => controller.abort(reason);
    const call = client.videos.wait("r1", { pollIntervalMs: 60_000, signal: controller.signal, onProgress });
    await expect(call).rejects.toBe(reason);
  });

  test("are not looked at for a caller who had enough before", async () => {
    const reason = new Error("enough");
    await expect(client.videos.wait("r1", { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  test("are not waited for by a client that was closed", async () => {
    const own = new SiliconFlowClient(options);
    status({ status: "InQueue" });
    const call = own.videos.wait("r1", { pollIntervalMs: 60_000, onProgress: () => void own.close() });
    expect(await failureOf(call)).toMatchObject({ name: "ConnectionError" });
  });

  test("are waited for whatever the listener throws", async () => {
    status(done);
    const onProgress = () => {
      throw new Error("the listener's own");
    };
    await expect(client.videos.wait("r1", { onProgress })).resolves.toEqual(done);
  });

  test.each([
    { ...request, prompt: "" },
    { ...request, image_size: undefined as never },
    { ...request, model: "" },
  ])("are not asked for with %j", async (incomplete) => {
    expect(await failureOf(client.videos.submit(incomplete))).toMatchObject({ name: "InvalidInputError" });
  });
});

describe("files", () => {
  const file = { id: "file-1", object: "file", bytes: 2, createdAt: 1, filename: "a.jsonl", purpose: "batch" };

  test("come out of their wrapping, with the trace id", async () => {
    const isForm = (body: unknown) => String(body).includes('name="purpose"\r\n\r\nbatch\r\n');
    post("/files", isForm, wrapped(file));
    const stored = await client.files.upload({ file: new File(["{}"], "a.jsonl") });
    expect(stored).toEqual(file);
    expect(stored.traceId).toBe("ti_1");
  });

  test("are taken unwrapped as well", async () => {
    post("/files", () => true, file);
    await expect(client.files.upload({ file: new File(["{}"], "a.jsonl") })).resolves.toEqual(file);
  });

  test.each([wrapped(null, 20015), wrapped(file, 50505), { code: 30001, message: "Sorry, balance", data: null }])(
    "are not stored where %j is answered under a 200",
    async (body) => {
      post("/files", () => true, body);
      const error = await failureOf(client.files.upload({ file: new File(["{}"], "a.jsonl") }));
      expect(error).toMatchObject({ status: 200, code: body.code });
    },
  );

  test.each([wrapped(null), wrapped({}), wrapped({ id: "" }), wrapped([])])("are not in %j", async (body) => {
    post("/files", () => true, body);
    const error = await failureOf(client.files.upload({ file: new File(["{}"], "a.jsonl") }));
    expect(error).toMatchObject({ name: "InvalidResponseError" });
  });

  test("are listed by purpose", async () => {
    const list = { data: [{ ...file, created_at: 1, line_count: 1 }], object: "file" };
    get("/files?purpose=batch&limit=3", wrapped(list));
    await expect(client.files.list({ limit: 3 })).resolves.toEqual(list);
    get("/files?purpose=other", wrapped({ data: [] }));
    await expect(client.files.list({ purpose: "other" })).resolves.toEqual({ data: [] });
    expect(await failureOf(client.files.list({ limit: 0 }))).toMatchObject({ name: "InvalidInputError" });
  });
});

describe("batches", () => {
  const batch = { id: "batch_1", object: "batch", status: "in_queue", errors: null, request_counts: null };

  test("are created, for a day unless something else is said", async () => {
    post("/batches", { input_file_id: "f", endpoint: "/v1/chat/completions", completion_window: "24h" }, batch);
    await expect(client.batches.create({ input_file_id: "f" })).resolves.toEqual(batch);
    const request = {
      input_file_id: "f",
      endpoint: "/v1/x",
      completion_window: "336h",
      metadata: { a: "b" },
      replace: { model: "m" },
    };
    post("/batches", request, batch);
    await client.batches.create(request);
  });

  test("are looked at, listed and cancelled under ids that lead nowhere else", async () => {
    get("/batches/batch_1", batch);
    await expect(client.batches.get("batch_1")).resolves.toEqual(batch);
    get("/batches", { object: "list", data: [batch], has_more: false });
    await expect(client.batches.list()).resolves.toMatchObject({ data: [batch] });
    post("/batches/..%2Fmodels%3F/cancel", () => true, { ...batch, status: "cancelling" });
    await expect(client.batches.cancel("../models?")).resolves.toMatchObject({ status: "cancelling" });
    for (const id of ["", "..", " ", "\ud800", 7 as never])
      expect(await failureOf(client.batches.get(id))).toMatchObject({ name: "InvalidInputError" });
  });

  test("are waited for until they are completed", async () => {
    for (const status of ["validating", "in_progress", "something_new", "finalizing", "completed"])
      get("/batches/batch_1", { ...batch, status });
    const done = await client.batches.wait("batch_1", { pollIntervalMs: 1 });
    expect(done.status).toBe("completed");
  });

  test.each([
    ["failed", [{ message: "Line 3 is no JSON" }], "Line 3 is no JSON"],
    ["failed", { data: [{ message: "Line 3 is no JSON" }] }, "Line 3 is no JSON"],
    ["expired", null, "expired"],
    ["cancelled", null, "cancelled"],
  ])("that %s (%j) are an error that keeps them", async (status, errors, said) => {
    const ended = { ...batch, status, errors, output_file_id: "file-2" };
    get("/batches/batch_1", ended);
    const error = await failureOf(client.batches.wait("batch_1"));
    expect(error).toMatchObject({ name: "JobFailedError", id: "batch_1", status, job: ended });
    expect(error.message).toContain(said);
    expect(Object.keys(error)).not.toContain("job");
  });

  test.each([
    ["a window too short", { completion_window: "23h" }],
    ["a window too long", { completion_window: "337h" }],
    ["a window in days", { completion_window: "2d" }],
    ["too many notes", { metadata: Object.fromEntries(Array.from({ length: 17 }, (_, at) => [`n${at}`, ""])) }],
    ["a name too long", { metadata: { ["n".repeat(65)]: "" } }],
    ["a note too long", { metadata: { n: "x".repeat(513) } }],
    ["a note that is no text", { metadata: { n: 1 as never } }],
    ["no file", { input_file_id: "" }],
  ])("are not created with %s", async (_, fields) => {
    const error = await failureOf(client.batches.create({ input_file_id: "f", ...fields }));
    expect(error).toMatchObject({ name: "InvalidInputError", attempts: 0 });
  });
});

describe("what is paid once is sent again", () => {
  const begin: [string, string, () => Promise<unknown>, object][] = [
    [
      "a video",
      "/video/submit",
      () => patient.videos.submit({ model: "m", prompt: "x", image_size: "1280x720" }),
      { requestId: "r1" },
    ],
    ["a batch", "/batches", () => patient.batches.create({ input_file_id: "f" }), { id: "b", status: "in_queue" }],
  ];

  describe.each(begin)("%s", (_, path, ask, answer) => {
    test.each([429, 503])("after a %i, which says that it was not begun", async (status) => {
      post(path, () => true, status === 503 ? overloaded : { message: "Details:RPM limit reached." }, status);
      post(path, () => true, answer);
      await expect(ask()).resolves.toEqual(answer);
    });

    test("after a connection that never came about", async () => {
      nock(site)
        .post(`/v1${path}`)
        .replyWithError(Object.assign(new Error("refused"), { code: "ECONNREFUSED" }));
      post(path, () => true, answer);
      await expect(ask()).resolves.toEqual(answer);
    });

    test.each<[string, () => unknown]>([
      ["a 500", () => post(path, () => true, "", 500)],
      ["a 502", () => post(path, () => true, "", 502)],
      ["a 504", () => post(path, () => true, "", 504)],
      ["an empty answer", () => post(path, () => true, "")],
    ])("but not after %s, which does not", async (_, reply) => {
      reply();
      const error = await failureOf(ask());
      expect(error).toMatchObject({ attempts: 1, retryable: false });
      expect(error.message).toContain("look before you send it again");
    });
  });
});

describe("account.info", () => {
  test("comes out of its wrapping, with amounts as texts", async () => {
    const info = { id: "u", name: "", balance: "0.88", status: "normal", totalBalance: "88.88" };
    get("/user/info", wrapped(info));
    await expect(client.account.info()).resolves.toEqual(info);
  });

  test("that is gone says that it was never promised", async () => {
    get("/user/info", '"404 page not found"', 404);
    const error = await failureOf(client.account.info());
    expect(error).toMatchObject({ name: "NotFoundError", status: 404, traceId: "ti_1", attempts: 1 });
    expect(error.message).toContain("no longer promises");
    expect(error.message).not.toContain("model");
  });

  test("that is refused is refused", async () => {
    get("/user/info", wrapped(null, 50507));
    expect(await failureOf(client.account.info())).toMatchObject({ status: 200, code: 50507 });
  });
});

test("models are listed by kind, and fields that are left out are not sent", async () => {
  get("/models?sub_type=text-to-image", { object: "list", data: [{ id: "m" }] });
  await expect(client.models.list({ sub_type: "text-to-image" })).resolves.toMatchObject({ data: [{ id: "m" }] });
});
