/**
 * Runs an example: `npm run example chat/hello`.
 *
 * With SILICONFLOW_API_KEY set the service answers. Without it an emulator is started on this machine, and the example
 * finds it through the same environment variables it would find the service by.
 */
import { existsSync, globSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { startEmulator } from "@langchain-siliconflow/emulator";
import { isSiliconFlowError } from "langchain-siliconflow";

const here = fileURLToPath(new URL(".", import.meta.url));
const names = globSync("{agent,audio,batch,chat,client,retrieval,video}/*.ts", { cwd: here })
  .map((file) => file.replaceAll("\\", "/").replace(/\.ts$/, ""))
  .toSorted();

const name = (process.argv[2] ?? "").replace(/^(\.\/)?(examples\/)?/, "").replace(/\.ts$/, "");
if (!names.includes(name) || !existsSync(new URL(`${name}.ts`, import.meta.url))) {
  console.error(name ? `There is no example "${name}".` : "Which example?");
  console.error(
    `Choose one of these, e.g. npm run example ${names[0]}:\n${names.map((each) => `  ${each}`).join("\n")}`,
  );
  process.exit(1);
}

const offline = !process.env["SILICONFLOW_API_KEY"];
const emulator = offline && !process.env["SILICONFLOW_BASE_URL"] ? await startEmulator() : undefined;
if (emulator) {
  console.error("Offline: SILICONFLOW_API_KEY is not set, so a local emulator answers.\n");
  process.env["SILICONFLOW_API_KEY"] = emulator.apiKey;
  process.env["SILICONFLOW_BASE_URL"] = emulator.url;
}
// What follows the name belongs to the example.
process.argv.splice(2, 1);
try {
  await import(new URL(`${name}.ts`, import.meta.url).href);
} catch (error) {
  // These say what to do; of anything else the stack is needed.
  if (!isSiliconFlowError(error)) throw error;
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await emulator?.close();
}
