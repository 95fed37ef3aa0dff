import { fileURLToPath } from "node:url";
import "./loopback-only.mjs";

// Processes that a test starts are guarded as well, as long as it hands its environment on.
const guard = `--import=${new URL("loopback-only.mjs", import.meta.url).href}`;
if (!process.env["NODE_OPTIONS"]?.includes(guard)) {
  process.env["NODE_OPTIONS"] = [process.env["NODE_OPTIONS"], guard].filter(Boolean).join(" ");
}

// What the person who runs the tests has set must not decide how they end.
for (const name of Object.keys(process.env)) {
  if (/^(SILICONFLOW_|OPENAI_|LANGSMITH_|LANGCHAIN_|LC_OUTPUT_VERSION|DATABASE_URL$)/.test(name))
    delete process.env[name];
  if (/^(https?|all|no)_proxy$/i.test(name)) delete process.env[name];
}

/** The root of this repository, for tests that start programs. */
export const repository = fileURLToPath(new URL("../..", import.meta.url));
