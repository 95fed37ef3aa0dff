import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { repository } from "../guard/setup.js";

export interface DocumentedExample {
  /** File and line, for the name of the test. */
  place: string;
  code: string;
  /** Needs something a test has not (a browser, a server of the reader's own): it is compiled, not run. */
  compileOnly: boolean;
}

/**
 * Every block of TypeScript in the documentation: fenced blocks of the READMEs and guides, and `@example`s of the sources.
 * A block fenced as `ts` is compiled and run; as `ts compile-only`, only compiled.
 */
export function documentedExamples(): DocumentedExample[] {
  const pages = globSync(["*.md", "docs/**/*.md", "packages/*/README.md", "examples/README.md"], {
    cwd: repository,
    exclude: ["**/node_modules/**"],
  });
  const sources = globSync("packages/*/src/**/*.ts", {
    cwd: repository,
    exclude: ["**/*.test.ts", "**/node_modules/**"],
  });
  return [...pages, ...sources]
    .toSorted()
    .flatMap((file) => blocksOf(file, readFileSync(join(repository, file), "utf8")));
}

function blocksOf(file: string, source: string): DocumentedExample[] {
  const fence = /^(?<margin>[ \t]*(?:\* )?)```ts(?<flag> compile-only)?\n(?<code>[\s\S]*?)^[ \t]*(?:\* ?)?```$/gm;
  return [...source.matchAll(fence)].map((match) => {
    const { margin = "", flag, code = "" } = match.groups!;
    const line = source.slice(0, match.index).split("\n").length;
    const lines = code.split("\n").map((each) => (margin.includes("*") ? each.replace(/^[ \t]*\* ?/, "") : each));
    return { place: `${file}:${line}`, code: lines.join("\n"), compileOnly: flag !== undefined };
  });
}
