import { describe, expect, test } from "vitest";
import { errorFromResponse, plainText } from "./error-from-response.js";
import { ApiError, type PayloadTooLargeError, type RateLimitError } from "./errors.js";

const now = Date.parse("2026-11-23T12:00:30Z");

function errorOf(
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
  region: "cn" | "global" | undefined = "cn",
): ApiError {
  return errorFromResponse({
    status,
    text: typeof body === "string" ? body : JSON.stringify(body),
    redact: (text) => text,
    header: (name) => headers[name],
    baseURL: "https://api.siliconflow.cn/v1",
    region,
    now,
  });
}

const limited = (limit: string, space = "") => ({
  message: `Request was rejected due to rate limiting. If you want more, please contact contact@siliconflow.cn. Details:${space}${limit} limit reached.`,
  data: null,
});

describe("the class and reason of a refusal", () => {
  test.each<[string, number, unknown, string, string, boolean]>([
    ["wrong key, JSON string", 401, '"Invalid token"', "AuthenticationError", "auth", false],
    ["wrong key, bare text", 401, "Api key is invalid", "AuthenticationError", "auth", false],
    ["forbidden, JSON string", 403, '"Forbidden"', "PermissionDeniedError", "permission", false],
    [
      "disabled model",
      403,
      { code: 30003, message: "Model disabled.", data: null },
      "PermissionDeniedError",
      "permission",
      false,
    ],
    [
      "no balance, China site",
      403,
      { code: 30001, message: "Sorry, your account balance is insufficient" },
      "InsufficientBalanceError",
      "balance",
      false,
    ],
    [
      "no balance, international site",
      402,
      { code: 30001, message: "balance" },
      "InsufficientBalanceError",
      "balance",
      false,
    ],
    [
      "no balance behind a 429",
      429,
      { message: "You exceeded your current quota" },
      "InsufficientBalanceError",
      "balance",
      false,
    ],
    ["no balance in words only", 403, '"Insufficient balance"', "InsufficientBalanceError", "balance", false],
    [
      "unknown model",
      400,
      { code: 20012, message: "Model does not exist. Please check it carefully.", data: null },
      "NotFoundError",
      "notFound",
      false,
    ],
    ["unknown path", 404, '"404 page not found"', "NotFoundError", "notFound", false],
    [
      "bad parameter",
      400,
      { code: 20015, message: "Field required", data: null },
      "BadRequestError",
      "badRequest",
      false,
    ],
    ["unprocessable", 422, { detail: "x" }, "BadRequestError", "badRequest", false],
    [
      "long prompt",
      400,
      { code: 20015, message: "length of prompt_tokens (235121) must be less than max_seq_len (65536)." },
      "ContextLengthError",
      "contextLength",
      false,
    ],
    [
      "large batch",
      413,
      { code: 20042, message: "input batch size 132 > maximum allowed batch size 64", data: null },
      "PayloadTooLargeError",
      "tooLarge",
      false,
    ],
    ["rate limit per minute", 429, limited("TPM"), "RateLimitError", "rateLimit", true],
    ["rate limit per day", 429, limited("RPD", " "), "RateLimitError", "rateLimit", false],
    ["rate limit, not named", 429, "slow down", "RateLimitError", "rateLimit", true],
    [
      "rate limit that speaks of a quota",
      429,
      { message: "Rate limit reached: request quota per minute" },
      "RateLimitError",
      "rateLimit",
      true,
    ],
    [
      "balance that speaks of a rate limit",
      429,
      { message: "Rate limit: insufficient balance" },
      "InsufficientBalanceError",
      "balance",
      false,
    ],
    ["rate limit under a 403", 403, limited("RPM"), "RateLimitError", "rateLimit", true],
    ["rate limit under a 500", 500, { message: "rate limiting" }, "RateLimitError", "rateLimit", true],
    ["time-out", 408, "", "ApiError", "timeout", true],
    [
      "unknown server error",
      500,
      { code: 50507, message: "Request failed: Unknown error" },
      "ServiceUnavailableError",
      "server",
      true,
    ],
    ["not implemented", 501, "", "ServiceUnavailableError", "server", false],
    ["bad gateway", 502, "", "ServiceUnavailableError", "server", true],
    [
      "overloaded",
      503,
      { code: 50505, message: "Model service overloaded. Please try again later.", data: null },
      "ServiceUnavailableError",
      "overloaded",
      true,
    ],
    [
      "gateway time-out, HTML",
      504,
      "<html><head><title>504</title></head><body><h1>504 Gateway Time-out</h1></body></html>",
      "ServiceUnavailableError",
      "server",
      true,
    ],
    ["teapot", 418, "", "ApiError", "badRequest", false],
    [
      "overloaded inside a 200",
      200,
      { code: 50505, message: "Model service overloaded." },
      "ServiceUnavailableError",
      "overloaded",
      true,
    ],
    [
      "bad parameter inside a 200",
      200,
      { code: 20015, message: "Field required" },
      "BadRequestError",
      "badRequest",
      false,
    ],
    [
      "no balance inside a 200",
      200,
      { code: "30001", message: "no money" },
      "InsufficientBalanceError",
      "balance",
      false,
    ],
    ["wrong key inside a 200", 200, '"Invalid token"', "AuthenticationError", "auth", false],
  ])("%s", (_, status, body, name, reason, retryable) => {
    expect(errorOf(status, body)).toMatchObject({ name, reason, retryable, status });
  });
});

