import type { ChatSiliconFlow, ChatSiliconFlowFields } from "@langchain-siliconflow/chat";
import { awaitAllCallbacks } from "@langchain/core/callbacks/promises";
import type { ChatClass } from "./core-path.js";
import { Journal, quiet } from "./journal.js";
import { scriptServer, type Asked, type ScriptServer } from "./script-server.js";

/** What a scenario acts with. */
export interface Stage {
  /** The class under test. */
  Chat: ChatClass;
  /** A model of the class under test, on this stage's server. */
  model(fields?: Partial<ChatSiliconFlowFields>): ChatSiliconFlow;
  journal: Journal;
  server: ScriptServer;
}

/** One way to use a stream, told in full to a journal. */
export interface Scenario {
  name: string;
  /** What the server does with each request. Without it the scenario does so itself. */
  serve?: (asked: Asked, index: number) => void;
  run(stage: Stage): Promise<void>;
  /** False where the order among witnesses depends on sockets or timers, and only each one's own is told. @defaultValue true */
  ordered?: boolean;
}

/** All that a scenario shows of a class. */
export async function observe(scenario: Scenario, Chat: ChatClass): Promise<object> {
  await using server = await scriptServer(scenario.serve);
  const journal = new Journal();
  using _ = listening(journal);
  const model = (fields: Partial<ChatSiliconFlowFields> = {}): ChatSiliconFlow =>
    new Chat({ model: "Qwen/Qwen3-8B", apiKey: key, baseURL: server.url, maxRetries: 0, ...fields });
  await scenario.run({ Chat, model, journal, server });
  await awaitAllCallbacks();
  await quiet();
  for (const { body, headers } of server.asked) {
    journal.note("server", "was asked", body, JSON.stringify(headers).replaceAll(key, "‹key›"));
  }
  return journal.record(scenario.ordered ?? true);
}

/** The key of every model, which no record may hold. */
export const key = "sk-of-the-test";

/** What is printed (core prints the errors of handlers), and promises that nobody listens to. */
function listening(journal: Journal): Disposable {
  const methods = ["log", "warn", "error"] as const;
  const own = methods.map((method) => console[method]);
  for (const method of methods) console[method] = (...said) => journal.note("console", method, ...said);
  const rejections = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", (error) => journal.note("process", "unhandled rejection", error));
  return {
    [Symbol.dispose]() {
      process.removeAllListeners("unhandledRejection");
      for (const listener of rejections) process.on("unhandledRejection", listener);
      methods.forEach((method, index) => (console[method] = own[index]!));
    },
  };
}
