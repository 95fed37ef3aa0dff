/**
 * `npm run demo`, `npm test`, `npm run example` and `npm run emulator` on a bare clone: installs and builds what is missing, then runs.
 *
 * Plain JavaScript without dependencies, since it runs before anything is installed, on whatever Node.js (18 or later)
 * the machine has. Everything after the installation runs on the Node.js that the lockfile names.
 * Installation and build print to stderr: stdout belongs to the command itself.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const bin = join(root, "node_modules", ".bin");
const windows = process.platform === "win32";

/** @type {Record<string, (args: string[]) => void>} */
const commands = {
  demo(args) {
    prepare("without tests");
    run("node", [join("examples", "demo", "main.ts"), ...args]);
  },
  example(args) {
    prepare("without tests");
    run("node", [join("examples", "run.ts"), ...args]);
  },
  emulator(args) {
    prepare("without tests");
    run("node", [join("packages", "emulator", "dist", "cli.js"), ...args]);
  },
  /** With arguments only the tests they select; without, everything that must hold. */
  test(args) {
    prepare();
    if (args.length === 0) {
      announce("format, lint, types, unused code");
      run("oxfmt", ["--check"], "quiet");
      run("oxlint", ["--quiet"]);
      pnpm(["exec", "turbo", "run", "typecheck"], "failure");
      run("knip", []);
    }
    announce("tests");
    const folder = mkdtempSync(join(tmpdir(), "siliconflow-tests-"));
    const report = join(folder, "report.json");
    const status = run(
      "vitest",
      ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`, ...args],
      "keep going",
    );
    if (existsSync(report)) console.log(countOf(JSON.parse(readFileSync(report, "utf8"))));
    rmSync(folder, { recursive: true, force: true });
    process.exitCode = status;
  },
  /** Any pnpm command, with the pinned pnpm: `npm run pnpm -- add …`. */
  pnpm(args) {
    pnpm(args, "inherit");
  },
};

/** Programs of their own in `test/`, each with what follows its name: too slow or too particular for the tests. */
const lanes = {
  /** The built packages on the lowest and the newest Node.js they promise to run on. */
  runtimes: "runtimes/run.ts",
  /** The defects of other chat models, side by side with ours. With an argument only those whose name contains it. */
  peers: "peers/run.ts",
  /** Every row of the fault matrix, for our models and for others: a table. */
  faults: "peers/faults.ts",
  /** Four processes that share the limits of one account, through Redis and through PostgreSQL. */
  limits: "limits/run.ts",
  /** 200 callers through a minute without a service. */
  outage: "outage/run.ts",
  /** A million damaged streams, and what an independent reader says of them. */
  fuzz: "fuzz/run.ts",
  /** A hundred thousand calls, one in ten of which meets a fault. */
  soak: "soak/run.ts",
  /** A gibibyte up and down: what it costs in memory. */
  memory: "memory/run.ts",
  /** The goals of speed and memory: ours, undici alone and others side by side. */
  bench: "bench/run.ts",
};
for (const [name, file] of Object.entries(lanes)) {
  commands[name] = (args) => {
    prepare();
    run("node", [join("test", file), ...args]);
  };
}

// Ctrl-C is the program's to handle: it tidies up and leaves with a code of its own, which is then ours.
process.on("SIGINT", () => {});

const [name = "", ...args] = process.argv.slice(2);
const command = commands[name];
if (!command) fail(`Unknown command "${name}". Choose one of: ${Object.keys(commands).join(", ")}.`);
if (Number(process.versions.node.split(".")[0]) < 18)
  fail(`Node.js 18 or later is needed to start; this is ${process.version}.`);
command(args);

/** @param {"everything" | "without tests"} extent */
function prepare(extent = "everything") {
  install(extent);
  // turbo decides what is stale; it calls pnpm itself, so it runs beneath it.
  announce("building what has changed");
  pnpm(["exec", "turbo", "run", "build"], "failure");
}

/**
 * Skipped while nothing it depends on has changed, so that a second run needs no network and no time.
 * @param {"everything" | "without tests"} extent the tests alone need two more versions of Node.js: slow over a slow link
 */
function install(extent) {
  const stamp = join(root, "node_modules", ".installed");
  const wanted = fingerprint();
  const [present, presentExtent] = existsSync(stamp) ? readFileSync(stamp, "utf8").split("\n") : [];
  if (present === wanted && (presentExtent === "everything" || presentExtent === extent)) return;
  announce("installing what the lockfile names (once)");
  const filters =
    extent === "everything"
      ? []
      : ["", "/bench", "/peers", "/runtimes"].flatMap((each) => ["--filter", `!./test${each}`]);
  pnpm(["install", "--frozen-lockfile", "--prefer-offline", ...filters], "stderr");
  writeFileSync(stamp, `${wanted}\n${extent}`);
}

function fingerprint() {
  const hash = createHash("sha256");
  const folders = [
    "",
    "examples",
    "test",
    "test/bench",
    "test/peers",
    "test/runtimes",
    ...readdirSync(join(root, "packages")).map((each) => `packages/${each}`),
  ];
  const files = ["pnpm-lock.yaml", "pnpm-workspace.yaml", ...folders.map((each) => join(each, "package.json"))];
  for (const file of files) if (existsSync(join(root, file))) hash.update(file).update(readFileSync(join(root, file)));
  return hash.digest("hex");
}

/**
 * `npx --prefer-offline`: plain npx asks the registry even for a cached version, and hangs without a network.
 * @param {string[]} args
 * @param {"inherit" | "stderr" | "failure"} output where its output goes: "failure" shows it only when it fails
 */
function pnpm(args, output) {
  const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const result = spawnSync(
    windows ? "npx.cmd" : "npx",
    // npm's own warnings are noise beside a build; an installation may show them, and everything else it has to say.
    [...(output === "failure" ? ["--loglevel=error"] : []), "--yes", "--prefer-offline", packageManager, ...args],
    {
      cwd: root,
      shell: windows,
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
      stdio: output === "inherit" ? "inherit" : output === "stderr" ? ["ignore", 2, 2] : ["ignore", "pipe", "pipe"],
      env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1", npm_config_update_notifier: "false" },
    },
  );
  if (result.error) fail(`npx could not be started (${result.error.message}). Is npm installed?`);
  if (result.status === 0) return;
  if (result.signal === "SIGINT" || result.status === 130) {
    console.error("Stopped. Run the same command again to go on from here.");
    process.exit(130);
  }
  if (output === "failure") console.error(`${result.stdout}${result.stderr}`);
  const hint =
    args[0] === "install"
      ? " The first run needs the npm registry: check the network or the proxy (HTTPS_PROXY), then run again."
      : "";
  fail(`"pnpm ${args.join(" ")}" failed.${hint}`);
}

/**
 * Runs an installed program on the pinned Node.js. Leaves with its exit code unless told to go on.
 * @param {string} program
 * @param {string[]} args
 * @param {"quiet" | "keep going" | undefined} mode
 */
function run(program, args, mode = undefined) {
  const result = spawnSync(join(bin, windows ? `${program}.cmd` : program), args, {
    cwd: root,
    shell: windows,
    stdio: mode === "quiet" ? ["ignore", 2, 2] : "inherit",
    // The pinned Node.js comes first for every program that asks the PATH for "node".
    env: { ...process.env, PATH: bin + delimiter + process.env.PATH, INIT_CWD: process.env.INIT_CWD ?? process.cwd() },
  });
  if (result.error) fail(`${program} could not be started: ${result.error.message}`);
  // No status: a signal ended it, as the shell would report Ctrl-C.
  const status = result.status ?? 128 + 2;
  if (status !== 0 && mode !== "keep going") process.exit(status);
  return status;
}

/** @param {{ numPassedTests: number, numFailedTests: number, numPendingTests: number, numTodoTests: number }} report */
function countOf(report) {
  const skipped = report.numPendingTests + report.numTodoTests;
  return `${report.numPassedTests} passed, ${report.numFailedTests} failed${skipped ? `, ${skipped} skipped` : ""}`;
}

/** @param {string} step */
function announce(step) {
  console.error(`\n▸ ${step}`);
}

/**
 * @param {string} message
 * @returns {never}
 */
function fail(message) {
  console.error(message);
  process.exit(1);
}