describe("what a refusal says", () => {
  test.each<[string, unknown, string]>([
    ["an object", { code: 20015, message: "Field required", data: null }, "Field required"],
    ["an OpenAI envelope", { error: { message: "nope", code: "bad" } }, "nope"],
    ["an error that is a string", { error: "nope" }, "nope"],
    ["a JSON string", '"Forbidden"', "Forbidden"],
    ["bare text", "upstream connect error", "upstream connect error"],
    ["a page", "<style>b{}</style><b>Bad</b>\n<script>x()</script> gateway", "Bad gateway"],
    ["nothing", "", "The service gave no reason."],
    ["null", "null", "null"],
  ])("%s keeps its words", (_, body, words) => {
    expect(errorOf(400, body).message).toContain(words);
  });

  test("code, trace id and wait are fields, and in the message where support will look", () => {
    const error = errorOf(
      503,
      { code: 50505, message: "busy" },
      { "x-siliconcloud-trace-id": "ti_1", "retry-after": "7" },
    );
    expect(error).toMatchObject({ code: 50505, traceId: "ti_1", retryAfterMs: 7_000 });
    expect(error.message).toBe("503 busy (code 50505, trace ti_1) Try again later, or ask another model.");
  });

  test("a refused key names the address and the other site", () => {
    const { message } = errorOf(401, '"Invalid token"');
    expect(message).toContain("https://api.siliconflow.cn/v1");
    expect(message).toContain('region: "global"');
    expect(errorOf(401, '"Invalid token"', {}, "global").message).toContain('region: "cn"');
  });

  test("an unknown model suggests models.list", () => {
    expect(errorOf(400, { code: 20012, message: "Model does not exist." }).message).toContain("models.list");
    expect(errorOf(404, '"404 page not found"').message).toContain("models.list");
  });

  test("a parameter that the model lacks is named", () => {
    const { message } = errorOf(400, {
      code: 20015,
      message: "Value error, current model does not support parameter `enable_thinking`.",
    });
    expect(message).toContain('Leave out "enable_thinking" (the option enableThinking) for this model.');
  });

  test.each([
    ["Value error, current model does not support parameter `dimensions`.", 'Leave out "dimensions" for'],
    ["The parameter thinking_budget is not supported.", 'Leave out "thinking_budget" (the option thinkingBudget)'],
    ["Unsupported parameter: 'top_k'", 'Leave out "top_k" (the option topK)'],
    ["Json mode is not supported for this model.", "Leave out response_format"],
  ])("%s", (message, hint) => {
    expect(errorOf(400, { code: 20015, message }).message).toContain(hint);
  });

  test("a long prompt names both numbers", () => {
    const error = errorOf(400, {
      code: 20015,
      message: "length of prompt_tokens (235121) must be less than max_seq_len (65536).",
    });
    expect(error).toMatchObject({ promptTokens: 235_121, maxTokens: 65_536 });
  });

  test("a large batch names the largest that is taken", () => {
    const error = errorOf(413, {
      code: 20042,
      message: "input batch size 132 > maximum allowed batch size 64",
    }) as PayloadTooLargeError;
    expect(error.maxBatchSize).toBe(64);
    expect((errorOf(413, "too large") as PayloadTooLargeError).maxBatchSize).toBeUndefined();
  });

  test("a long body is cut", () => {
    expect(errorOf(400, "x".repeat(10_000)).message.length).toBeLessThan(500);
  });
});

describe("when a limit ends", () => {
  test.each(["RPM", "RPH", "RPD", "TPM", "TPD", "IPM", "IPD"])("%s is read from the text", (limit) => {
    expect((errorOf(429, limited(limit)) as RateLimitError).limit).toBe(limit);
  });

  test("minutes end with the minute of the service's clock", () => {
    expect((errorOf(429, limited("TPM")) as RateLimitError).retryAt).toEqual(new Date("2026-11-23T12:01:00Z"));
    // Its clock is ten seconds ahead: its minute ends in twenty.
    const ahead = errorOf(429, limited("TPM"), { date: "Mon, 23 Nov 2026 12:00:40 GMT" }) as RateLimitError;
    expect(ahead.retryAt).toEqual(new Date(now + 20_000));
  });

  test("days end at midnight in China", () => {
    expect((errorOf(429, limited("TPD")) as RateLimitError).retryAt).toEqual(new Date("2026-11-23T16:00:00Z"));
  });

  test("Retry-After is stronger than the window", () => {
    const error = errorOf(429, limited("RPD"), { "retry-after": "36000" }) as RateLimitError;
    expect(error).toMatchObject({ retryAfterMs: 36_000_000, retryAt: new Date(now + 36_000_000) });
  });
});

test("control characters and line ends do not get into a message", () => {
  expect(plainText("a\r\nb\u001b[31mc\u2028d")).toBe("a b [31mc d");
});

describe("plainText", () => {
  test.each([
    ["<p>Bad <b>gateway</b></p>", "Bad gateway"],
    ["<head><title>502</title></head><body>Down</body>", "Down"],
    ["<script>if (a < b) alert('>')</script>Down<style>p { }</style>", "Down"],
    ["<!-- <b>not</b> shown -->Down", "Down"],
    ["<script>no end: Down", "no end: Down"],
    ["<head><script></head>Down</script>!", "Down !"],
    ["a < b and c --> d", "a < b and c --> d"],
  ])("of %j is %j", (page, text) => {
    expect(plainText(page)).toBe(text);
  });
});
