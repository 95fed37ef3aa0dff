import { SiliconFlowClient } from "@langchain-siliconflow/client";
import { ContextOverflowError } from "@langchain/core/errors";
import { every, everything, healthy, answers, refused, unnoticed, type Case } from "./case.ts";
import { failure, limited, vectors } from "./wire.ts";

const retryNow = { "retry-after": "0" };
const page = "<html><h1>504 Gateway Time-out</h1></html>";
const balance = "Sorry, your account balance is insufficient";
const tooLong = "length of prompt_tokens (40001) must be less than max_seq_len (32768).";
const longAgo = "Wed, 01 Jan 2020 00:00:00 GMT";
const tenHoursMs = 36_000_000;

/** A 429 and how its wait is written; no try is left. */
const asked = (fault: string, headers: Record<string, string>, throws: Record<string, unknown>): Case =>
  refused(
    50,
    fault,
    { status: 429, headers, body: limited("TPM") },
    { name: "RateLimitError", ...throws },
    { maxRetries: 0 },
  );

/** Forty texts, and a service that answers for `text n` with the vector `[n, 1]` unless something is wrong with the request. */
const fortyTexts = Array.from({ length: 40 }, (_, index) => `text ${index + 1}`);
const fortyVectors = fortyTexts.map((_, index) => [index + 1, 1]);
export const numbered = (input: readonly string[]): { body: string } => ({
  body: vectors(input.map((each) => [Number(each.slice(5)), 1])),
});

const sizes = (requests: readonly { body: Record<string, unknown> }[]): number[] =>
  requests.map(({ body }) => (body["input"] as string[]).length);

