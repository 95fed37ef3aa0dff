import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { SiliconFlowClient } from "@langchain-siliconflow/client";
import { Agent } from "undici";
import type { Way } from "./ways.ts";
import {
  all,
  answers,
  everything,
  healthy,
  paid,
  refused,
  services,
  unnoticed,
  type Case,
  type Setup,
} from "./case.ts";
import type { FaultServer, Reply } from "./fault-server.ts";

const fromEnvironment = { alone: true, oursOnly: "it takes no proxy from these variables" } as const;
const kib = 1024;

/** What stands before the server makes the first attempts fail: the user must not notice. */
const overcome = (row: number, fault: string, way: Way, more: Partial<Case> = {}): Case[] =>
  unnoticed(row, fault, all, [], { way, ...more });

/** No request arrives, and the error says why. */
const unreachable = (
  row: number,
  fault: string,
  way: Way,
  throws: Record<string, unknown>,
  more: Partial<Case> = {},
): Case => refused(row, fault, {}, throws, { targets: all, way, requests: 0, ...more });

/** A redirect to the same server, under another name of it or under the same. */
const redirect =
  (status: number, host?: string): ((body: unknown, headers: { host?: string | undefined }) => Reply) =>
  (_, headers) => {
    const port = headers.host!.split(":")[1]!;
    return { status, headers: { location: host ? `http://${host}:${port}/v1/moved` : "/v1/moved" }, body: "" };
  };

/** Whether a request that came under another name brought the key along. */
function strayKey({ requests }: FaultServer): string | undefined {
  const stray = requests.find(({ headers }) => headers.host?.startsWith("localhost"));
  if (stray === undefined) return undefined;
  return stray.headers.authorization === undefined ? undefined : "the key goes to the other host";
}

