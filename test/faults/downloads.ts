import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SiliconFlowClient } from "@langchain-siliconflow/client";
import { DirectoryArtifactStore, SiliconFlowImageTool } from "@langchain-siliconflow/tools";
import { answers, healthy, refused, takesAtMost, type Case, type Setup } from "./case.ts";
import type { Answering, FaultServer, Reply } from "./fault-server.ts";
import { makeName } from "./resolver.ts";

const GiB = 1024 ** 3;
const inside = "http://169.254.169.254/latest/meta-data/";
const png = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0]);
const blocked = { name: "SiliconFlowError", reason: "blockedAddress", retryable: false } as const;

/** A file that cannot be had, and why. */
const withheld = (fault: string, reply: Answering, throws: Record<string, unknown>, more: Partial<Case> = {}): Case =>
  refused(62, fault, reply, throws, { targets: ["download"], ...more });

/** A link of somebody else's: how it is made from the port, and whether the client may ask the network around it. */
const elsewhere = (
  fault: string,
  linkTo: (port: number) => string,
  replies: readonly Answering[],
  ends: Record<string, unknown>,
  options: { allowPrivateNetwork?: boolean; requests?: number } = {},
): Case => ({
  row: 62,
  fault,
  targets: ["download"],
  replies,
  async run({ setup: { apiKey, maxRetries }, server }) {
    const { allowPrivateNetwork = false, requests = 0 } = options;
    const client = new SiliconFlowClient({ apiKey, maxRetries, baseURL: "https://siliconflow.test/v1" });
    const end: object = await client.assets
      .download(linkTo(server.port), { allowPrivateNetwork })
      .catch((error: Error) => error);
    const differs = Object.keys(ends).find((name) => (end as Record<string, unknown>)[name] !== ends[name]);
    if (differs !== undefined) return `${differs} is not ${String(ends[differs])}: ${String(end)}`;
    if (server.requests.some(({ headers }) => headers.authorization !== undefined)) return "the key goes along";
    return server.requests.length === requests ? undefined : `${server.requests.length} requests`;
  },
});

/** A picture is drawn and kept in a folder; `look` says what is wrong with how it ended. */
const drawn = (
  fault: string,
  file: Reply,
  path: string,
  look: (end: unknown, names: readonly string[]) => string | undefined,
): Case => ({
  row: 62,
  fault,
  targets: ["image"],
  replies: [({ prompt }, { host }) => (prompt === undefined ? file : picturesAt(`http://${host}${path}`))],
  oursOnly: "it draws nothing",
  run: ({ setup: { url: baseURL, apiKey } }) =>
    inFolder(async (directory) => {
      const store = new DirectoryArtifactStore({ directory, maxBytes: 1024 * 1024 });
      const draw = new SiliconFlowImageTool({ model: "Kwai-Kolors/Kolors", store, apiKey, baseURL, maxRetries: 0 });
      const end = await draw.invoke({ prompt: "Hello" }).catch((error: unknown) => error);
      return look(end, await readdir(directory));
    }),
});

const picturesAt = (url: string): Reply => ({ body: JSON.stringify({ images: [{ url }], seed: 1 }) });

const leavesNothing =
  (reason: string) =>
  (end: unknown, names: readonly string[]): string | undefined => {
    if ((end as { reason?: unknown }).reason !== reason) return `ends with ${String(end)}`;
    return names.length === 0 ? undefined : `leaves ${names.join(", ")}`;
  };

const namedByUs = (end: unknown, names: readonly string[]): string | undefined =>
  names.length === 1 && /^image-[0-9a-f-]+\.png$/.test(names[0]!) && String(end).includes(names[0]!)
    ? undefined
    : `${String(end)}, and there lie: ${names.join(", ")}`;

async function inFolder(work: (folder: string) => Promise<string | undefined>): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), "downloads-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The file that was there stays what it was until the new one is whole. */
const replaces =
  (expected: string): NonNullable<Case["run"]> =>
  ({ setup, server }) =>
    inFolder(async (folder) => {
      const path = join(folder, "1.mp3");
      await writeFile(path, "before");
      await intoFile(setup, path).catch(() => undefined);
      const content = await readFile(path, "latin1");
      const names = await readdir(folder);
      if (server.requests.length === 0) return "nothing was asked";
      if (names.length > 1) return `leaves ${names.join(", ")}`;
      return content === expected ? undefined : `the file holds ${content.length} characters of another`;
    });

function intoFile({ url, apiKey }: Setup, path: string): Promise<unknown> {
  const client = new SiliconFlowClient({ apiKey, baseURL: url, maxRetries: 0 });
  return client.assets.download(new URL("/outputs/1.mp3", url), { path });
}

