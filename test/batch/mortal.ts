import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ChatSiliconFlow, type BatchState } from "@langchain-siliconflow/chat";
import { SiliconFlowClient } from "@langchain-siliconflow/client";

/** A run in which each step is counted: a request that was answered, a text that is about to be kept, one that is. */
export async function runCounted(
  run: { url: string; key: string; folder: string; inputs: string[]; maxLines: number },
  step: () => void | Promise<void>,
): Promise<string[]> {
  /** Counts a step when a call comes back, before anybody has seen what it brought. */
  const counted = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(_, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        return async (...args: unknown[]): Promise<unknown> => {
          const answer: unknown = await Reflect.apply(value, target, args);
          await step();
          return answer;
        };
      },
    });
  const service = new SiliconFlowClient({ apiKey: run.key, baseURL: run.url, maxRetries: 0 });
  const { baseURL, chat, messages } = service;
  const [files, batches, assets] = [counted(service.files), counted(service.batches), counted(service.assets)];
  const state: BatchState = {
    get: (name) => readFile(join(run.folder, name), "utf8").catch(() => undefined),
    async set(name, value) {
      await writeFile(join(run.folder, `${name}.part`), value);
      await step();
      await rename(join(run.folder, `${name}.part`), join(run.folder, name));
      await step();
    },
  };
  const client = { baseURL, chat, messages, files, batches, assets };
  const model = new ChatSiliconFlow({ model: "Qwen/Qwen2.5-7B-Instruct", client });
  const answers = await model.viaBatch({ state, maxLines: run.maxLines, pollIntervalMs: 5 }).batch(run.inputs);
  await service.close();
  return answers.map(({ text }) => text);
}
