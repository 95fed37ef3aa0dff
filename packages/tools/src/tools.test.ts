import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { ChatSiliconFlow } from "@langchain-siliconflow/chat";
import { SiliconFlowClient } from "@langchain-siliconflow/client";
import { startEmulator, type Emulator } from "@langchain-siliconflow/emulator";
import { HumanMessage, type ToolMessage } from "@langchain/core/messages";
import { createAgent, createMiddleware } from "langchain";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import {
  DirectoryArtifactStore,
  MemoryArtifactStore,
  SiliconFlowImageTool,
  SiliconFlowSpeechTool,
  SiliconFlowToolkit,
  SiliconFlowTranscriptionTool,
  SiliconFlowVideoTool,
  type MediaArtifact,
} from "./index.js";

let emulator: Emulator;
let client: SiliconFlowClient;
let store: MemoryArtifactStore;

beforeAll(async () => {
  emulator = await startEmulator({ speech: "own" });
  client = new SiliconFlowClient({ apiKey: emulator.apiKey, baseURL: emulator.url, maxRetries: 0 });
});
afterAll(async () => {
  await client.close();
  await emulator.close();
});
beforeEach(() => {
  emulator.reset();
  store = new MemoryArtifactStore();
});

const drawing = { model: "Kwai-Kolors/Kolors", editModel: "Qwen/Qwen-Image-Edit-2509", imageSize: "1024x1024" };

let calls = 0;
/** As an agent calls a tool. */
function call(name: string, args: Record<string, unknown>) {
  return { type: "tool_call" as const, id: `call_${(calls += 1)}`, name, args };
}

function artifactOf(message: unknown): MediaArtifact {
  return (message as ToolMessage).artifact as MediaArtifact;
}

/** Gone after the test. */
async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "tools-"));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

function failureOf(work: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  return work.then(
    () => Promise.reject(new Error("It succeeded.")),
    (error: unknown) => error as Error & Record<string, unknown>,
  );
}

