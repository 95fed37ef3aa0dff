import { afterEach, beforeEach, expect, test } from "vitest";
import { startEmulator, type Emulator } from "../index.js";
import { Clock } from "../clock.js";
import { readForm } from "../form.js";
import { Outputs } from "../outputs.js";

let emulator: Emulator;
beforeEach(async () => {
  emulator = await startEmulator();
});
afterEach(() => emulator.close());

test("a link that leads nowhere is 404, without a key", async () => {
  const response = await fetch(`${new URL(emulator.url).origin}/outputs/nothing.png`);
  expect([response.status, await response.json()]).toEqual([404, "404 page not found"]);
});

test("what was made lies at its link for an hour of the emulator's clock", () => {
  const clock = new Clock();
  const outputs = new Outputs(clock);
  outputs.origin = "http://127.0.0.1:1";
  const link = outputs.add("one.png", "image/png", Uint8Array.of(1, 2));
  expect(link).toMatch(/^http:\/\/127\.0\.0\.1:1\/outputs\/one\.png\?Expires=\d{10}$/);
  clock.advance(59 * 60 * 1000);
  expect(outputs.get("one.png")).toMatchObject({ type: "image/png", bytes: Uint8Array.of(1, 2) });
  clock.advance(60 * 1000);
  expect(outputs.get("one.png")).toBe("expired");
  outputs.add("two.png", "image/png", Uint8Array.of(3));
  expect(outputs.get("one.png")).toBe("expired");
});

test("the account's amounts are texts", async () => {
  const response = await fetch(`${emulator.url}/user/info`, {
    headers: { authorization: `Bearer ${emulator.apiKey}` },
  });
  const { code, status, data } = (await response.json()) as { code: number; status: boolean; data: object };
  expect([code, status]).toEqual([20000, true]);
  expect(data).toMatchObject({ balance: "0.88", totalBalance: "88.00", name: "", email: "" });
});

test("a form's fields and files are read, whatever they are called", async () => {
  const form = new FormData();
  form.append("__proto__", "text");
  form.append("file", new File([Uint8Array.of(0, 255, 13, 10)], "a b.wav", { type: "audio/wav" }));
  const encoded = new Response(form);
  const bytes = Buffer.from(await encoded.arrayBuffer());
  const fields = await readForm(bytes, encoded.headers.get("content-type")!);
  expect(Object.keys(fields)).toEqual(["__proto__", "file"]);
  expect(fields["file"]).toMatchObject({
    filename: "a b.wav",
    type: "audio/wav",
    bytes: Uint8Array.of(0, 255, 13, 10),
  });
});

test("the journal keeps a form's fields, and of its files name, type and size", async () => {
  const form = new FormData();
  form.append("model", "FunAudioLLM/SenseVoiceSmall");
  form.append("file", new File([Uint8Array.of(1, 2, 3)], "a.wav", { type: "audio/wav" }));
  const headers = { authorization: `Bearer ${emulator.apiKey}` };
  await fetch(`${emulator.url}/audio/transcriptions`, { method: "POST", headers, body: form });
  const file = { filename: "a.wav", type: "audio/wav", size: 3 };
  expect(emulator.requests[0]!.body).toStrictEqual({ model: "FunAudioLLM/SenseVoiceSmall", file });
});

test("models are listed by kind", async () => {
  const list = async (query: string) => {
    const response = await fetch(`${emulator.url}/models?${query}`, {
      headers: { authorization: `Bearer ${emulator.apiKey}` },
    });
    return ((await response.json()) as { data: { id: string }[] }).data.map(({ id }) => id);
  };
  expect(await list("sub_type=text-to-video")).toContain("Wan-AI/Wan2.2-T2V-A14B");
  expect(await list("type=audio")).toContain("FunAudioLLM/SenseVoiceSmall");
  expect(await list("type=video")).not.toContain("Kwai-Kolors/Kolors");
});
