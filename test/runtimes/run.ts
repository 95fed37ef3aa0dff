/**
 * Runs the built packages on the lowest Node.js they promise (22.19.0) and on the newest (26).
 * The runtimes are installed under other names, so that `node` stays the one the repository is developed on.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const runtimes = { "node-22": "v22.19.0", "node-26": "v26." };
let failed = 0;

for (const [name, version] of Object.entries(runtimes)) {
  const binary = fileURLToPath(new URL(`node_modules/${name}/bin/node`, import.meta.url));
  for (const program of ["smoke.mjs", "smoke.cjs"]) {
    const { status, stdout, stderr } = spawnSync(binary, [fileURLToPath(new URL(program, import.meta.url))], {
      encoding: "utf8",
      timeout: 60_000,
    });
    const report = status === 0 ? (JSON.parse(stdout) as { version: string }) : undefined;
    const passed = report?.version.startsWith(version) ?? false;
    if (!passed) failed += 1;
    console.log(`${passed ? "passed" : "FAILED"}  ${name}  ${program}  ${report ? JSON.stringify(report) : stderr}`);
  }
}

console.log(`runtimes: ${4 - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