describe("the image tool", () => {
  test("tells the model one line, and the program everything", async () => {
    const directory = await folder();
    const draw = new SiliconFlowImageTool({ ...drawing, client, store: new DirectoryArtifactStore({ directory }) });
    const message = (await draw.invoke(
      call("make_image", { prompt: "a red boat", seed: 7 }),
    )) as unknown as ToolMessage;
    const artifact = artifactOf(message);
    expect(message.status).toBe("success");
    expect(message.content).toBe(`Made the picture ${artifact.name} (image/png). The user can see it.`);
    expect(artifact).toEqual({
      name: expect.stringMatching(/^image-[0-9a-f-]{13}\.png$/),
      path: join(directory, artifact.name),
      mimeType: "image/png",
      size: expect.any(Number),
      model: "Kwai-Kolors/Kolors",
      seed: 7,
      traceId: expect.stringMatching(/./),
      url: expect.stringContaining("/outputs/"),
      expiresAt: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect((await readFile(artifact.path!)).length).toBe(artifact.size);
    expect(JSON.stringify(message)).not.toContain("base64");
  });

  test.each([
    ["Kwai-Kolors/Kolors", "1024x1024"],
    ["Qwen/Qwen-Image", "1328x1328"],
    ["baidu/ERNIE-Image-Turbo", undefined],
  ])("%s draws in a size that it takes, where nobody names one", async (model, size) => {
    const draw = new SiliconFlowImageTool({ model, client, store });
    expect((await draw.invoke(call("make_image", { prompt: "a red boat" }))).status).toBe("success");
    expect(emulator.requests[0]!.body).toEqual({ model, prompt: "a red boat", ...(size && { image_size: size }) });
  });

  test("changes the picture it made before, by its name", async () => {
    const draw = new SiliconFlowImageTool({ ...drawing, client, store });
    const first = artifactOf(await draw.invoke(call("make_image", { prompt: "a red boat" })));
    const message = await draw.invoke(call("make_image", { prompt: "add a moon", image: first.name }));
    const second = artifactOf(message);
    expect(second).toMatchObject({ mimeType: "image/png", model: "Qwen/Qwen-Image-Edit-2509" });
    expect(second.name).not.toBe(first.name);
    const { body } = emulator.requests.findLast(({ path }) => path === "/v1/images/generations")!;
    expect(body).toMatchObject({
      model: "Qwen/Qwen-Image-Edit-2509",
      image: expect.stringMatching(/^data:image\/png;base64,/),
    });
    expect(body).not.toHaveProperty("image_size");
  });

  test("made what a vision model then sees", async () => {
    const draw = new SiliconFlowImageTool({ ...drawing, client, store });
    const { name } = artifactOf(await draw.invoke(call("make_image", { prompt: "a lighthouse at night" })));
    const picture = await store.read(name);
    const url = `data:${picture.type};base64,${Buffer.from(await picture.arrayBuffer()).toString("base64")}`;
    const model = new ChatSiliconFlow({ model: "Qwen/Qwen3-VL-32B-Instruct", client });
    const answer = await model.invoke([
      new HumanMessage([
        { type: "text", text: "What does the picture show?" },
        { type: "image_url", image_url: { url } },
      ]),
    ]);
    expect(answer.text).toContain("lighthouse");
  });

  test("tells a model whose size is wrong which are right, and throws it to a program", async () => {
    emulator.fault({ endpoint: "images", times: 2, status: 400, body: { code: 20015, message: "invalid image_size" } });
    const draw = new SiliconFlowImageTool({ ...drawing, client, store });
    const message = (await draw.invoke(
      call("make_image", { prompt: "a boat", size: "999x999" }),
    )) as unknown as ToolMessage;
    expect(message.status).toBe("error");
    expect(message.content).toMatch(/^make_image failed: .*1024x1024.*call again\.$/);
    const error = await failureOf(draw.invoke({ prompt: "a boat", size: "999x999" }));
    expect(error).toMatchObject({ name: "BadRequestError", status: 400 });
    expect(error.message).toContain("960x1280");
  });

  test.each([["../../etc/passwd"], ["/etc/passwd"], ["http://127.0.0.1/x.png"], ["image-made-up.png"]])(
    "opens no %s that a model makes up",
    async (image) => {
      const draw = new SiliconFlowImageTool({ ...drawing, client, store });
      const message = (await draw.invoke(call("make_image", { prompt: "x", image }))) as unknown as ToolMessage;
      expect(message).toMatchObject({ status: "error", content: expect.stringContaining("There is no file") });
      expect(emulator.requests).toHaveLength(0);
    },
  );

  test("says how far it is, whether or not it is part of a larger run", async () => {
    const draw = new SiliconFlowImageTool({ ...drawing, client, store });
    const told: unknown[] = [];
    const callbacks = [
      { handleCustomEvent: (event: string, data: { status: string }) => told.push([event, data.status]) },
    ];
    await draw.invoke({ prompt: "a boat" }, { callbacks });
    expect(told).toEqual(["started", "downloading", "stored"].map((status) => ["siliconflow_progress", status]));
    await expect(draw.invoke({ prompt: "a boat" })).resolves.toContain("Made the picture");
  });

  test("stops when it is told to, with the caller's reason", async () => {
    emulator.fault({ endpoint: "images", stallMs: 60_000 });
    const draw = new SiliconFlowImageTool({ ...drawing, client, store });
    const controller = new AbortController();
    const reason = new Error("enough");
    const callbacks = [{ handleCustomEvent: () => controller.abort(reason) }];
    const made = draw.invoke(call("make_image", { prompt: "a boat" }), { signal: controller.signal, callbacks });
    expect(await failureOf(made)).toBe(reason);
  });

  test("whose link has run out says so, and stores nothing", async () => {
    emulator.fault({ endpoint: "outputs", status: 403 });
    const draw = new SiliconFlowImageTool({ ...drawing, client, store });
    expect(await failureOf(draw.invoke({ prompt: "a boat" }))).toMatchObject({ reason: "assetExpired" });
  });

  test("refuses a page in place of a picture", async () => {
    emulator.fault({ endpoint: "outputs", status: 200, body: "<!doctype html><p>Please log in." });
    const draw = new SiliconFlowImageTool({ ...drawing, client, store });
    const error = await failureOf(draw.invoke({ prompt: "a boat" }));
    expect(error).toMatchObject({ name: "InvalidResponseError", reason: "malformed" });
    expect(error.message).toContain("HTML");
  });

  test("follows no link of an answer into the network around it", async () => {
    const inside = { images: [{ url: "http://169.254.169.254/latest/meta-data/" }], seed: 1 };
    emulator.fault({ endpoint: "images", status: 200, body: inside });
    const draw = new SiliconFlowImageTool({ ...drawing, client, store });
    expect(await failureOf(draw.invoke({ prompt: "a boat" }))).toMatchObject({ reason: "blockedAddress" });
  });

  test("fetches from another host of the network around it only into a store that allows it", async () => {
    const asked: (string | undefined)[] = [];
    const storage = createServer(({ headers }, response) => {
      asked.push(headers.authorization);
      response.end(Buffer.from("\x89PNG\r\n\x1a\n and so on", "latin1"));
    });
    storage.listen(0, "127.0.0.1");
    await once(storage, "listening");
    const url = `http://127.0.0.1:${(storage.address() as AddressInfo).port}/made.png`;
    emulator.fault({ endpoint: "images", times: 2, status: 200, body: { images: [{ url }], seed: 1 } });
    const drawInto = (given: MemoryArtifactStore) => new SiliconFlowImageTool({ ...drawing, client, store: given });
    expect(await failureOf(drawInto(store).invoke({ prompt: "a boat" }))).toMatchObject({ reason: "blockedAddress" });
    expect(asked).toEqual([]);
    const open = new MemoryArtifactStore({ allowPrivateNetwork: true });
    expect(await drawInto(open).invoke({ prompt: "a boat" })).toContain("Made the picture");
    // Without the key.
    expect(asked).toEqual([undefined]);
    storage.close();
    storage.closeAllConnections();
  });

  test("keeps the key to itself", () => {
    const draw = new SiliconFlowImageTool({ ...drawing, apiKey: "sk-secret-of-ours", store });
    const shown = inspect(draw, { depth: 9, showHidden: true }) + JSON.stringify(draw) + JSON.stringify(draw.lc_kwargs);
    expect(shown).not.toContain("sk-secret-of-ours");
  });

  test("without a model, with a store that is none or an option that has no effect is refused", () => {
    expect(() => new SiliconFlowImageTool({ model: "", client })).toThrow("model");
    expect(() => new SiliconFlowImageTool({ ...drawing, client, store: {} as MemoryArtifactStore })).toThrow("store");
    for (const wrong of [{ maxBytes: Number.NaN }, { maxBytes: undefined }, { allowPrivateNetwork: undefined }]) {
      const { save, read } = store;
      const own = { save, read, maxBytes: 1, allowPrivateNetwork: false, ...wrong } as MemoryArtifactStore;
      const [name] = Object.keys(wrong);
      expect(() => new SiliconFlowImageTool({ ...drawing, client, store: own })).toThrow(`store.${name}`);
    }
    expect(() => new SiliconFlowImageTool({ ...drawing, client, apiKey: "sk-1" })).toThrow("apiKey");
  });
});

describe("what is spoken", () => {
  const text = "The tea is ready in the garden.";

  test.each(["mp3", "wav", "opus"] as const)("as %s is heard again", async (format) => {
    const speak = new SiliconFlowSpeechTool({
      model: "FunAudioLLM/CosyVoice2-0.5B",
      voice: "claire",
      format,
      client,
      store,
    });
    const hear = new SiliconFlowTranscriptionTool({ model: "FunAudioLLM/SenseVoiceSmall", client, store });
    const said = (await speak.invoke(call("speak", { text }))) as unknown as ToolMessage;
    const sound = artifactOf(said);
    expect(said.content).toBe(`Spoke it into ${sound.name} (${sound.mimeType}). The user can play it.`);
    expect(sound).toMatchObject({ size: expect.any(Number), traceId: expect.any(String) });
    expect(emulator.requests[0]!.body).toMatchObject({ voice: "FunAudioLLM/CosyVoice2-0.5B:claire" });
    const heard = (await hear.invoke(call("transcribe", { name: sound.name }))) as unknown as ToolMessage;
    expect(heard.content).toBe(text);
    expect(heard.artifact).toMatchObject({ text, name: sound.name, model: "FunAudioLLM/SenseVoiceSmall" });
  });

  test("by a voice that was uploaded is asked for as it is called", async () => {
    const speak = new SiliconFlowSpeechTool({
      model: "FunAudioLLM/CosyVoice2-0.5B",
      voice: "speech:a:b:c",
      client,
      store,
    });
    await failureOf(speak.invoke({ text }));
    expect(emulator.requests[0]!.body).toMatchObject({ voice: "speech:a:b:c" });
  });

  test("is not heard in a picture", async () => {
    const draw = new SiliconFlowImageTool({ ...drawing, client, store });
    const hear = new SiliconFlowTranscriptionTool({ model: "FunAudioLLM/SenseVoiceSmall", client, store });
    const { name } = artifactOf(await draw.invoke(call("make_image", { prompt: "a boat" })));
    expect((await failureOf(hear.invoke({ name }))).message).toContain("is no recording");
  });

  test("that breaks off is not stored", async () => {
    emulator.fault({ endpoint: "speech", cutAfterBytes: 2000 });
    const directory = await folder();
    const speak = new SiliconFlowSpeechTool({
      model: "FunAudioLLM/CosyVoice2-0.5B",
      client,
      store: new DirectoryArtifactStore({ directory }),
    });
    await failureOf(speak.invoke({ text }));
    expect(await readdir(directory)).toEqual([]);
  });
});

describe("the video tool", () => {
  const filming = { model: "Wan-AI/Wan2.2-T2V-A14B", imageModel: "Wan-AI/Wan2.2-I2V-A14B", pollIntervalMs: 20 };

  test("tells how far it is until the film is there", async () => {
    const film = new SiliconFlowVideoTool({ ...filming, client, store });
    const told: string[] = [];
    const handleCustomEvent = (_: string, { status }: { status: string }) => {
      if (told.at(-1) !== status) told.push(status);
      emulator.advance(2500);
    };
    const message = (await film.invoke(call("make_video", { prompt: "waves", seed: 3 }), {
      callbacks: [{ handleCustomEvent }],
    })) as unknown as ToolMessage;
    expect(artifactOf(message)).toMatchObject({
      mimeType: "video/mp4",
      seed: 3,
      name: expect.stringMatching(/\.mp4$/),
    });
    expect(told[0]).toBe("submitted");
    expect(told).toContain("InProgress");
    expect(told.slice(-3)).toEqual(["Succeed", "downloading", "stored"]);
  });

  test("that has waited long enough says with which id to go on, and pays once", async () => {
    const film = new SiliconFlowVideoTool({ ...filming, waitMs: 60, client, store });
    const message = (await film.invoke(call("make_video", { prompt: "waves" }))) as unknown as ToolMessage;
    expect(message.status).toBe("error");
    const requestId = /requestId "([^"]+)"/.exec(message.content as string)![1]!;
    emulator.advance(10_000);
    const later = new SiliconFlowVideoTool({ ...filming, client, store });
    const made = artifactOf(await later.invoke(call("make_video", { requestId })));
    expect(made.mimeType).toBe("video/mp4");
    expect(emulator.requests.filter(({ path }) => path === "/v1/video/submit")).toHaveLength(1);
  });

  test("without a prompt asks for one", async () => {
    const film = new SiliconFlowVideoTool({ ...filming, client, store });
    expect((await failureOf(film.invoke({}))).message).toContain("prompt is missing");
  });
});

