import { describe, expect, test } from "vitest";
import { type Bound, goals } from "./goals.ts";
import type { Outcome, Row } from "./pairing.ts";
import { readMemoryTable } from "./scenarios/memory.ts";
import { ratiosOf, spreadOf } from "./statistics.ts";
import { goalTable, outcomeTable } from "./table.ts";
import { exitCode, judge, restlessness } from "./verdict.ts";

const bound: Bound = {
  goal: "1",
  what: "stream, CPU a chunk",
  scenario: "stream",
  figure: "cpu",
  ours: "ours",
  against: "reference",
  limit: 2,
};
const byPeer: Bound = { ...bound, against: "peer", limit: 0.5 };

const row = (name: string, role: Row["role"], ...ratios: number[]): Row => ({
  name,
  role,
  values: { cpu: ratios.map((ratio) => ratio * 10) },
  ratios: { cpu: ratios },
});

const outcome = (...rows: Row[]): Outcome => ({
  scenario: "stream",
  title: "a stream",
  figures: { cpu: "CPU, µs" },
  rows: [row("raw", "reference", 1, 0.9, 1.1), ...rows],
});

const ours = row("ours", "ours", 1.5, 1.6, 9);
const slowPeer = row("slow peer", "peer", 8, 9, 10);
const quickPeer = row("quick peer", "peer", 5, 4, 18);