export const limits: readonly Case[] = [
  ...unnoticed(46, "429 for requests per minute, without Retry-After", everything, [
    { status: 429, body: limited("RPM") },
  ]),
  refused(
    46,
    "429 for requests per minute, no try is left",
    { status: 429, body: limited("RPM") },
    { name: "RateLimitError", status: 429, limit: "RPM", retryable: true },
    { maxRetries: 0, says: /RPM/ },
  ),
  {
    row: 46,
    fault: "the wait is announced, and other calls to the model wait as well",
    targets: ["invoke"],
    replies: [{ status: 429, body: limited("RPM"), headers: { "retry-after": "1" } }, healthy.invoke],
    oursOnly: "it has no hook that would tell",
    run: ({ setup, server }) => waitsTogether(setup.url, setup.apiKey, server),
  },
  ...unnoticed(47, "429 for tokens per minute, without Retry-After", everything, [
    { status: 429, body: limited("TPM") },
  ]),
  {
    row: 47,
    fault: "the limiter is told of the limit, and that nothing was used",
    targets: ["invoke"],
    replies: [{ status: 429, body: limited("TPM"), headers: retryNow }, healthy.invoke],
    oursOnly: "it takes no limiter",
    run: ({ setup }) => tellsTheLimiter(setup.url, setup.apiKey),
  },
  ...(["RPH", "RPD", "TPD", "IPD"] as const).map((limit) =>
    refused(
      48,
      `429 for ${limit}`,
      { status: 429, body: limited(limit) },
      { name: "RateLimitError", limit, retryable: false, retryAt: {}, attempts: 1 },
      { says: new RegExp(limit), advises: /reset at 20/ },
    ),
  ),
  refused(
    49,
    "402 without balance",
    { status: 402, body: failure(30001, balance) },
    { name: "InsufficientBalanceError", reason: "balance", retryable: false, code: 30001 },
    { targets: everything, says: /balance/ },
  ),
  refused(
    49,
    "403 without balance",
    { status: 403, body: failure(30001, balance) },
    { name: "InsufficientBalanceError", reason: "balance", status: 403 },
    { says: /balance/ },
  ),
  refused(
    49,
    "429 that speaks of the balance",
    { status: 429, body: JSON.stringify({ message: balance, data: null }) },
    { name: "InsufficientBalanceError", reason: "balance" },
    { says: /balance/ },
  ),
  ...[403, 500].flatMap((status) =>
    unnoticed("49b", `a limit of the minute under status ${status}`, every, [{ status, body: limited("RPM") }]),
  ),
  refused(
    "49b",
    "a limit of the day under status 403",
    { status: 403, body: limited("RPD") },
    { name: "RateLimitError", limit: "RPD", status: 403, attempts: 1 },
    { says: /RPD/ },
  ),
  ...unnoticed(50, "a wait in seconds", every, [{ status: 429, body: limited("TPM"), headers: retryNow }]),
  asked("2 seconds", { "retry-after": "2" }, { retryAfterMs: 2000 }),
  asked(
    "a date, on a clock that is years behind",
    { "retry-after": "Wed, 01 Jan 2020 00:00:30 GMT", date: longAgo },
    { retryAfterMs: 30_000 },
  ),
  asked("a date that is past", { "retry-after": longAgo }, { retryAfterMs: 0 }),
  asked("garbage", { "retry-after": "soon" }, { retryAfterMs: undefined, limit: "TPM" }),
  refused(
    50,
    "10 hours",
    { status: 429, headers: { "retry-after": "36000" }, body: limited("TPM") },
    { name: "RateLimitError", retryAfterMs: tenHoursMs, retryAt: {}, attempts: 1 },
  ),
  ...unnoticed(51, "503 busy", everything, [
    { status: 503, headers: retryNow, body: failure(50508, "System is too busy now. Please try again later.") },
  ]),
  ...unnoticed(51, "504 with HTML", everything, [
    { status: 504, headers: { ...retryNow, "content-type": "text/html" }, body: page },
  ]),
  ...unnoticed(51, "500 with code 60000", everything, [
    { status: 500, headers: retryNow, body: failure(60000, "unknown error") },
  ]),
  ...unnoticed(51, "502 twice", everything, [
    { status: 502, headers: retryNow, body: "Bad Gateway" },
    { status: 502, headers: retryNow, body: "" },
  ]),
  refused(
    51,
    "504 with HTML, always",
    { status: 504, headers: { ...retryNow, "content-type": "text/html" }, body: page },
    { name: "ServiceUnavailableError", status: 504, attempts: 4 },
    { targets: everything, requests: 4, says: /Gateway Time-out/, tidies: /<h1>/ },
  ),
  {
    row: 52,
    fault: "the service names the size it takes: cut to that, and remembered",
    targets: ["embed"],
    texts: fortyTexts,
    calls: 2,
    replies: [
      ({ input }) =>
        (input as string[]).length > 10
          ? {
              status: 413,
              body: failure(20042, `input batch size ${(input as string[]).length} > maximum allowed batch size 10`),
            }
          : numbered(input as string[]),
    ],
    returns: { vectors: fortyVectors },
    // Once a size is named nothing larger may be sent; two batches may have been under way before.
    check: ({ server, subject }) =>
      subject.ours &&
      sizes(server.requests)
        .slice(2)
        .some((size) => size > 10)
        ? "sends more than the service takes"
        : undefined,
  },
  {
    row: 52,
    fault: "the service names no size: halved until it fits",
    targets: ["embed"],
    texts: fortyTexts,
    replies: [
      ({ input }) =>
        (input as string[]).length > 5
          ? { status: 413, body: '"Request Entity Too Large"' }
          : numbered(input as string[]),
    ],
    returns: { vectors: fortyVectors },
  },
  {
    row: 52,
    fault: "one text is too large on its own: named, and the others kept",
    targets: ["embed"],
    texts: fortyTexts,
    replies: [
      ({ input }) =>
        (input as string[]).includes("text 7")
          ? { status: 413, body: '"Request Entity Too Large"' }
          : numbered(input as string[]),
    ],
    throws: {
      name: "PartialFailureError",
      failures: [{ position: 6 }],
      results: fortyVectors.map((vector, index) => (index === 6 ? undefined : vector)),
    },
  },
  refused(
    53,
    "a prompt of 40,001 tokens where 32,768 fit",
    { status: 400, body: failure(20015, tooLong) },
    { name: "ContextLengthError", reason: "contextLength", promptTokens: 40_001, maxTokens: 32_768, retryable: false },
    // A list that is too long for one request may fit into two.
    { targets: every.filter((target) => target !== "embed"), says: /40001.*32768/ },
  ),
  ...(["invoke", "stream", "messages", "messagesStream"] as const).map((target): Case => ({
    row: 53,
    fault: "recognised as LangChain's ContextOverflowError",
    targets: [target],
    replies: [{ status: 400, body: failure(20015, tooLong) }],
    async run({ subject, setup }) {
      const error = await subject.make[target]!(setup)().then(
        () => undefined,
        (reason: unknown) => reason,
      );
      return ContextOverflowError.isInstance(error) ? undefined : `is a plain ${(error as Error | undefined)?.name}`;
    },
  })),
  ...["enable_thinking", "dimensions"].map((name) =>
    refused(
      54,
      `400 for ${name}`,
      { status: 400, body: failure(20015, `Current model does not support parameter \`${name}\`.`) },
      { name: "BadRequestError", code: 20015, retryable: false },
      // What may be the way vectors are written is asked once more in the other.
      {
        targets: every.filter((target) => target !== "embed"),
        says: new RegExp(name),
        advises: new RegExp(`Leave out "${name}"`),
      },
    ),
  ),
  {
    row: 54,
    fault: "400 for a parameter without its name: asked once more for plain numbers",
    targets: ["embed"],
    replies: [{ status: 400, body: failure(20015, "The parameter is invalid. Please check again.") }, healthy.embed],
    returns: answers.embed,
    requests: 2,
  },
  ...(["cn", "global"] as const).map((site): Case => ({
    row: 55,
    fault: `401 on the site ${site}`,
    targets: everything.filter((target) => !target.startsWith("fetch")),
    site,
    replies: [{ status: 401, body: '"Invalid token"' }],
    throws: { name: "AuthenticationError", reason: "auth", attempts: 1 },
    requests: 1,
    says: /Invalid token/,
    advises: site === "cn" ? /region: "global"/ : /region: "cn"/,
    oursOnly: "it knows nothing of two sites",
  })),
  refused(
    55,
    "401 anywhere: not asked again",
    { status: 401, body: '"Invalid token"' },
    { name: "AuthenticationError", reason: "auth", attempts: 1 },
    { targets: everything, says: /Invalid token/ },
  ),
  refused(
    56,
    "400 with code 20012",
    { status: 400, body: failure(20012, "Model does not exist. Please check it carefully.") },
    { name: "NotFoundError", reason: "notFound", code: 20012 },
    { says: /Model does not exist/, advises: /models\.list/ },
  ),
];

