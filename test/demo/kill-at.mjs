/**
 * Loaded into the demo by a test: ends it with SIGKILL at the statement that KILL_AT names,
 * `"<before|after> <count>. <start of the statement>"`. A killed process gets no chance to tidy up.
 */
import pg from "pg";

const { Pool } = pg;

const [, when, count, statement] = /^(before|after) (\d+)\. (.*)$/.exec(process.env.KILL_AT ?? "") ?? [];
const query = Pool.prototype.query;
let seen = 0;

Pool.prototype.query = async function killing(...args) {
  const isIt = statement && String(args[0]).replace(/\s+/g, " ").trim().startsWith(statement);
  if (isIt) seen += 1;
  const now = isIt && seen === Number(count);
  if (now && when === "before") process.kill(process.pid, "SIGKILL");
  const result = await query.apply(this, args);
  if (now && when === "after") process.kill(process.pid, "SIGKILL");
  return result;
};
