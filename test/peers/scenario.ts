import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import type { AIMessage, AIMessageChunk, BaseMessage } from "@langchain/core/messages";
import type { FaultServer, Reply } from "../faults/fault-server.ts";

/** Looked for wherever a key must not be. */
export const sentinelKey = "sk-sentinel-0123456789";

/** What a scenario asks of a model beyond the defaults. */
export interface Fields {
  /** Another key, or `"none"` to leave it to the environment. */
  key?: string;
  /** How long the host may be quiet, as far as the model has an option for it. */
  quietMs?: number;
  [field: string]: unknown;
}

export interface Peer {
  name: string;
  /** The variable that is this model's own place for a key. */
  keyName: string;
  /** Call options, as somebody would try who reads this model's types and the service's documentation. */
  withoutThinking: object;
  withEffort: object;
  make(baseURL: string, fields?: Fields): BaseChatModel;
}

/** What a scenario is given to work with. */
export interface Scene {
  peer: Peer;
  server: FaultServer;
  model(fields?: Fields): BaseChatModel;
  /** Hosts beyond this machine that this model has asked for so far, all of them refused. */
  foreign: readonly string[];
}

/** How a call ended. */
export type Outcome<Value> = { value: Value } | { error: Error } | { hangs: true };

/** One defect: the server's answers, the call, and the judgement in a few words, or `undefined` where all is well. */
export interface Defect<Value = unknown> {
  group: string;
  name: string;
  replies: readonly Reply[];
  env?: Record<string, string>;
  call(scene: Scene): Promise<Value> | Value;
  judge(outcome: Outcome<Value>, scene: Scene): string | undefined;
}

/** Keeps the types of one entry together and forgets them in the list. */
// The runner hands a judge only what the same entry's call returned.
export const defect = <Value>(entry: Defect<Value>): Defect => entry as unknown as Defect;

/** For most entries an error or a hang is the defect, and only a value needs a look. */
export function whenAnswered<Value>(look: (value: Value, scene: Scene) => string | undefined): Defect<Value>["judge"] {
  return (outcome, scene) => {
    if ("hangs" in outcome) return "hangs";
    if ("error" in outcome) return `throws "${brief(outcome.error.message)}"`;
    return look(outcome.value, scene);
  };
}

/** For entries in which the host fails: the call must say so. */
export function mustFail(look?: (error: Error, scene: Scene) => string | undefined): Defect["judge"] {
  return (outcome, scene) => {
    if ("hangs" in outcome) return "hangs";
    if ("value" in outcome) return "silent success";
    // A failure of the program's own making tells the user nothing about the host's.
    if (outcome.error.name === "TypeError" || outcome.error.name === "SyntaxError")
      return `${outcome.error.name} "${brief(outcome.error.message)}"`;
    return look?.(outcome.error, scene);
  };
}

export const brief = (text: string): string => {
  const line = text.split("\n")[0]!.replaceAll("|", "/");
  return line.length > 48 ? `${line.slice(0, 47)}…` : line;
};

export async function streamed(
  model: BaseChatModel,
  input: string | BaseMessage[],
  options = {},
): Promise<AIMessageChunk> {
  let whole: AIMessageChunk | undefined;
  for await (const chunk of await model.stream(input, options))
    whole = whole === undefined ? chunk : whole.concat(chunk);
  return whole!;
}

/** The two ways in which LangChain streams; they share little code, so a defect may be in either. */
export const paths: Record<string, (model: BaseChatModel, input?: string) => Promise<AIMessage | AIMessageChunk>> = {
  stream: (model, input = "Well?") => streamed(model, input),
  // Without a version: the newest events.
  v3: async (model, input = "Well?") => model.streamEvents(input),
};

/** One entry for each of the two. */
export const onBothPaths = (
  group: string,
  name: string,
  replies: readonly Reply[],
  judge: Defect<AIMessage | AIMessageChunk>["judge"],
  fields: Fields = {},
): Defect[] =>
  Object.entries(paths).map(([path, read]) =>
    defect({ group, name: `${name} (${path})`, replies, call: ({ model }) => read(model(fields)), judge }),
  );
