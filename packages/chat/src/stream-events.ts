import type { ChatModelStreamEvent } from "@langchain/core/language_models/event";
import type { StreamEnd } from "./repair-stream.js";
import { isPlainObject } from "./tool-calls.js";
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
      if (name && isPlainObject(args)) return event;
      const error = name ? "The arguments are not a JSON object." : "The call names no tool.";
      event.content = {
        type: "invalid_tool_call",
        ...(id !== undefined && { id }),
        name: name ?? "",
        args: JSON.stringify(args),
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
      event.responseMetadata = metadata;
      // Core turns what it does not know into "stop". Its message takes the reason of the metadata when this one is absent.
      if (event.reason === "stop" && end.finishReason !== "stop") delete event.reason;
      return event;
    }
    default:
      return event;
  }
}
