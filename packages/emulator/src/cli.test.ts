import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

// The built command: what users run. `npm test` builds first.
const command = fileURLToPath(new URL("../dist/cli.js", import.meta.url));

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

function start(...args: string[]) {
  const child = spawn(process.execPath, [command, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const ended: Ended = { code: null, stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (ended.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (ended.stderr += text));
  const end = once(child, "close").then(([code]) => ({ ...ended, code: code as number | null }));
  return { child, ended, end };
}

test("says that it is an emulator and where, serves, and ends on a signal", async () => {
  const { child, ended, end } = start("--port", "0", "--api-key", "sk-mine");
  await expect.poll(() => ended.stdout, { timeout: 10_000 }).toContain("Stop it");

  expect(ended.stdout).toContain("This is an emulator of the SiliconFlow API, not the service");
  expect(ended.stdout).toContain("sk-mine");
  const url = /http:\S+/.exec(ended.stdout)![0];
  const response = await fetch(`${url}/models`, { headers: { authorization: "Bearer sk-mine" } });
  expect(response.status).toBe(200);

  child.kill("SIGTERM");
  expect((await end).code).toBe(0);
});

test("refuses what is beyond the limits of its flags", async () => {
  const { child, ended, end } = start("--port", "0", "--rpm", "1", "--window", "fixed");
  await expect.poll(() => ended.stdout, { timeout: 10_000 }).toContain("Stop it");
  const embed = () =>
    fetch(`${/http:\S+/.exec(ended.stdout)![0]}/embeddings`, {
      method: "POST",
      headers: { authorization: "Bearer sk-emulator" },
      body: JSON.stringify({ model: "BAAI/bge-m3", input: "a" }),
    });
  // Of three at least two fall into one minute.
  const statuses = [await embed(), await embed(), await embed()].map(({ status }) => status);
  expect(statuses[0]).toBe(200);
  expect(statuses).toContain(429);

  child.kill("SIGTERM");
  expect((await end).code).toBe(0);
});

test("names the port that is taken, and ends with 1", async () => {
  const squatter = createServer().listen(0, "127.0.0.1");
  await once(squatter, "listening");
  const { port } = squatter.address() as { port: number };
  const { code, stderr } = await start("--port", String(port)).end;
  squatter.close();

  expect(code).toBe(1);
  expect(stderr).toBe(
    `siliconflow-emulator: port ${port} is taken. Choose another with --port, or --port 0 for a free one.\n`,
  );
});

test.each([
  [["--port", "abc"], '--port takes a whole number, not "abc".'],
  [["--port", "70000"], "port takes a whole number from 0 to 65535, not 70000."],
  [["--models", "huge"], 'models is "lexical" or "semantic", not "huge".'],
  [["--rpm", "0"], "limits.requestsPerMinute takes a whole number from 1"],
  [["--window", "round"], 'limits.window is "sliding" or "fixed"'],
  [["--colour"], "Unknown option '--colour'. See siliconflow-emulator --help."],
])("%j: one sentence, no stack, ends with 1", async (args, message) => {
  const { code, stdout, stderr } = await start(...args).end;
  expect(code).toBe(1);
  expect(stderr).toContain(message);
  expect(stderr).not.toMatch(/\n\s+at /);
  expect(stdout).toBe("");
});

test("--help lists the options and ends with 0", async () => {
  const { code, stdout } = await start("--help").end;
  expect(code).toBe(0);
  for (const option of ["--port", "--api-key", "--models", "--batch-cap", "--seed"]) expect(stdout).toContain(option);
});
