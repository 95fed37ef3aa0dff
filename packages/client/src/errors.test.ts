import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import * as errors from "./errors.js";

const partial = { content: "the answer", reasoning_content: "", tool_calls: [], finish_reason: null };

const all: [string, errors.SiliconFlowError][] = [
  ["SiliconFlowError", new errors.SiliconFlowError("x")],
  ["InvalidInputError", new errors.InvalidInputError("x", { position: 3 })],
  ["ApiError", new errors.ApiError("x", { status: 418 })],
  ["BadRequestError", new errors.BadRequestError("x", { status: 400 })],
  ["ContextLengthError", new errors.ContextLengthError("x", { status: 400 })],
  ["AuthenticationError", new errors.AuthenticationError("x", { status: 401 })],
  ["PermissionDeniedError", new errors.PermissionDeniedError("x", { status: 403 })],
  ["InsufficientBalanceError", new errors.InsufficientBalanceError("x", { status: 402 })],
  ["NotFoundError", new errors.NotFoundError("x", { status: 404 })],
  ["PayloadTooLargeError", new errors.PayloadTooLargeError("x", { status: 413 })],
  ["RateLimitError", new errors.RateLimitError("x", { status: 429 })],
  ["ServiceUnavailableError", new errors.ServiceUnavailableError("x", { status: 503 })],
  ["ConnectionError", new errors.ConnectionError("x")],
  ["TimeoutError", new errors.TimeoutError("x", { phase: "idle", partial })],
  ["StreamError", new errors.StreamError("x", { partial })],
  ["InvalidResponseError", new errors.InvalidResponseError("x")],
  ["JobFailedError", new errors.JobFailedError("x", { id: "b1", status: "failed", job: { id: "b1" } })],
  [
    "PartialFailureError",
    new errors.PartialFailureError("x", { results: [[1]], failures: [], resume: async () => [] }),
  ],
];

describe.each(all)("%s", (name, error) => {
  test("is called so, also in its stack and in JSON", () => {
    expect(error.name).toBe(name);
    expect(error.stack).toMatch(new RegExp(`^${name}: x`));
    expect(JSON.parse(JSON.stringify(error))).toMatchObject({ name, message: "x", reason: error.reason, attempts: 0 });
  });

  test("is recognised by its brand", () => {
    expect(errors.isSiliconFlowError(error)).toBe(true);
  });
});

test("there is a test for every error that is exported", () => {
  const names = Object.keys(errors).filter((name) => name.endsWith("Error") && name !== "isSiliconFlowError");
  expect(all.map(([name]) => name).toSorted()).toEqual(names.toSorted());
});

test("other errors and values are not recognised", () => {
  for (const value of [new Error("x"), null, undefined, "x", {}]) expect(errors.isSiliconFlowError(value)).toBe(false);
});

test("what had arrived of an answer is at hand, but not in a log", () => {
  for (const error of [
    new errors.StreamError("x", { partial }),
    new errors.TimeoutError("x", { phase: "idle", partial }),
  ]) {
    expect(error.partial).toEqual(partial);
    expect(inspect(error) + JSON.stringify(error)).not.toContain("the answer");
  }
});

test("a cause is told by its name and message", () => {
  const error = new errors.ConnectionError("x", { reason: "reset", cause: new TypeError("why") });
  expect(error.toJSON()).toMatchObject({ cause: { name: "TypeError", message: "why" } });
});
