import { expect, test } from "vitest";
import { matrix } from "./matrix.ts";
import { prove } from "./prove.ts";
import { rowNumbers } from "./rows.ts";

test("every row of the table has a case", () => {
  const covered = new Set(Object.values(matrix).flatMap((cases) => cases.map(({ row }) => String(row))));
  expect(rowNumbers.filter((row) => !covered.has(row))).toEqual([]);
  expect(rowNumbers.length).toBe(67);
});

const { Connection: _, ...others } = matrix;
for (const [section, cases] of Object.entries(others)) prove(section, cases);
