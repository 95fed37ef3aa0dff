import { BaseCallbackHandler, type BaseCallbackHandlerInput } from "@langchain/core/callbacks/base";
import type { Journal } from "./journal.js";

/** Every method by which core tells a handler something. */
const methods = [
  "handleLLMStart",
  "handleChatModelStart",
  "handleLLMNewToken",
  "handleChatModelStreamEvent",
  "handleLLMEnd",
  "handleLLMError",
  "handleChainStart",
  "handleChainEnd",
  "handleChainError",
  "handleToolStart",
  "handleToolEvent",
  "handleToolEnd",
  "handleToolError",
  "handleText",
  "handleAgentAction",
  "handleAgentEnd",
  "handleRetrieverStart",
  "handleRetrieverEnd",
  "handleRetrieverError",
  "handleCustomEvent",
] as const;
type Method = (typeof methods)[number];

interface Habits extends BaseCallbackHandlerInput {
  awaitHandlers?: boolean;
  /** Methods it does not have. */
  lacks?: Method[];
  /** Methods that throw after they have taken note. */
  throwsIn?: Method[];
  /** Takes so many turns of the event loop, and notes when it is through. */
  slow?: number;
  /** What a handler promises of itself, such as `lc_prefer_streaming`. */
  prefers?: object;
}

/** A handler that tells the journal each call, its arguments and what it sees around it. */
export function recording(journal: Journal, name: string, habits: Habits = {}): BaseCallbackHandler {
  const { awaitHandlers, lacks = [], throwsIn = [], slow = 0, prefers, ...input } = habits;
  class Recording extends BaseCallbackHandler {
    name = name;
  }
  const handler = new Recording(input);
  if (awaitHandlers !== undefined) handler.awaitHandlers = awaitHandlers;
  Object.assign(handler, prefers);
  for (const method of methods) {
    if (lacks.includes(method)) continue;
    const heard = async (...details: unknown[]): Promise<void> => {
      journal.noteWithin(name, method, ...details);
      for (let turn = 0; turn < slow; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      if (slow > 0) journal.note(name, `${method} is through`);
      if (throwsIn.includes(method)) throw new Error(`${method} of ${name}`);
    };
    Object.defineProperty(handler, method, { value: heard, enumerable: true });
  }
  return handler;
}
