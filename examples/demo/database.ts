import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import pg from "pg";
import { Failure } from "./failure.ts";
import { lockFolder } from "./folder-lock.ts";

/** A PostgreSQL with pgvector, whichever it is. */
export interface Database {
  pool: pg.Pool;
  /** Where it is, to show. */
  place: string;
  close(): Promise<void>;
}

/** The PostgreSQL of `DATABASE_URL`, or one that runs inside this process and keeps its files in the user's cache. */
export async function openDatabase(env: NodeJS.ProcessEnv = process.env): Promise<Database> {
  const database = env["DATABASE_URL"] ? await openServer(env["DATABASE_URL"]) : await openEmbedded(cacheFolder(env));
  try {
    await database.pool.query("CREATE EXTENSION IF NOT EXISTS vector");
  } catch (error) {
    await database.close();
    throw new Failure(
      `The database at ${database.place} has no pgvector (${(error as Error).message}). Install the extension there, or unset DATABASE_URL to use the embedded database.`,
    );
  }
  return database;
}

/** Where the embedded database lives: `SILICONFLOW_DEMO_HOME`, or this user's cache directory as the system has it. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  // Under npm the working directory is the repository; INIT_CWD is where the command was typed.
  if (env["SILICONFLOW_DEMO_HOME"]) return resolve(env["INIT_CWD"] || ".", env["SILICONFLOW_DEMO_HOME"]);
  const caches = {
    darwin: join(homedir(), "Library", "Caches"),
    win32: env["LOCALAPPDATA"] || join(homedir(), "AppData", "Local"),
  }[process.platform as string];
  return join(env["XDG_CACHE_HOME"] || caches || join(homedir(), ".cache"), "langchain-siliconflow", "demo");
}

async function openServer(url: string): Promise<Database> {
  const place = shown(url);
  const pool = new pg.Pool({ connectionString: url, max: 4, connectionTimeoutMillis: 10_000 });
  // A connection that breaks while idle is replaced by the pool; without a listener it would end the process.
  pool.on("error", () => {});
  try {
    await pool.query("SELECT 1");
  } catch (error) {
    await pool.end();
    const { message, code } = error as NodeJS.ErrnoException;
    throw new Failure(
      `The database at ${place} does not answer (${message || code}). Check DATABASE_URL, or unset it to use the embedded database.`,
    );
  }
  return { pool, place, close: () => pool.end() };
}

/** The address without user and password. */
function shown(url: string): string {
  try {
    const { host, pathname } = new URL(url);
    return host + pathname;
  } catch {
    throw new Failure(
      "DATABASE_URL is not an address. It looks like postgres://user:password@localhost:5432/database.",
    );
  }
}

async function openEmbedded(home: string): Promise<Database> {
  const unlock = await lockFolder(home);
  try {
    const folder = join(home, "postgres-18");
    const ready = join(home, "postgres-18.ready");
    // A run killed while the files were first laid out leaves something that is no database yet.
    if (!existsSync(ready)) await rm(folder, { recursive: true, force: true });

    const [{ PGlite }, { vector }, { PGLiteSocketServer }] = await Promise.all([
      import("@electric-sql/pglite"),
      import("@electric-sql/pglite-pgvector"),
      import("@electric-sql/pglite-socket"),
    ]);
    const db = await PGlite.create(folder, { extensions: { vector } }).catch((cause: Error) => {
      throw new Failure(
        `The embedded database in ${folder} cannot be opened (${cause.message}). Delete ${home} and run again: everything is embedded anew.`,
      );
    });
    await writeFile(ready, "");

    const server = new PGLiteSocketServer({ db, host: "127.0.0.1", port: 0, maxConnections: 8 });
    await server.start();
    const [host, port] = server.getServerConn().split(":");
    // Every field is given, so that PGHOST, PGSSLMODE and their like have no say.
    const pool = new pg.Pool({
      host: host!,
      port: Number(port),
      user: "postgres",
      password: "postgres",
      database: "postgres",
      ssl: false,
      max: 4,
    });
    pool.on("error", () => {});

    return {
      pool,
      place: home,
      close: async () => {
        // In this order: the database must outlive the last statement, the lock the last write.
        await pool.end();
        await server.stop();
        await db.close();
        await unlock();
      },
    };
  } catch (error) {
    await unlock();
    throw error;
  }
}
