import { InvalidResponseError, type ChatCompletion, type ToolCall } from "@langchain-siliconflow/client";
import { asText } from "@langchain-siliconflow/client/adapter";
import { readLogprobs } from "./logprobs.js";
import { makeMessageId, normalFinishReason, plainText, withCachedTokens } from "./repaired-stream.js";
import { makeToolCallId, nonEmpty } from "./stream-tool-calls.js";
import { tellApart } from "./think-tags.js";
import { isPlainObject, maxArgumentLength } from "./tool-calls.js";

/**
 * The same repairs as `repaired-stream.ts`, for an answer that came in one piece. Changes it in place.
 *
 * @throws {@link InvalidResponseError} when there is no answer in it.
 */
export function repairCompletion(completion: ChatCompletion): ChatCompletion {
  if (!Array.isArray(completion.choices) || completion.choices.length === 0) {
    throw new InvalidResponseError("The service answered without choices, so there is no message to return.", {
      reason: "empty",
      traceId: completion.traceId,
      ...(completion.attempts !== undefined && { attempts: completion.attempts }),
    });
  }
  completion.id = nonEmpty(completion.id) ?? makeMessageId();
  if (isPlainObject(completion.usage)) completion.usage = withCachedTokens(completion.usage);
  else delete completion.usage;

  for (const choice of completion.choices) {
    const finish = nonEmpty(choice.finish_reason);
    const finishReason = normalFinishReason(finish);
    // A whole answer has ended, whether it says why or not.
    choice.finish_reason = finishReason ?? "stop";
    if (finish !== finishReason) choice["native_finish_reason"] = finish;

    if (choice["logprobs"] != null) choice["logprobs"] = readLogprobs(choice["logprobs"]);

    const message = (choice.message ??= { role: "assistant", content: "" });
    message.role = "assistant";
    message.content = plainText(message.content);
    message.reasoning_content = nonEmpty(message.reasoning_content) ?? null;
    if (message.reasoning_content === null) {
      const { reasoning, text } = tellApart(message.content);
      message.reasoning_content = nonEmpty(reasoning) ?? null;
      message.content = text;
    }
    if (Array.isArray(message.tool_calls)) {
      message.tool_calls = repairCalls(message.tool_calls, finish === "length");
    } else delete message.tool_calls;
  }
  return completion;
}

/** @param cut - Whether the token limit ended the answer: then empty arguments of the last call are no `{}`. */
function repairCalls(calls: readonly ToolCall[], cut: boolean): ToolCall[] {
  const ids = new Set<string>();
  return calls
    .filter((call) => typeof call === "object" && call !== null)
    .map((call, position, all) => {
      const given = nonEmpty(call.id);
      const id = given === undefined || ids.has(given) ? makeToolCallId() : given;
      ids.add(id);
      const text = asText(call.function?.arguments).slice(0, maxArgumentLength);
      const empty = text.trim() === "" && !(cut && position === all.length - 1);
      return {
        id,
        type: "function" as const,
        function: { name: nonEmpty(call.function?.name) ?? "", arguments: empty ? "{}" : text },
      };
    });
}