const request = { model: "Qwen/Qwen3-8B", messages: [{ role: "user", content: "Hello" }] };

async function waitsTogether(
  baseURL: string,
  apiKey: string,
  server: { requests: unknown[] },
): Promise<string | undefined> {
  const retries: number[] = [];
  let told: (() => void) | undefined;
  const waits = new Promise<void>((resolve) => (told = resolve));
  const client = new SiliconFlowClient({
    apiKey,
    baseURL,
    onRetry({ attempt }) {
      retries.push(attempt);
      two = client.chat.create(request);
    },
    onWait: () => told!(),
  });
  let two: Promise<unknown> | undefined;
  const one = client.chat.create(request);
  await waits;
  const meanwhile = server.requests.length;
  await Promise.all([one, two]);
  await client.close();
  if (meanwhile !== 1) return "the other call did not wait";
  return retries.length === 1 && server.requests.length === 3 ? undefined : `${server.requests.length} requests`;
}

async function tellsTheLimiter(baseURL: string, apiKey: string): Promise<string | undefined> {
  const told: string[] = [];
  const client = new SiliconFlowClient({
    apiKey,
    baseURL,
    limiter: {
      acquire: async () => ({
        settle: ({ tokens }) => void told.push(`used ${tokens}`),
        penalize: ({ limit }) => void told.push(`limit ${limit}`),
      }),
    },
  });
  await client.chat.create(request);
  await client.close();
  const seen = told.join(", ");
  return seen === "limit TPM, used 0, used 15" ? undefined : `the limiter was told: ${seen}`;
}
