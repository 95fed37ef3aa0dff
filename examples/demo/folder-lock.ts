import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Failure } from "./failure.ts";

/**
 * Lets one process at a time into a folder. The embedded database has no lock of its own: two processes would damage it.
 * A lock whose process is gone was left by a killed run, and is taken over.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  await makeFolder(folder);
  const file = join(folder, "lock");

  for (let attempt = 0; ; attempt += 1) {
    try {
      await writeFile(file, String(process.pid), { flag: "wx" });
      return () => rm(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const owner = Number(await readFile(file, "utf8").catch(() => ""));
    if (attempt > 0 || isRunning(owner)) {
      throw new Failure(
        `Another run (process ${owner || "unknown"}) is using ${folder}. Wait until it ends, or set SILICONFLOW_DEMO_HOME to another folder. ` +
          `If there is no such run, delete ${file}.`,
      );
    }
    await rm(file, { force: true });
  }
}

/** Not `mkdir({ recursive: true })`: where a folder refuses new ones with ENOENT, as in /proc, Node.js tries for ever. */
async function makeFolder(folder: string): Promise<void> {
  if (await stat(folder).catch(() => undefined)) return;
  if (dirname(folder) !== folder) await makeFolder(dirname(folder));
  await mkdir(folder, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    // Another run may have been faster.
    if (error.code !== "EEXIST") throw error;
  });
}

function isRunning(pid: number): boolean {
  // A process id of 0 means that the other run is just now writing its own.
  if (!Number.isSafeInteger(pid) || pid <= 0) return true;
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
