import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startEmulator, type Emulator } from "@langchain-siliconflow/emulator";
import { expect, test } from "vitest";
import { runCounted } from "./mortal.ts";

const program = fileURLToPath(new URL("process.ts", import.meta.url));
const inputs = [1, 2, 3].map((n) => `[1] Alpha${n} has ${n}00 bridges.\n\nQuestion: How many bridges has Alpha${n}?`);

interface Place {
  emulator: Emulator;
  url: string;
  key: string;
  folder: string;
  inputs: string[];
  maxLines: number;
}

/** A service and a folder that nobody has used. */
async function inNewPlace<T>(maxLines: number, use: (place: Place) => Promise<T>): Promise<T> {
  const emulator = await startEmulator({ batchPace: { queueMs: 0, lineMs: 1, finalizeMs: 0 } });
  const folder = await mkdtemp(join(tmpdir(), "siliconflow-killed-"));
  try {
    return await use({ emulator, url: emulator.url, key: emulator.apiKey, folder, inputs, maxLines });
  } finally {
    await emulator.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** How many steps a run has that nobody disturbs. */
function stepsOfRun(maxLines: number): Promise<number> {
  return inNewPlace(maxLines, async (place) => {
    let steps = 0;
    await runCounted(place, () => void (steps += 1));
    return steps;
  });
}

/** Finishes a run that was stopped, and says what the service was asked for in all. */
async function finish(place: Place): Promise<object> {
  const answers = await runCounted(place, () => {});
  const { requests, batchLines } = place.emulator;
  const made = (endpoint: string) =>
    requests.filter((request) => request.endpoint === endpoint && request.method === "POST").length;
  return {
    answered: answers.filter((text, index) => text.includes(`${index + 1}00 bridges`)).length,
    uploads: made("files"),
    batches: made("batches"),
    lines: batchLines.length,
    different: new Set(batchLines.map(({ customId }) => customId)).size,
  };
}

const once = { answered: 3, uploads: 1, batches: 1, lines: 3, different: 3 };

function killedProcess({ url, key, folder }: Place, killAfter: number): Promise<string | undefined> {
  const args = [program, url, key, folder, JSON.stringify(inputs), String(killAfter)];
  return new Promise((resolve) => {
    execFile(process.execPath, args, (error) => resolve(error?.signal ?? undefined));
  });
}

test("a process that is killed after any of its steps leaves a run that another finishes, each line paid once", async () => {
  const steps = await stepsOfRun(5);
  // It looks, uploads, asks, waits and fetches, and writes down what it did in between.
  expect(steps).toBeGreaterThanOrEqual(12);
  const left = Array.from({ length: steps }, (_, index) => index + 1);
  const work = async (): Promise<void> => {
    for (let killAfter = left.shift(); killAfter !== undefined; killAfter = left.shift()) {
      const step = killAfter;
      await inNewPlace(5, async (place) => {
        expect(await killedProcess(place, step), `killed after step ${step}`).toBe("SIGKILL");
        expect(await finish(place), `killed after step ${step}`).toEqual(once);
      });
    }
  };
  await Promise.all([work(), work(), work()]);
}, 180_000);

test("a run that stops dead twice, at any two of its steps, is finished, each line paid once", async () => {
  // Two files, side by side.
  const steps = await stepsOfRun(2);
  /** Stops for ever after a step, as a killed process does, only sooner. */
  const stopAfter = (place: Place, last: number): Promise<unknown> =>
    new Promise((resolve, reject) => {
      let done = 0;
      const step = (): void | Promise<void> => {
        done += 1;
        if (done < last) return;
        resolve("stopped");
        return new Promise(() => {});
      };
      runCounted(place, step).then(resolve, reject);
    });
  for (let first = 1; first <= steps; first += 1) {
    for (const second of [1, 2, 4, 7, 11]) {
      await inNewPlace(2, async (place) => {
        await stopAfter(place, first);
        await stopAfter(place, second);
        expect(await finish(place), `stopped after steps ${first} and ${second}`).toEqual({
          ...once,
          uploads: 2,
          batches: 2,
        });
      });
    }
  }
}, 180_000);
