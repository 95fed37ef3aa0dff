import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { check, emptyTally, type Lines } from "./check.ts";
import { readersByFetch, ways } from "./ours.ts";
import { readersBySocket } from "./socket.ts";

// The first cases of the long lane (`npm run fuzz`), each in all ways.
const seed = 1;
const byFetch = readersByFetch();
let bySocket: Awaited<ReturnType<typeof readersBySocket>>;

beforeAll(async () => {
  bySocket = await readersBySocket();
});
afterAll(() => bySocket.close());

async function tallyOf(kind: "stream" | "answer", from: number, to: number, lines: Lines) {
  const tally = emptyTally();
  const readings = ways.map((way) => ({ way, lines }));
  for (let number = from; number < to; number += 1) await check({ seed, number, kind }, readings, tally);
  return tally;
}

describe.each(["stream", "answer"] as const)("for every spoiled %s, ours and the oracle agree", (kind) => {
  test("without sockets", { timeout: 60_000 }, async () => {
    const { crashes, disagreements, complete, damaged } = await tallyOf(kind, 0, 1200, byFetch);
    expect([...crashes, ...disagreements]).toEqual([]);
    // Either share could be empty only if the lane had stopped to test anything.
    expect(Math.min(complete, damaged)).toBeGreaterThan(300);
  });

  test("over sockets", { timeout: 60_000 }, async () => {
    const { crashes, disagreements } = await tallyOf(kind, 1500, 1600, bySocket);
    expect([...crashes, ...disagreements]).toEqual([]);
  });
});
