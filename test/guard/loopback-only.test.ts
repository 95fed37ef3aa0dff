import { execFile } from "node:child_process";
import dns from "node:dns/promises";
import { createServer } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { promisify } from "node:util";
import { Agent, request } from "undici";
import { describe, expect, test } from "vitest";

const execute = promisify(execFile);

/** The code at the bottom of an error: undici wraps what the socket reports. */
function codeOf(error: unknown): unknown {
  let current = error as { code?: unknown; cause?: unknown };
  while (current.cause !== undefined) current = current.cause as typeof current;
  return current.code;
}

describe("a test cannot leave this machine", () => {
  test("the built-in fetch is refused", async () => {
    const error = await fetch("http://203.0.113.7/").catch((reason: unknown) => reason);
    expect(codeOf(error)).toBe("ERR_NETWORK_REFUSED");
  });

  test("undici with an Agent of its own is refused", async () => {
    const dispatcher = new Agent();
    const error = await request("https://api.siliconflow.cn/v1/models", { dispatcher }).catch(
      (reason: unknown) => reason,
    );
    expect(codeOf(error)).toBe("ERR_NETWORK_REFUSED");
    await dispatcher.close();
  });

  test("a plain socket is refused", async () => {
    const error = await new Promise((resolve) => connect(443, "203.0.113.7").on("error", resolve));
    expect(codeOf(error)).toBe("ERR_NETWORK_REFUSED");
  });

  test("a name look-up is refused", async () => {
    await expect(dns.lookup("api.siliconflow.cn")).rejects.toMatchObject({ code: "ERR_NETWORK_REFUSED" });
  });

  test("a name that is reserved for tests is looked up nowhere else", async () => {
    const error = await fetch("http://service.test/").catch((reason: unknown) => reason);
    expect(codeOf(error)).toBe("ERR_NETWORK_REFUSED");
  });

  test("a process that a test starts is refused too", async () => {
    const script = `fetch("http://203.0.113.7/").catch((error) => console.log(error.cause.code))`;
    const { stdout } = await execute(process.execPath, ["-e", script]);
    expect(stdout.trim()).toBe("ERR_NETWORK_REFUSED");
  });

  test("127.0.0.1 and localhost are reachable", async () => {
    const server = createServer((_, response) => response.end("here"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const answers = await Promise.all(
      ["127.0.0.1", "localhost"].map(async (host) => (await fetch(`http://${host}:${port}`)).text()),
    );
    expect(answers).toEqual(["here", "here"]);
    server.close();
  });
});

test("tests run on Node.js 24, whatever the machine has", () => {
  expect(process.versions.node.split(".")[0]).toBe("24");
});
