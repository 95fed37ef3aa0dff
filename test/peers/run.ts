/**
 * The same faults, one model beside the other: `npm run peers`. Every defect is an entry of one of the `*-defects.ts`.
 * Each model runs in a process of its own, so that nothing one leaves behind is another's.
 * Nothing leaves this machine: what a model asks of another host is refused, and counts.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { startFaultServer } from "../faults/fault-server.ts";
import "../guard/loopback-only.mjs";
import { callDefects } from "./call-defects.ts";
import { historyDefects } from "./history-defects.ts";
import { peers } from "./peers.ts";
import type { Defect, Outcome, Peer, Scene } from "./scenario.ts";
import { secretDefects } from "./secret-defects.ts";
import { streamDefects } from "./stream-defects.ts";

const limitMs = 3000;
const [only = ""] = process.argv.slice(2);
const entries = [...streamDefects, ...callDefects, ...historyDefects, ...secretDefects].filter(({ group, name }) =>
  `${group}: ${name}`.includes(only),
);
if (entries.length === 0) {
  console.error(`No row's group and name contain "${only}". docs/comparison.md lists them.`);
  process.exit(1);
}

const peer = peers.find(({ name }) => name === process.env["PEER"]);
if (peer) await fill(peer);
else await compare();

async function compare(): Promise<void> {
  // A key or a proxy of the machine must not decide what is seen.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(OPENAI|DEEPSEEK|SILICONFLOW|LANGSMITH|LANGCHAIN|LC)_|_proxy$/i.test(name),
    ),
  );
  const columns = await Promise.all(
    peers.map(async ({ name }) => {
      const cells: string[] = [];
      // What the libraries print about the faults would tear the table.
      const child = fork(import.meta.filename, [only], { env: { ...env, PEER: name }, stdio: "ignore" });
      child.on("message", (cell) => void cells.push(String(cell)));
      await once(child, "exit");
      if (cells.length < entries.length)
        throw new Error(`${name} ended after ${cells.length} of ${entries.length} defects.`);
      return cells;
    }),
  );

  let group = "";
  console.log(`| defect | ${peers.map(({ name }) => name).join(" | ")} |\n| --- |${" --- |".repeat(peers.length)}`);
  for (const [row, entry] of entries.entries()) {
    if (entry.group !== group) console.log(`| **${(group = entry.group)}** |${" |".repeat(peers.length)}`);
    console.log(`| ${entry.name} | ${columns.map((cells) => cells[row]).join(" | ")} |`);
  }
  const shown = columns.map((cells) => cells.filter((cell) => cell !== "ok").length);
  console.log(`| **defects shown, of ${entries.length}** | ${shown.map((count) => `**${count}**`).join(" | ")} |`);
  process.exitCode = shown.at(-1) === 0 ? 0 : 1;
}

/** One column, cell by cell, to the process that asked for it. */
async function fill(model: Peer): Promise<void> {
  const foreign: string[] = [];
  const fetchOfNode = globalThis.fetch;
  globalThis.fetch = (input, init) => {
    const { hostname } = new URL(input instanceof Request ? input.url : input);
    if (hostname !== "127.0.0.1") foreign.push(hostname);
    return fetchOfNode(input, init);
  };
  // A call that was cut off may fail later, when nobody waits for it.
  process.on("unhandledRejection", () => {});

  for (const entry of entries) {
    const server = await startFaultServer(entry.replies);
    const scene: Scene = { peer: model, server, foreign, model: (fields) => model.make(server.url, fields) };
    Object.assign(process.env, entry.env);
    const outcome = await outcomeOf(entry, scene);
    for (const name of Object.keys(entry.env ?? {})) delete process.env[name];
    process.send!(entry.judge(outcome, scene) ?? "ok");
    await server.close();
  }
  // Calls that were cut off hold the process.
  process.disconnect();
  process.exit();
}

async function outcomeOf(entry: Defect, scene: Scene): Promise<Outcome<unknown>> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<Outcome<unknown>>((resolve) => {
    timer = setTimeout(() => resolve({ hangs: true }), limitMs);
  });
  // A call may also throw at once.
  const call = (async () => ({ value: await entry.call(scene) }))().catch((error: unknown) => ({
    error: error instanceof Error ? error : new Error(String(error)),
  }));
  const outcome = await Promise.race([call, limit]);
  clearTimeout(timer);
  return outcome;
}
