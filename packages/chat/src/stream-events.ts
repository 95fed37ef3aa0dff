import type { ChatModelStreamEvent } from "@langchain/core/language_models/event";
import { ChatModelStream } from "@langchain/core/language_models/stream";
import type { AIMessage, BaseMessage, ContentBlock } from "@langchain/core/messages";
import type { InvalidToolCall } from "@langchain/core/messages/tool";
import type { ChatOpenAICompletions } from "@langchain/openai";
import type { ChatSiliconFlowCallOptions } from "./call-options.js";
import { reasoningOf } from "./reasoning.js";
import type { StreamEnd } from "./repaired-stream.js";
import { whyUnfit } from "./tool-calls.js";
import { toUsageMetadata } from "./usage.js";
import { describe } from "./wire-to-messages.js";

/**
 * Sets right in one event of core's converter what that cannot know: whose answer it is, its trace id, its counts in full,
 * and that arguments which are JSON but no object are not a call. Changes the event in place.
 */
export function settleEvent(event: ChatModelStreamEvent, end: StreamEnd): ChatModelStreamEvent {
  switch (event.event) {
    case "usage":
      if (end.usage) event.usage = toUsageMetadata(end.usage);
      return event;
    case "content-block-finish": {
      const { content } = event;
      if (content.type !== "tool_call") return event;
      const { id, name, args } = content as { id?: string; name?: string; args?: unknown };
      const error = name ? whyUnfit(args) : "The call names no tool.";
      if (error === undefined) return event;
      event.content = {
        type: "invalid_tool_call",
        ...(id !== undefined && { id }),
        name: name ?? "",
        args: asJson(args),
        error,
      };
      return event;
    }
    case "message-finish": {
      const metadata = describe(end);
      if (end.usage) {
        event.usage = toUsageMetadata(end.usage);
        metadata["usage"] = { ...end.usage };
      }
      if (end.logprobs) metadata["logprobs"] = { content: end.logprobs };
      event.responseMetadata = metadata;
      // Core turns what it does not know into "stop". Its message takes the reason of the metadata when this one is absent.
      if (event.reason === "stop" && end.finishReason !== "stop") delete event.reason;
      return event;
    }
    default:
      return event;
  }
}

/** Arguments may be nested deeper than `JSON.stringify` goes. */
function asJson(args: unknown): string {
  try {
    return JSON.stringify(args);
  } catch {
    return "";
  }
}

/**
 * Gives a message that core built from events what it leaves out: thoughts where other views have them, the service's own
 * finish reason, and the calls that cannot be run. Changes the message in place.
 */
export function completeMessage<T extends BaseMessage>(message: T): T {
  if (message.type !== "ai" || !Array.isArray(message.content)) return message;
  const answer = message as unknown as AIMessage & { content: ContentBlock[] };
  const reasoning = reasoningOf(answer);
  if (reasoning !== "") answer.additional_kwargs["reasoning_content"] ??= reasoning;
  // Core's events say "tool_use" for what the service and every other view call "tool_calls".
  if (answer.response_metadata["finish_reason"] === "tool_use")
    answer.response_metadata["finish_reason"] = "tool_calls";
  if (!answer.invalid_tool_calls?.length) {
    const invalid = answer.content.filter((block) => block.type === "invalid_tool_call");
    if (invalid.length > 0) answer.invalid_tool_calls = invalid as InvalidToolCall[];
  }
  return message;
}

/**
 * Makes `streamEvents` of a class resolve to {@link completeMessage | complete messages}. Done to the prototype, because an
 * override would have to repeat core's seven signatures, and keep up with them.
 */
export function completeStreamEvents(prototype: ChatOpenAICompletions<ChatSiliconFlowCallOptions>): void {
  const inherited: (...call: never[]) => unknown = prototype.streamEvents;
  Object.defineProperty(prototype, "streamEvents", {
    configurable: true,
    writable: true,
    value(this: unknown, ...call: never[]): unknown {
      const events = Reflect.apply(inherited, this, call);
      return events instanceof ChatModelStream ? completeOutput(events) : events;
    },
  });
}

function completeOutput(stream: ChatModelStream): ChatModelStream {
  let message: Promise<AIMessage> | undefined;
  const output = (): Promise<AIMessage> => {
    const assembled: PromiseLike<AIMessage> = Reflect.get(ChatModelStream.prototype, "output", stream);
    message ??= Promise.resolve(assembled).then(completeMessage);
    return message;
  };
  Object.defineProperty(stream, "output", { get: output, configurable: true });
  // Awaiting the stream itself is the same as awaiting its output.
  Object.defineProperty(stream, "then", {
    value: (...handlers: Parameters<Promise<AIMessage>["then"]>) => output().then(...handlers),
    configurable: true,
    writable: true,
  });
  return stream;
}
