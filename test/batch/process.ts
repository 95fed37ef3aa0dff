import { runCounted } from "./mortal.ts";

// One run in a process of its own, which kills itself after the step it was told.

const [url, key, folder, inputs, killAfter] = process.argv.slice(2) as [string, string, string, string, string];
let steps = 0;
await runCounted({ url, key, folder, inputs: JSON.parse(inputs) as string[], maxLines: 5 }, () => {
  steps += 1;
  if (steps === Number(killAfter)) process.kill(process.pid, "SIGKILL");
});
