/** Real databases in a temporary folder, on free ports, for as long as the run takes. */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, globSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Database {
  readonly port: number;
  /** As a crash: nothing is said to anyone. */
  kill(): Promise<void>;
  /** Again, empty, on the same port. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** Undefined when there is no `redis-server` here. */
export async function startRedis(): Promise<Database | undefined> {
  if (!installed("redis-server")) return undefined;
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "limits-redis-"));
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder];
  const spawnIt = () => spawn("redis-server", args, { stdio: ["ignore", "pipe", "inherit"] });
  return await startDatabase({ port, folder, spawnIt, ready: "Ready to accept connections", killWith: "SIGKILL" });
}

/** Undefined when there is no PostgreSQL here, or no user but root to run it. */
export async function startPostgres(): Promise<Database | undefined> {
  const bin = globSync("/usr/lib/postgresql/*/bin").toSorted().at(-1);
  const user = unprivileged();
  if (bin === undefined || !existsSync(join(bin, "initdb")) || user === undefined) return undefined;
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "limits-postgres-"));
  if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid);
  const data = join(folder, "data");
  const initialize = ["-D", data, "-U", "limits", "-A", "trust", "--no-sync"];
  execFileSync(join(bin, "initdb"), initialize, { ...user, cwd: folder, stdio: "pipe" });
  const args = ["-D", data, "-h", "127.0.0.1", "-p", String(port), "-k", folder, "-F"];
  const spawnIt = () =>
    spawn(join(bin, "postgres"), args, { ...user, cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  // Its own immediate shutdown: it is several processes.
  return await startDatabase({ port, folder, spawnIt, ready: "ready to accept connections", killWith: "SIGQUIT" });
}

async function startDatabase(parts: {
  port: number;
  folder: string;
  spawnIt(): ChildProcess;
  ready: string;
  killWith: "SIGKILL" | "SIGQUIT";
}): Promise<Database> {
  const { port, folder, spawnIt, ready, killWith } = parts;
  let child = spawnIt();
  // Whatever ends the run takes its databases along.
  const onExit = () => {
    child.kill(killWith);
    rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", onExit);
  await said(child, ready);
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(killWith);
    await once(child, "exit");
  };
  return {
    port,
    kill,
    restart: async () => {
      child = spawnIt();
      await said(child, ready);
    },
    close: async () => {
      await kill();
      process.off("exit", onExit);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** PostgreSQL refuses to run as root. */
function unprivileged(): { uid?: number; gid?: number } | undefined {
  if (process.getuid?.() !== 0) return {};
  for (const name of ["postgres", "nobody"]) {
    try {
      const [uid, gid] = ["-u", "-g"].map((flag) => Number(execFileSync("id", [flag, name], { stdio: "pipe" })));
      return { uid: uid!, gid: gid! };
    } catch {
      // The next one.
    }
  }
  return undefined;
}

function installed(command: string): boolean {
  try {
    execFileSync(command, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function said(child: ChildProcess, words: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = "";
    const output = child.stdout ?? child.stderr!;
    output.setEncoding("utf8").on("data", (piece: string) => {
      text += piece;
      if (text.includes(words)) resolve();
    });
    child.once("exit", (code) => reject(new Error(`${child.spawnfile} ended with ${code}: ${text}`)));
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
