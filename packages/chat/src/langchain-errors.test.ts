import { ContextOverflowError } from "@langchain/core/errors";
import nock from "nock";
import { describe, expect, test } from "vitest";
import { chat, host, key, reply } from "./mocked-host.js";

async function collect(stream: Promise<AsyncIterable<unknown>>): Promise<void> {
  for await (const _ of await stream);
}

describe("errors of the service", () => {
  test.each([
    [401, '"Invalid token"', "AuthenticationError", "MODEL_AUTHENTICATION"],
    [404, "404 page not found", "NotFoundError", "MODEL_NOT_FOUND"],
    [
      429,
      { message: "Request was rejected due to rate limiting. TPM limit reached." },
      "RateLimitError",
      "MODEL_RATE_LIMIT",
    ],
    [
      400,
      { code: 20015, message: "length of prompt_tokens (9000) must be less than max_seq_len (8192)." },
      "ContextLengthError",
      "CONTEXT_OVERFLOW",
    ],
    [
      400,
      { code: 20015, message: "messages with role 'tool' must follow tool_calls" },
      "BadRequestError",
      "INVALID_TOOL_RESULTS",
    ],
    [503, { code: 50505, message: "Model service overloaded." }, "ServiceUnavailableError", undefined],
  ])("%i %j is a %s that LangChain knows", async (status, body, name, code) => {
    reply(status, body);
    const error: unknown = await chat()
      .invoke("hi")
      .catch((reason: unknown) => reason);

    expect(error).toMatchObject({ name, traceId: "ti_1" });
    expect((error as { lc_error_code?: string }).lc_error_code).toBe(code);
    expect(ContextOverflowError.isInstance(error)).toBe(name === "ContextLengthError");
    expect(String(error) + JSON.stringify(error)).not.toContain(key);
  });

  test("a model that does not exist comes with those that it may have been meant to be", async () => {
    reply(400, { code: 20012, message: "Model does not exist." });
    nock(host)
      .get("/v1/models")
      .reply(200, { object: "list", data: [{ id: "Qwen/Qwen3-8B" }] });
    const error: unknown = await chat({ model: "Qwen/Qwen-3-8B" })
      .invoke("hi")
      .catch((reason: unknown) => reason);

    expect(error).toMatchObject({
      name: "NotFoundError",
      lc_error_code: "MODEL_NOT_FOUND",
      suggestions: ["Qwen/Qwen3-8B"],
    });
  });

  test("a too long prompt is known in a stream as well", async () => {
    reply(
      400,
      JSON.stringify({ code: 20015, message: "length of prompt_tokens (9000) must be less than max_seq_len (8192)." }),
    );
    const error: unknown = await chat()
      .stream("hi")
      .catch((reason: unknown) => reason);

    expect(error).toMatchObject({ name: "ContextLengthError", status: 400 });
    expect(ContextOverflowError.isInstance(error)).toBe(true);
  });

  test("what broke off says what it cost until then", async () => {
    const chunk = {
      choices: [{ index: 0, delta: { content: "Li" } }],
      usage: { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 },
    };
    reply(200, `data: ${JSON.stringify(chunk)}\n\n`);
    const error: unknown = await collect(chat().stream("hi")).catch((reason: unknown) => reason);

    expect(error).toMatchObject({
      name: "StreamError",
      partial: { content: "Li", usage: chunk.usage },
      usage_metadata: { input_tokens: 3, output_tokens: 1, total_tokens: 4 },
    });
    expect(JSON.stringify(error)).not.toContain('Li"');
  });

  test("an error wrapped into a 200 is an error", async () => {
    reply(200, { code: 50505, message: "Model service overloaded." });

    await expect(chat().invoke("hi")).rejects.toMatchObject({ status: 200, code: 50505 });
  });

  test("retries are the client's, as many as asked for", async () => {
    reply(503, "busy");
    reply(503, "busy");
    reply();
    const waits: number[] = [];
    const message = await chat({ maxRetries: 2, onRetry: ({ attempt }) => void waits.push(attempt) }).invoke("hi");

    expect(message.content).toBe("Lima");
    expect(waits).toHaveLength(2);
  });

  test("moderation is refused, as there is none", async () => {
    await expect(chat().moderateContent()).rejects.toMatchObject({ name: "InvalidInputError" });
  });
});