function keyless({ requests }: FaultServer): string | undefined {
  return requests.every(({ headers }) => headers.authorization === undefined) ? undefined : "the key goes along";
}

export const downloads: readonly Case[] = [
  {
    row: 62,
    fault: "a link of the service is asked without the key",
    targets: ["download"],
    replies: [healthy.download],
    returns: answers.download,
    requests: 1,
    check: ({ server }) => keyless(server),
  },
  ...[403, 404, 410].map((status) =>
    withheld(
      `the link has expired: ${status}`,
      { status, headers: { "content-type": "application/xml" }, body: "<Error>AccessDenied</Error>" },
      { name: "ApiError", reason: "assetExpired", status, retryable: false, attempts: 1 },
      { says: /an hour/, hides: /outputs/ },
    ),
  ),
  withheld(
    "the host of files is down, always",
    { status: 503, headers: { "retry-after": "0" } },
    { name: "ServiceUnavailableError", status: 503, attempts: 3 },
    { maxRetries: 2, requests: 3 },
  ),
  withheld("401 instead of a file", { status: 401 }, { name: "ApiError", status: 401, retryable: false }),
  ...[301, 302, 303, 307, 308].map((status) =>
    withheld(`${status} to an address inside`, { status, headers: { location: inside } }, blocked, {
      says: /169\.254/,
    }),
  ),
  withheld(
    "a redirect to a file of this machine",
    { status: 302, headers: { location: "file:///etc/passwd" } },
    blocked,
  ),
  withheld(
    "3 GiB announced: not read",
    { headers: { "content-length": String(3 * GiB) }, body: "ID3", then: "open" },
    { name: "InvalidResponseError", reason: "tooLarge" },
  ),
  withheld(
    "3 GiB that nobody announced: left at the limit",
    { body: "ID3", forever: "\0".repeat(256 * 1024), times: 12_288 },
    { name: "InvalidResponseError", reason: "tooLarge" },
    { maxBytes: 16 * 1024 * 1024, check: takesAtMost(40), alone: true },
  ),
  elsewhere("a link to an address inside", () => inside, [{}], blocked),
  elsewhere("a link to this machine", (port) => `http://127.0.0.1:${port}/1.mp3`, [healthy.download], blocked),
  elsewhere("a link to this machine, in hexadecimal", (port) => `http://0x7f000001:${port}/`, [{}], blocked),
  elsewhere("a link to a file of this machine", () => "file:///etc/passwd", [{}], blocked),
  elsewhere(
    "a link to a name that means this machine",
    (port) => `http://${makeName(["127.0.0.1"]).host}:${port}/1.mp3`,
    [healthy.download],
    blocked,
  ),
  elsewhere(
    "the same, where the network around may be asked: without the key",
    (port) => `http://${makeName(["127.0.0.1"]).host}:${port}/1.mp3`,
    [healthy.download],
    { contentType: "audio/mpeg" },
    { allowPrivateNetwork: true, requests: 1 },
  ),
  {
    row: 62,
    fault: "a name that means another address once it was checked: the socket goes to the one that was",
    targets: [],
    elsewhere: { file: "packages/client/src/resources/assets.test.ts", test: "what it means a moment later" },
  },
  {
    row: 62,
    fault: "a file that ends early leaves the one that was there",
    targets: ["download"],
    replies: [{ headers: { "content-length": "1000" }, body: "ID3", then: "close" }],
    run: replaces("before"),
  },
  {
    row: 62,
    fault: "a file that is whole replaces the one that was there",
    targets: ["download"],
    replies: [healthy.download],
    run: replaces(answers.download.text!),
  },
  drawn(
    "a page that calls itself a picture is not stored",
    { headers: { "content-type": "image/png" }, body: "<!doctype html><title>Please log in</title>" },
    "/outputs/1.png",
    leavesNothing("malformed"),
  ),
  drawn(
    "a picture without end is not stored",
    { headers: { "content-type": "image/png" }, body: png, forever: "\0".repeat(64 * 1024) },
    "/outputs/1.png",
    leavesNothing("tooLarge"),
  ),
  ...["/outputs/..%2F..%2Fescaped.png", "/outputs/%00.png", "/outputs/C:%5Cescaped.png"].map((path) =>
    drawn(
      `a link that ends in ${path.slice(9)}: the file has a name of ours`,
      { headers: { "content-type": "text/html", "content-disposition": 'attachment; filename="../../x"' }, body: png },
      path,
      namedByUs,
    ),
  ),
];