describe("an agent with the toolkit", () => {
  function agentWith(include: readonly ("image" | "speech" | "transcription")[]) {
    const toolkit = new SiliconFlowToolkit({ include, client, store, speech: { voice: "anna" } });
    return createAgent({ model: new ChatSiliconFlow({ model: "Qwen/Qwen3-8B", client }), tools: toolkit.tools });
  }
  const ask = { messages: [{ role: "user", content: "Draw a boat and read it aloud." }] };
  const toolMessages = (messages: readonly unknown[]) =>
    messages.filter((message): message is ToolMessage => (message as ToolMessage).type === "tool");

  test("draws, speaks, and hears what it said", async () => {
    emulator.script([
      {
        toolCalls: [
          { name: "make_image", arguments: { prompt: "a boat" } },
          { name: "speak", arguments: { text: "A boat." } },
        ],
      },
      (request) => {
        if (request.path !== "/v1/chat/completions") return undefined;
        const { messages } = request.body as { messages: { content: string }[] };
        const name = /audio-[0-9a-f-]+\.mp3/.exec(messages.at(-1)!.content)![0];
        return { toolCalls: [{ name: "transcribe", arguments: { name } }] };
      },
      { content: "Done." },
    ]);
    const { messages } = await agentWith(["image", "speech", "transcription"]).invoke(ask);
    const made = toolMessages(messages);
    expect(made.map(({ name, status }) => [name, status])).toEqual([
      ["make_image", "success"],
      ["speak", "success"],
      ["transcribe", "success"],
    ]);
    expect(made[2]!.content).toBe("A boat.");
    expect(messages.at(-1)!.text).toBe("Done.");
    expect(JSON.stringify(emulator.requests.filter(({ path }) => path === "/v1/chat/completions"))).not.toContain(
      "base64",
    );
  });

  test("lives on when a tool fails or is called wrongly, and the model hears why", async () => {
    emulator.fault({ endpoint: "images", status: 503 });
    emulator.script([
      { toolCalls: [{ name: "make_image", arguments: { prompt: "a boat" } }] },
      { toolCalls: [{ name: "make_image", arguments: { prompt: "a boat", size: "large" } }] },
      { content: "It does not work today." },
    ]);
    const { messages } = await agentWith(["image"]).invoke(ask);
    const [down, wrong] = toolMessages(messages);
    expect(down).toMatchObject({ status: "error", content: expect.stringContaining("make_image failed: ") });
    expect(wrong!.content).toContain('such as "1024x1024"');
    expect(messages.at(-1)!.text).toBe("It does not work today.");
  });

  test("lives on with middleware around its tools, which would pass an exception on", async () => {
    emulator.fault({ endpoint: "images", status: 401, body: '"Invalid token"' });
    emulator.script([{ toolCalls: [{ name: "make_image", arguments: { prompt: "a boat" } }] }, { content: "Sorry." }]);
    const { tools } = new SiliconFlowToolkit({ include: ["image"], client, store });
    const watch = createMiddleware({ name: "watch", wrapToolCall: (request, handler) => handler(request) });
    const model = new ChatSiliconFlow({ model: "Qwen/Qwen3-8B", client });
    const { messages } = await createAgent({ model, tools, middleware: [watch] }).invoke(ask);
    expect(toolMessages(messages)[0]).toMatchObject({
      status: "error",
      content: expect.stringContaining("tell the user"),
    });
    expect(JSON.stringify(messages)).not.toContain(emulator.apiKey);
  });

  test("lives on when the store's disk fails, and learns no path of it", async () => {
    // A file where the directory should be.
    const directory = fileURLToPath(import.meta.url);
    const drawer = new SiliconFlowImageTool({ ...drawing, client, store: new DirectoryArtifactStore({ directory }) });
    const { content, status } = (await drawer.invoke(call("make_image", { prompt: "a boat" }))) as ToolMessage;
    expect(status).toBe("error");
    expect(content).toContain("Do not call again; tell the user.");
    expect(content).not.toContain(directory);
    await expect(drawer.invoke({ prompt: "a boat" })).rejects.toThrow("EEXIST");
  });

  test("ends at once when it is told to", async () => {
    emulator.fault({ endpoint: "images", stallMs: 60_000 });
    emulator.script([{ toolCalls: [{ name: "make_image", arguments: { prompt: "a boat" } }] }, { content: "Never." }]);
    const controller = new AbortController();
    const callbacks = [{ handleCustomEvent: () => controller.abort(new Error("enough")) }];
    const failure = await failureOf(agentWith(["image"]).invoke(ask, { signal: controller.signal, callbacks }));
    expect(String(failure)).toMatch(/enough|abort/i);
    expect(emulator.requests.filter(({ path }) => path === "/v1/chat/completions")).toHaveLength(1);
  });
});

