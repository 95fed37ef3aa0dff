import { HumanMessage } from "@langchain/core/messages";
import { RUN_KEY } from "@langchain/core/outputs";
import { afterEach, beforeEach, expect, type MockInstance, test, vi } from "vitest";
import { ChatSiliconFlow } from "./chat-siliconflow.js";
import { answer, chat, host, key, reply, replyStream } from "./mocked-host.js";

// Asked for only to tell handlers of it.
let told: MockInstance;
beforeEach(() => {
  told = vi.spyOn(ChatSiliconFlow.prototype, "getLsParams");
});
afterEach(() => {
  vi.unstubAllEnvs();
});

const question = [[new HumanMessage("Capital of Peru?")]];
const handled = { callbacks: [{ handleLLMStart() {} }] };
const several = {
  ...answer(),
  choices: ["Lima", "Cusco"].map((content, index) => ({
    index,
    message: { role: "assistant", content },
    finish_reason: "stop",
  })),
};

test.each([
  ["an answer", answer(), {}, {}],
  ["thoughts", answer({ content: "Lima", reasoning_content: "Andes" }), {}, {}],
  ["an answer that was cut", answer({ content: "Li" }, "length"), {}, {}],
  ["two answers", several, { n: 2 }, {}],
  [
    "a tool call",
    answer({ tool_calls: [{ id: "a", type: "function", function: { name: "f", arguments: "{}" } }] }, "tool_calls"),
    {},
    {},
  ],
  ["an answer that came as a stream", undefined, { streaming: true }, {}],
  ["an answer with options", answer(), {}, { stop: ["."], temperature: 0, tags: ["a"], metadata: { b: 1 } }],
])("%s is the same with a handler and without", async (_, body, fields, options) => {
  const ask = async (more: object) => {
    void (body === undefined ? replyStream() : reply(200, body));
    return chat(fields).generate(question, { ...options, ...more });
  };
  const unheard = await ask({});
  expect(told).not.toHaveBeenCalled();
  const heard = await ask(handled);
  expect(told).toHaveBeenCalled();
  expect(unheard).toEqual(heard);
  expect(Object.getOwnPropertyDescriptor(unheard, RUN_KEY)).toEqual({
    ...Object.getOwnPropertyDescriptor(heard, RUN_KEY),
    value: undefined,
  });
});

test("an error is the same with a handler and without", async () => {
  const ask = async (more: object) => {
    void reply(400, { code: 20015, message: "no", data: null });
    return chat()
      .invoke("?", more)
      .catch((error: unknown) => error);
  };
  const unheard = await ask({});
  expect(told).not.toHaveBeenCalled();
  expect(unheard).toEqual(await ask(handled));
  expect(unheard).toMatchObject({ name: "BadRequestError" });
});

test.each([
  ["a handler of the model", { callbacks: [{ handleLLMStart() {} }] }, {}],
  ["a verbose model", { verbose: true }, {}],
  ["standard content blocks", { outputVersion: "v1" as const }, {}],
  ["a handler that the environment asks for", {}, { LANGCHAIN_VERBOSE: "true" }],
])("%s has it told", async (_, fields, environment: Record<string, string>) => {
  vi.spyOn(console, "log").mockReturnValue();
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  void reply();
  await chat(fields).invoke("Capital of Peru?");
  expect(told).toHaveBeenCalled();
});

test("a subclass that answers itself is asked", async () => {
  class Echo extends ChatSiliconFlow {
    override async _generate(...[messages]: Parameters<ChatSiliconFlow["_generate"]>) {
      return { generations: [{ text: messages[0]!.text, message: messages[0]! }] };
    }
  }
  const echo = new Echo({ model: "Qwen/Qwen3-8B", apiKey: key, baseURL: host });
  expect((await echo.invoke("hello")).content).toBe("hello");
  const several = await echo.generate([["one"], ["two"]]);
  expect(several.generations.map(([first]) => first!.text)).toEqual(["one", "two"]);
});
