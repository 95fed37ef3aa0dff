import { existsSync, readFileSync } from "node:fs";
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import type { Case } from "./case.ts";
import { play } from "./judge.ts";
import { ours } from "./ours.ts";
import { rows } from "./rows.ts";

/** Makes a test of each case and target of a section. */
export function prove(section: string, cases: readonly Case[]): void {
  // Suites that are concurrent run beside one another as well; the others wait for their turn.
  describe.concurrent(`${section}:`, () => {
    proveEach(cases.filter(({ alone }) => !alone));
  });
  for (const entry of cases.filter(({ alone }) => alone)) {
    describe(`${section}, alone:`, () => {
      proveEach([entry]);
    });
  }
}

function proveEach(cases: readonly Case[]): void {
  for (const entry of cases) {
    const title = `${entry.row} ${rows[entry.row]}: ${entry.fault}`;
    for (const target of entry.targets) {
      test(`${title} (${target})`, async () => {
        const { wrong, outcome } = await play(entry, target, ours);
        expect(wrong, inspect(outcome, { depth: 4 })).toBeUndefined();
      });
    }
    if (entry.elsewhere) proveElsewhere(title, entry.elsewhere);
  }
}

function proveElsewhere(title: string, { file, test: name }: NonNullable<Case["elsewhere"]>): void {
  test(`${title}: see ${file}`, () => {
    const path = new URL(`../../${file}`, import.meta.url);
    expect(existsSync(path) && readFileSync(path, "utf8").includes(name)).toBe(true);
  });
}
