import { expect, test, vi } from "vitest";
import { SiliconFlowClient } from "../undici-client.js";

vi.mock("undici", () => {
  throw new TypeError("Cannot read properties of undefined (reading 'bind')");
});

test("where undici cannot be loaded, the error says what to do, and nothing is tried again", async () => {
  const client = new SiliconFlowClient({ apiKey: "sk-test", baseURL: "http://127.0.0.1:9/v1" });
  await expect(client.models.list()).rejects.toMatchObject({
    name: "InvalidInputError",
    message: expect.stringContaining("needs Node.js 22.19 or later"),
    retryable: false,
  });
});
