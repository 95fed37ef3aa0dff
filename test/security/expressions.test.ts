import { isSafe } from "redos-detector";
import { describe, expect, it } from "vitest";
import { Mask } from "../../packages/client/src/mask.ts";
import { adversaries, collectExpressions } from "./expressions.ts";

/**
 * Expressions that the detector cannot prove linear, each with why it is. The detector counts the search for a place to begin
 * as a part of the expression: a repetition that cannot reach into another attempt is linear all the same.
 */
const reviewed: Record<string, string> = {
  "/<!--|-->|<(\\/?)([a-z!][^<>]*)>/gi": "an attempt ends where the next one can begin; 16 KiB at most",
  "/\\b(Bearer\\s+)[\\w.~+/=-]{4,}/gi": "an attempt ends at the first space behind a word; 68 KiB at most",
};

// The emulator reads the requests of your own tests, on 127.0.0.1: no text of strangers, and no promise but to come to an end.
const expressions = collectExpressions();
const published = expressions.filter(({ file }) => !file.startsWith("packages/emulator/"));
const literals = published.filter(({ regex }) => regex !== undefined);
const ofEmulator = expressions.filter(({ file }) => file.startsWith("packages/emulator/"));

describe("regular expressions", () => {
  it("are found", () => {
    expect(published.length).toBeGreaterThan(30);
    expect(ofEmulator.length).toBeGreaterThan(50);
  });

  it("are put together at run time in one place of what reads the service's answers: from the secrets to mask", () => {
    const dynamic = published.filter(({ regex }) => regex === undefined).map(({ file }) => file);
    expect(dynamic).toEqual(["packages/client/src/mask.ts"]);
  });

  it("made of secrets take no longer for texts full of their beginnings", () => {
    const secret = "sk-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab";
    const mask = new Mask([secret, "%%%%%%%%%%%%%%", "\\\\\\\\\\\\\\"]);
    for (const piece of [
      "sk-aaa",
      "a",
      "%61",
      "\\u0061",
      "&#x61;",
      "&#97;",
      "%",
      "\\",
      "&#",
      btoa(secret).slice(0, 20),
    ]) {
      const before = process.cpuUsage();
      mask.apply(piece.repeat((64 * 1024) / piece.length));
      expect(process.cpuUsage(before).user / 1000).toBeLessThan(limitMs);
    }
  });

  it.each(literals)("$written of $file is proven linear, or reviewed", ({ written, regex }) => {
    const linear = isBounded(regex!) || isSafe(regex!, { maxScore: 30 }).safe;
    expect({ written, linear }).toEqual({ written, linear: !Object.hasOwn(reviewed, written) });
  });

  it("are all that the list of reviewed ones names", () => {
    const written = new Set(published.map((each) => each.written));
    expect(Object.keys(reviewed).filter((each) => !written.has(each))).toEqual([]);
  });

  it.each(literals)("$written of $file takes no longer for 64 KiB made against it", ({ regex }) => {
    expect(slowest(regex!, 64 * 1024)).toBeLessThan(limitMs);
  });

  it.each(ofEmulator.filter(({ regex }) => regex !== undefined))(
    "$written of $file, which reads local requests, comes to an end",
    ({ regex }) => {
      expect(slowest(regex!, 512)).toBeLessThan(limitMs);
    },
  );

  it("would not pass if one were slow", () => {
    expect(isSafe(/^(a+)+$/).safe).toBe(false);
    expect(timeOf(/\s+$/, `${" ".repeat(48 * 1024)}x`)).toBeGreaterThan(limitMs);
  });
});

/** Without a repetition that has no end, each attempt to match is done after so many steps, however long the text. */
function isBounded({ source }: RegExp): boolean {
  const plain = source.replaceAll(/\\[^]/g, "").replaceAll(/\[[^\]]*\]/g, "");
  return !/[*+]|\{\d+,\}|\\[1-9]/.test(plain);
}

/** A linear search of 64 KiB takes a few milliseconds at most, a quadratic one more than a second. */
const limitMs = 200;

/** Time of the processor, not of the clock, so that a busy machine changes nothing. */
function slowest(regex: RegExp, length: number): number {
  let worst = 0;
  for (const text of adversaries(regex, length)) {
    let time = timeOf(regex, text);
    // Twice before it counts: a collection of garbage may have come in between.
    if (time > limitMs) time = Math.min(time, timeOf(regex, text));
    if (time > limitMs) return time;
    worst = Math.max(worst, time);
  }
  return worst;
}

function timeOf(regex: RegExp, text: string): number {
  regex.lastIndex = 0;
  const before = process.cpuUsage();
  text.replace(regex, "");
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