export const connection: readonly Case[] = [
  unreachable(
    1,
    "the name does not exist, ever",
    { names: ["ENOTFOUND"] },
    { name: "ConnectionError", reason: "dns", attempts: 2 },
    { says: /host-\d+\.test/, advises: /siliconflow\.cn.*siliconflow\.com/ },
  ),
  ...overcome(1, "the name does not exist at the first look-up", { names: ["ENOTFOUND", "127.0.0.1"] }),
  ...overcome(2, "the look-up fails once", { names: ["EAI_AGAIN", "127.0.0.1"] }),
  unreachable(
    2,
    "the look-up always fails",
    { names: ["EAI_AGAIN"] },
    { name: "ConnectionError", reason: "dns", retryable: true, attempts: 3 },
    { maxRetries: 2 },
  ),
  unreachable(
    3,
    "nothing listens",
    { names: ["127.0.0.2"] },
    { name: "ConnectionError", reason: "refused", attempts: 2 },
    { maxRetries: 1, advises: /refused the connection/ },
  ),
  ...overcome(3, "nothing listens at first", { names: ["127.0.0.2", "127.0.0.1"] }),
  unreachable(
    4,
    "no answer to the attempt to connect",
    { blackhole: true },
    { name: "TimeoutError", phase: "connect", attempts: 2 },
    { quiet: true, maxRetries: 1, targets: all.filter((target) => !target.startsWith("fetch")) },
  ),
  // `fetch` tells nobody when it is connected.
  unreachable(
    4,
    "no answer to the attempt to connect",
    { blackhole: true },
    { name: "TimeoutError", phase: "firstByte", attempts: 2 },
    { quiet: true, maxRetries: 1, targets: ["fetch", "fetchStream"] },
  ),
  ...(["of another authority", "expired", "for another name"] as const).map((kind) =>
    unreachable(
      5,
      `a certificate ${kind}`,
      { certificate: kind },
      { name: "ConnectionError", reason: "tls", retryable: false, attempts: 1 },
      { says: /certificate|altname/i, hides: /rejectUnauthorized|NODE_TLS_REJECT_UNAUTHORIZED/ },
    ),
  ),
  ...overcome(5, "a certificate of an authority that the machine trusts", { certificate: "good" }),
  {
    row: 5,
    fault: "an authority that only the dispatcher knows",
    targets: ["models"],
    way: { certificate: "of another authority" },
    replies: [healthy.models],
    oursOnly: "it takes no dispatcher",
    async run({ setup: { url, apiKey }, authority }) {
      const dispatcher = new Agent({ connect: { ca: authority! } });
      const { data } = await new SiliconFlowClient({ apiKey, baseURL: url, dispatcher }).models.list();
      await dispatcher.close();
      return data.length === 1 ? undefined : "no list";
    },
  },
  {
    row: 5,
    fault: "an authority that NODE_EXTRA_CA_CERTS names, as the error advises",
    targets: ["models"],
    way: { certificate: "of another authority", host: "localhost" },
    replies: [healthy.models],
    oursOnly: "Node.js reads it, for every library alike",
    run: ({ setup, authority }) => withExtraAuthority(setup, authority!),
  },
  ...overcome(6, "the first handshake is reset", { certificate: "good", resets: 1 }),
  unreachable(
    6,
    "every handshake is reset",
    { certificate: "good", resets: 9 },
    { name: "ConnectionError", reason: "reset", attempts: 2 },
    { maxRetries: 1 },
  ),
  ...paid.map((target): Case => ({
    row: 7,
    fault: "the second request on a kept connection is reset: not replayed, for it may have been begun",
    targets: [target],
    replies: [healthy[target], { refuses: true }, healthy[target]],
    calls: 2,
    throws: { reason: "reset", retryable: false, attempts: 1 },
    requests: 2,
    says: /may have been begun/,
  })),
  ...everything.map((target): Case => ({
    row: 7,
    fault: "the second request on a kept connection is reset before any byte of an answer",
    targets: [target],
    replies: [healthy[target], { refuses: true }, healthy[target]],
    calls: 2,
    returns: answers[target],
    requests: 3,
  })),
  ...everything
    .filter((target) => !target.startsWith("fetch"))
    .map((target): Case => ({
      row: 7,
      fault: "the same, and nothing may be tried again: the replay costs no retry",
      targets: [target],
      replies: [healthy[target], { refuses: true }, healthy[target]],
      calls: 2,
      maxRetries: 0,
      returns: answers[target],
      requests: 3,
      oursOnly: "a replay is a retry to it",
    })),
  ...all
    .filter((target) => !target.startsWith("fetch"))
    .flatMap((target): Case[] => [
      {
        row: 8,
        fault: "a proxy that works",
        targets: [target],
        replies: [healthy[target]],
        way: { proxy: "works" },
        returns: answers[target],
        requests: 1,
        ...fromEnvironment,
      },
      {
        row: 8,
        fault: "a proxy that is down, for a host that does without it",
        targets: [target],
        replies: [healthy[target]],
        way: { proxy: "is down", noProxy: true },
        returns: answers[target],
        requests: 1,
        ...fromEnvironment,
      },
      ...(["is down", "is a SOCKS proxy that is down", "wants a password"] as const).map((kind) =>
        unreachable(
          8,
          `a proxy that ${kind.replace("is a SOCKS proxy that is", "speaks SOCKS and is")}`,
          { proxy: kind },
          { name: "ConnectionError", reason: "proxy" },
          { targets: [target], maxRetries: 0, says: /proxy/i, tidies: /siliconflow\.(cn|com)/, ...fromEnvironment },
        ),
      ),
    ]),
  ...[301, 302, 307, 308].map((status): Case => ({
    row: 9,
    fault: `${status} to another host`,
    targets: all,
    replies: [redirect(status, "localhost"), { body: "{}" }],
    async run({ subject, target, setup, server }) {
      const ended = await subject.make[target]!(setup)().catch((error: unknown) => error);
      const { reason } = ended as { reason?: unknown };
      if (subject.ours && reason !== "blockedAddress") return `not refused: ${String(ended)}`;
      return strayKey(server);
    },
  })),
  ...[307, 308].flatMap((status) =>
    all.map((target): Case => ({
      row: 9,
      fault: `${status} on the same host`,
      targets: [target],
      replies: [redirect(status), healthy[target]],
      returns: answers[target],
      requests: 2,
    })),
  ),
  refused(
    9,
    "a redirect to itself, for ever",
    redirect(307),
    { reason: "blockedAddress" },
    { targets: services, requests: 2 },
  ),
  refused(
    9,
    "a redirect of a file to itself, for ever",
    redirect(307),
    { reason: "blockedAddress" },
    { targets: ["download"], requests: 4 },
  ),
  ...unnoticed(10, "headers never come, once", all, [{ silent: true }], { quiet: true }),
  refused(
    10,
    "headers never come, no try is left",
    { silent: true },
    { name: "TimeoutError", phase: "firstByte", retryable: true },
    { targets: [...everything, "download"], quiet: true, maxRetries: 0 },
  ),
  refused(
    10,
    "headers that trickle",
    {},
    { name: "TimeoutError", phase: "firstByte", retryable: true },
    { targets: [...everything, "download"], way: { toClient: { bytesPerSecond: 40 } }, quiet: true, maxRetries: 0 },
  ),
  refused(
    10,
    "the connection hangs as soon as it is made",
    {},
    { name: "TimeoutError", phase: "firstByte", retryable: true },
    { targets: [...everything, "download"], way: { toClient: { hangMs: Infinity } }, quiet: true, maxRetries: 0 },
  ),
  unreachable(
    11,
    "a header of 20 KiB",
    { bytes: [`HTTP/1.1 200 OK\r\nx-long: ${"x".repeat(20 * kib)}\r\ncontent-length: 2\r\n\r\n{}`] },
    { name: "InvalidResponseError", reason: "tooLarge", attempts: 1 },
  ),
  unreachable(
    11,
    "headers of which there is no end",
    { bytes: ["HTTP/1.1 200 OK\r\n", `x-long: ${"x".repeat(60 * kib)}\r\n`], endless: true },
    { name: "InvalidResponseError", reason: "tooLarge", attempts: 1 },
  ),
  unreachable(
    11,
    "something else than HTTP",
    { bytes: ["SSH-2.0-OpenSSH_9.7\r\n"] },
    { name: "InvalidResponseError", reason: "malformed", attempts: 1 },
  ),
];

/** A process of its own asks the server, and trusts whom its environment names. */
async function withExtraAuthority({ url, apiKey }: Setup, authority: string): Promise<string | undefined> {
  const folder = mkdtempSync(join(tmpdir(), "authority-"));
  const file = join(folder, "authority.pem");
  writeFileSync(file, authority);
  const script = `
    import { SiliconFlowClient } from "@langchain-siliconflow/client";
    const { data } = await new SiliconFlowClient(${JSON.stringify({ baseURL: url, apiKey })}).models.list();
    console.log(data.length);`;
  try {
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], {
      cwd: import.meta.dirname,
      env: { ...process.env, NODE_EXTRA_CA_CERTS: file },
    });
    return stdout.trim() === "1" ? undefined : stdout;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
