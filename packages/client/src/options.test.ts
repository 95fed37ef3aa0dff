import { inspect } from "node:util";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { InvalidInputError, isSiliconFlowError, SiliconFlowError } from "./errors.js";
import { SiliconFlowClient } from "./undici-client.js";

beforeEach(() => {
  vi.stubEnv("SILICONFLOW_API_KEY", undefined);
  vi.stubEnv("SILICONFLOW_BASE_URL", undefined);
  vi.stubEnv("SILICONFLOW_REGION", undefined);
});

function failure(make: () => unknown): SiliconFlowError {
  try {
    make();
  } catch (error) {
    if (isSiliconFlowError(error)) return error;
    throw error;
  }
  throw new Error("It was accepted.");
}

describe("the key", () => {
  test("comes from the option, else from the environment", () => {
    expect(() => new SiliconFlowClient({ apiKey: "sk-1" })).not.toThrow();
    vi.stubEnv("SILICONFLOW_API_KEY", "sk-2\n");
    expect(() => new SiliconFlowClient()).not.toThrow();
  });

  test("is asked for when there is none, or an empty one", () => {
    expect(failure(() => new SiliconFlowClient())).toMatchObject({
      name: "SiliconFlowError",
      reason: "auth",
      attempts: 0,
    });
    vi.stubEnv("SILICONFLOW_API_KEY", "sk-2");
    expect(failure(() => new SiliconFlowClient({ apiKey: "" }))).toMatchObject({ reason: "auth" });
  });

  test("that cannot stand in a header is refused without being shown", () => {
    const error = failure(() => new SiliconFlowClient({ apiKey: "sk-secret\r\nx-evil: 1" }));
    expect(error).toBeInstanceOf(InvalidInputError);
    expect(inspect(error)).not.toContain("sk-secret");
    expect(failure(() => new SiliconFlowClient({ apiKey: "Bearer sk-1" }))).toMatchObject({
      message: expect.stringContaining('Give the key alone, without "Bearer".'),
    });
  });

  test("is not shown by the client, however it is printed", () => {
    const client = new SiliconFlowClient({ apiKey: "sk-secret", headers: { "x-gateway-token": "hidden-too" } });
    const shown = [client, client.chat, { client }]
      .map((value) => inspect(value, { depth: 9, showHidden: true }) + JSON.stringify(value))
      .join();
    expect(shown).toContain("https://api.siliconflow.cn/v1");
    expect(shown).not.toMatch(/sk-secret|hidden-too/);
  });
});

describe("the address", () => {
  const baseURL = (options = {}) => new SiliconFlowClient({ apiKey: "sk-1", ...options }).baseURL;

  test("is that of the region, China first", () => {
    expect(baseURL()).toBe("https://api.siliconflow.cn/v1");
    expect(baseURL({ region: "global" })).toBe("https://api.siliconflow.com/v1");
    vi.stubEnv("SILICONFLOW_REGION", "global");
    expect(baseURL()).toBe("https://api.siliconflow.com/v1");
    expect(baseURL({ region: "cn" })).toBe("https://api.siliconflow.cn/v1");
  });

  test("is the given one, with /v1 where it has no path", () => {
    expect(baseURL({ baseURL: "http://127.0.0.1:8080" })).toBe("http://127.0.0.1:8080/v1");
    expect(baseURL({ baseURL: "http://127.0.0.1:8080/" })).toBe("http://127.0.0.1:8080/v1");
    expect(baseURL({ baseURL: "https://gateway.test/sf/v1/" })).toBe("https://gateway.test/sf/v1");
  });

  test("from the environment is weaker than any option", () => {
    vi.stubEnv("SILICONFLOW_BASE_URL", "https://env.test");
    expect(baseURL()).toBe("https://env.test/v1");
    expect(baseURL({ baseURL: "https://option.test" })).toBe("https://option.test/v1");
    expect(baseURL({ region: "global" })).toBe("https://api.siliconflow.com/v1");
  });

  test.each([
    "",
    "api.siliconflow.cn",
    "ftp://x.test",
    "https://user:pass@x.test",
    "https://x.test/v1?a=1",
    "https://x.test/#a",
  ])("%j is refused", (value) => {
    expect(failure(() => baseURL({ baseURL: value }))).toMatchObject({
      name: "InvalidInputError",
      reason: "invalidOption",
    });
  });

  test("of an unknown region is refused", () => {
    vi.stubEnv("SILICONFLOW_REGION", "mars");
    expect(failure(() => baseURL()).message).toContain("SILICONFLOW_REGION");
  });
});

describe("other options that cannot work are refused by name", () => {
  test.each<[string, object]>([
    ["timeouts", { timeouts: 5_000 }],
    ["headers", { headers: new Headers({ "x-a": "1" }) }],
    ["headers", { headers: [["x-a", "1"]] }],
    ["maxRetries", { maxRetries: -1 }],
    ["maxRetries", { maxRetries: 1.5 }],
    ["timeouts.idleMs", { timeouts: { idleMs: 0 } }],
    ["timeouts.totalMs", { timeouts: { totalMs: Number.NaN } }],
    ["maxResponseBytes", { maxResponseBytes: 0 }],
    ["authorization", { headers: { Authorization: "Bearer x" } }],
    ["content-length", { headers: { "Content-Length": "1" } }],
    ["x-a", { headers: { "x-a": "1\r\nx-b: 2" } }],
    ["header name", { headers: { "x a": "1" } }],
    ['"baseUrl". Did you mean baseURL?', { baseUrl: "http://127.0.0.1:1" }],
    ['no option "retries"', { retries: 3 }],
  ])("%s", (name, options) => {
    const error = failure(() => new SiliconFlowClient({ apiKey: "sk-1", ...options }));
    expect(error).toBeInstanceOf(InvalidInputError);
    expect(error.message).toContain(name);
  });
});
