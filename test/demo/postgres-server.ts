import { createRequire } from "node:module";

/** The parts of PGlite that are used here; it is installed for the examples, not for the tests. */
interface Database {
  query<Row>(sql: string): Promise<{ rows: Row[] }>;
  close(): Promise<void>;
}
interface SocketServer {
  start(): Promise<void>;
  stop(): Promise<void>;
  getServerConn(): string;
}

/** A PostgreSQL with pgvector on a free port of this machine, in memory, in this process. */
export async function startPostgres() {
  const require = createRequire(new URL("../../examples/package.json", import.meta.url));
  const { PGlite } = require("@electric-sql/pglite") as { PGlite: { create(options: object): Promise<Database> } };
  const { vector } = require("@electric-sql/pglite-pgvector") as { vector: object };
  const { PGLiteSocketServer } = require("@electric-sql/pglite-socket") as {
    PGLiteSocketServer: new (options: object) => SocketServer;
  };
  const db = await PGlite.create({ extensions: { vector } });
  const server = new PGLiteSocketServer({ db, host: "127.0.0.1", port: 0, maxConnections: 8 });
  await server.start();
  return {
    url: `postgres://postgres:postgres@${server.getServerConn()}/postgres`,
    tables: async () => {
      const { rows } = await db.query<{ tablename: string }>(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
      );
      return rows.map((row) => row.tablename);
    },
    close: async () => {
      await server.stop();
      await db.close();
    },
  };
}