describe("the toolkit", () => {
  test("has what is allowed, and nothing else", () => {
    const names = (include: ("image" | "speech" | "transcription" | "video")[]) =>
      new SiliconFlowToolkit({ include, client }).getTools().map(({ name }) => name);
    expect(names(["video", "image"])).toEqual(["make_video", "make_image"]);
    expect(names(["speech", "speech", "transcription"])).toEqual(["speak", "transcribe"]);
    expect(() => names([])).toThrow("include");
    expect(() => names(["shell" as "image"])).toThrow('"shell"');
    expect(() => names(["constructor" as "image"])).toThrow('"constructor"');
  });

  test("refuses an option that does not exist, as each of its tools does, and names the right one", () => {
    const speech = { voise: "claire" } as object;
    expect(() => new SiliconFlowToolkit({ include: ["speech"], client, strore: store } as never)).toThrow(
      "mean store?",
    );
    expect(() => new SiliconFlowToolkit({ include: ["speech"], client, speech })).toThrow("mean voice?");
    expect(() => new SiliconFlowImageTool({ ...drawing, client, imagesize: "1x1" } as never)).toThrow(
      "mean imageSize?",
    );
    expect(() => new SiliconFlowVideoTool({ model: "m", client, waitms: 1 } as never)).toThrow("mean waitMs?");
    expect(() => new SiliconFlowTranscriptionTool({ model: "m", client, zzz: 1 } as never)).toThrow(
      "options are apiKey,",
    );
  });

  test("makes one client for all of its tools out of the client's options", async () => {
    const toolkit = new SiliconFlowToolkit({
      include: ["image", "speech"],
      apiKey: emulator.apiKey,
      baseURL: emulator.url,
    });
    const [draw, speak] = toolkit.tools;
    await draw!.invoke({ prompt: "a boat" });
    await speak!.invoke({ text: "a boat" });
    expect(emulator.requests.map(({ path }) => path)).toEqual(
      expect.arrayContaining(["/v1/images/generations", "/v1/audio/speech"]),
    );
  });

  test("describes its arguments to a model", () => {
    const { tools } = new SiliconFlowToolkit({ include: ["image", "speech", "transcription", "video"], client });
    const model = new ChatSiliconFlow({ model: "Qwen/Qwen3-8B", client }).bindTools(tools);
    expect(model).toBeDefined();
    for (const { schema, description } of tools) {
      expect(description).toMatch(/\.$/);
      for (const field of Object.values(
        (schema as unknown as { shape: Record<string, { description?: string }> }).shape,
      ))
        expect(field.description).toMatch(/./);
    }
  });
});
