import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { repository } from "../guard/setup.js";

const page = readFileSync(join(repository, "README.md"), "utf8");
const [heading, , ...rows] = page
  .slice(page.indexOf("| endpoint |"))
  .split("\n\n", 1)[0]!
  .split("\n")
  .map((line) => line.split("|").slice(1, -1));
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
      expect(row).toHaveLength(heading!.length);
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
});
