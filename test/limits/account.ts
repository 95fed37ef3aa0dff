/** One account at the service: an emulator that enforces its limits, and a count of what it saw. */
import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage, ServerResponse } from "node:http";
import { startEmulator, type Emulator, type Limits } from "@langchain-siliconflow/emulator";

/** A request that was let in. */
export interface Use {
  at: number;
  /** Which process sent it. */
  from: string;
  amount: number;
}

export interface Account {
  readonly emulator: Emulator;
  /** What was let in. */
  readonly uses: Use[];
  /** When requests were refused with 429. */
  readonly refused: number[];
}

const accounts = new Map<number, Account>();

// The server's own account of each answer, from outside of it.
subscribe("http.server.response.finish", (message) => {
  const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
  const account = accounts.get(request.socket.localPort ?? 0);
  if (account === undefined) return;
  if (response.statusCode === 429) account.refused.push(Date.now());
});
subscribe("http.server.request.start", (message) => {
  const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
  const account = accounts.get(request.socket.localPort ?? 0);
  if (account === undefined) return;
  const at = Date.now();
  const from = String(request.headers["x-process"]);
  response.once("close", () => {
    if (response.statusCode === 200) account.uses.push({ at, from, amount: 1 });
  });
});

export async function openAccount(limits: Limits): Promise<Account> {
  const emulator = await startEmulator({ limits });
  const account: Account = { emulator, uses: [], refused: [] };
  accounts.set(Number(new URL(emulator.url).port), account);
  return account;
}

/**
 * The rate that was held, as a part of the limit: how long it took, on average, until as much again as a whole limit was used.
 * The burst of the first minute, which costs no waiting, is no part of it.
 */
export function rateHeld(uses: readonly Use[], limit: number, windowMs = 60_000): number {
  const ordered = uses.toSorted((one, other) => one.at - other.at);
  let ahead = 0;
  let sum = 0;
  let times = 0;
  let span = 0;
  for (const use of ordered) {
    while (ahead < ordered.length && span < limit) {
      span += ordered[ahead]!.amount;
      ahead += 1;
    }
    if (span < limit || ahead >= ordered.length) break;
    sum += ordered[ahead]!.at - use.at;
    times += 1;
    span -= use.amount;
  }
  return times === 0 ? 0 : windowMs / (sum / times);
}

/** The most that any window of this length held. */
export function mostWithin(uses: readonly Use[], windowMs = 60_000): number {
  const ordered = uses.toSorted((one, other) => one.at - other.at);
  let most = 0;
  let sum = 0;
  let oldest = 0;
  for (const { at, amount } of ordered) {
    sum += amount;
    while (ordered[oldest]!.at <= at - windowMs) {
      sum -= ordered[oldest]!.amount;
      oldest += 1;
    }
    most = Math.max(most, sum);
  }
  return most;
}
