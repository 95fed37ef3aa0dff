/**
 * The built packages with the lowest `@langchain/core` they promise, in a project of their own: a package manager may
 * put it beside them, and there is only one of it then, also for `@langchain/openai`.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

interface Manifest {
  name: string;
  dependencies?: Record<string, string>;
}

const repository = fileURLToPath(new URL("../..", import.meta.url));
const ours = ["client", "chat", "embeddings", "rerank", "tools", "langchain-siliconflow", "emulator"];
const programs = ["smoke.steps.mjs", "core-floor.mjs"];

/** Runs the program; throws what it printed when it fails. */
export function onLowestCore(): string {
  const project = realpathSync(mkdtempSync(join(tmpdir(), "siliconflow-core-floor-")));
  try {
    const floor = join(repository, "test/runtimes/node_modules/core-floor");
    install(project, realpathSync(floor));
    for (const name of ours) install(project, join(repository, "packages", name));
    install(project, realpathSync(join(repository, "packages/chat/node_modules/@langchain/openai")));
    for (const program of programs) cpSync(fileURLToPath(new URL(program, import.meta.url)), join(project, program));

    const { status, stdout, stderr } = spawnSync(process.execPath, [join(project, "core-floor.mjs")], {
      encoding: "utf8",
      timeout: 60_000,
    });
    if (status !== 0) throw new Error(stderr);
    return stdout.trim();
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
}

/** Copies a package, and links those of its dependencies that are not copied themselves: a link would find its own core. */
function install(project: string, source: string): void {
  const { name, dependencies } = manifestOf(source);
  const target = join(project, "node_modules", name);
  const modules = join(source, "node_modules");
  cpSync(source, target, { recursive: true, filter: (path) => path !== modules });

  for (const dependency of Object.keys(dependencies ?? {})) {
    if (dependency.startsWith("@langchain")) continue;
    const link = join(target, "node_modules", dependency);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(realpathSync(join(besides(source, name), dependency)), link);
  }
}

/** Folder where the dependencies of a package are: its own of a package of ours, the one around it in pnpm's store. */
function besides(source: string, name: string): string {
  return source.startsWith(join(repository, "packages"))
    ? join(source, "node_modules")
    : join(source, ...name.split("/").map(() => ".."));
}

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
}
