import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { SiliconFlowClient } from "@langchain-siliconflow/client";
import { startEmulator } from "@langchain-siliconflow/emulator";
import { expect, it, vi } from "vitest";
import { repository } from "../guard/setup.ts";
import { canariesIn, everythingIn, secrets } from "./canaries.ts";

const messages = [{ role: "user" as const, content: "Hi." }];

it("a proxy's password is in no error, whether the proxy refuses, repeats it, or is down", async () => {
  const password = { password: "CanaryOfTheProxyP5vTn3Xk" };
  const echo = (request: { headers: NodeJS.Dict<string | string[]> }): string =>
    `Refused: ${String(request.headers["proxy-authorization"])} ${password.password}`;
  for (const status of [407, 502, 0]) {
    const proxy = createServer((request, response) => response.writeHead(status).end(echo(request)));
    proxy.on("connect", (request, socket) =>
      socket.end(`HTTP/1.1 ${status} No\r\nx-said: ${echo(request)}\r\n\r\n${echo(request)}`),
    );
    proxy.listen(0, "127.0.0.1");
    await once(proxy, "listening");
    const { port } = proxy.address() as AddressInfo;
    if (status === 0) proxy.close();
    for (const scheme of ["http", "https"]) {
      vi.stubEnv("HTTP_PROXY", `http://me:${password.password}@127.0.0.1:${port}`);
      const client = new SiliconFlowClient({
        apiKey: secrets.key,
        baseURL: `${scheme}://service.test/v1`,
        maxRetries: 0,
      });
      const error: unknown = await client.chat.create({ model: "m", messages }).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(Error);
      expect({ status, scheme, found: canariesIn(everythingIn(error), password) }).toEqual({
        status,
        scheme,
        found: [],
      });
      expect(canariesIn(everythingIn(client), password)).toEqual([]);
      await client.close();
    }
    proxy.closeAllConnections();
    if (status !== 0) proxy.close();
  }
});

it("what Node.js itself prints of undici and fetch, when told to, names the host and no secret", async () => {
  const emulator = await startEmulator({ apiKey: secrets.key });
  for (const entry of ["@langchain-siliconflow/client", "@langchain-siliconflow/client/fetch"]) {
    const program = `
      import { SiliconFlowClient } from "${entry}";
      const client = new SiliconFlowClient({ apiKey: "${secrets.key}", baseURL: "${emulator.url}" });
      await client.chat.create({ model: "Qwen/Qwen3-8B", messages: [{ role: "user", content: "Hi." }] });
      await client.close();`;
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program], {
      cwd: join(repository, "test"),
      env: { ...process.env, NODE_DEBUG: "undici,fetch,http,net,tls" },
    });
    expect(stderr).toMatch(/UNDICI|FETCH|NET/);
    expect(canariesIn(stdout + stderr)).toEqual([]);
  }
  expect(canariesIn(everythingIn(emulator.requests))).toEqual([]);
  await emulator.close();
});

it("the emulator's journal holds no key, wherever a request carries it beside its body", async () => {
  const emulator = await startEmulator({ apiKey: secrets.key });
  const { origin } = new URL(emulator.url);
  for (const headers of [
    { authorization: `Bearer ${secrets.key}` },
    { "x-api-key": secrets.key },
    { "x-other": `a ${secrets.key}` },
  ]) {
    await fetch(`${origin}/v1/models?api_key=${secrets.key}`, { headers: headers as Record<string, string> });
  }
  expect(emulator.requests).toHaveLength(3);
  expect(canariesIn(everythingIn(emulator.requests))).toEqual([]);
  await emulator.close();
});
