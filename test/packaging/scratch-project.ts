import { execFile, execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { repository } from "../guard/setup.js";

interface Manifest {
  name: string;
  version: string;
  dependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  peerDependenciesMeta?: Record<string, { optional?: boolean }>;
  exports: Record<string, unknown>;
}

export interface PackedPackage {
  /** Folder with the files of the tarball. */
  folder: string;
  manifest: Manifest;
  /** Folder of the package in this repository. */
  source: string;
}

/** Packs every published package as a release would, and unpacks the tarballs. */
export function packAll(into: string): PackedPackage[] {
  const { packageManager } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8")) as {
    packageManager: string;
  };
  const tarballs = join(into, "tarballs");
  mkdirSync(tarballs);
  const pnpm = ["--yes", "--prefer-offline", packageManager];
  execFileSync("npx", [...pnpm, "--filter", "./packages/*", "-r", "pack", "--pack-destination", tarballs], {
    cwd: repository,
    stdio: "pipe",
  });

  return readdirSync(tarballs).map((tarball) => {
    const folder = join(into, "unpacked", tarball.replace(/\.tgz$/, ""));
    mkdirSync(folder, { recursive: true });
    execFileSync("tar", ["-xzf", join(tarballs, tarball), "-C", folder, "--strip-components=1"]);
    const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
    const source = join(repository, "packages", manifest.name.split("/").at(-1)!);
    return { folder, manifest, source };
  });
}

/**
 * An empty project that has the tarballs installed, and of everything else only what their manifests declare.
 * Third-party packages are linked from this repository's own store: no registry is asked.
 */
export function scratchProject(
  packed: PackedPackage[],
  options: { without?: string[] } = {},
): { folder: string; remove(): void } {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "siliconflow-project-")));
  const modules = join(folder, "node_modules");
  for (const { folder: from, manifest } of packed) cpSync(from, join(modules, manifest.name), { recursive: true });

  for (const { manifest, source } of packed) {
    for (const name of declared(manifest)) {
      const target = join(modules, name);
      if (options.without?.includes(name) || existsSync(target)) continue;
      mkdirSync(dirname(target), { recursive: true });
      symlinkSync(realpathSync(join(source, "node_modules", name)), target);
    }
  }
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Names a package manager would install on its own: dependencies, and peers that are not optional. */
function declared(manifest: Manifest): string[] {
  const peers = Object.keys(manifest.peerDependencies ?? {}).filter(
    (name) => !manifest.peerDependenciesMeta?.[name]?.optional,
  );
  return [...Object.keys(manifest.dependencies ?? {}), ...peers];
}

/** Runs a file with the Node.js of this test; returns what it printed. Not synchronous: the server it talks to is in this process. */
export async function run(file: string, environment: Record<string, string> = {}): Promise<string> {
  const options = { cwd: dirname(file), env: { ...process.env, ...environment }, timeout: 30_000 };
  return (await promisify(execFile)(process.execPath, [file], options)).stdout;
}

/** Writes a file into the project and runs it. */
export async function runIn(
  folder: string,
  file: string,
  code: string,
  environment: Record<string, string> = {},
): Promise<string> {
  writeFileSync(join(folder, file), code);
  return await run(join(folder, file), environment);
}
