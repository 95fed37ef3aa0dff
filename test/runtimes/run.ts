/**
 * Runs the built packages on the lowest Node.js they promise (22.19.0) and on the newest (26), and with the lowest
 * `@langchain/core` they promise. The runtimes are installed under other names, so that `node` stays the one the
 * repository is developed on.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { onLowestCore } from "./core-floor.ts";

const runtimes = { "node-22": "v22.19.0", "node-26": "v26." };
let passed = 0;
let failed = 0;

function count(isRight: boolean, name: string, program: string, report: string): void {
  if (isRight) passed += 1;
  else failed += 1;
  console.log(`${isRight ? "passed" : "FAILED"}  ${name}  ${program}  ${report}`);
}

for (const [name, version] of Object.entries(runtimes)) {
  const binary = fileURLToPath(new URL(`node_modules/${name}/bin/node`, import.meta.url));
  for (const program of ["smoke.mjs", "smoke.cjs"]) {
    const { status, stdout, stderr } = spawnSync(binary, [fileURLToPath(new URL(program, import.meta.url))], {
      encoding: "utf8",
      timeout: 60_000,
    });
    const report = status === 0 ? (JSON.parse(stdout) as { version: string }) : undefined;
    count(
      report?.version.startsWith(version) ?? false,
      name,
      program,
      report === undefined ? stderr : JSON.stringify(report),
    );
  }
}

try {
  count(true, "core-floor", "core-floor.mjs", onLowestCore());
} catch (error) {
  count(false, "core-floor", "core-floor.mjs", String(error));
}

console.log(`runtimes: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
