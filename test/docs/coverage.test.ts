import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { repository } from "../guard/setup.js";

/** The table of endpoints in a README: its heading and its rows, each a list of cells. */
function tableOf(file: string, firstCell: string): { heading: string[]; rows: string[][] } {
  const page = readFileSync(join(repository, file), "utf8");
  const lines = page
    .slice(page.indexOf(`| ${firstCell} |`))
    .split("\n\n", 1)[0]!
    .split("\n");
  const [heading, , ...rows] = lines.map((line) => line.split("|").slice(1, -1));
  return { heading: heading!, rows };
}

/** What a row says in any language: code and links. */
function factsOf(rows: string[][]): unknown {
  const all = (row: string[], pattern: RegExp) => Array.from(row.join("|").matchAll(pattern), ([, fact]) => fact);
  return rows.map((row) => ({ code: all(row, /`([^`]+)`/g), links: all(row, /\]\(([^)]+)\)/g) }));
}

const { heading, rows } = tableOf("README.md", "endpoint");
const described = parse(readFileSync(join(repository, "test/contract/openapi.yaml"), "utf8")) as {
  paths: Record<string, Record<string, unknown>>;
};
/** Served for batches whose results are an id: no page of the service names it. */
const guessed = new Set(["GET /files/{file_id}/content"]);

describe("the README's table of endpoints", () => {
  test("has a row for every endpoint of the service", () => {
    const endpoints = Object.entries(described.paths).flatMap(([path, methods]) =>
      Object.keys(methods)
        .filter((method) => ["get", "post"].includes(method))
        .map((method) => `${method.toUpperCase()} ${path}`),
    );
    const named = rows.map((row) => row[0]).join(" ");
    expect(endpoints.length).toBeGreaterThan(20);
    const missing = endpoints.filter(
      (each) => !guessed.has(each) && !named.includes(`\`${each.replace("{batch_id}", "{id}")}\``),
    );
    expect(missing).toEqual([]);
  });

  test("has no empty cell", () => {
    for (const row of rows) {
      expect(row).toHaveLength(heading.length);
      expect(row.filter((cell) => cell.trim() === "")).toEqual([]);
    }
  });

  test("leads to files that exist", () => {
    const links = [
      ...rows
        .flat()
        .join()
        .matchAll(/\]\(([^)]+)\)/g),
    ].map(([, link]) => link!);
    expect(links.length).toBeGreaterThan(25);
    expect(links.filter((link) => !existsSync(join(repository, link)))).toEqual([]);
  });

  test("says the same in Chinese", () => {
    expect(factsOf(tableOf("README.zh-CN.md", "接口").rows)).toEqual(factsOf(rows));
  });
});
