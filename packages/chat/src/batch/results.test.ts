import { expect, test } from "vitest";
import { lineOf } from "./lines.js";
import { outcomesOf, readRows } from "./results.js";

const completion = { id: "1", choices: [{ index: 0, message: { role: "assistant", content: "Hi" } }] };

const origin = {
  client: {
    baseURL: "https://siliconflow.test/v1",
    batches: { redact: (text: string) => text.replaceAll("sk-canary", "***") },
  },
  requestOptions: {},
};

function rows(...values: object[]): ReturnType<typeof readRows>["rows"] {
  return readRows(values.map((value) => JSON.stringify(value)).join("\n"), origin).rows;
}

test.each([
  ["a refusal", { response: { status_code: 400, body: { code: 20015, message: "No." } } }, "BadRequestError", false],
  ["a refusal under error", { error: { code: "20015", message: "No." } }, "BadRequestError", false],
  ["a rate limit", { response: { status_code: 429, body: { message: "TPM limit" } } }, "RateLimitError", true],
  ["a busy model", { error: { code: "50505", message: "busy" } }, "ServiceUnavailableError", true],
  ["an expired line", { response: null, error: { code: "batch_expired" } }, "SiliconFlowError", true],
  ["a text for a body", { response: { status_code: 500, body: "oops" } }, "ServiceUnavailableError", true],
  ["no body at all", { response: { status_code: 200, body: null } }, "InvalidResponseError", false],
  ["neither", {}, "BadRequestError", false],
])("%s is a typed error", (_, row, name, again) => {
  const [found] = rows({ custom_id: "a", ...row });
  expect(found!.answer).toMatchObject({ error: { name }, again });
});

test.each([
  ["a body", { response: { status_code: 401, body: { code: 30001, message: "Bad key sk-canary." } } }],
  ["a text for a body", { response: { status_code: 500, body: "upstream sk-canary" } }],
  ["an error", { error: { code: "sk-canary", message: "Bad key sk-canary." } }],
])("%s that repeats a secret is quoted without it", (_, row) => {
  const [found] = rows({ custom_id: "a", ...row });
  const { error } = found!.answer as { error: Error };
  expect(error.message).toContain("***");
  expect(JSON.stringify([error.message, error, error.stack])).not.toContain("canary");
});

test("a body may be JSON in a text, and a status a text", () => {
  const [found] = rows({ custom_id: "a", response: { status_code: "200", body: JSON.stringify(completion) } });
  expect(found!.answer).toEqual({ completion });
});

test("a row that is cut off takes nothing from the others", () => {
  const good = JSON.stringify({ custom_id: "a", response: { status_code: 200, body: completion } });
  expect(readRows(`${good}\n{"custom_id": "b", "resp`, origin)).toEqual({
    rows: [{ customId: "a", answer: { completion } }],
    damaged: true,
  });
});

test("an answer beats an error of the same line, strangers are left out, and what is missing is said", async () => {
  const request = { model: "m", messages: [{ role: "user", content: "Hi" }] };
  const lines = await Promise.all([0, 1].map((position) => lineOf(position, request, 1000)));
  const [first, second] = lines.map(({ customId }) => customId);
  const good = { custom_id: first!, response: { status_code: 200, body: completion } };
  const bad = { custom_id: first!, error: { code: "50505" } };
  const outcomes = outcomesOf(lines, rows(bad, good, bad, { ...good, custom_id: "stranger" }));
  expect([...outcomes.keys()]).toEqual([first, second]);
  expect(outcomes.get(first!)).toEqual({ completion });
  expect(outcomes.get(second!)).toMatchObject({ error: { reason: "truncated", position: 1 }, again: true });
});
