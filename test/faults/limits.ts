import { ContextOverflowError } from "@langchain/core/errors";
import {
  all,
  answers,
  every,
  everything,
  healthy,
  refused,
  services,
  unnoticed,
  type Asking,
  type Case,
} from "./case.ts";
import { neverFits, tellsTheLimiter, waitsTogether } from "./own-clients.ts";
import { failure, limited } from "./wire.ts";

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

/** For each way of asking the model most like the one it asks for. */
const nearest: Record<Asking, string> = {
  invoke: "Qwen/Qwen3-9B",
  stream: "Qwen/Qwen3-9B",
  fetch: "Qwen/Qwen3-9B",
  fetchStream: "Qwen/Qwen3-9B",
  messages: "zai-org/GLM-4.7",
  messagesStream: "zai-org/GLM-4.7",
  complete: "Qwen/Qwen3-Coder-31B-A3B-Instruct",
  completeStream: "Qwen/Qwen3-Coder-31B-A3B-Instruct",
  embed: "BAAI/bge-m4",
  rerank: "BAAI/bge-reranker-v2-m4",
  image: "Kwai-Kolors/Kolors2",
  speak: "FunAudioLLM/CosyVoice3-0.5B",
  speakStream: "FunAudioLLM/CosyVoice3-0.5B",
  submitVideo: "Wan-AI/Wan2.3-T2V-A14B",
  transcribe: "TeleAI/TeleSpeechASR2",
  models: "",
  video: "",
  upload: "",
  batch: "",
  createBatch: "",
  download: "",
};
const listed = JSON.stringify({
  object: "list",
  data: [...new Set(Object.values(nearest))].filter(Boolean).map((id) => ({ id })),
});

export const limits: readonly Case[] = [
  ...unnoticed(46, "429 for requests per minute, without Retry-After", services, [
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
    run: ({ setup, server }) => waitsTogether(setup, server),
  },
  ...unnoticed(47, "429 for tokens per minute, without Retry-After", services, [{ status: 429, body: limited("TPM") }]),
  {
    row: 47,
    fault: "the limiter is told of the limit, and that nothing was used",
    targets: ["invoke"],
    replies: [{ status: 429, body: limited("TPM"), headers: retryNow }, healthy.invoke],
    oursOnly: "it takes no limiter",
    run: ({ setup }) => tellsTheLimiter(setup),
  },
  {
    row: 47,
    fault: "a request larger than the whole limit is never sent",
    targets: ["invoke"],
    replies: [healthy.invoke],
    oursOnly: "it takes no limiter",
    run: ({ setup, server }) => neverFits(setup, server),
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
  {
    row: 48,
    fault: "the limiter fails at once, or waits where it may",
    targets: [],
    elsewhere: {
      file: "packages/client/src/limits/memory-rate-limiter.test.ts",
      test: "parks the line with waitForHoursAndDays",
    },
  },
  refused(
    49,
    "402 without balance",
    { status: 402, body: failure(30001, balance) },
    { name: "InsufficientBalanceError", reason: "balance", retryable: false, code: 30001 },
    { targets: services, says: /balance/ },
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
  ...unnoticed(51, "503 busy", all, [
    { status: 503, headers: retryNow, body: failure(50508, "System is too busy now. Please try again later.") },
  ]),
  ...unnoticed(51, "504 with HTML", all, [
    { status: 504, headers: { ...retryNow, "content-type": "text/html" }, body: page },
  ]),
  ...unnoticed(51, "500 with code 60000", all, [
    { status: 500, headers: retryNow, body: failure(60000, "unknown error") },
  ]),
  ...unnoticed(51, "502 twice", all, [
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
    row: 51,
    fault: "a model that stays down is asked now and then, not by every call",
    targets: ["invoke"],
    maxRetries: 0,
    replies: [{ status: 503, body: failure(50508, "System is too busy now.") }],
    async run({ subject, setup, server }) {
      const call = subject.make.invoke!({ ...setup, maxRetries: 0 });
      const fails = async (): Promise<boolean> =>
        call().then(
          () => false,
          () => true,
        );
      for (let count = 0; count < 10; count += 1) if (!(await fails())) return "silent success";
      const later = await Promise.all(Array.from({ length: 20 }, fails));
      if (!later.every(Boolean)) return "silent success";
      return server.requests.length <= 15 ? undefined : `30 calls send ${server.requests.length} requests`;
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
    targets: services.filter((target) => !target.startsWith("fetch")),
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
    { targets: services, says: /Invalid token/ },
  ),
  ...([...every, "image", "speak", "speakStream", "transcribe", "submitVideo"] as const).map((target): Case => ({
    row: 56,
    fault: "a model that is not there: the error names the nearest that is",
    targets: [target],
    replies: [
      { status: 400, body: failure(20012, "Model does not exist. Please check it carefully.") },
      { body: listed },
    ],
    throws: { name: "NotFoundError", reason: "notFound", code: 20012, attempts: 1, suggestions: [nearest[target]] },
    // The second one asks for the list.
    requests: 2,
    says: /Model does not exist/,
    advises: new RegExp(nearest[target]),
  })),
  refused(
    56,
    "404 for an address that is not there",
    { status: 404, body: '"404 page not found"' },
    { name: "NotFoundError", reason: "notFound", attempts: 1, suggestions: [] },
    { says: /page not found/, advises: /base URL/ },
  ),
];
