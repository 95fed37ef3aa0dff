import type { EndpointName, RecordedRequest } from "./journal.js";

/** A tool call the model is to make. */
export interface ScriptedToolCall {
  /** Sent as it is, also when the request offers no such tool. */
  name: string;
  /** An object is sent as JSON; a string is sent as it is, also when it is not JSON. */
  arguments: string | Record<string, unknown>;
  /** @defaultValue 32 hex digits */
  id?: string;
}

/** Token counts that replace the emulator's own. */
export interface ScriptedUsage {
  /** @defaultValue what the emulator counts */
  prompt_tokens?: number;
  /** Thoughts included. @defaultValue what the emulator counts */
  completion_tokens?: number;
  /** A part of `completion_tokens`. @defaultValue what the emulator counts */
  reasoning_tokens?: number;
}

/** What the chat model says next, streamed or in one piece as the request asks. */
export interface ChatAnswer {
  /** A list is streamed as exactly these deltas. @defaultValue "" */
  content?: string | readonly string[];
  /** Sent whatever the model and `enable_thinking` say. A list is streamed as exactly these deltas. */
  reasoning?: string | readonly string[];
  /** @defaultValue none */
  toolCalls?: readonly ScriptedToolCall[];
  /** @defaultValue `"tool_calls"` with tool calls, otherwise `"stop"` (`"length"` when `max_tokens` cut the content) */
  finishReason?: string;
  /** Counts to report. A stream's running counts end at them. */
  usage?: ScriptedUsage;
}

/** A chat stream given event by event, also to a request that did not ask for one. */
export interface ChatChunks {
  /**
   * Payloads of `data:` lines: strings as they are, objects as JSON. Nothing is added: a stream that is to end
   * properly ends in `"[DONE]"`.
   */
  chunks: readonly (string | Record<string, unknown>)[];
}

/** An answer given as it goes over the wire, without any check of the request but its key. */
export interface WireAnswer {
  /** The endpoint this answer waits for. @defaultValue any */
  endpoint?: EndpointName;
  /** @defaultValue 200 */
  status?: number;
  /** Added to those every answer has. */
  headers?: Readonly<Record<string, string>>;
  /** A string or bytes are sent as they are, anything else as JSON. @defaultValue the documented body of the status */
  body?: unknown;
}

/** One line of a script. */
export type ScriptedAnswer = ChatAnswer | ChatChunks | WireAnswer;

/**
 * An answer, or a function of the request that gives one. A function that returns undefined declines: it stays for a
 * later request, and this one is answered by the next line, or without a script.
 */
export type ScriptLine =
  | ScriptedAnswer
  | ((request: RecordedRequest) => ScriptedAnswer | undefined | Promise<ScriptedAnswer | undefined>);

/** Answers waiting for their requests, first come first served. */
export class Script {
  #lines: ScriptLine[] = [];

  add(lines: readonly ScriptLine[]): void {
    this.#lines.push(...lines);
  }

  clear(): void {
    this.#lines = [];
  }

  /** Takes the first line that fits the request off the script. */
  async next(request: RecordedRequest): Promise<ScriptedAnswer | undefined> {
    for (const line of this.#lines.slice()) {
      if (typeof line !== "function" && endpointOf(line) !== undefined && endpointOf(line) !== request.endpoint)
        continue;
      // Taken before it is asked: two requests at once must not share a line.
      const position = this.#lines.indexOf(line);
      if (position === -1) continue;
      this.#lines.splice(position, 1);
      const answer = typeof line === "function" ? await line(request) : line;
      if (answer !== undefined) return answer;
      this.#lines.splice(position, 0, line);
    }
    return undefined;
  }
}

/** Whether an answer is the wire's own, not the chat model's. */
export function isWireAnswer(answer: ScriptedAnswer): answer is WireAnswer {
  return "body" in answer || "status" in answer || "headers" in answer;
}

function endpointOf(answer: ScriptedAnswer): EndpointName | undefined {
  return isWireAnswer(answer) || "endpoint" in answer ? (answer as WireAnswer).endpoint : "chat";
}
