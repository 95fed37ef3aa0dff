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
  /** How many were refused with 429. */
  refused: number;
}

const accounts = new Map<number, Account>();

// The server's own account of each answer, from outside of it.
subscribe("http.server.request.start", (message) => {
  const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
  const account = accounts.get(request.socket.localPort ?? 0);
  if (account === undefined) return;
  const at = Date.now();
  const from = String(request.headers["x-process"]);
  response.once("close", () => {
    if (response.statusCode === 200) account.uses.push({ at, from, amount: 1 });
    if (response.statusCode === 429) account.refused += 1;
  });
});

export async function openAccount(limits: Limits): Promise<Account> {
  const emulator = await startEmulator({ limits });
  const account: Account = { emulator, uses: [], refused: 0 };
  accounts.set(Number(new URL(emulator.url).port), account);
  return account;
}
