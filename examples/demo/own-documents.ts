import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Collection } from "./documents.ts";

/** The folder that names of the project's own documents are relative to. */
export const repository = fileURLToPath(new URL("../..", import.meta.url));

/** Without `--docs`: what this project says of itself, and the LangChain packages it is installed with of themselves. */
export async function ownDocuments(): Promise<Collection> {
  const packages = await namesIn("packages");
  const pages = await namesIn("docs");
  const candidates = [
    "README.md",
    "README.zh-CN.md",
    "CONTRIBUTING.md",
    ...pages.filter((page) => page.endsWith(".md")).map((page) => join("docs", page)),
    ...packages.map((name) => join("packages", name, "README.md")),
    join("examples", "README.md"),
    ...["core", "classic", "community", "textsplitters"].map((name) =>
      join("examples", "node_modules", "@langchain", name, "README.md"),
    ),
    join("packages", "chat", "node_modules", "@langchain", "openai", "README.md"),
    join("examples", "node_modules", "langchain", "README.md"),
  ];
  const files = candidates.map((file) => join(repository, file)).filter((file) => existsSync(file));
  return { root: repository, files };
}

async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(join(repository, folder), { recursive: folder === "docs" }).catch(() => [])).toSorted();
}