describe("a spread", () => {
  test("is of the middle, and of both ends", () => {
    expect(spreadOf([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 });
    expect(spreadOf([4, 1, 2, 3])).toEqual({ median: 2.5, min: 1, max: 4 });
  });

  test("of ratios is taken round by round", () => {
    expect(ratiosOf([2, 20], [1, 10])).toEqual([2, 2]);
  });
});

describe("a goal", () => {
  test("is met by the median, and its margin told", () => {
    expect(judge(bound, outcome(ours), false)).toMatchObject({
      result: "met",
      to: "raw",
      figure: { median: 1.6, min: 1.5, max: 9 },
      margin: expect.closeTo(0.2),
    });
  });

  test("is missed by a hair", () => {
    expect(judge({ ...bound, limit: 1.59 }, outcome(ours), false)).toMatchObject({ result: "MISSED" });
  });

  test("is about the best of the peers, round by round", () => {
    expect(judge(byPeer, outcome(slowPeer, ours, quickPeer), false)).toMatchObject({
      to: "quick peer",
      figure: { median: 0.4, min: 0.3, max: 0.5 },
      result: "met",
    });
  });

  test("leaves a peer out that read something else, however fast it was", () => {
    const wrong = { ...quickPeer, wrong: "read 4999 pieces" };
    expect(judge(byPeer, outcome(slowPeer, ours, wrong), false)).toMatchObject({ to: "slow peer" });
    expect(judge(byPeer, outcome(ours, wrong), false)).toMatchObject({ result: "not measured" });
  });

  test("may be about the figure alone", () => {
    expect(judge({ ...bound, against: "nothing", limit: 16 }, outcome(ours, slowPeer), false)).toMatchObject({
      figure: { median: 16 },
      margin: 0,
      result: "met",
    });
  });

  test("has more room in the short form", () => {
    expect(judge(bound, outcome(ours), true).limit).toBe(4);
    expect(judge({ ...bound, short: 5 }, outcome(ours), true).limit).toBe(5);
  });

  test.each([
    ["ours read something else", outcome({ ...ours, wrong: "read nothing" })],
    ["ours took no part", outcome(slowPeer)],
    ["the run is discarded", { ...outcome(ours), discarded: "restless" }],
    ["a figure is no number", outcome(row("ours", "ours", Number.NaN))],
  ])("is not met where %s", (_, figures) => {
    expect(judge(bound, figures, false).result).not.toBe("met");
  });

  test("is about scenarios, figures and rows that exist", async () => {
    const { scenarios } = await import("./scenarios/all.ts");
    for (const { scenario, figure, ours: name, against } of goals.filter((goal) => goal.against !== "nothing")) {
      const found = scenarios.find((each) => each.name === scenario);
      expect(Object.keys(found?.figures ?? {})).toContain(figure);
      expect(found?.entrants.find((entrant) => entrant.name === name)?.role).toBe("ours");
      expect(found?.entrants[0]?.role).toBe("reference");
      if (against === "peer") expect(found?.entrants.map(({ role }) => role)).toContain("peer");
    }
  });

  test("has a number from 1 to 12, each of them", () => {
    const numbers = new Set(goals.map(({ goal }) => goal).filter((goal) => goal !== "growth"));
    expect([...numbers].map(Number).sort((one, other) => one - other)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  });
});

describe("a run", () => {
  test.each([
    [0.79, true],
    [0.8, false],
    [1.2, false],
    [1.21, true],
  ])("whose reference stands at %d to itself is discarded: %s", (ratio, discarded) => {
    const figures = { ...outcome(ours), rows: [row("raw", "reference", ratio), ours] };
    expect(restlessness(figures, [bound], false) !== undefined).toBe(discarded);
  });

  test.each([
    [0.59, true],
    [0.6, false],
    [1.7, false],
    [1.71, true],
  ])("in the short form, whose reference stands at %d to itself, is discarded: %s", (ratio, discarded) => {
    const figures = { ...outcome(ours), rows: [row("raw", "reference", ratio), ours] };
    expect(restlessness(figures, [bound], true) !== undefined).toBe(discarded);
  });

  test("is judged by the figures that a goal is about", () => {
    const figures = { ...outcome(ours), rows: [row("raw", "reference", 3), ours] };
    expect(restlessness(figures, [{ ...bound, figure: "wall" }], false)).toBeUndefined();
  });

  test("fails with --check for a goal missed, for one that could not be measured, and for none at all", () => {
    const figures = outcome(ours);
    const met = judge(bound, figures, false);
    const missed = judge({ ...bound, limit: 1 }, figures, false);
    const discarded = judge(bound, { ...figures, discarded: "restless" }, false);
    const full = { check: true, short: false };
    expect(exitCode([met], [figures], full)).toBe(0);
    expect(exitCode([met, missed], [figures], full)).toBe(1);
    expect(exitCode([met, discarded], [figures], full)).toBe(1);
    expect(exitCode([], [], full)).toBe(1);
    expect(exitCode([missed, discarded], [figures], { check: false, short: false })).toBe(0);
  });

  test("in the short form puts up with a restless machine, while anything was measured", () => {
    const figures = outcome(ours);
    const met = judge(bound, figures, true);
    const missed = judge({ ...bound, short: 1 }, figures, true);
    const discarded = judge(bound, { ...figures, discarded: "restless" }, true);
    const short = { check: true, short: true };
    expect(exitCode([met, discarded], [figures], short)).toBe(0);
    expect(exitCode([missed, discarded], [figures], short)).toBe(1);
    expect(exitCode([discarded], [figures], short)).toBe(1);
  });

  test("fails for a wrong answer of ours, whatever was asked, and not for a peer's", () => {
    const met = judge(bound, outcome(ours), false);
    const peers = outcome(ours, row("ours too", "ours", 1), { ...slowPeer, wrong: "less" });
    expect(exitCode([met], [peers], { check: true, short: false })).toBe(0);
    const own = outcome(ours, { ...row("ours too", "ours", 1), wrong: "less" });
    expect(exitCode([met], [own], { check: false, short: false })).toBe(1);
  });
});

test("the tables tell figures, spreads, verdicts and what is wrong", () => {
  const figures = outcome(ours, quickPeer, { ...slowPeer, wrong: "read a | b\nand more" });
  expect(goalTable([judge(bound, figures, false), judge({ ...bound, goal: "2", limit: 1 }, figures, false)])).toBe(
    [
      "| goal | what | ours | min to max | at most | margin | |",
      "| --- | --- | --- | --- | --- | --- | --- |",
      "| 1 | stream, CPU a chunk | 1.60 × raw | 1.50 to 9.00 | 2.00 | 20 % | met |",
      "| 2 | stream, CPU a chunk | 1.60 × raw | 1.50 to 9.00 | 1.00 | -60 % | MISSED |",
    ].join("\n"),
  );
  const table = outcomeTable(figures);
  expect(table).toContain("stream: a stream (3 rounds)");
  expect(table).toContain("| ours | 16.0 | 1.60 (1.50 to 9.00) |");
  expect(table).toContain("| slow peer | wrong: read a / b |");
});

test("the table of the transfers is read, its failures too", () => {
  const table = [
    "| 16 MiB | before | peak | growth | MiB/s |",
    "| --- | --- | --- | --- | --- |",
    "| upload of a path | 60 | 80 | 20 | 500 |",
    "| sound to a file | 60 | 280 | 220, more than 128 | 400 |",
    "| video to a file | failed: the process ended |",
  ].join("\n");
  const { rows } = readMemoryTable(table, 16);
  expect(rows.map(({ name, values, wrong }) => [name, values["growth"], wrong])).toEqual([
    ["upload of a path", [20], undefined],
    ["sound to a file", [220], undefined],
    ["video to a file", undefined, "failed: the process ended"],
  ]);
});
